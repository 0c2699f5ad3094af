"""Workers in memory, joined as in a gateway: each with its local cache, a shared cache and a channel between them.

Cache and channel may be slow, lose things, or be away for one worker or for all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from gateway.accounts.purge_store import PendingPurge, PurgeStore
from gateway.accounts.token_rejection import TokenRejections
from gateway.accounts.unlink import AccountPurge, PurgePlace, UnlinkPoll
from gateway.app.reads import invalidation_handler, list_purge, make_invalidate
from gateway.auth.authentication import Authenticator
from gateway.cache.freshness import Windows
from gateway.cache.local import LocalCache
from gateway.cache.singleflight import Leases, SingleFlight
from gateway.cache.tombstones import GuardedCache, Tombstones
from gateway.contract.query import PageLimits
from gateway.db.ttl_cache import TtlCache
from gateway.model import Actor, ClientKey, Invalidation, LinkedAccount, Status, StatusReason, Upstream
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from gateway.unified.answer_cache import AnswerCache
from gateway.unified.block_cache import BlockCache
from gateway.unified.collections import Collections
from gateway.unified.compose import Composer
from gateway.unified.cursor import CursorSigner
from gateway.unified.plan import Planner
from gateway.unified.read import ReadService
from gateway.unified.snapshot_store import SnapshotStore
from gateway.upstream.retry import RetryPolicy
from gateway.upstream.vendor import VendorClient
from tests.fakes.core import CacheProxy, Memory, Time
from tests.simulation.vendor_history import GUILD, Action

WINDOWS = {"employees": Windows(60, 60, 600), "employments": Windows(40, 40, 90), "locations": Windows(300, 300, 0)}
DEADLINE, STALE_WAIT, CURSOR, LEASE = 30.0, 3.0, 3600, 5
LOCAL_SECONDS, UNSUBSCRIBED_SECONDS = 10.0, 1.0
MEMO_SECONDS = 2.0
SILENCE = 1.0
"""Seconds after which a channel that is broken is seen to be."""
DATABASE = 0.005

ACTION: ContextVar[Action] = ContextVar("action")
"""The action that the current task belongs to; background work belongs to the action that started it."""


@dataclass
class Redis(Memory):
    """The shared cache, which posts messages to all workers. `lose` is eviction, or a start without data."""

    post: Callable[[Invalidation, str], None] = lambda _change, _name: None

    async def publish(self, change: Invalidation, name: str) -> None:
        self.post(change, name)

    async def replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:
        await super().replace(account_id, values, seconds)
        self.post(Invalidation.ANSWERS, account_id)
        return True

    def lose(self, *kinds: str) -> None:
        """Deletes the values of these kinds, or all."""
        self.values, self.marks = (
            {key: value for key, value in entries.items() if kinds and key.split(":")[1] not in kinds}
            for entries in (self.values, self.marks)
        )


@dataclass
class Message:
    """A message on its way to one worker. `by` is when it takes effect there at the latest."""

    change: Invalidation
    name: str
    sent: float
    by: float = inf


@dataclass
class Subscription:
    """How a worker receives messages: in their order, after `delay` seconds; or not at all while it is `lost`."""

    time: Time
    on_message: Callable[[Invalidation, str], None] = lambda _change, _name: None
    on_subscribe: Callable[[], None] = lambda: None
    delay: float = 0.0
    lost: float = inf
    """Since when."""
    alone: bool = False
    """Whether the worker cannot reach the shared cache either: then equal requests may share one call."""
    last: float = 0.0
    coming: list[Message] = field(default_factory=list)
    missed: list[Message] = field(default_factory=list)

    def works(self) -> bool:
        return self.time.seconds() < self.lost + SILENCE

    def send(self, message: Message) -> None:
        if self.lost < inf:
            self._miss(message)
            return
        self.coming.append(message)
        self.last = max(self.last, message.sent + self.delay)
        asyncio.get_running_loop().call_later(self.last - message.sent, self._arrive, message)

    def lose(self) -> None:
        if self.lost == inf:
            self.lost = self.time.seconds()
            for message in self.coming:
                self._miss(message)
            self.coming.clear()

    def mend(self) -> None:
        """Subscribes again: missed messages stay missed, and the worker clears its local cache."""
        if self.lost < inf:
            self.lost = inf
            self.on_subscribe()
            for message in self.missed:
                if message.change is Invalidation.ANSWERS:
                    message.by = min(message.by, self.time.seconds())
            self.missed.clear()

    def _arrive(self, message: Message) -> None:
        # An arrival that was lost meanwhile is no longer awaited.
        if any(each is message for each in self.coming):
            self.coming.remove(message)
            message.by = self.time.seconds()
            self.on_message(message.change, message.name)

    def _miss(self, message: Message) -> None:
        seconds_used = MEMO_SECONDS
        if message.change is Invalidation.ANSWERS:
            seconds_used = DEADLINE if self.alone else UNSUBSCRIBED_SECONDS
        message.by = max(self.lost + SILENCE, message.sent + seconds_used)
        self.missed.append(message)


class CacheLink(CacheProxy):
    """A worker's connection to the shared cache, which takes `lag` seconds each way."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.cut: bool = False
        self.lag = 0.0
        self.unannounced: list[Any] = []
        """Writes that could not be announced since it went away."""

    async def purge(self, account_id: str) -> bool:
        await asyncio.sleep(0.15)
        return await super().purge(account_id)

    async def run(self, command: str, work: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ARG002 - all alike
        await asyncio.sleep(self.lag)
        if self.cut:
            return None
        found = await work()
        await asyncio.sleep(self.lag)
        # What was on its way back when the link broke does not come.
        return found if self._reaches() else None

    def _reaches(self) -> bool:
        return not self.cut


@dataclass
class StoredAccounts(PurgeStore):
    """The database: keys, accounts, and the accounts that were unlinked."""

    keys: dict[str, ClientKey]
    accounts: dict[str, LinkedAccount] = field(default_factory=dict)
    unlinked: list[PendingPurge] = field(default_factory=list)

    async def newest_row(self) -> int:
        return len(self.unlinked)

    async def since(self, after: int) -> Sequence[PendingPurge]:
        return [each for each in self.unlinked if each.row > after]

    async def unfinished(self) -> Sequence[PendingPurge]:
        return ()

    async def finish(self, row: int) -> None:
        """Nothing to store: no process ends here, so that none resumes another's purge."""


class CachedAccounts:
    """The database behind the memo of one worker."""

    def __init__(self, database: StoredAccounts, time: Time, changed: Callable[[str, LinkedAccount], Any]) -> None:
        self._database = database
        self._memo: TtlCache[str, LinkedAccount | None] = TtlCache(MEMO_SECONDS, 100, time.seconds)
        self._changed = changed

    async def find_key(self, secret: str) -> ClientKey | None:
        return self._database.keys.get(secret)

    async def find_account(self, project_id: str, account_id: str) -> LinkedAccount | None:
        linked = await self._memo.get(account_id, lambda: self._load(account_id))
        return linked if linked and linked.account.project_id == project_id else None

    def is_current(self, key: ClientKey, linked: LinkedAccount) -> bool:
        return key in self._database.keys.values() and self._memo.peek(linked.account.id) is linked

    async def mark(
        self,
        account_id: str,
        status: Status,
        reason: StatusReason | None,
        *,
        by: Actor,  # noqa: ARG002 - of Accounts
        revision: int | None = None,
    ) -> None:
        linked = self._database.accounts.get(account_id)
        if linked and revision in {None, linked.account.revision}:
            reasons = (reason,) if reason else ()
            changed = replace(
                linked.account, status=status, status_reasons=reasons, revision=linked.account.revision + 1
            )
            await self._changed(account_id, replace(linked, account=changed))

    def drop(self, account_id: str) -> None:
        self._memo.drop(account_id)

    async def _load(self, account_id: str) -> LinkedAccount | None:
        linked = self._database.accounts.get(account_id)
        await asyncio.sleep(DATABASE)
        return linked


class Worker:
    """One process of a gateway."""

    def __init__(
        self,
        *,
        time: Time,
        redis: Redis,
        database: StoredAccounts,
        vendor: Upstream,
        changed: Callable[["Worker", str, LinkedAccount], Any],
    ) -> None:
        clock = time.clock()
        self.link = CacheLink(redis)
        self.subscription = Subscription(time)
        self.erased = Tombstones(clock.monotonic)
        self.cache = GuardedCache(self.link, self.erased)
        self.accounts = CachedAccounts(database, time, lambda account_id, linked: changed(self, account_id, linked))
        self.flights = SingleFlight()
        self.closed = Tombstones(clock.monotonic, MEMO_SECONDS + DEADLINE + 1)
        self.lists = BlockCache(1 << 20, self.closed)
        self.local = LocalCache(
            clock.monotonic,
            self.subscription.works,
            max_bytes=1 << 20,
            seconds=LOCAL_SECONDS,
            unsubscribed_seconds=UNSUBSCRIBED_SECONDS,
        )
        self.purge = AccountPurge(self.cache)
        self.purge.register(PurgePlace.TOMBSTONE, self.erased.add)
        self.purge.register(PurgePlace.MEMO, self.accounts.drop)
        self.purge.register(PurgePlace.LOCAL_ANSWERS, self.local.invalidate)
        self.purge.register(PurgePlace.DECODED_LISTS, list_purge(self.lists, self.closed))
        self.subscription.on_message = invalidation_handler(
            self.purge, self.accounts.drop, self.accounts.drop, self.local
        )
        self.subscription.on_subscribe = self.local.clear
        self.invalidate = make_invalidate(self.cache, self.local)
        self.unlink_poll = UnlinkPoll(
            database,
            self.purge,
            repeat_seconds=(0.5, MEMO_SECONDS + DEADLINE + 1),
            monotonic=clock.monotonic,
        )
        client = VendorClient(vendor, RetryPolicy(retries=0, longest_wait=0.0), clock)
        collections = Collections(
            client,
            SnapshotStore(self.lists, time.seconds, CURSOR, b"k"),
            self.flights,
            Leases(self.cache, LEASE, clock.monotonic),
            lambda resource: WINDOWS.get(resource, Windows(0)),
            concurrency=4,
        )
        rejections = TokenRejections(self.accounts, vendor, clock.now)
        self.reads = ReadService(
            Authenticator(self.accounts, {GUILD.key: Provider(GUILD, Policy(GUILD, Operator()))}),
            Planner(PageLimits(25, 250)),
            AnswerCache(self.cache, self.local, clock, 8 << 20),
            Composer(client, collections, CursorSigner(b"k" * 32, CURSOR), rejections, lambda *_: None),
            self.flights,
            clock,
            deadline=DEADLINE,
            stale_wait=STALE_WAIT,
        )
