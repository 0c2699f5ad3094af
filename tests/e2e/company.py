"""A running sandbox, as tests steer it: what it holds, what it was asked, how it misbehaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.e2e.processes import Server
from tests.e2e.raw_http import Reply, ask


@dataclass(frozen=True, slots=True)
class Company:
    server: Server

    @property
    def api(self) -> str:
        return self.server.url

    def rows(self, resource: str) -> list[dict[str, Any]]:
        """Returns all rows as they are stored, whoever may see them."""
        rows: list[dict[str, Any]] = self._steer("GET", f"/rows/{resource}").json["rows"]
        return rows

    def calls(self, path: str = "") -> list[dict[str, Any]]:
        """Returns what it was asked since they were cleared: all, or that path alone."""
        calls: list[dict[str, Any]] = self._steer("GET", "/calls").json["calls"]
        return [call for call in calls if path in {"", call["path"]}]

    @contextmanager
    def fault(self, kind: str, **how: object) -> Iterator[None]:
        """Misbehave within the block. `how` narrows it (path, token, times, after) and shapes it."""
        assert self._steer("POST", "/faults", {"kind": kind, **how}).status == 201
        try:
            yield
        finally:
            self._steer("DELETE", "/faults")

    def clear_calls(self) -> None:
        self._steer("DELETE", "/calls")

    def clear(self) -> None:
        """Forget faults and calls."""
        self._steer("DELETE", "/faults")
        self.clear_calls()

    def _steer(self, method: str, path: str, body: object = None) -> Reply:
        reply = ask(self.server.url, f"/_sandbox{path}", method=method, body=body)
        assert reply.status < 400, reply.body
        return reply
