"""Where a passed-through call goes: a path of the vendor, taken apart with suspicion.

The connector gives scheme, host and port; the caller gives path and query and nothing else. What could be read in two
ways (dot segments, encoded slashes, doubled slashes, `@`, backslashes, control characters) is refused, not cleaned.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from connectors.connector import VendorPath
from connectors.needs import Need
from gateway.core.errors import BadRequest, Forbidden

_SEGMENT = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+")
LONGEST_PATH = 2048


@dataclass(frozen=True, slots=True)
class Target:
    """A path as it will be sent, its query in pairs, and what the token needs for the method."""

    path: str
    query: tuple[tuple[str, str], ...]
    need: Need
    rule: VendorPath


def read_target(method: str, given: str, base_url: str, override: str | None, paths: Sequence[VendorPath]) -> Target:
    """Raises `BadRequest` for a path that is not plainly one, `Forbidden` for one that no rule opens."""
    if override is not None and override.rstrip("/") != base_url.rstrip("/"):
        raise BadRequest(f"url cannot be chosen: calls of this account go to {base_url}. Leave it out.")
    path, _, query = given.partition("?")
    faults = _faults(path)
    if faults:
        raise BadRequest(f"path must be a plain path of the provider, such as {paths[0].path}: {'; '.join(faults)}")
    try:
        pairs = tuple(parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError as error:
        raise BadRequest("The query in path must be percent-encoded UTF-8 with at most 100 parameters.") from error
    segments = path.strip("/").split("/")
    for row in paths:
        if _matches(row.path.strip("/").split("/"), segments):
            if method in row.needs:
                return Target(path, pairs, row.needs[method], row)
            raise Forbidden(
                f"No rule opens {method} {row.path}; open there: {', '.join(row.needs)}.", code="PathClosedError"
            )
    raise Forbidden(f"No rule opens the path {path[:100]}.", code="PathClosedError")


def _faults(path: str) -> list[str]:
    if not path.startswith("/"):
        return ["it must begin with one slash"]
    if len(path) > LONGEST_PATH:
        return [f"it is longer than {LONGEST_PATH} characters"]
    faults = []
    segments = path[1:].split("/")
    if any(not segment for segment in segments):
        faults.append("it has an empty segment")
    if any(segment and not _SEGMENT.fullmatch(segment) for segment in segments):
        faults.append("it has characters that do not belong in a path")
    decoded = [unquote(segment) for segment in segments]
    if any(segment in {".", ".."} for segment in decoded):
        faults.append("it has a dot segment")
    if any(character in segment for segment in decoded for character in "/\\@?#") or any(
        not segment.isprintable() for segment in decoded
    ):
        faults.append("it has an encoded slash, @, or control character")
    return faults


def _matches(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    return len(pattern) == len(segments) and all(
        one.startswith("{") or one == other for one, other in zip(pattern, segments, strict=True)
    )
