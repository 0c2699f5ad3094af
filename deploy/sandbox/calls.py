"""The calls of the API that were received, with the name of the token and never the token."""

from __future__ import annotations

from collections import Counter, deque
from urllib.parse import parse_qsl

from deploy.sandbox.model import JsonObject

_KEPT = 20_000


class Call:
    """A call. Its status is set when the answer begins, and stays None if none was sent."""

    __slots__ = ("method", "path", "query", "status", "token")

    def __init__(self, method: str, path: str, query: bytes, token: str | None) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.token = token
        self.status: int | None = None

    def as_json(self) -> JsonObject:
        """Returns the call as the control paths show it."""
        query: dict[str, object] = {}
        for name, value in parse_qsl(self.query.decode("latin-1"), keep_blank_values=True):
            known = query.get(name)
            query[name] = value if known is None else [*(known if isinstance(known, list) else [known]), value]
        return {
            "method": self.method,
            "path": self.path,
            "query": query,
            "status": self.status,
            "token": self.token,
        }


class CallLog:
    """Counts all calls, and stores the latest ones."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Deletes all calls."""
        self.total = 0
        self._calls: deque[Call] = deque(maxlen=_KEPT)
        self._counts: Counter[str] = Counter()

    def add(self, call: Call) -> None:
        """Adds a call."""
        self.total += 1
        self._calls.append(call)
        self._counts[call.path] += 1

    def count(self, prefix: str) -> int:
        """Returns the number of calls to a path and the paths below it."""
        return sum(number for path, number in self._counts.items() if under(path, prefix))

    def as_json(self) -> JsonObject:
        """Returns the calls as the control paths show them."""
        return {"total": self.total, "calls": [call.as_json() for call in self._calls]}


def under(path: str, prefix: str) -> bool:
    """Returns whether a path is the prefix, or below it.

    `/time-away-types` is not below `/time-away`.
    """
    prefix = prefix.rstrip("/")
    return not prefix or path == prefix or path.startswith(f"{prefix}/")
