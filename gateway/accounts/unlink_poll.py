"""What follows in every process when an account was unlinked, or its caching switched off, by whomever.

The trail tells of it, as it is where every process and the command line meet. The cache is swept more than once, for
a request of another process may have kept something while the news was on its way; and each sweep is repeated until
it has worked, by the next process if this one ends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.errors import StoreUnavailable
from gateway.model import Invalidation

OVERLAP = 1000
"""So many rows are read again: a row may come to be seen after one with a higher number."""
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
"""Seconds between two tries of a sweep that does not work: twice as long each time, up to this."""

SIDE_BY_SIDE = 50


@dataclass(frozen=True, slots=True)
class Erasure:
    """An account that was unlinked or is not cached any more, and the number of the row that tells of it."""

    row: int
    project_id: str
    account_id: str
    news: Invalidation = Invalidation.GONE


class Erasures(Protocol):
    """The database, as those need it who follow what happens. Raises `StoreUnavailable`."""

    async def newest(self) -> int:
        """Give the number of the newest row of the trail; 0 where there is none."""

    async def erased(self, after: int) -> Sequence[Erasure]:
        """Give what was erased in rows with a higher number."""

    async def unswept(self) -> Sequence[Erasure]:
        """Give what was erased and has not been swept for the last time yet, by whichever process."""

    async def swept(self, row: int) -> None:
        """Note that the last sweep for a row has worked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeping:
    """`forget` has this process forget an account, `sweep` drops what is cached of it, again after so many seconds.

    A sweep gives False where it could not be made.
    """

    forget: Callable[[Invalidation, str], None]
    sweep: Callable[[str], Awaitable[bool]]
    again: tuple[float, ...]
    monotonic: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Due:
    """A sweep that is to be made at a moment; the `last` one is noted when it has worked."""

    moment: float
    gone: Erasure
    last: bool
    wait: float = FIRST_WAIT


class UnlinkPoll:
    def __init__(self, erasures: Erasures, sweeping: Sweeping) -> None:
        self._erasures = erasures
        self._sweeping = sweeping
        self._newest = -1
        self._seen: set[int] = set()
        self._due: list[_Due] = []

    async def look(self) -> None:
        """Deal with what was erased since the last look. A database that is away is asked again the next time."""
        try:
            found = await self._news()
        except StoreUnavailable:
            found = ()
        now = self._sweeping.monotonic()
        for gone in found:
            self._sweeping.forget(gone.news, gone.account_id)
            moments = (0.0, *self._sweeping.again)
            self._due += [_Due(now + seconds, gone, seconds == moments[-1]) for seconds in moments]
        due = [each for each in self._due if each.moment <= now]
        self._due = [each for each in self._due if each.moment > now]
        # One sweep serves all that wait for one of the same account.
        accounts = sorted({each.gone.account_id for each in due})
        worked: dict[str, bool] = {}
        for start in range(0, len(accounts), SIDE_BY_SIDE):
            some = accounts[start : start + SIDE_BY_SIDE]
            worked |= zip(some, await asyncio.gather(*map(self._sweeping.sweep, some)), strict=True)
        for each in due:
            await self._conclude(each, worked=worked[each.gone.account_id], now=now)

    async def _conclude(self, due: _Due, *, worked: bool, now: float) -> None:
        if worked and not due.last:
            return
        if worked:
            try:
                # What a request had put into memory that was under way when the news came is dropped with this.
                self._sweeping.forget(due.gone.news, due.gone.account_id)
                await self._erasures.swept(due.gone.row)
            except StoreUnavailable:
                worked = False
        if not worked:
            self._due.append(replace(due, moment=now + due.wait, wait=min(LONGEST_WAIT, due.wait * 2)))

    async def _news(self) -> Sequence[Erasure]:
        if self._newest < 0:
            newest = await self._erasures.newest()
            left = await self._erasures.unswept()
            found = await self._erasures.erased(newest - OVERLAP)
            # What has come since then is still to be found.
            self._seen = {each.row for each in (*left, *found) if each.row <= newest or each in left}
            self._newest = newest
            return left
        found = await self._erasures.erased(self._newest - OVERLAP)
        news = [each for each in found if each.row not in self._seen]
        self._seen = {each.row for each in found}
        self._newest = max([self._newest, *self._seen])
        return news
