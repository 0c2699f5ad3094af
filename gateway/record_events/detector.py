"""One watch: a list is read whole, and what has changed in it since the last time is kept and told together."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from connectors import ids
from gateway.accounts.token_rejection import TokenRejections
from gateway.auth.authentication import Authenticator
from gateway.cache.account_cache import AccountCache
from gateway.cache.freshness import NO_DIRECTIVES
from gateway.model import Account, Cache, Clock, Linked, Status
from gateway.policy.provider import Provider
from gateway.record_events.diff import Changes, Outcome, Verb, compare, conclude
from gateway.record_events.model import Batch, WatchClaim, WatchState, WatchStore
from gateway.record_events.snapshot import Evicted, SnapshotReader
from gateway.record_events.subject import Subject, make_subject
from gateway.unified.context import ListContext
from gateway.unified.write import Invalidate
from gateway.upstream.vendor import VendorRefusal, VendorSession
from gateway.webhooks.events import Event, Record, record_event

READING_SECONDS = 240.0
"""So long the lists may take: nobody waits for them, but the lease must not end meanwhile."""
BATCH = 200
"""Changes kept in one transaction, for which others wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Time, ids and ears. `wait` sleeps, `counted` hears resource and outcome of a watch, `told` an event's name.

    `check` asks the vendor about an account's token, and keeps what it finds; `invalidate` ends what is kept of an
    account's answers, and `checks` finds out what a 401 means. `failed` hears of what nobody expects.
    """

    clock: Clock
    wait: Callable[[float], Awaitable[None]]
    new_id: Callable[[], str]
    check: Callable[[Linked], Awaitable[object]]
    checks: TokenRejections
    invalidate: Invalidate
    counted: Callable[[str, str], None]
    told: Callable[[str], None]
    failed: Callable[[BaseException], None]


@dataclass(frozen=True, slots=True)
class Keeping:
    """The cache that watching shares with callers, and the bytes of the largest value worth keeping there."""

    cache: Cache
    most_bytes: int


class ChangeDetector:
    """Does watches that were claimed."""

    def __init__(
        self, store: WatchStore, authenticator: Authenticator, reader: SnapshotReader, keeping: Keeping, around: Around
    ) -> None:
        self._store = store
        self._accounts = authenticator.accounts
        self._providers = authenticator.providers
        self._reader = reader
        self._keeping = keeping
        self._around = around
        self._clock = around.clock

    async def examine(self, claim: WatchClaim) -> tuple[Outcome, WatchState]:
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
            checks = self._around.checks
            raise await checks.explain(linked, provider.connector, [refusal.provider]) from refusal

    def _reading(self, claim: WatchClaim, linked: Linked, provider: Provider) -> ListContext:
        """Give a way to lists that are fresh; to those at the vendor where what was read before has to be confirmed."""
        caching = linked.account.caching
        new_id = self._around.new_id()
        return ListContext(
            session=VendorSession(provider.connector, linked, self._clock.monotonic() + READING_SECONDS),
            cache=AccountCache(self._keeping.cache, linked, self._keeping.most_bytes, new_id),
            directives=replace(NO_DIRECTIVES, no_store=not caching.keeps, no_cache=claim.place.held),
            today=self._clock.now().date(),
            request_id=new_id,
            revalidating=True,
        )

    async def _compare(
        self, claim: WatchClaim, linked: Linked, subject: Subject, reading: ListContext
    ) -> tuple[Outcome, WatchState]:
        gathered = await self._reader.gather(subject, reading)
        if gathered.digest == claim.place.reading and gathered.sight == claim.place.sight:
            return Outcome.UNCHANGED, replace(claim.place, held=False)
        try:
            found = await self._reader.hashes(gathered)
        except Evicted:
            anew = replace(reading, directives=replace(reading.directives, no_cache=True))
            gathered = await self._reader.gather(subject, anew)
            found = await self._reader.hashes(gathered)
        before = await self._store.hashes(claim)
        changes = compare(before, found)
        said = conclude(changes, before, then=claim.place.sight, now=gathered.sight, held=claim.place.held)
        if said.outcome is Outcome.HELD:
            # Where the token sees less than before, the account is another after this, and the next reading a first.
            await self._around.check(linked)
            return said.outcome, replace(claim.place, held=True)
        if any(changed and verb in said.told for verb, changed in changes.by_verb().items()):
            # Who is told reads at once: no answer may be from before. What was kept of single records may be older
            # than the list, and what is stale still good for others.
            await self._around.invalidate(linked, subject.resources, self._around.new_id())
        for batch in self._batches(linked.account, subject, changes, (found, said.told)):
            if not await self._store.apply(claim, linked.account.revision, batch):
                return Outcome.OVERTAKEN, claim.place
            for event in batch.events:
                self._around.told(event.name)
        return said.outcome, WatchState(gathered.sight, gathered.digest)

    def _batches(
        self,
        account: Account,
        subject: Subject,
        changes: Changes,
        found: tuple[Mapping[str, bytes], frozenset[Verb]],
    ) -> Iterator[Batch]:
        hashes, told = found
        for verb, changed in changes.by_verb().items():
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
