"""Reads the body of `POST /unified/proxy`: method, path, headers and body of a call to the vendor."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.platform_bodies import PROXY_REQUEST
from gateway.contract.body import check_body, check_levels, refuse, with_defaults
from gateway.errors import BadRequest


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """A call to the vendor, checked for its form. `method` is in capitals, names of headers are in small letters."""

    method: str
    path: str
    url: str | None
    headers: Mapping[str, str]
    body: bytes | None


def read_proxy_request(raw: bytes) -> ProxyRequest:
    """Returns the call. Raises `BadRequest` with every fault."""
    found = with_defaults(check_body(_parse(raw), PROXY_REQUEST), PROXY_REQUEST)
    headers = found["headers"] or {}
    faults = [f"headers.{name}: must be plain ASCII text" for name, value in headers.items() if not value.isascii()]
    body = found["body"]
    if body is not None and found["method"] == "get":
        faults.append("body: a get has no body")
    refuse(faults)
    if body is not None:
        headers = {**headers, "content-type": "application/json"}
    return ProxyRequest(
        found["method"].upper(),
        found["path"],
        found["url"],
        headers,
        None if body is None else json.dumps(body).encode(),
    )


def _parse(raw: bytes) -> dict[str, Any]:
    """Returns the JSON object, with the method and the names of headers in small letters. Raises `BadRequest`."""
    try:
        # The standard library keeps integers of any length as they are.
        found = json.loads(raw)
        # JSON has neither NaN nor infinity, though Python reads and writes them.
        json.dumps(found, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body must be a JSON object with path, and perhaps method, headers and body.") from error
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object with path, and perhaps method, headers and body.")
    check_levels(found)
    if isinstance(found.get("method"), str):
        found["method"] = found["method"].lower()
    if isinstance(found.get("headers"), dict):
        found["headers"] = {name.lower(): value for name, value in found["headers"].items()}
    return found
