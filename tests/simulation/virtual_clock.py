"""An event loop whose time is a clock set by hand: it moves on when all wait, so that waiting costs nothing."""

import asyncio
from collections.abc import Coroutine
from selectors import SelectorKey, SelectSelector
from typing import Any, TypeVar

from tests.fakes.core import Time

T = TypeVar("T")
_LEAST = 2e-6
"""Seconds. A clock of microseconds would not see less."""


class _Jump(SelectSelector):
    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("all wait, and nothing will happen that they could wait for")
        if timeout > 0:
            self._time.forward(max(timeout, _LEAST))
        return []


class TimedLoop(asyncio.SelectorEventLoop):
    """Sleeping moves the clock, and nothing else does; what is due meanwhile happens in its order."""

    def __init__(self, time: Time) -> None:
        super().__init__(_Jump(time))
        self._of = time
        self._since = time.moment

    def time(self) -> float:
        # Counted from the beginning: asyncio adds nanoseconds, which are lost on a number as great as an epoch's.
        return (self._of.moment - self._since).total_seconds()


def in_virtual_time(main: Coroutine[Any, Any, T], time: Time | None = None) -> T:
    """Runs a coroutine in such a loop."""
    with asyncio.Runner(loop_factory=lambda: TimedLoop(time or Time())) as runner:
        return runner.run(main)
