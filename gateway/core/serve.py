"""One unified call from start to end."""

import asyncio
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import orjson

from connectors.contract import Operation
from connectors.spec import Connector, Endpoint
from gateway.core.ask import Clock, Conversation, VendorRefusal
from gateway.core.entrance import Entrance, Provider, forbidden, must_be_active
from gateway.core.errors import (
    DeadlineExceeded,
    GatewayError,
    NotImplementedHere,
)
from gateway.core.expelled import expelled
from gateway.core.freshness import Directives, Freshness
from gateway.core.mapping import compile_table
from gateway.core.model import Account, Cache, ClientKey, Linked
from gateway.core.policy import Denied
from gateway.core.query import PageLimits, parse
from gateway.core.reads import Composed, Question, Reads, make_question
from gateway.core.shelf import Shelf
from gateway.core.sweeps import Reading

REMEMBERED_QUESTIONS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A unified call as it came in: who asks, for which account, which operation, with which decoded query."""

    secret: str | None
    account_id: str | None
    operation: Operation
    key: str = ""
    employee: str = ""
    pairs: tuple[tuple[str, str], ...] = ()
    directives: Directives
    request_id: str


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: JSON bytes ready to send, how fresh it is, which fields are left out, and what it cost upstream."""

    body: bytes
    freshness: Freshness
    withheld: tuple[str, ...]
    upstream_calls: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds a request may wait for a vendor, rows in a page, and bytes of a value worth keeping."""

    deadline: float
    page: PageLimits
    most_bytes: int


class Gateway:
    """Answers unified calls. Its parts are arguments; it keeps nothing but decisions that data has made."""

    def __init__(self, entrance: Entrance, cache: Cache, reads: Reads, around: "Around") -> None:
        self._entrance = entrance
        self._cache = cache
        self._reads = reads
        self._clock = around.clock
        self._limits = around.limits
        self._questions: dict[tuple[Any, ...], Question] = {}

    async def answer(self, call: Call) -> Page:
        """Answer a call, or raise a `GatewayError` that says what to do."""
        key = await self._entrance.who(call.secret)
        linked, provider = await self._entrance.which(key, call.account_id)
        question = self._may(call, key, linked, provider)
        shelf = Shelf(self._cache, linked, self._limits.most_bytes, call.request_id)
        name = self._name(shelf, question, linked.account)
        known = await self._known(call, shelf, name, question)
        if known is not None:
            return known
        composed, talk = await self._ask(call, question, linked, provider, shelf)
        return await self._keep(call, question, composed, talk, (shelf, name))

    def _may(self, call: Call, key: ClientKey, linked: Linked, provider: Provider) -> Question:
        """Decide before cache and before upstream. Equal questions of equal rights are decided once."""
        account = linked.account
        rights = (key.scopes, account.grant.scopes)
        memo = (account.provider, call.operation.id, call.pairs, *rights)
        question = self._questions.get(memo)
        denied = provider.policy.admit_key(call.operation, key.scopes) if question is None else None
        if denied:
            raise forbidden(denied)
        must_be_active(account, provider.connector.name)
        if question is None:
            question = self._decide(call, provider, *rights)
            if len(self._questions) >= REMEMBERED_QUESTIONS:
                self._questions.clear()
            self._questions[memo] = question
        return replace(question, key=call.key, employee=call.employee) if call.key or call.employee else question

    def _decide(self, call: Call, provider: Provider, key: frozenset[str], token: frozenset[str]) -> Question:
        endpoint = _endpoint(call.operation, provider.connector)
        query = parse(call.operation, endpoint.table.resource, call.pairs, self._limits.page)
        allowed = provider.policy.decide(endpoint, query, key, token)
        if isinstance(allowed, Denied):
            raise forbidden(allowed)
        plan = compile_table(endpoint.table, allowed.fields, frozenset(allowed.withheld))
        return make_question(call.operation, endpoint, query, allowed, plan)

    def _name(self, shelf: Shelf, question: Question, account: Account) -> str:
        """Name the answer by all that it depends on. The day is part of it, since roles come into force by day."""
        about = question.name
        if question.key or question.employee:
            about = sha256(f"{about}\0{question.employee}\0{question.key}".encode()).hexdigest()
        return shelf.key("answer", f"{account.revision}:{self._clock.now():%Y%m%d}:{about}")

    async def _known(self, call: Call, shelf: Shelf, name: str, question: Question) -> Page | None:
        """Give the kept answer to the same question, if it is young enough for the request."""
        if question.query.raw or not call.directives.may_read:
            return None
        [kept] = await shelf.read_current([name])
        if kept is None:
            return None
        head, _, body = kept.partition(b"\n")
        made_at, fresh_until, withheld = orjson.loads(head)
        now = self._clock.now().timestamp()
        if now >= fresh_until or not call.directives.accepts(now - made_at):
            return None
        return Page(body, Freshness(max(0, int(now - made_at)), int(fresh_until - now)), tuple(withheld), 0)

    async def _ask(
        self, call: Call, question: Question, linked: Linked, provider: Provider, shelf: Shelf
    ) -> tuple[Composed, Conversation]:
        """Compose the answer within the deadline."""
        now = self._clock.now()
        talk = Conversation(
            provider.connector,
            linked,
            self._clock.monotonic() + self._limits.deadline,
            question.query.proxy,
            question.query.raw,
        )
        directives = replace(call.directives, no_cache=True) if question.query.raw else call.directives
        if not call.directives.no_store:
            await shelf.note_generation()
        reading = Reading(talk, shelf, directives, now.date(), now.timestamp(), call.request_id)
        try:
            async with asyncio.timeout(self._limits.deadline):
                return await self._reads.compose(question, reading), talk
        except TimeoutError as error:
            late = DeadlineExceeded(
                f"{provider.connector.name} did not answer within {self._limits.deadline:g} seconds; try again.",
                retry_after=1,
            )
            late.upstream_calls = talk.calls
            raise late from error
        except VendorRefusal as refusal:
            accounts, said = self._entrance.accounts, [refusal.provider]
            raise await expelled(accounts, linked.account, provider.connector, now, said) from refusal
        except GatewayError as error:
            error.upstream_calls = talk.calls
            raise

    async def _keep(
        self, call: Call, question: Question, composed: Composed, talk: Conversation, place: tuple[Shelf, str]
    ) -> Page:
        shelf, name = place
        withheld = tuple(question.allowed.withheld)
        now = self._clock.now().timestamp()
        ttl = int(composed.fresh_until - now)
        stored = False
        if not (question.query.raw or call.directives.no_store):
            head = orjson.dumps((composed.made_at, composed.fresh_until, withheld))
            stored = await shelf.write_current({name: head + b"\n" + composed.body}, ttl)
        freshness = Freshness(max(0, int(now - composed.made_at)), ttl, _forwarded(call, question, talk), stored=stored)
        return Page(composed.body, freshness, withheld, talk.calls)


@dataclass(frozen=True, slots=True)
class Around:
    """What surrounds a gateway: its clock and its limits."""

    clock: Clock
    limits: Limits


def _endpoint(operation: Operation, connector: Connector) -> Endpoint:
    endpoint = connector.endpoint(operation)
    if endpoint is None:
        why = connector.why_unanswered(operation) or f"The {connector.name} connector does not answer it."
        raise NotImplementedHere(f"{operation.id} cannot be answered: {why}")
    return endpoint


def _forwarded(call: Call, question: Question, talk: Conversation) -> str:
    if talk.calls == 0:
        return ""
    if question.query.raw or call.directives.no_store:
        return "bypass"
    return "miss" if call.directives.may_read else "request"
