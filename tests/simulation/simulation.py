"""A small simulation: companies at a vendor, accounts linked to them, workers that answer for them, and faults.

It records what an answer has to agree with; `staleness_oracle` checks that it does.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from connectors.contract import Operation
from gateway.accounts.purge_store import PendingPurge
from gateway.cache.freshness import Directives, Freshness, directives
from gateway.errors import GatewayError
from gateway.model import Invalidation, LinkedAccount, Secret
from gateway.unified.call import Call, FastPathTicket, Page
from tests.fakes.core import Seal, make_key, make_linked, unjittered
from tests.fakes.vendor import ALL_SCOPES, READER
from tests.simulation.vendor_history import GUILD, RESOURCES, Action, Company, SimulatedVendor
from tests.simulation.virtual_clock import TimedLoop
from tests.simulation.workers import (
    ACTION,
    CURSOR,
    DATABASE,
    DEADLINE,
    MEMO_SECONDS,
    Message,
    Redis,
    StoredAccounts,
    Worker,
)

TICK = 0.001
KEYS = {
    "full": make_key(*ALL_SCOPES),
    "plain": make_key(READER),
    "blind": make_key("hris.sizes:read"),
    "foreign": make_key(*ALL_SCOPES, project="p2"),
}
SCOPES = (("open", "closed"), ("open",), ("closed",))


@dataclass
class Period:
    """The state of an account since a moment. `by`: when each worker has to know it, or the message for it."""

    linked: LinkedAccount | None
    company: str
    since: float
    by: dict[int, float | Message] = field(default_factory=dict)

    def known(self, worker: int) -> float:
        by = self.by.get(worker, inf)
        return by.by if isinstance(by, Message) else by


@dataclass
class Floor:
    """After a write: from a moment on, a worker must not show versions of a list that ended before `number`.

    `until` is the end of this promise, where it has one.
    """

    account: str
    company: str
    path: str
    number: int
    by: dict[int, tuple[float, Message | None]]
    until: float = inf

    def holds(self, worker: int, began: float, ended: float) -> bool:
        if worker not in self.by or ended > self.until:
            return False
        moment, message = self.by[worker]
        return began > max(moment, message.by if message else 0)


@dataclass
class SimulatedRequest:
    """One request of a caller to a worker, with its answer or error."""

    worker: int
    account: str
    secret: str
    operation: Operation
    query: dict[str, str]
    directives: Directives
    began: float
    key: str = ""
    ended: float = inf
    page: Page | None = None
    error: GatewayError | None = None
    action: Action = field(default_factory=Action)
    from_ticket: bool = False
    """Whether it was answered by a ticket."""
    foreign: bool = False
    """Whether its cursor is one of another question."""
    walk_since: float = -inf

    @property
    def cursor(self) -> bool:
        return "next" in self.query


class Simulation:
    def __init__(self, workers: int = 2) -> None:
        self.time = unjittered()
        self.loop = TimedLoop(self.time)
        self.number = 0
        self.redis = Redis(self.time, post=self._post)
        self.vendor = SimulatedVendor(self.time, ACTION.get)
        self.companies = {name: Company(name, self.time, self._count) for name in ("c1", "c2", "c3")}
        self.database = StoredAccounts(dict(KEYS))
        self.periods: dict[str, list[Period]] = {}
        self.floors: list[Floor] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.tickets: dict[tuple[Any, ...], FastPathTicket] = {}
        self.unlinked: dict[str, float] = {}
        """Accounts that were unlinked, and when that was done."""
        self.begun_again: dict[str, float] = {}
        """When a walk of an account last got a stale cursor."""
        self._quiet = self._steady = self._lost = -inf
        self.faults: list[BaseException] = []
        self.loop.set_exception_handler(self._noted)
        self.workers = [
            Worker(time=self.time, redis=self.redis, database=self.database, vendor=self.vendor, changed=self._change)
            for _ in range(workers)
        ]
        for company in self.companies.values():
            for place in range(3):
                company.towns.append(f"t{place}")
                company.touch(f"t{place}")
            for _ in range(4):
                company.hire()
        self.run(*(worker.unlink_poll.poll() for worker in self.workers))

    # --- running --------------------------------------------------------------------------------------------

    def run(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        """Runs coroutines concurrently to their end; background tasks go on meanwhile."""

        async def all_of_it() -> list[Any]:
            await asyncio.sleep(TICK)
            return await asyncio.gather(*(self.begin(each) for each in work))

        try:
            return self.loop.run_until_complete(all_of_it())
        finally:
            self.settle()

    def begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        context = copy_context()
        context.run(ACTION.set, Action())
        task = self.loop.create_task(work, context=context)
        self.tasks.append(task)
        return task

    def settle(self) -> None:
        """Raises the exception of any finished task that has failed."""
        done = [task for task in self.tasks if task.done()]
        self.tasks = [task for task in self.tasks if not task.done()]
        for task in done:
            if not task.cancelled():
                task.result()
        if self.faults:
            raise self.faults[0]
        assert not self.vendor.unwanted, f"the vendor was called, and must not be: {self.vendor.unwanted}"

    def pass_time(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def close(self) -> None:
        try:
            self.pass_time(3 * DEADLINE)
        finally:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.run_until_complete(asyncio.sleep(TICK))
            self.loop.close()

    # --- asking ---------------------------------------------------------------------------------------------

    async def ask(self, asked: SimulatedRequest, header: str = "") -> SimulatedRequest:
        """Asks as the HTTP layer does: by a fast-path ticket if there is one, else by a full read."""
        asked.action = ACTION.get()
        asked.began = self.time.seconds()
        asked.directives = directives(header)
        asked.action.may_call = asked.secret in {"full", "plain"} and not asked.directives.only_if_cached
        reads = self.workers[asked.worker].reads
        words = (asked.worker, asked.secret, asked.account, asked.operation.id, asked.key, *asked.query.items())
        ticket = None if header else self.tickets.get(words)
        try:
            stored = reads.fast_path(ticket, self.time.seconds()) if ticket else None
            now = self.time.seconds()
            page = Page(stored, Freshness(times=stored.times, now=now, detail="local")) if stored else None
            asked.from_ticket = page is not None
            asked.page = page or await reads.read(
                Call(
                    secret=asked.secret,
                    account_id=asked.account,
                    operation=asked.operation,
                    key=asked.key,
                    pairs=tuple(asked.query.items()),
                    directives=asked.directives,
                    request_id=f"request {self._count()}",
                )
            )
        except GatewayError as error:
            asked.error = error
        if asked.page and asked.page.ticket and not header:
            self.tickets[words] = asked.page.ticket
        asked.ended = self.time.seconds()
        return asked

    # --- accounts -------------------------------------------------------------------------------------------

    async def link(self, worker: int, company: str, scopes: Sequence[str], account: str = "") -> str:
        """Links a company: a new account, or an existing one again."""
        number = self._count()
        account_id = account or f"a{number}"
        before = self.database.accounts.get(account_id)
        token = f"token {number}"
        self.vendor.tokens[token] = self.companies[company]
        linked = make_linked(account_id, *scopes, provider=GUILD.key)
        revision = before.account.revision + 1 if before else 1
        caching = before.account.caching if before else linked.account.caching
        linked = LinkedAccount(
            replace(linked.account, revision=revision, caching=caching),
            Secret(token),
            Seal(f"{account_id} {number}"),
        )
        await self._change(self.workers[worker], account_id, linked)
        return account_id

    async def amend(self, worker: int, account_id: str, **changes: Any) -> None:
        linked = self.database.accounts[account_id]
        account = replace(linked.account, revision=linked.account.revision + 1, **changes)
        await self._change(self.workers[worker], account_id, replace(linked, account=account))

    async def unlink(self, worker: int, account_id: str) -> None:
        at = self.workers[worker]
        await self._change(at, account_id, None)
        await at.cache.purge(account_id)
        self.unlinked[account_id] = self.time.seconds()
        for each in self.workers:
            self.begin(self._look(each))

    async def _look(self, worker: Worker) -> None:
        for pause in (0.4, 0.5, 0.5, MEMO_SECONDS + DEADLINE + 0.5):
            await asyncio.sleep(pause)
            await worker.unlink_poll.poll()

    async def _change(self, worker: Worker, account_id: str, linked: LinkedAccount | None) -> None:
        await asyncio.sleep(DATABASE)
        periods, now = self.periods.setdefault(account_id, []), self.time.seconds()
        company = self.vendor.tokens[linked.credential.reveal].name if linked else ""
        own = self.workers.index(worker)
        period = Period(linked, company, now, dict.fromkeys(range(len(self.workers)), now + MEMO_SECONDS))
        periods.append(period)
        if linked is None:
            del self.database.accounts[account_id]
            self.database.unlinked.append(PendingPurge(len(self.database.unlinked) + 1, "p1", account_id))
        else:
            self.database.accounts[account_id] = linked
        worker.accounts.drop(account_id)
        period.by[own] = self.time.seconds()
        if linked is None:
            worker.purge.purge_local(Invalidation.GONE, account_id)
        posted = ACTION.get().posted
        before = len(posted)
        await worker.cache.publish(Invalidation.GONE if linked is None else Invalidation.ACCOUNT, account_id)
        period.by |= {each: message for each, message in posted[before:] if each != own}

    # --- changes at companies -------------------------------------------------------------------------------

    async def write(self, worker: int, account_id: str, path: str, change: Callable[[Company], object]) -> bool:
        """Changes something through the gateway, which announces it to all workers before it answers."""
        linked = self.database.accounts[account_id]
        company = self.vendor.tokens[linked.credential.reveal]
        await asyncio.sleep(self.vendor.before)
        change(company)
        number = self._count()
        await asyncio.sleep(self.vendor.after)
        return await self._invalidate(worker, linked, path, number, company.name)

    async def deliver(self, worker: int, account_id: str, path: str) -> bool:
        """Has the vendor send a webhook about what has changed up to now."""
        linked = self.database.accounts[account_id]
        company = self.vendor.tokens[linked.credential.reveal]
        return await self._invalidate(worker, linked, path, self._count(), company.name)

    async def _invalidate(self, worker: int, linked: LinkedAccount, path: str, number: int, company: str) -> bool:
        posted = ACTION.get().posted
        before = len(posted)
        link = self.workers[worker].link
        outcome = await self.workers[worker].invalidate(
            linked, frozenset({RESOURCES[path]}), f"generation {self._count()}"
        )
        now = self.time.seconds()
        own: dict[int, tuple[float, Message | None]] = {worker: (now, None)}
        floor = Floor(linked.account.id, company, path, number, own)
        if outcome:
            floor.by |= {each: (now, message) for each, message in posted[before:] if each != worker}
        elif not link.cut:
            return outcome
        else:
            link.unannounced.append(floor)
        self.floors.append(floor)
        return outcome

    # --- faults ---------------------------------------------------------------------------------------------

    def lose(self, *kinds: str) -> None:
        self.redis.lose(*kinds)
        self._lost = self.time.seconds()

    def may_have_lost(self, account: str, since: float) -> bool:
        """Returns whether entries stored for an account since then may be missing."""
        period = self.periods[account][-1]
        uncut = self.unsteady < since and self._lost < since
        disabled = period.linked is None or not period.linked.account.caching.enabled
        return not uncut or period.since >= since - MEMO_SECONDS or disabled or self.time.seconds() - since > CURSOR / 2

    @property
    def unsteady(self) -> float:
        """When a worker last could not reach the shared cache."""
        cut = any(each.link.cut for each in self.workers)
        return self.time.seconds() if cut else self._steady

    @property
    def disturbed(self) -> float:
        """When a message was last lost."""
        lost = any(each.subscription.lost < inf for each in self.workers)
        return self.time.seconds() if lost else max(self.unsteady, self._quiet)

    def cut(self, worker: int) -> None:
        """Disconnects a worker from the shared cache and from the channel."""
        self.workers[worker].link.cut = self.workers[worker].subscription.alone = True
        self.workers[worker].subscription.lose()

    def unsubscribe(self, worker: int) -> None:
        self.workers[worker].subscription.lose()

    def mend(self, worker: int) -> None:
        """Connects a worker again. Entries that an unannounced write has outdated may be there."""
        self._steady, self._quiet = self.unsteady, self.disturbed
        at = self.workers[worker]
        for floor in at.link.unannounced:
            floor.until = self.time.seconds()
        at.link.unannounced.clear()
        at.link.cut = at.subscription.alone = False
        at.subscription.mend()

    def _post(self, change: Invalidation, name: str) -> None:
        for number, worker in enumerate(self.workers):
            message = Message(change, name, self.time.seconds())
            worker.subscription.send(message)
            ACTION.get().posted.append((number, message))

    def _count(self) -> int:
        self.number += 1
        return self.number

    def _noted(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException) and not isinstance(error, GatewayError):
            self.faults.append(error)
