"""The watches of a worker: it takes one at a time that is due, reads its list, and tells what has changed.

Any number of workers watch at once. What a vendor does not say clearly changes nothing: only a list that was read
whole is compared.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.events import Event
from gateway.accounts.verification import wait_after_failure
from gateway.auth.authentication import Authenticator
from gateway.errors import GatewayError, StoreUnavailable
from gateway.model import Account, Linked
from gateway.record_events.detector import READING_SECONDS, Around, ChangeDetector, Keeping
from gateway.record_events.diff import Outcome, Verb
from gateway.record_events.model import Next, WatchClaim, WatchStore
from gateway.record_events.snapshot import SnapshotReader
from gateway.record_events.subject import sources_of
from gateway.unified.write import Invalidate
from gateway.webhooks.events import RECORDS, wants

LEASE_SECONDS = 300
"""A watch that has not ended after so long never will: its process is gone."""
CONFIRM_SECONDS = 300.0
"""After so long it is looked again whether as much is gone as it seemed."""
REST = 4
"""A watch is followed by so many times its own duration of rest, whatever happens: the large are watched less often."""
ARRANGE_SECONDS = 60.0
PARTING_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """In seconds: `poll` between two watches, `settle` after something has changed, `look` between looks for work.

    A worker has `at_once` watches under way at most.
    """

    poll: float
    settle: float
    look: float
    at_once: int


class Watcher:
    def __init__(
        self,
        store: WatchStore,
        authenticator: Authenticator,
        reading: tuple[SnapshotReader, Keeping],
        pace: Pace,
        around: Around,
    ) -> None:
        self._store = store
        self._examiner = ChangeDetector(store, authenticator, *reading, around)
        self._sources = {key: sources_of(each.connector) for key, each in authenticator.providers.items()}
        self._pace = pace
        self._around = around
        self._clock = around.clock
        self._arranged: tuple[Mapping[str, frozenset[str]] | None, float] = (None, 0.0)
        self._under_way: set[asyncio.Task[None]] = set()

    # --- who has something to say ---------------------------------------------------------------------------

    async def noticed(self, account: Account, events: Sequence[Event]) -> None:
        """Hear of a vendor's events: what they concern is watched soon. Raises `StoreUnavailable`."""
        await self._hasten(account, frozenset[str]().union(*(event.resources for event in events)))

    def after(self, invalidate: Invalidate) -> Invalidate:
        """Have what we change ourselves watched soon. That it cannot be noted fails nothing: it is found in time."""

        async def outdated(linked: Linked, resources: frozenset[str] | None, new_id: str) -> bool:
            told = await invalidate(linked, resources, new_id)
            with suppress(StoreUnavailable):
                await self._hasten(linked.account, resources)
            return told

        return outdated

    async def _hasten(self, account: Account, changed: frozenset[str] | None) -> None:
        sources = self._sources.get(account.provider, {})
        resources = frozenset(each for each, lists in sources.items() if changed is None or changed & lists)
        if resources:
            at = self._clock.now() + timedelta(seconds=self._pace.settle)
            await self._store.hasten(account.id, resources, at)

    # --- the rounds -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Watch until cancelled. A database that is away is tried again, and nothing ends it."""
        slots = asyncio.Semaphore(self._pace.at_once)
        try:
            while True:
                await self._around.wait(self._pace.look * (0.75 + self._clock.jitter() / 2))
                while await self._take(slots):
                    """There may be more."""
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def step(self) -> bool:
        """Take one watch that is due and do it; false where there is none."""
        claim = await self._claim()
        if claim is not None:
            await self._attend(claim)
        return claim is not None

    async def _take(self, slots: asyncio.Semaphore) -> bool:
        await slots.acquire()
        claim = None
        try:
            claim = await self._claim()
        except StoreUnavailable:
            """The database says so itself, at each request."""
        except Exception as error:  # noqa: BLE001 - the watches go on
            self._around.failed(error)
        finally:
            if claim is None:
                slots.release()
        if claim is None:
            return False
        task = asyncio.ensure_future(self._attend(claim))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(lambda _: slots.release())
        return True

    async def _claim(self) -> WatchClaim | None:
        now = self._clock.now()
        if not await self._arrange(now):
            return None
        return await self._store.claim(now, now + timedelta(seconds=LEASE_SECONDS))

    async def _arrange(self, now: datetime) -> bool:
        """See to it that what is listened for is watched, and nothing else; tell whether there is anything."""
        listening = await self._store.listening()
        wanted = {project: _resources(patterns) for project, patterns in listening.items()}
        wanted = {project: resources for project, resources in wanted.items() if resources}
        before, at = self._arranged
        # From time to time too, for there are new accounts.
        if wanted != before or (wanted and self._clock.monotonic() - at >= ARRANGE_SECONDS):
            await self._store.arrange(wanted, now)
            self._arranged = (wanted, self._clock.monotonic())
        return bool(wanted)

    # --- one watch ------------------------------------------------------------------------------------------

    async def _attend(self, claim: WatchClaim) -> None:
        began = self._clock.monotonic()
        try:
            try:
                async with asyncio.timeout(READING_SECONDS):
                    outcome, place = await self._examiner.examine(claim)
                then = self._next(began, self._wait_for(outcome), 0)
            except (GatewayError, TimeoutError) as error:
                if isinstance(error, StoreUnavailable):
                    raise
                outcome, place = Outcome.FAILED, claim.place
                hint = error.retry_after if isinstance(error, GatewayError) else None
                wait = wait_after_failure(claim.failures + 1, hint)
                then = self._next(began, max(hint or 0, min(wait, self._pace.poll)), claim.failures + 1)
            await self._store.settle(claim, place, then)
            self._around.counted(claim.resource, outcome)
        except StoreUnavailable:
            """The lease ends, and somebody tries again."""
        except asyncio.CancelledError:
            await self._give_back(claim)
            raise
        except Exception as error:  # noqa: BLE001 - the watches go on
            self._around.failed(error)

    async def _give_back(self, claim: WatchClaim) -> None:
        """Have another worker do at once what this one can no longer do, as its process ends."""
        now = self._clock.now()
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(PARTING_SECONDS):
                await self._store.settle(claim, claim.place, Next(due=now, rest_until=now, failures=claim.failures))

    def _wait_for(self, outcome: Outcome) -> float:
        if outcome is Outcome.OVERTAKEN:
            return self._pace.settle
        return min(CONFIRM_SECONDS, self._pace.poll) if outcome is Outcome.HELD else self._pace.poll

    def _next(self, began: float, wait: float, failures: int) -> Next:
        now = self._clock.now()
        rest = min(REST * (self._clock.monotonic() - began), self._pace.poll)
        due = now + timedelta(seconds=wait * (1 - self._clock.jitter() / 10))
        return Next(due=due, rest_until=now + timedelta(seconds=rest), failures=failures)


def _resources(patterns: Sequence[str]) -> frozenset[str]:
    """Give the resources of which some event is asked for."""
    return frozenset(
        resource for resource in RECORDS if any(wants(patterns, f"hris_{resource}.{verb}") for verb in Verb)
    )
