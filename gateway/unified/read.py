"""One unified call from start to end."""

import asyncio
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from weakref import ref

from connectors.connector import Connector
from connectors.contract import Operation
from connectors.spec import Endpoint
from gateway.accounts.token_rejection import TokenRejections
from gateway.auth.authentication import Authenticator, about, forbidden, must_be_active
from gateway.cache.account_cache import AccountCache
from gateway.cache.entry import CacheEntry
from gateway.cache.freshness import Directives, Freshness, Use, judge, takes
from gateway.cache.local import LocalCache, ReadMark
from gateway.cache.lru import Lru
from gateway.cache.singleflight import SingleFlight
from gateway.contract.query import PageLimits, Query, parse
from gateway.errors import BadRequest, DeadlineExceeded, GatewayError, NotImplementedHere, NotKept
from gateway.model import Account, Cache, ClientKey, Clock, Linked
from gateway.policy.columns import condition_fault
from gateway.policy.policy import Denied
from gateway.policy.provider import Provider
from gateway.unified.call import Call, FastPathTicket, Page
from gateway.unified.collections import PASSING, ReadContext
from gateway.unified.compose import Composed, Composer, ReadPlan, make_read_plan
from gateway.unified.cursor import WalkLost, stale
from gateway.upstream.vendor import VendorRefusal, VendorSession

REMEMBERED_QUESTIONS = 1024
LONGEST_REMEMBERED = 1024
"""Characters of a query whose decision is remembered: a longer one is decided each time, and takes no memory."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds a request may wait for a vendor, and while a stale answer is there; rows in a page; bytes of a value."""

    deadline: float
    stale_wait: float
    page: PageLimits
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Around:
    """What surrounds a gateway: its clock, its limits, and what finds out what a 401 means."""

    clock: Clock
    limits: Limits
    checks: TokenRejections


@dataclass(frozen=True, slots=True)
class Caches:
    """Where answers are kept: shared by all workers, and near; and what is being asked now."""

    shared: Cache
    near: LocalCache
    flights: SingleFlight


@dataclass(slots=True)
class _Visit:
    """One call on its way: what it may ask, and where its answer is kept."""

    call: Call
    key: ClientKey
    linked: Linked
    provider: Provider
    question: ReadPlan
    asked: Directives
    account_cache: AccountCache
    name: str
    session: VendorSession
    moment: ReadMark


class ReadService:
    """Answers unified calls. Its parts are arguments; it keeps nothing but decisions that data has made."""

    def __init__(self, authenticator: Authenticator, caches: Caches, reads: Composer, around: Around) -> None:
        self._authenticator = authenticator
        self._caches = caches
        self._near = caches.near
        self._reads = reads
        self._clock = around.clock
        self._limits = around.limits
        self._checks = around.checks
        self._questions: Lru[tuple[Any, ...], ReadPlan] = Lru(REMEMBERED_QUESTIONS)

    def with_accounts(self, authenticator: Authenticator) -> "ReadService":
        """Give a gateway over other accounts and keys, with the same caches."""
        return ReadService(authenticator, self._caches, self._reads, Around(self._clock, self._limits, self._checks))

    async def answer(self, call: Call) -> Page:
        """Answer a call, or raise a `GatewayError` that says what to do."""
        key = await self._authenticator.authenticate(call.secret)
        linked, provider = await self._authenticator.find_account(key, call.account_id)
        with about(linked.account):
            return await self._answer(self._admit(call, key, linked, provider))

    async def _answer(self, visit: _Visit) -> Page:
        if visit.asked.may_read:
            page = self._from_near(visit) or await self._from_shelf(visit)
            if isinstance(page, Page):
                return page
        else:
            page = None
        if visit.asked.only_if_cached:
            raise NotKept("Nothing is kept that this request would take, and only-if-cached forbids to ask for it.")
        return await self._anew(visit, page)

    def again(self, ticket: FastPathTicket, now: float) -> Page | None:
        """Answer a call that was answered before, if nothing has changed and a fresh answer is near.

        `now` is in seconds since the epoch. Asks nobody, so nothing can happen between looking and answering.
        """
        linked = ticket.linked()
        if linked is None or now >= ticket.day_ends or not self._authenticator.is_current(ticket.key, linked):
            return None
        kept = self._near.get(ticket.account_id, ticket.name)
        if kept is None or now >= kept.times.fresh_until:
            return None
        return Page(kept, Freshness(times=kept.times, now=now, detail="near"))

    # --- before anything is asked ---------------------------------------------------------------------------

    def _admit(self, call: Call, key: ClientKey, linked: Linked, provider: Provider) -> _Visit:
        question = self._may(call, key, linked, provider)
        account_cache = AccountCache(self._caches.shared, linked, self._limits.most_bytes, call.request_id)
        asked = call.directives
        if question.query.raw or not linked.account.caching.keeps:
            asked = replace(asked, no_store=True)
        query = question.query
        deadline = self._clock.monotonic() + self._limits.deadline
        session = VendorSession(provider.connector, linked, deadline, query.proxy, query.raw)
        name = self._name(question, linked.account)
        return _Visit(call, key, linked, provider, question, asked, account_cache, name, session, self._near.moment())

    def _may(self, call: Call, key: ClientKey, linked: Linked, provider: Provider) -> ReadPlan:
        """Decide before cache and before upstream. Equal questions of equal rights are decided once."""
        account = linked.account
        rights = (key.scopes, account.grant.opens)
        memo = (account.provider, call.operation.id, call.pairs, *rights)
        question = self._questions.get(memo)
        denied = provider.policy.admit_key(call.operation, key.scopes) if question is None else None
        if denied:
            raise forbidden(denied)
        must_be_active(account, provider.connector.name)
        if question is None:
            question = self._decide(call, provider, *rights)
            if sum(len(name) + len(value) for name, value in call.pairs) <= LONGEST_REMEMBERED:
                self._questions.put(memo, question)
        return replace(question, key=call.key, employee=call.employee) if call.key or call.employee else question

    def _decide(self, call: Call, provider: Provider, key: frozenset[str], token: frozenset[str]) -> ReadPlan:
        endpoint = _endpoint(call.operation, provider.connector)
        query = parse(call.operation, endpoint.table.resource, call.pairs, self._limits.page)
        _must_be_conditions(query, provider.connector)
        allowed = provider.policy.decide(endpoint, query, key, token)
        if isinstance(allowed, Denied):
            raise forbidden(allowed)
        policy = provider.policy
        return make_read_plan(call.operation, endpoint, query, allowed, lambda path: policy.visible(path, key, token))

    def _name(self, question: ReadPlan, account: Account) -> str:
        """Name the answer by all that it depends on. The day is part of it, since roles come into force by day."""
        about = question.name
        if question.key or question.employee:
            about = sha256(f"{about}\0{question.employee}\0{question.key}".encode()).hexdigest()
        return f"{account.revision}:{self._clock.now():%Y%m%d}:{about}"

    # --- what is known --------------------------------------------------------------------------------------

    def _from_near(self, visit: _Visit) -> Page | None:
        kept = self._near.get(visit.linked.account.id, visit.name)
        page = self._use(visit, kept, "near") if kept else None
        return page if isinstance(page, Page) else None

    async def _from_shelf(self, visit: _Visit) -> Page | CacheEntry | None:
        """Give an answer, or what may stand in for one if the vendor fails."""
        name = visit.account_cache.key("answer", visit.name)
        [value] = await visit.account_cache.read_current([name], visit.question.resources)
        if value is None:
            return None
        kept = CacheEntry.read(value)
        self._near.put(visit.linked.account.id, visit.name, kept, visit.moment)
        return self._use(visit, kept, "shared")

    def _use(self, visit: _Visit, kept: CacheEntry, place: str) -> Page | CacheEntry | None:
        now = self._clock.now()
        use = judge(kept.times, now.timestamp(), visit.asked)
        if use is Use.NOT:
            return None
        if use is Use.ON_ERROR:
            return kept
        detail = place
        if use is Use.MEANWHILE and not visit.asked.only_if_cached:
            detail = "revalidating"
            self._caches.flights.start(self._flight(visit), lambda: self._compose(visit, settled=True))
        ends = now.replace(hour=23, minute=59, second=59, microsecond=999999).timestamp()
        ticket = FastPathTicket(visit.key, ref(visit.linked), visit.linked.account.id, visit.name, ends)
        return Page(kept, Freshness(times=kept.times, now=now.timestamp(), detail=detail), ticket=ticket)

    # --- what is asked --------------------------------------------------------------------------------------

    def _flight(self, visit: _Visit) -> tuple[str, str, bytes, int, float]:
        """Name what may be shared: the same answer, begun after the same changes, of lists that may be as stale."""
        account = visit.linked.account.id
        mark, changes = visit.account_cache.mark(visit.question.resources), self._near.changes(account)
        return account, visit.name, mark, changes, visit.asked.max_stale

    async def _anew(self, visit: _Visit, fallback: CacheEntry | None) -> Page:
        """Ask, alone or with others who ask the same; a stale answer stands in where the vendor fails."""
        if not visit.asked.may_read:
            return await self._compose(visit)
        shared = self._caches.flights.share(
            self._flight(visit), lambda: self._compose(visit), keep=fallback is not None
        )
        try:
            async with asyncio.timeout(self._limits.stale_wait if fallback else None):
                page, mine = await shared
        except (TimeoutError, *PASSING) as error:
            if fallback is None:
                raise
            return self._instead(fallback, error)
        if mine:
            return page
        now = self._clock.now().timestamp()
        if not takes(page.kept.times, now, visit.asked):
            return await self._compose(visit)
        return Page(page.kept, replace(page.freshness, collapsed=True, now=now))

    async def _compose(self, visit: _Visit, *, settled: bool = False) -> Page:
        """Compose the answer within the deadline, and keep it. What is `settled` has been answered with a stale one."""
        now = self._clock.now()
        if not visit.asked.no_store:
            await visit.account_cache.note_generations(visit.question.resources)
        account = visit.linked.account
        changes = self._near.changes(account.id)
        reading = ReadContext(
            visit.session,
            visit.account_cache,
            visit.asked,
            now.date(),
            account.caching.ceilings,
            visit.call.request_id,
            settled,
            changes,
        )
        try:
            # Of the request, which may have waited for another one's answer already.
            async with asyncio.timeout(visit.session.deadline - self._clock.monotonic()):
                composed = await self._read(visit, reading)
        except TimeoutError as error:
            raise self._late(visit) from error
        except VendorRefusal as refusal:
            refused = await self._checks.explain(visit.linked, visit.provider.connector, [refusal.provider])
            refused.upstream_calls = visit.session.calls
            raise refused from refusal
        except GatewayError as error:
            error.upstream_calls = visit.session.calls
            raise
        kept = CacheEntry.of(composed.body, composed.times, composed.withheld)
        stored = not visit.asked.no_store and composed.failed is None and await self._keep(visit, kept, composed.used)
        fresh = Freshness(
            times=composed.times,
            now=self._clock.now().timestamp(),
            forwarded="stale" if composed.failed else _forwarded(visit),
            failed=composed.failed,
            stored=stored,
            detail=_why_bypassed(visit),
        )
        return Page(kept, fresh, visit.session.calls)

    async def _read(self, visit: _Visit, reading: ReadContext) -> Composed:
        try:
            return await self._reads.compose(visit.question, reading)
        except WalkLost as lost:
            # A first page may still be kept whose cursor leads here: who begins again must not be given it.
            if visit.linked.account.caching.keeps:
                await visit.account_cache.invalidate(visit.question.resources)
                self._near.drop(visit.linked.account.id)
            raise stale("the list has changed and the reading that it belongs to is no longer kept") from lost

    async def _keep(self, visit: _Visit, kept: CacheEntry, used: frozenset[str]) -> bool:
        """Keep an answer, if all that it is made of was known before: else a change of that would not outdate it."""
        resources = visit.question.resources
        if not used <= resources:  # pragma: no cover - a test holds every operation to it
            return False
        self._near.put(visit.linked.account.id, visit.name, kept, visit.moment)
        seconds = int(kept.times.kept_until - self._clock.now().timestamp())
        name = visit.account_cache.key("answer", visit.name)
        return await visit.account_cache.write_current({name: kept.write()}, seconds, resources)

    def _instead(self, kept: CacheEntry, fault: Exception) -> Page:
        now = self._clock.now().timestamp()
        failed = fault if isinstance(fault, GatewayError) else None
        fresh = Freshness(times=kept.times, now=now, forwarded="stale", failed=failed, detail="vendor-failed")
        return Page(kept, fresh, failed.upstream_calls if failed else 0)

    def _late(self, visit: _Visit) -> DeadlineExceeded:
        late = DeadlineExceeded(
            f"{visit.provider.connector.name} did not answer within {self._limits.deadline:g} seconds; try again.",
            retry_after=1,
        )
        late.upstream_calls = visit.session.calls
        return late


def _endpoint(operation: Operation, connector: Connector) -> Endpoint:
    endpoint = connector.endpoint(operation)
    if endpoint is None:
        why = connector.why_unanswered(operation) or f"The {connector.name} connector does not answer it."
        raise NotImplementedHere(f"{operation.id} cannot be answered: {why}")
    return endpoint


def _must_be_conditions(query: Query, connector: Connector) -> None:
    """Raise `BadRequest` for `proxy` parameters that are more than conditions on columns."""
    faults = [why for name, _ in query.proxy if (why := condition_fault(name, connector.query_words))]
    if faults:
        raise BadRequest("proxy is not sent on: " + "; ".join(faults), errors=faults)


def _why_bypassed(visit: _Visit) -> str:
    """Say why nothing is kept of an answer, where that is so."""
    if not visit.asked.no_store:
        return ""
    if visit.question.query.raw:
        return "raw"
    return "no-store" if visit.linked.account.caching.keeps else "account"


def _forwarded(visit: _Visit) -> str:
    if visit.session.calls == 0:
        return ""
    if visit.asked.no_store:
        return "bypass"
    return "miss" if visit.asked.may_read else "request"
