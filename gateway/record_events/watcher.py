"""Runs the watches of a worker: claims one that is due, has its list compared, and decides when it is due again.

All workers do so at once; a claim is a lease in the database. An unclear answer of a vendor changes nothing: only a
list that was read whole is compared.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from connectors.events import Event
from gateway.accounts.verification import wait_after_failure
from gateway.auth.authentication import Authenticator
from gateway.background import spread
from gateway.errors import GatewayError, StoreUnavailable
from gateway.model import Account, Clock, LinkedAccount
from gateway.observability.metrics import Metrics
from gateway.record_events.detector import ChangeDetector
from gateway.record_events.diff import Outcome, Verb
from gateway.record_events.model import NextRun, WatchClaim
from gateway.record_events.snapshot import READ_SECONDS
from gateway.record_events.store import RecordWatchStore
from gateway.record_events.subject import sources_of
from gateway.unified.write import Invalidate
from gateway.webhooks.events import RECORDS, wants

LEASE_SECONDS = 300
"""Longer than a watch may take: after that its process is dead."""
CONFIRM_SECONDS = 300.0
"""The wait until a mass deletion is checked again; a fault at the vendor is usually over by then."""
REST = 4
"""After a watch it rests for this many times its duration, so that large lists are read less often."""
ARRANGE_SECONDS = 60.0
RELEASE_SECONDS = 1.0


class Watcher:
    """Claims and processes watches for a `ClaimLoop`, and hears of changes that make a watch due at once.

    A watch is due within `poll` seconds of the last time, and `settle` seconds after something is known to have
    changed: a vendor often sends several events for one change.
    """

    def __init__(
        self,
        store: RecordWatchStore,
        authenticator: Authenticator,
        detector: ChangeDetector,
        *,
        poll: float,
        settle: float,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._detector = detector
        self._sources = {key: sources_of(each.connector) for key, each in authenticator.providers.items()}
        self._poll = poll
        self._settle = settle
        self._clock = clock
        self._outcomes = metrics.record_watches
        self._arranged: Mapping[str, frozenset[str]] | None = None
        self._arranged_at = 0.0

    # --- known changes --------------------------------------------------------------------------------------

    async def on_vendor_events(self, account: Account, events: Sequence[Event]) -> None:
        """Makes the watches of what a vendor's events concern due soon. Raises `StoreUnavailable`."""
        await self._hasten(account, frozenset[str]().union(*(event.resources for event in events)))

    def hastening(self, invalidate: Invalidate) -> Invalidate:
        """Returns an `invalidate` that also makes the watches of the invalidated lists due soon.

        If the database is away, the invalidation does not fail: the poll finds the change later.
        """

        async def invalidate_and_hasten(linked: LinkedAccount, resources: frozenset[str] | None, new_id: str) -> bool:
            done = await invalidate(linked, resources, new_id)
            with suppress(StoreUnavailable):
                await self._hasten(linked.account, resources)
            return done

        return invalidate_and_hasten

    async def _hasten(self, account: Account, changed: frozenset[str] | None) -> None:
        sources = self._sources.get(account.provider, {})
        resources = frozenset(each for each, lists in sources.items() if changed is None or changed & lists)
        if resources:
            at = self._clock.now() + timedelta(seconds=self._settle)
            await self._store.hasten(account.id, resources, at)

    # --- claims ---------------------------------------------------------------------------------------------

    async def claim(self) -> WatchClaim | None:
        """Returns a watch that is due; None where there is none, or no endpoint asks for such events."""
        now = self._clock.now()
        if not await self._arrange(now):
            return None
        return await self._store.claim(now, now + timedelta(seconds=LEASE_SECONDS))

    async def _arrange(self, now: datetime) -> bool:
        """Creates the watches that endpoints ask for and deletes the others; returns whether there are any."""
        wanted_events = await self._store.wanted_events()
        wanted = {project: _resources(patterns) for project, patterns in wanted_events.items()}
        wanted = {project: resources for project, resources in wanted.items() if resources}
        due = self._clock.monotonic() - self._arranged_at >= ARRANGE_SECONDS
        # Again from time to time, as accounts are linked meanwhile.
        if wanted != self._arranged or (wanted and due):
            await self._store.arrange(wanted, now, self._poll)
            self._arranged, self._arranged_at = wanted, self._clock.monotonic()
        return bool(wanted)

    # --- one watch ------------------------------------------------------------------------------------------

    async def process(self, claim: WatchClaim) -> None:
        """Detects changes and sets when the watch is due again. Raises `StoreUnavailable`."""
        started = self._clock.monotonic()
        try:
            try:
                async with asyncio.timeout(READ_SECONDS):
                    outcome, state = await self._detector.detect(claim)
                then = self._next(claim, started, self._wait_for(outcome), 0)
            except StoreUnavailable:
                raise
            except (GatewayError, TimeoutError) as error:
                outcome, state = Outcome.FAILED, claim.state
                hint = error.retry_after if isinstance(error, GatewayError) else None
                wait = wait_after_failure(claim.failures + 1, hint)
                then = self._next(claim, started, max(hint or 0, min(wait, self._poll)), claim.failures + 1)
            await self._store.settle(claim, state, then)
            self._outcomes.labels(claim.resource, outcome).inc()
        except asyncio.CancelledError:
            await self._release(claim)
            raise

    async def _release(self, claim: WatchClaim) -> None:
        """Lets another worker do the watch at once, as this process ends."""
        now = self._clock.now()
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._store.settle(claim, claim.state, NextRun(due=now, rest_until=now, failures=claim.failures))

    def _wait_for(self, outcome: Outcome) -> float:
        if outcome is Outcome.OVERTAKEN:
            return self._settle
        return min(CONFIRM_SECONDS, self._poll) if outcome is Outcome.UNCONFIRMED else self._poll

    def _next(self, claim: WatchClaim, started: float, wait: float, failures: int) -> NextRun:
        now = self._clock.now()
        rest = min(REST * (self._clock.monotonic() - started), self._poll)
        # What became due together, as after a restart, is spread.
        if wait == self._poll and not failures:
            due = spread(claim.account_id + claim.resource, now + timedelta(seconds=wait), self._poll)
        else:
            due = now + timedelta(seconds=wait * (1 - self._clock.jitter() / 10))
        return NextRun(due=due, rest_until=now + timedelta(seconds=rest), failures=failures)


def _resources(patterns: Sequence[str]) -> frozenset[str]:
    """Returns the resources of which some event is asked for."""
    return frozenset(
        resource for resource in RECORDS if any(wants(patterns, f"hris_{resource}.{verb}") for verb in Verb)
    )
