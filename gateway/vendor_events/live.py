"""Whether an account's vendor webhook tells of every change, so that what it covers may be fresh for longer.

Two notes beside the account's cache entries say so: what its endpoint is registered for, and when the last event came.
Both run out by themselves, and no entry stays fresh longer than they last. At any doubt the first note is emptied and
all entries of the account become unusable. A lost note means that nothing is known: then lists are fresh as long as
those of accounts without a webhook.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import inf
from typing import Any, TypeAlias

import orjson

from gateway.cache.account_cache import AccountCache
from gateway.model import Account, Cache, LinkedAccount

Invalidate: TypeAlias = Callable[[LinkedAccount, frozenset[str] | None, str], Awaitable[bool]]
"""Invalidates the stored answers of an account that come from lists of these resources (None: all), under a new id.
False where the shared cache could not be reached."""

NOTE_SECONDS = 30 * 24 * 3600
MOST_BYTES = 65536
RECEIVING = "{gateway}:receiving"
BEAT_SECONDS = 20
"""Between two signs of life; three may be missed before deliveries may have been lost."""


class Receiving:
    """Since when this gateway has received deliveries without a break, shared by all workers through the cache.

    While no worker runs, or an event could not be applied, deliveries are lost or late: what was made before may be
    older than its vendor webhook would have it.
    """

    def __init__(self, cache: Cache, now: Callable[[], float]) -> None:
        self._cache = cache
        self._now = now
        self._value = b""
        self._broken = False
        self.since = inf
        """In seconds since the epoch; infinite where it is not known."""

    def note_break(self) -> None:
        """Notes that a delivery could not be applied."""
        self._broken, self.since = True, inf

    async def beat(self) -> None:
        """Gives a sign of life, and learns since when there was one."""
        if self._broken and self._value:
            await self._cache.release(RECEIVING, self._value)
        [value] = await self._cache.claim([RECEIVING], repr(self._now()).encode(), 4 * BEAT_SECONDS)
        if value is None:
            self.note_break()
            return
        self._broken, self._value, self.since = False, value, float(value)
        await self._cache.renew(RECEIVING, value, 4 * BEAT_SECONDS)


class LiveWebhooks:
    """Notes what is known of the vendor webhooks of accounts. `silence` is how long, in seconds, none may send."""

    def __init__(
        self,
        cache: Cache,
        invalidate: Invalidate,
        receiving: Receiving,
        *,
        silence: float,
        now: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self.receiving = receiving
        self._cache = cache
        self._invalidate = invalidate
        self._silence = silence
        self._now = now
        self._new_id = new_id

    async def note_registered(self, linked: LinkedAccount, covers: frozenset[str], until: float) -> None:
        """Notes that the endpoint was found sound, of which resources it tells every change, and until when that is so.

        Events count from the first such note on: before it some may have been lost.
        """
        cache = self._of(linked)
        [registered, _] = await cache.read(live_keys(cache, linked.account))
        before = orjson.loads(registered) if registered else {}
        known = before.get("since") if covers and before.get("covers") == sorted(covers) else None
        since = known if known is not None and before["until"] > self._now() else self._now()
        note = orjson.dumps({"covers": sorted(covers), "since": since, "until": until})
        await cache.write({live_keys(cache, linked.account)[0]: note}, NOTE_SECONDS)

    async def note_event(self, linked: LinkedAccount) -> None:
        """Notes that a delivery was received whose signature is right."""
        cache = self._of(linked)
        note = orjson.dumps({"at": self._now(), "silent": self._now() + self._silence})
        await cache.write({live_keys(cache, linked.account)[1]: note}, NOTE_SECONDS)

    async def doubt(self, linked: LinkedAccount) -> None:
        """Makes all that was kept for longer unusable: events may have been lost.

        Of a webhook that has not proven itself nothing was, so nobody who sends nonsense changes anything.
        """
        cache = self._of(linked)
        registered, event = await cache.read(live_keys(cache, linked.account))
        if registered and event and _proven(orjson.loads(registered), orjson.loads(event)):
            note = orjson.dumps({"covers": [], "since": self._now(), "until": 0})
            await cache.write({live_keys(cache, linked.account)[0]: note}, NOTE_SECONDS)
            await self._invalidate(linked, None, self._new_id())

    def _of(self, linked: LinkedAccount) -> AccountCache:
        return AccountCache(self._cache, linked, MOST_BYTES, self._new_id())


def live_keys(cache: AccountCache, account: Account) -> list[str]:
    """Returns the cache keys of the two notes. A change of the account, such as a new token, makes both unusable."""
    return [cache.key("webhook", f"{account.revision}:{name}") for name in ("registered", "event")]


def live_until(notes: Sequence[bytes | None], resource: str) -> float:
    """Returns until when every change of a resource is sure to be told, in seconds since the epoch; 0 if it is not."""
    registered, event = (orjson.loads(note) if note else None for note in notes)
    if not registered or not event or resource not in registered["covers"] or not _proven(registered, event):
        return 0
    return float(min(registered["until"], event["silent"]))


def _proven(registered: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Returns whether an event came after the endpoint was found sound."""
    return bool(registered["covers"]) and bool(event["at"] > registered["since"])
