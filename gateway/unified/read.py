"""The way of a unified read: who calls, for which account, what may they see, what is known, what is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256

from gateway.auth.authentication import Authenticator, Caller, about
from gateway.cache.entry import CacheEntry
from gateway.cache.freshness import Use, satisfies
from gateway.cache.singleflight import SingleFlight
from gateway.errors import DeadlineExceeded, GatewayError, NotCached
from gateway.model import Clock
from gateway.unified.answer_cache import AnswerCache
from gateway.unified.call import Call, FastPathTicket, Page
from gateway.unified.collections import UPSTREAM_FAILURES
from gateway.unified.compose import Composer
from gateway.unified.context import ReadContext
from gateway.unified.cursor import SnapshotLost, stale_cursor
from gateway.unified.plan import Planner, ReadPlan
from gateway.upstream.vendor import VendorSession


class ReadService:
    """Answers unified reads."""

    def __init__(
        self,
        authenticator: Authenticator,
        planner: Planner,
        answers: AnswerCache,
        composer: Composer,
        flights: SingleFlight,
        clock: Clock,
        *,
        deadline: float,
        stale_wait: float,
    ) -> None:
        """A request waits for the vendor `deadline` seconds, but `stale_wait` where a stale answer can replace it."""
        self._authenticator = authenticator
        self._planner = planner
        self._answers = answers
        self._composer = composer
        self._flights = flights
        self._clock = clock
        self._deadline = deadline
        self._stale_wait = stale_wait

    async def read(self, call: Call) -> Page:
        """Returns the answer, or raises a `GatewayError` that says what to do."""
        # 1. Who calls, 2. for which account, and may they?  401 400 404 403 412
        caller = await self._authenticator.admit(call.secret, call.account_id, call.operation)
        with about(caller.linked.account):
            plan = self._planner.plan(call, caller)  # 3. What may they see?  400 403 501
            context = self._context(call, caller, plan)
            cached = await self._answers.lookup(context)  # 4. Is the answer cached: locally, or in Redis?
            if cached and cached.servable:
                revalidating = cached.use is Use.STALE_WHILE_REVALIDATE and not call.directives.only_if_cached
                if revalidating:
                    self._flights.start(context.flight, lambda: self.fetch(context.revalidation()))
                return cached.page(caller.key, context, revalidating=revalidating)
            if call.directives.only_if_cached:
                raise NotCached(
                    "No cached answer satisfies this request, and only-if-cached forbids asking the provider."
                )
            if not context.directives.may_read:  # The caller demands a new reading.
                return await self.fetch(context)
            try:
                async with asyncio.timeout(self._stale_wait if cached else None):
                    page, own = await self._flights.share(
                        context.flight, lambda: self.fetch(context), detach=cached is not None
                    )
            except (TimeoutError, *UPSTREAM_FAILURES) as failure:
                if cached is None:
                    raise
                return cached.instead_of(failure, self._now)
            if own:
                return page
            if satisfies(page.entry.times, self._now, context.directives):
                return page.collapsed(self._now)
            return await self.fetch(context)

    async def fetch(self, context: ReadContext) -> Page:
        """Asks the vendor and stores the answer. Raises `DeadlineExceeded` where the vendor takes too long."""
        if not context.directives.no_store:
            # Before the vendor is asked: a change from now on must make this answer unusable.
            await context.cache.read_generations(context.plan.resources)
        async with self._limited(context):
            composed = await self._composer.compose(context)  # 5. Ask the vendor. 6. Unify.  408 429 502
        return await self._answers.store(context, composed)  # 7. Store the answer.

    def fast_path(self, ticket: FastPathTicket, now: float) -> CacheEntry | None:
        """Returns the stored answer to a request equal to an earlier one, or None.

        None means that the key or the account has changed, or the local cache has no fresh answer.
        `now` is in seconds since the epoch. Nothing here awaits, so nothing can change between the check and the
        answer.
        """
        linked = ticket.linked()
        if linked is None or not self._authenticator.is_current(ticket.client_key, linked):
            return None
        return self._answers.peek(ticket, now)

    def with_accounts(self, authenticator: Authenticator) -> "ReadService":
        """Returns a service over other accounts and keys, with the same caches."""
        return ReadService(
            authenticator,
            self._planner,
            self._answers,
            self._composer,
            self._flights,
            self._clock,
            deadline=self._deadline,
            stale_wait=self._stale_wait,
        )

    @property
    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _context(self, call: Call, caller: Caller, plan: ReadPlan) -> ReadContext:
        linked, now, query = caller.linked, self._clock.now(), plan.query
        account = linked.account
        directives = call.directives
        if query.raw or not account.caching.keeps:
            directives = replace(directives, no_store=True)
        digest = plan.digest
        if plan.key or plan.employee:
            digest = sha256(f"{digest}\0{plan.employee}\0{plan.key}".encode()).hexdigest()
        deadline = self._clock.monotonic() + self._deadline
        return ReadContext(
            session=VendorSession(caller.provider.connector, linked, deadline, query.proxy, query.raw),
            cache=self._answers.of(linked, call.request_id),
            directives=directives,
            today=now.date(),
            request_id=call.request_id,
            invalidations=self._answers.local.invalidations(account.id),
            plan=plan,
            answer=f"{account.revision}:{digest}",
            began=self._answers.local.read_point(),
        )

    @asynccontextmanager
    async def _limited(self, context: ReadContext) -> AsyncIterator[None]:
        """Ends the work at the deadline of the request, and turns failures into errors for the caller.

        Part of the time may be over already, as the request may have waited for the answer to another one.
        """
        session = context.session
        try:
            async with asyncio.timeout(session.deadline - self._clock.monotonic()):
                yield
        except SnapshotLost as lost:
            # A stored first page may contain this very cursor, so a caller that begins again must not get that page.
            await self._answers.invalidate(context)
            raise stale_cursor("the list has changed and its snapshot is no longer cached") from lost
        except TimeoutError as error:
            late = DeadlineExceeded(
                f"{session.connector.name} did not answer within {self._deadline:g} seconds; try again.", retry_after=1
            )
            late.upstream_calls = session.calls
            raise late from error
        except GatewayError as error:
            error.upstream_calls = session.calls
            raise
