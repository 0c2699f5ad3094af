"""Processes one watch: reads a list whole, compares it with the snapshot before, and stores changes with their events.

Only hashes of records are stored, by the vendor's ids, and nothing of a person. A change and its event are written in
one transaction, so no event is lost or sent twice when a process dies between two batches.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace

from connectors import ids
from gateway.accounts.token_rejection import TokenRejections
from gateway.auth.authentication import Authenticator
from gateway.model import Account, Clock, LinkedAccount, Status
from gateway.observability.metrics import Metrics
from gateway.policy.provider import Provider
from gateway.record_events.diff import Changes, Outcome, Verb, compare, conclude
from gateway.record_events.model import Batch, WatchClaim, WatchState
from gateway.record_events.snapshot import Evicted, SnapshotReader
from gateway.record_events.store import RecordWatchStore
from gateway.record_events.subject import Subject, make_subject
from gateway.unified.write import Invalidate
from gateway.upstream.vendor import VendorRefusal
from gateway.webhooks.events import Event, Record, record_event

BATCH = 200
"""Changes in one transaction; other writers wait for its end."""


class ChangeDetector:
    """Reads and compares. `verify` checks an account's token at the vendor and stores the result."""

    def __init__(
        self,
        store: RecordWatchStore,
        authenticator: Authenticator,
        reader: SnapshotReader,
        *,
        verify: Callable[[LinkedAccount], Awaitable[object]],
        token_rejections: TokenRejections,
        invalidate: Invalidate,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._accounts = authenticator.accounts
        self._providers = authenticator.providers
        self._reader = reader
        self._verify = verify
        self._token_rejections = token_rejections
        self._invalidate = invalidate
        self._clock = clock
        self._events = metrics.record_events

    async def detect(self, claim: WatchClaim) -> tuple[Outcome, WatchState]:
        """Reads the list of a watch and stores what has changed; returns the outcome and the new state of the watch.

        Raises `GatewayError` where the vendor or the database fails.
        """
        linked = await self._accounts.find_account(claim.project_id, claim.account_id)
        provider = self._providers.get(linked.account.provider) if linked else None
        if linked is None or linked.account.status is not Status.ACTIVE:
            return Outcome.OVERTAKEN, claim.state
        subject = make_subject(provider, claim.resource, linked.account) if provider else None
        if provider is None or subject is None:
            return Outcome.CLOSED, claim.state
        try:
            return await self._compare(claim, linked, provider, subject)
        except VendorRefusal as refusal:
            if refusal.status != 401:
                return Outcome.REFUSED, claim.state
            raise await self._token_rejections.explain(linked, provider.connector, [refusal.provider]) from refusal

    async def _compare(
        self, claim: WatchClaim, linked: LinkedAccount, provider: Provider, subject: Subject
    ) -> tuple[Outcome, WatchState]:
        # A mass deletion has to be confirmed by the vendor, not by a list that was cached during the fault.
        unconfirmed = claim.state.unconfirmed
        snapshot = await self._reader.read(subject, linked, provider, from_vendor=unconfirmed)
        if snapshot.digest == claim.state.digest and snapshot.version == claim.state.version:
            return Outcome.UNCHANGED, replace(claim.state, unconfirmed=False)
        try:
            found = await self._reader.hashes(snapshot)
        except Evicted:
            # The cache lost blocks of the list while it was read.
            snapshot = await self._reader.read(subject, linked, provider, from_vendor=True)
            found = await self._reader.hashes(snapshot)
        before = await self._store.hashes(claim)
        changes = compare(before, found)
        conclusion = conclude(changes, before, then=claim.state.version, now=snapshot.version, unconfirmed=unconfirmed)
        if conclusion.outcome is Outcome.UNCONFIRMED:
            # Records that vanish may mean that the token sees less than before. The check stores its new role, so
            # that the next snapshot has other rights and becomes a baseline instead of many false deletions.
            await self._verify(linked)
            return conclusion.outcome, replace(claim.state, unconfirmed=True)
        if any(changed and verb in conclusion.verbs for verb, changed in changes.by_verb().items()):
            # The receiver of an event reads the record at once. Stored answers may be older than this list.
            await self._invalidate(linked, subject.resources, _new_id())
        stored = await self._store_changes(claim, linked, subject, changes, found, conclusion.verbs)
        if not stored:
            return Outcome.OVERTAKEN, claim.state
        return conclusion.outcome, WatchState(snapshot.version, snapshot.digest)

    async def _store_changes(
        self,
        claim: WatchClaim,
        linked: LinkedAccount,
        subject: Subject,
        changes: Changes,
        hashes: Mapping[str, bytes],
        verbs: frozenset[Verb],
    ) -> bool:
        """Stores changes in batches; returns False if another worker has the watch or the account was changed."""
        for batch in self._batches(linked.account, subject, changes, hashes, verbs):
            if not await self._store.apply(claim, linked.account.revision, batch):
                return False
            for event in batch.events:
                self._events.labels(event.name).inc()
        return True

    def _batches(
        self,
        account: Account,
        subject: Subject,
        changes: Changes,
        hashes: Mapping[str, bytes],
        verbs: frozenset[Verb],
    ) -> Iterator[Batch]:
        """Yields all changes; only those with a verb in `verbs` have events."""
        for verb, changed in changes.by_verb().items():
            for start in range(0, len(changed), BATCH):
                some = changed[start : start + BATCH]
                yield Batch(
                    put={each: hashes[each] for each in some if each in hashes},
                    drop=some if verb is Verb.DELETED else (),
                    events=[self._event(account, subject, verb, each) for each in some] if verb in verbs else (),
                )

    def _event(self, account: Account, subject: Subject, verb: Verb, remote_id: str) -> Event:
        kind = subject.endpoint.kind
        record = Record(subject.resource, ids.encode(kind, remote_id) if kind else remote_id, remote_id)
        return record_event(f"hris_{subject.resource}.{verb}", account, record, _new_id(), self._clock.now())


def _new_id() -> str:
    return secrets.token_hex(12)
