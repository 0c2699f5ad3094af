"""Decides when the lists of single records cost more calls than the whole list that they are parts of.

That is the ski rental problem: to rent until the rent has cost as much as buying never costs more than twice the best.
Nothing of the records is remembered, only how often was asked.
"""

from collections.abc import Callable
from dataclasses import dataclass

from connectors.spec import Collection
from gateway.cache.lru import Lru

UNKNOWN_PAGES = 10
"""Pages that a list is taken to have before it was read once."""
MOST_LISTS = 10_000


@dataclass(slots=True)
class _Count:
    """Questions in the current window and in the one before it."""

    began: float
    asked: int = 0
    before: int = 0


class Demand:
    """Counts questions for parts of lists, by account."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._counts: Lru[tuple[str, str], _Count] = Lru(MOST_LISTS)
        self._pages: Lru[tuple[str, str], int] = Lru(MOST_LISTS)

    def prefers_whole(self, account: str, whole: Collection, seconds: float) -> bool:
        """Counts a question for a part of a list that stays fresh for some seconds; returns whether to read it whole.

        It is read whole at once where the window before had enough questions already.
        """
        key, now = (account, whole.label()), self._monotonic()
        count = self._counts.get(key) or _Count(now)
        if now - count.began >= seconds:
            count = _Count(now, before=count.asked if now - count.began < 2 * seconds else 0)
        count.asked += 1
        self._counts.put(key, count)
        return max(count.asked, count.before) > (self._pages.get(key) or UNKNOWN_PAGES)

    def learn(self, account: str, collection: Collection, pages: int) -> None:
        """Remembers of how many pages a list is."""
        self._pages.put((account, collection.label()), pages)
