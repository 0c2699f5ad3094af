"""Status, body and headers of answers to errors.

Bodies have the contract's format: `statusCode`, `message`, `timestamp` and `errorCode`, and the rest where it is known.
"""

from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson

from gateway import errors


class MethodNotAllowed(errors.GatewayError):
    """A known path with another method. Only HTTP has such an error, so it stands here."""

    code = "MethodNotAllowedError"
    allowed: tuple[str, ...] = ()

    @classmethod
    def instead_of(cls, method: str, allowed: Iterable[str]) -> "MethodNotAllowed":
        """Returns the error, with the methods that the path takes, as RFC 9110 wants it (section 15.5.6)."""
        names = tuple(sorted(allowed))
        error = cls(f"This path does not take {method[:16]}, but {', '.join(names)}.")
        error.allowed = names
        return error


STATUSES: dict[type[errors.GatewayError], int] = {
    errors.BadRequest: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    MethodNotAllowed: 405,
    errors.DeadlineExceeded: 408,
    errors.Conflict: 409,
    errors.AccountUnavailable: 412,
    errors.Unprocessable: 422,
    errors.RateLimited: 429,
    errors.StoreUnavailable: 500,
    errors.NotImplementedHere: 501,
    errors.VendorFailure: 502,
    errors.VendorAnswerTooLarge: 502,
    errors.NotCached: 504,
    errors.GatewayError: 500,
}


Headers = list[tuple[bytes, bytes]]
JSON_HEADERS: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


def status_of(error: errors.GatewayError) -> int:
    """Returns the status of an error, from its own class or the nearest base class that has one."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def timestamp(now: datetime) -> str:
    """Returns a UTC time as RFC 3339 with milliseconds."""
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def error_body(error: errors.GatewayError, status: int, now: datetime) -> bytes:
    """Returns the JSON body of an error, in the contract's shape."""
    body: dict[str, Any] = {
        "statusCode": status,
        "message": error.message,
        "timestamp": timestamp(now),
        "errorCode": error.code,
    }
    if error.errors:
        body["errors"] = error.errors
    if error.provider_errors:
        body["provider_errors"] = [
            {"status": each.status, "url": each.url, "raw": {"message": each.message}, "headers": {}}
            for each in error.provider_errors
        ]
    return orjson.dumps(body)


def error_headers(error: errors.GatewayError) -> Headers:
    """Returns the headers of an error."""
    headers = [*JSON_HEADERS]
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.allowed).encode()))
    if isinstance(error, errors.Unauthenticated):
        headers.append((b"www-authenticate", b'Basic realm="hris-gateway"'))
    return headers


def with_length(headers: Headers, body: bytes) -> Headers:
    """Returns the headers with the length of the body."""
    return [*headers, (b"content-length", str(len(body)).encode())]


def render_head(status: int, headers: Headers, keep_alive: bool) -> bytes:  # noqa: FBT001 - as HTTP states it
    """Returns the status line and the headers as they are sent (RFC 9112, section 2.1)."""
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b" % header for header in headers]
    if not keep_alive:
        lines.append(b"connection: close")
    return b"\r\n".join([*lines, b"\r\n"])
