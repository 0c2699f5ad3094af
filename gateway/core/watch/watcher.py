"""The watches of a worker: it takes one at a time that is due, reads its list, and tells what has changed.

Any number of workers watch at once. What a vendor does not say clearly changes nothing: only a list that was read
whole is compared.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors import ids
from connectors.events import Event as VendorEvent
from gateway.core.ask import Clock, Conversation, VendorRefusal
from gateway.core.checkup import wait_after_failure
from gateway.core.entrance import Entrance, Provider
from gateway.core.errors import GatewayError, StoreUnavailable
from gateway.core.expelled import expelled
from gateway.core.freshness import NO_DIRECTIVES
from gateway.core.model import Account, Cache, Linked, Status
from gateway.core.outbox.events import RECORDS, Event, Record, record_event, wants
from gateway.core.shelf import Shelf
from gateway.core.sweeps import Reading
from gateway.core.watch.compare import Changes, Outcome, Verb, compare, conclude
from gateway.core.watch.reader import Evicted, Reader
from gateway.core.watch.store import Batch, Claim, Next, Place, WatchStore
from gateway.core.watch.subject import Subject, make_subject, sources_of
from gateway.core.writes import Outdate

LEASE_SECONDS = 600
"""A watch that has not ended after so long never will: its process is gone."""
READING_SECONDS = 300.0
"""So long the lists may take: nobody waits for them, but the lease must not end meanwhile."""
CONFIRM_SECONDS = 300.0
"""After so long it is looked again whether as much is gone as it seemed."""
REST = 4
"""A watch is followed by so many times its own duration of rest, whatever happens: the large are watched less often."""
ARRANGE_SECONDS = 60.0
BATCH = 200
"""Changes kept in one transaction, for which others wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """In seconds: `poll` between two watches, `settle` after something has changed, `look` between looks for work.

    A worker has `at_once` watches under way at most.
    """

    poll: float
    settle: float
    look: float
    at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Time, ids and ears. `wait` sleeps, `counted` hears resource and outcome of a watch, `told` an event's name.

    `check` asks the vendor about an account's token, and keeps what it finds. `failed` hears of what nobody expects.
    """

    clock: Clock
    wait: Callable[[float], Awaitable[None]]
    new_id: Callable[[], str]
    check: Callable[[Linked], Awaitable[object]]
    counted: Callable[[str, str], None]
    told: Callable[[str], None]
    failed: Callable[[BaseException], None]


@dataclass(frozen=True, slots=True)
class Keeping:
    """The cache that watching shares with callers, and the bytes of the largest value worth keeping there."""

    cache: Cache
    most_bytes: int


class Watcher:
    def __init__(
        self, store: WatchStore, entrance: Entrance, reading: tuple[Reader, Keeping], pace: Pace, around: Around
    ) -> None:
        self._store = store
        self._accounts = entrance.accounts
        self._providers = entrance.providers
        self._sources = {key: sources_of(each.connector) for key, each in entrance.providers.items()}
        self._reader, self._keeping = reading
        self._pace = pace
        self._around = around
        self._clock = around.clock
        self._arranged: tuple[Mapping[str, frozenset[str]], float] = ({}, float("-inf"))
        self._under_way: set[asyncio.Task[None]] = set()

    # --- who has something to say ---------------------------------------------------------------------------

    async def noticed(self, account: Account, events: Sequence[VendorEvent]) -> None:
        """Hear of a vendor's events: what they concern is watched soon. Raises `StoreUnavailable`."""
        await self._hasten(account, frozenset[str]().union(*(event.resources for event in events)))

    def after(self, outdate: Outdate) -> Outdate:
        """Have what we change ourselves watched soon. That it cannot be noted fails nothing: it is found in time."""

        async def outdated(linked: Linked, resources: frozenset[str] | None, new_id: str) -> bool:
            told = await outdate(linked, resources, new_id)
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

    async def _claim(self) -> Claim | None:
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
        if wanted != before or self._clock.monotonic() - at >= ARRANGE_SECONDS:
            await self._store.arrange(wanted, now)
            self._arranged = (wanted, self._clock.monotonic())
        return bool(wanted)

    # --- one watch ------------------------------------------------------------------------------------------

    async def _attend(self, claim: Claim) -> None:
        began = self._clock.monotonic()
        try:
            try:
                async with asyncio.timeout(READING_SECONDS):
                    outcome, place = await self._watch(claim)
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
        except Exception as error:  # noqa: BLE001 - the watches go on
            self._around.failed(error)

    def _wait_for(self, outcome: Outcome) -> float:
        if outcome is Outcome.OVERTAKEN:
            return self._pace.settle
        return min(CONFIRM_SECONDS, self._pace.poll) if outcome is Outcome.HELD else self._pace.poll

    def _next(self, began: float, wait: float, failures: int) -> Next:
        now = self._clock.now()
        rest = min(REST * (self._clock.monotonic() - began), self._pace.poll)
        due = now + timedelta(seconds=wait * (1 - self._clock.jitter() / 10))
        return Next(due=due, rest_until=now + timedelta(seconds=rest), failures=failures)

    async def _watch(self, claim: Claim) -> tuple[Outcome, Place]:
        """Read a list, and tell what has changed in it; give what became of it, and where the watch stands now."""
        linked = await self._accounts.find_account(claim.project_id, claim.account_id)
        provider = self._providers.get(linked.account.provider) if linked else None
        if linked is None or linked.account.status is not Status.ACTIVE:
            return Outcome.OVERTAKEN, claim.place
        subject = make_subject(provider, claim.resource, linked.account) if provider else None
        if provider is None or subject is None:
            return Outcome.CLOSED, claim.place
        try:
            return await self._compare(claim, linked, subject, self._reading(claim, linked, provider))
        except VendorRefusal as refusal:
            if refusal.status != 401:
                return Outcome.REFUSED, claim.place
            said = [refusal.provider]
            raise await expelled(
                self._accounts, linked.account, provider.connector, self._clock.now(), said
            ) from refusal

    def _reading(self, claim: Claim, linked: Linked, provider: Provider) -> Reading:
        """Give a way to lists that are fresh; to those at the vendor where what was read before has to be confirmed."""
        caching = linked.account.caching
        new_id = self._around.new_id()
        return Reading(
            Conversation(provider.connector, linked, self._clock.monotonic() + READING_SECONDS),
            Shelf(self._keeping.cache, linked, self._keeping.most_bytes, new_id),
            replace(NO_DIRECTIVES, no_store=not caching.enabled, no_cache=claim.place.held),
            self._clock.now().date(),
            caching.ceilings,
            new_id,
            settled=True,
        )

    async def _compare(self, claim: Claim, linked: Linked, subject: Subject, reading: Reading) -> tuple[Outcome, Place]:
        opened = await self._reader.open(subject, reading)
        if opened.digest == claim.place.reading and opened.sight == claim.place.sight:
            return Outcome.UNCHANGED, replace(claim.place, held=False)
        try:
            found = await self._reader.hashes(opened)
        except Evicted:
            anew = replace(reading, directives=replace(reading.directives, no_cache=True))
            opened = await self._reader.open(subject, anew)
            found = await self._reader.hashes(opened)
        before = await self._store.hashes(claim)
        changes = compare(before, found)
        said = conclude(changes, before, then=claim.place.sight, now=opened.sight, held=claim.place.held)
        if said.outcome is Outcome.HELD:
            # Where the token sees less than before, the account is another after this, and the next reading a first.
            await self._around.check(linked)
            return said.outcome, replace(claim.place, held=True)
        for batch in self._batches(linked.account, subject, changes, (found, said.told)):
            if not await self._store.apply(claim, linked.account.revision, batch):
                return Outcome.OVERTAKEN, claim.place
            for event in batch.events:
                self._around.told(event.name)
        return said.outcome, Place(opened.sight, opened.digest)

    def _batches(
        self,
        account: Account,
        subject: Subject,
        changes: Changes,
        found: tuple[Mapping[str, bytes], frozenset[Verb]],
    ) -> Iterator[Batch]:
        hashes, told = found
        for verb, changed in (
            (Verb.CREATED, changes.created),
            (Verb.UPDATED, changes.updated),
            (Verb.DELETED, changes.deleted),
        ):
            for start in range(0, len(changed), BATCH):
                some = changed[start : start + BATCH]
                yield Batch(
                    put={each: hashes[each] for each in some if each in hashes},
                    drop=some if verb is Verb.DELETED else (),
                    events=[self._event(account, subject, verb, each) for each in some] if verb in told else (),
                )

    def _event(self, account: Account, subject: Subject, verb: Verb, remote_id: str) -> Event:
        kind = subject.endpoint.kind
        record = Record(subject.resource, ids.encode(kind, remote_id) if kind else remote_id, remote_id)
        name = f"hris_{subject.resource}.{verb}"
        return record_event(name, account, record, self._around.new_id(), self._clock.now())


def _resources(patterns: Sequence[str]) -> frozenset[str]:
    """Give the resources of which some event is asked for."""
    return frozenset(
        resource for resource in RECORDS if any(wants(patterns, f"hris_{resource}.{verb}") for verb in Verb)
    )
