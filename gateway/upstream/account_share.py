"""Limits what one account may use of a scarce resource, so that a slow account does not block the others."""

import asyncio
from collections.abc import Hashable
from contextlib import suppress


class AccountShares:
    """`each` places for every holder. Waiting callers are served in the order in which they came."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._places: dict[Hashable, asyncio.Semaphore] = {}
        self._users: dict[Hashable, int] = {}

    async def acquire(self, holder: Hashable, seconds: float) -> bool:
        """Takes a place, which must be released. Returns False where none became free within the time."""
        places = self._places.setdefault(holder, asyncio.Semaphore(self._each))
        self._users[holder] = self._users.get(holder, 0) + 1
        taken = False
        try:
            if not places.locked():
                taken = await places.acquire()
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        taken = await places.acquire()
        finally:
            if not taken:
                self._leave(holder)
        return taken

    def release(self, holder: Hashable) -> None:
        """Releases the place that the holder has taken."""
        self._places[holder].release()
        self._leave(holder)

    def __len__(self) -> int:
        """Returns the number of holders that have a place or wait for one."""
        return len(self._users)

    def _leave(self, holder: Hashable) -> None:
        self._users[holder] -= 1
        if not self._users[holder]:
            del self._users[holder], self._places[holder]
