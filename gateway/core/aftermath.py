"""What follows an unlinking in every process, whoever did it: the memory of the account goes, and what is cached of it.

The trail tells of it, as it is where every process and the command line meet. The cache is swept more than once, for
a request of another process may have kept something while the news was on its way.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.core.erased import Erased
from gateway.core.errors import StoreUnavailable

OVERLAP = 1000
"""So many rows are read again: a row may come to be seen after one with a higher number."""


@dataclass(frozen=True, slots=True)
class Gone:
    """An account that was unlinked, and the number of the row that tells of it."""

    row: int
    project_id: str
    account_id: str


class Unlinkings(Protocol):
    """The database, as those need it who follow what happens."""

    async def newest(self) -> int:
        """Give the number of the newest row of the trail; 0 where there is none."""

    async def unlinked(self, after: int) -> Sequence[Gone]:
        """Give the accounts that were unlinked in rows with a higher number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeping:
    """`drop` forgets an account in this process, `forget` what is cached of it; again after so many seconds each."""

    drop: Callable[[str], None]
    forget: Callable[[str], Awaitable[None]]
    again: tuple[float, ...]
    monotonic: Callable[[], float]


class Aftermath:
    def __init__(self, unlinkings: Unlinkings, erased: Erased, sweeping: Sweeping) -> None:
        self._unlinkings = unlinkings
        self._erased = erased
        self._sweeping = sweeping
        self._newest = -1
        self._seen: set[int] = set()
        self._due: list[tuple[float, str]] = []

    async def look(self) -> None:
        """Deal with what was unlinked since the last look. A database that is away is asked again the next time."""
        try:
            gone = await self._news()
        except StoreUnavailable:
            gone = ()
        now = self._sweeping.monotonic()
        for each in gone:
            self._erased.add(each.account_id)
            self._sweeping.drop(each.account_id)
            self._due += [(now + seconds, each.account_id) for seconds in (0.0, *self._sweeping.again)]
        due = {account_id for moment, account_id in self._due if moment <= now}
        self._due = [(moment, account_id) for moment, account_id in self._due if moment > now]
        for account_id in due:
            await self._sweeping.forget(account_id)

    async def _news(self) -> Sequence[Gone]:
        if self._newest < 0:
            newest = await self._unlinkings.newest()
            self._seen = {each.row for each in await self._unlinkings.unlinked(newest - OVERLAP)}
            self._newest = newest
            return ()
        found = await self._unlinkings.unlinked(self._newest - OVERLAP)
        news = [each for each in found if each.row not in self._seen]
        self._seen = {each.row for each in found}
        self._newest = max([self._newest, *self._seen])
        return news
