"""Reads the body, headers and query of a request."""

from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from gateway.errors import BadRequest

TOO_LARGE = "The body is larger than {most} bytes."
_MAX_PARAMETERS = 100
_SINGLE = frozenset({b"authorization", b"x-account-id", b"idempotency-key", b"content-type", b"content-encoding"})
"""Headers that decide what is done for whom. Two of one could mean two things to a proxy and to us."""


async def read_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """Returns the whole body. Raises `BadRequest` once it is known to be too large, and if the caller hangs up."""
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > max_bytes:
        raise BadRequest(TOO_LARGE.format(most=max_bytes))
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection was closed before the whole body had come.")
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise BadRequest(TOO_LARGE.format(most=max_bytes))
        if not message.get("more_body", False):
            return bytes(body)


def read_headers(scope: Scope) -> dict[bytes, bytes]:
    """Returns the headers by name. Raises `BadRequest` where one of `_SINGLE` is given twice."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _SINGLE and name in headers:
            raise BadRequest(f"The header {name.decode()} is given twice.")
        headers[name] = value
    return headers


def header(scope: Scope, name: bytes) -> str:
    """Returns the first header with this name, or an empty text."""
    return next((value for key, value in scope["headers"] if key == name), b"").decode("latin-1")


def read_query(query: bytes) -> tuple[tuple[str, str], ...]:
    """Returns the decoded parameters in their order. Raises `BadRequest`."""
    if not query:
        return ()
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS
        )
    except ValueError as error:
        raise BadRequest(
            f"The query cannot be read: it must be percent-encoded UTF-8 with at most {_MAX_PARAMETERS} parameters."
        ) from error
    return tuple(pairs)
