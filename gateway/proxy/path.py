"""Checks the path of a proxied call.

The connector sets scheme, host and port; the caller sets path and query and nothing else. A path that two servers might
read differently (dot segments, encoded or doubled slashes, `@`, backslashes, control characters) is refused, never
repaired.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from connectors.connector import Connector, VendorPath
from connectors.needs import Need
from gateway.errors import BadRequest, Forbidden
from gateway.policy.columns import condition_fault
from gateway.proxy.request import ProxyRequest

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
MAX_PATH_LENGTH = 2048


@dataclass(frozen=True, slots=True)
class Target:
    """A path and query as they will be sent, the scopes that the token needs, and the rule that opens the path."""

    path: str
    query: tuple[tuple[str, str], ...]
    need: Need
    rule: VendorPath


def read_target(wanted: ProxyRequest, connector: Connector) -> Target:
    """Returns the target of a call.

    Raises `BadRequest` for a path or query that is not valid, `Forbidden` for a path that no rule opens.
    """
    base_url, paths = connector.base_url, connector.paths
    if wanted.url is not None and wanted.url.rstrip("/") != base_url.rstrip("/"):
        raise BadRequest(f"url cannot be chosen: calls of this account go to {base_url}. Leave it out.")
    path, _, query = wanted.path.partition("?")
    faults = _faults(path)
    if faults:
        raise BadRequest(f"path must be a plain path of the provider, such as {paths[0].path}: {'; '.join(faults)}")
    try:
        pairs = tuple(parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError as error:
        raise BadRequest("The query in path must be percent-encoded UTF-8 with at most 100 parameters.") from error
    rule = _rule(path, wanted.method, paths)
    faults = [why for name, _ in pairs if (why := condition_fault(name, connector.query_words))]
    # A key that may use the proxy sees whole records, except for these columns.
    never = connector.never | rule.hides
    faults += [f"{column} is never shown" for name, _ in pairs if (column := name.partition("[")[0]) in never]
    if faults:
        raise BadRequest("The query in path is not sent on: " + "; ".join(faults), errors=faults)
    return Target(path, pairs, rule.needs[wanted.method], rule)


def _rule(path: str, method: str, paths: Sequence[VendorPath]) -> VendorPath:
    segments = path.strip("/").split("/")
    for row in paths:
        if _matches(row.path.strip("/").split("/"), segments):
            if method in row.needs:
                return row
            raise Forbidden(
                f"No rule opens {method} {row.path}; open there: {', '.join(row.needs)}.", code="PathClosedError"
            )
    raise Forbidden(f"No rule opens the path {path[:100]}.", code="PathClosedError")


def _faults(path: str) -> list[str]:
    if not path.startswith("/"):
        return ["it must begin with one slash"]
    if len(path) > MAX_PATH_LENGTH:
        return [f"it is longer than {MAX_PATH_LENGTH} characters"]
    faults = []
    segments = path[1:].split("/")
    if any(not segment for segment in segments):
        faults.append("it has an empty segment")
    if any(segment and not _SEGMENT.fullmatch(segment) for segment in segments):
        faults.append("a segment has other characters than letters, digits, - and _")
    return faults


def _matches(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    return len(pattern) == len(segments) and all(
        one.startswith("{") or one == other for one, other in zip(pattern, segments, strict=True)
    )
