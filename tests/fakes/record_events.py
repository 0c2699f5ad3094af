"""A watcher of Village with its store in memory, whose watches a test runs one at a time."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.connector import Connector
from gateway.accounts.token_rejection import TokenRejections
from gateway.auth.authentication import Authenticator
from gateway.background import ClaimLoop
from gateway.cache.account_cache import AccountCache
from gateway.cache.freshness import Windows
from gateway.cache.singleflight import Leases, SingleFlight
from gateway.model import Cache, LinkedAccount
from gateway.observability.metrics import Metrics, make_metrics
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from gateway.record_events.detector import ChangeDetector
from gateway.record_events.model import Batch, NextRun, WatchClaim, WatchState
from gateway.record_events.snapshot import RecordHasher, SnapshotReader
from gateway.record_events.store import RecordWatchStore
from gateway.record_events.watcher import Watcher
from gateway.unified.block_cache import BlockCache
from gateway.unified.collections import Collections
from gateway.unified.snapshot_store import SnapshotStore
from gateway.upstream.retry import RetryPolicy
from gateway.upstream.vendor import VendorClient
from tests.fakes.core import A_MINUTE, Memory, Register, Time, Vendor, make_linked, unjittered
from tests.fakes.metrics import counts
from tests.fakes.vendor import VILLAGE, make_vendor

HOUR = 3600.0
Key = tuple[str, str]


class Killed(BaseException):
    """The process is gone."""


@dataclass
class StoredWatch:
    """What is kept of one watch."""

    due: datetime
    rest_until: datetime
    lease: int = 0
    failures: int = 0
    state: WatchState = field(default_factory=WatchState)
    hashes: dict[str, bytes] = field(default_factory=dict)


@dataclass
class MemoryWatchStore(RecordWatchStore):
    """The database of watches, in memory. `breaks_after` so many batches a process dies."""

    register: Register
    events: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"p1": ["hris_employees.*"]})
    lines: dict[Key, StoredWatch] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    breaks_after: int | None = None
    claims_raise: list[Exception] = field(default_factory=list)
    hashes_raise: list[Exception] = field(default_factory=list)
    claimed: Callable[[], None] = lambda: None

    async def wanted_events(self) -> Mapping[str, Sequence[str]]:
        if self.claims_raise:
            raise self.claims_raise.pop(0)
        return self.events

    async def arrange(self, wanted: Mapping[str, frozenset[str]], now: datetime, within: float) -> None:  # noqa: ARG002
        accounts = [linked.account for linked in self.register.accounts.values()]
        keys = {(each.id, resource) for each in accounts for resource in wanted.get(each.project_id, ())}
        self.lines = {key: self.lines.get(key) or StoredWatch(now, now) for key in keys}

    async def claim(self, now: datetime, until: datetime) -> WatchClaim | None:
        for (account_id, resource), line in sorted(self.lines.items(), key=lambda each: each[1].due):
            account = self.register.accounts[account_id].account
            if line.due <= now and line.rest_until <= now and account.status == "active":
                line.lease += 1
                line.due = line.rest_until = until
                self.claimed()
                return WatchClaim(
                    account_id=account_id,
                    project_id=account.project_id,
                    resource=resource,
                    lease=line.lease,
                    until=until,
                    failures=line.failures,
                    state=line.state,
                )
        return None

    async def hashes(self, claim: WatchClaim) -> Mapping[str, bytes]:
        if self.hashes_raise:
            raise self.hashes_raise.pop(0)
        return dict(self.lines[claim.account_id, claim.resource].hashes)

    async def apply(self, claim: WatchClaim, revision: int, batch: Batch) -> bool:
        line = self.lines[claim.account_id, claim.resource]
        if line.lease != claim.lease or self.register.accounts[claim.account_id].account.revision != revision:
            return False
        if self.breaks_after == len(self.batches):
            raise Killed
        self.batches.append(batch)
        line.hashes = {each: found for each, found in line.hashes.items() if each not in batch.drop} | dict(batch.put)
        self.told += [(event.name, str(event.payload["record_remote_id"])) for event in batch.events]
        return True

    async def settle(self, claim: WatchClaim, state: WatchState, then: NextRun) -> None:
        line = self.lines[claim.account_id, claim.resource]
        if line.lease == claim.lease:
            line.state, line.failures, line.rest_until = state, then.failures, then.rest_until
            line.due = min(line.due, then.due) if line.due < claim.until else then.due

    async def hasten(self, account_id: str, resources: frozenset[str], at: datetime) -> None:
        for (owner, resource), line in self.lines.items():
            if owner == account_id and resource in resources:
                line.due = min(line.due, at)


@dataclass
class WatcherSetup:
    """From where Village is watched. `rights` is what the vendor says of the token when it is asked."""

    vendor: Vendor = field(default_factory=lambda: make_vendor(30))
    time: Time = field(default_factory=unjittered)
    connector: Connector = VILLAGE
    operator: Operator = field(default_factory=Operator)
    version: str = "1"
    secret: bytes = b"k" * 32
    windows: Windows = A_MINUTE
    cache: Cache | None = None
    register: Register = field(default_factory=Register)
    metrics: Metrics = field(default_factory=make_metrics)
    faults: list[BaseException] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    outdated: list[tuple[list[str], int]] = field(default_factory=list)
    loses: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.register.accounts.setdefault("a1", make_linked("a1", *self.connector.scopes, provider="village"))
        self.store = MemoryWatchStore(self.register)
        self.memory = Memory(self.time)
        self.watcher = self.worker()

    def worker(self) -> Watcher:
        cache, clock = self.cache or self.memory, self.time.clock()
        asker = VendorClient(self.vendor, RetryPolicy(retries=0, longest_wait=0.0), clock)
        collections = Collections(
            asker,
            SnapshotStore(BlockCache(0), self.time.seconds, 3600, b"k"),
            SingleFlight(),
            Leases(cache, 5, clock.monotonic),
            lambda _: self.windows,
            concurrency=4,
        )
        provider = Provider(self.connector, Policy(self.connector, self.operator))
        authenticator = Authenticator(self.register, {"village": provider})
        detector = ChangeDetector(
            self.store,
            authenticator,
            SnapshotReader(
                collections, RecordHasher(self.secret, self.version), cache=cache, max_value_bytes=8 << 20, clock=clock
            ),
            verify=self.check,
            token_rejections=TokenRejections(self.register, self.vendor, clock.now),
            invalidate=self.invalidate,
            clock=clock,
            metrics=self.metrics,
        )
        return Watcher(self.store, authenticator, detector, poll=HOUR, settle=5, clock=clock, metrics=self.metrics)

    def loop(self) -> ClaimLoop[WatchClaim]:
        return ClaimLoop(
            self.watcher.claim,
            self.watcher.process,
            concurrency=2,
            idle_wait=lambda: 0.0,
            log_error=self.faults.append,
        )

    async def step(self) -> bool:
        """Runs one watch that is due; False where there is none."""
        loop = self.loop()
        claim = await loop.claim()
        if claim is not None:
            await loop.process(claim)
        return claim is not None

    @property
    def counted(self) -> Counter[str]:
        """Watches by resource and outcome, and events by name."""
        return Counter(counts(self.metrics.record_watches, self.metrics.record_events))

    async def invalidate(self, linked: LinkedAccount, resources: frozenset[str] | None, new_id: str) -> bool:
        self.outdated.append((sorted(resources or ()), len(self.store.told)))
        return await AccountCache(self.memory, linked, 0, new_id).invalidate(resources)

    async def check(self, linked: LinkedAccount) -> None:
        self.checked.append(linked.account.id)
        if self.loses:
            account = replace(linked.account, revision=linked.account.revision + 1, **self.loses)  # type: ignore[arg-type]
            self.register.accounts[account.id] = replace(linked, account=account)

    async def watch(self, passed: float = HOUR) -> tuple[str, list[tuple[str, str]]]:
        """Let time pass, and do one watch; give what became of it, and what was told: verb and vendor's id."""
        self.time.forward(passed)
        before, told = self.counted, len(self.store.told)
        assert await self.step()
        assert self.faults == []
        [outcome] = [each for each in (self.counted - before) if not each.startswith("hris_")]
        return outcome.split()[1], [(name.partition(".")[2], each) for name, each in self.store.told[told:]]

    @property
    def line(self) -> StoredWatch:
        return self.store.lines["a1", "employees"]

    @property
    def people(self) -> list[dict[str, object]]:
        return self.vendor.lists["/people"]
