"""Faults on demand: their kinds, which calls they hit, and how often. `misbehave` sends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from deploy.sandbox.calls import Call, under
from deploy.sandbox.model import JsonObject

# The kinds of faults, each with its parameters and their defaults.
KINDS: dict[str, dict[str, float | str | None]] = {
    "latency": {"seconds": 1.0},
    "rate_limit": {"retry_after": 1},
    "server_error": {"status": 500},
    "unauthorized": {},
    "forbidden": {},
    "html_error": {"status": 502},
    "truncated_json": {},
    "garbage_json": {},
    "wrong_content_type": {},
    "empty_body": {"status": 200},
    "oversized": {"megabytes": 64},
    "connection_reset": {},
    "slow_drip": {"seconds_per_chunk": 1.0, "chunks": 20},
    "redirect": {"location": "http://127.0.0.1:9/elsewhere", "status": 302},
    "wrong_envelope": {},
    "deep_json": {"depth": 50_000},
}

_SELECTORS = {"kind", "path", "method", "token", "times", "after"}


@dataclass(slots=True, kw_only=True)
class Fault:
    """A fault that hits `times` matching calls (None: all), after `after` of them have passed."""

    number: int
    kind: str
    parameters: dict[str, float | str | None]
    path: str = ""
    method: str | None = None
    token: str | None = None
    times: int | None = None
    after: int = 0
    hits: int = 0

    def takes(self, call: Call) -> bool:
        """Returns whether it hits this call, and counts the call if it matches."""
        if not under(call.path, self.path) or self.method not in {None, call.method}:
            return False
        if self.token not in {None, call.token} or self.hits == self.times:
            return False
        if self.after:
            self.after -= 1
            return False
        self.hits += 1
        return True

    def as_json(self) -> JsonObject:
        """Returns the fault as the control paths show it."""
        return {
            "id": self.number,
            "kind": self.kind,
            "path": self.path,
            "method": self.method,
            "token": self.token,
            "times": self.times,
            "after": self.after,
            "hits": self.hits,
            **self.parameters,
        }


class FaultList:
    """The faults in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._numbers = count(1)

    def add(self, wanted: Mapping[str, object]) -> Fault:
        """Adds a fault after the others and returns it. Raises a `ValueError` that says what is wrong with it."""
        fault = _made(next(self._numbers), wanted)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Deletes all faults."""
        self._faults.clear()

    def take(self, call: Call) -> Fault | None:
        """Returns the first fault that hits this call, or None."""
        return next((fault for fault in self._faults if fault.takes(call)), None)

    def as_json(self) -> list[JsonObject]:
        """Returns the faults as the control paths show them."""
        return [fault.as_json() for fault in self._faults]


def _made(number: int, wanted: Mapping[str, object]) -> Fault:
    kind = wanted.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    defaults = KINDS[kind]
    if unknown := wanted.keys() - _SELECTORS - defaults.keys():
        raise ValueError(f"{kind} knows no {', '.join(sorted(unknown))}; it knows {', '.join(defaults) or 'none'}")
    return Fault(
        number=number,
        kind=kind,
        parameters={name: _parameter(name, wanted.get(name, default), default) for name, default in defaults.items()},
        path=_text(wanted, "path") or "",
        method=_text(wanted, "method"),
        token=_text(wanted, "token"),
        times=_count(wanted, "times"),
        after=_count(wanted, "after") or 0,
    )


def _parameter(name: str, value: object, default: float | str | None) -> float | str | None:
    if isinstance(default, str) and isinstance(value, str):
        return value
    if value is None and name == "retry_after":
        return None
    if not isinstance(default, str) and isinstance(value, int | float) and value >= 0:
        return value
    raise ValueError(f"{name} cannot be {value!r}")


def _text(wanted: Mapping[str, object], name: str) -> str | None:
    value = wanted.get(name)
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"{name} is a text, not {value!r}")


def _count(wanted: Mapping[str, object], name: str) -> int | None:
    value = wanted.get(name)
    if value is None or (isinstance(value, int) and value >= 0):
        return value
    raise ValueError(f"{name} is a number of calls, not {value!r}")
