"""Finds the operation for a method and path. The time does not depend on the number of operations."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from connectors.contract import Operation


@dataclass(slots=True)
class _Node:
    """A segment of known paths. Named children come before the one that accepts any text."""

    children: dict[str, "_Node"] = field(default_factory=dict)
    anything: "_Node | None" = None
    operations: dict[str, Operation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """The operation of a path, and the values of its parameters in order."""

    operation: Operation
    values: tuple[str, ...]


class Matcher:
    """Finds operations. Segments are split before they are decoded, so an id may contain an encoded slash."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            node = self._root
            for segment in operation.path.strip("/").split("/"):
                if segment.startswith("{"):
                    node.anything = node.anything or _Node()
                    node = node.anything
                else:
                    node = node.children.setdefault(segment, _Node())
            node.operations[operation.method] = operation

    def find(self, method: str, raw_path: bytes) -> Match | tuple[str, ...] | None:
        """Returns the match, or the methods that the path does accept, or None for an unknown path."""
        node, values = self._root, []
        for raw in raw_path.lstrip(b"/").split(b"/"):
            text = _decoded(raw)
            if text is None:
                return None
            child = node.children.get(text)
            if child is None:
                if node.anything is None or not text:
                    return None
                values.append(text)
                child = node.anything
            node = child
        if method in node.operations:
            return Match(node.operations[method], tuple(values))
        return tuple(sorted(node.operations)) or None


def _decoded(raw: bytes) -> str | None:
    try:
        return (unquote_to_bytes(raw) if b"%" in raw else raw).decode()
    except UnicodeDecodeError:
        return None
