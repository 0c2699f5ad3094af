"""Reading what `POST /unified/proxy` is asked: method, path, headers and body, checked for their form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.contract.body import check_levels
from gateway.errors import BadRequest

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FIELDS = frozenset({"url", "method", "path", "headers", "body"})
REQUEST_HEADERS = frozenset(
    {"accept", "accept-language", "content-type", "if-none-match", "if-modified-since", "idempotency-key", "prefer"}
)


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """What the caller asks for, checked for its form."""

    method: str
    path: str
    url: str | None
    headers: Mapping[str, str]
    body: bytes | None


def read_proxy_request(body: bytes) -> ProxyRequest:
    """Read the contract's proxy request. Raises `BadRequest` with every fault."""
    try:
        # The standard library keeps integers of any length as they are.
        found = json.loads(body)
        # JSON has no words for what is no number, or too large for one, though Python reads and writes them.
        json.dumps(found, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body must be a JSON object with path, and perhaps method, headers and body.") from error
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object with path, and perhaps method, headers and body.")
    check_levels(found)
    faults = [f"unknown field {name[:64]!r}; known: {', '.join(sorted(FIELDS))}" for name in found.keys() - FIELDS]
    method = str(found.get("method") or "get").upper()
    if method not in METHODS:
        faults.append(f"method must be one of {', '.join(METHODS).lower()}")
    faults += [f"{name} must be text" for name in ("path", "url") if not isinstance(found.get(name, ""), str | None)]
    if not isinstance(found.get("path"), str):
        faults.append("path is missing")
    headers, header_faults = _headers(found.get("headers"))
    faults += header_faults
    if found.get("body") is not None and method == "GET":
        faults.append("a get has no body")
    if faults:
        raise BadRequest("The proxy request is not valid: " + "; ".join(faults), errors=faults)
    sent = found.get("body")
    if sent is not None:
        headers["content-type"] = "application/json"
    return ProxyRequest(
        method, found["path"], found.get("url"), headers, None if sent is None else json.dumps(sent).encode()
    )


def _headers(given: Any) -> tuple[dict[str, str], list[str]]:
    if given is None:
        return {}, []
    if not isinstance(given, dict):
        return {}, ["headers must be an object of texts"]
    headers, faults = {}, []
    for name, value in given.items():
        if name.lower() not in REQUEST_HEADERS:
            faults.append(f"header {name[:64]!r} is not handed on; known: {', '.join(sorted(REQUEST_HEADERS))}")
        elif not isinstance(value, str) or not value.isascii() or not value.isprintable():
            faults.append(f"header {name} must be plain text")
        else:
            headers[name.lower()] = value
    return headers, faults
