"""What this process holds in memory: objects of a kind, and texts."""

import gc
from collections.abc import Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def alive(kind: type[T]) -> list[T]:
    """Returns all objects of a kind; call `gc.collect` first."""
    return [each for each in gc.get_objects() if isinstance(each, kind)]


def texts_with(needle: str) -> list[str]:
    """Returns the texts, and bytes as texts, that contain the needle, except the needle itself."""
    gc.collect()
    found = []
    for each in _reachable():
        if isinstance(each, bytes) and needle.encode() in each:
            found.append(each.decode(errors="replace"))
        elif isinstance(each, str) and each is not needle and needle in each:
            found.append(each)
    return found


def _reachable() -> Iterator[Any]:
    """Yields all objects, also those that the garbage collector does not track, such as dicts of texts."""
    pending = gc.get_objects()
    seen = {id(each) for each in pending} | {id(pending)}
    while pending:
        each = pending.pop()
        yield each
        if isinstance(each, (str, bytes, type)):
            continue
        for other in gc.get_referents(each):
            if id(other) not in seen:
                seen.add(id(other))
                pending.append(other)
