"""Fakes in memory: a manual clock, caches, accounts, and a vendor made of lists."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from connectors.exchange import Answer, Grant, Request
from gateway.cache.freshness import Windows
from gateway.cache.redis_cache import NoCache
from gateway.model import (
    Account,
    Actor,
    Cache,
    ClientKey,
    Clock,
    Invalidation,
    LinkedAccount,
    Owner,
    Secret,
    Status,
    StatusReason,
    Unsealable,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
A_MINUTE = Windows(60)
Rows = list[dict[str, Any]]


@dataclass
class Time:
    """A clock that stands still until it is moved."""

    moment: datetime = NOW
    chance: float = 0.5

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def clock(self) -> Clock:
        return Clock(
            now=lambda: self.moment, timestamp=self.seconds, monotonic=self.seconds, jitter=lambda: self.chance
        )

    def seconds(self) -> float:
        return self.moment.timestamp()


def unjittered() -> Time:
    """Returns a clock under which freshness lasts as long as it says."""
    return Time(chance=0.0)


@dataclass
class Memory:
    """A shared cache. `evict` of a kind is what eviction looks like. Generations are kept apart, in `marks`."""

    time: Time
    values: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    marks: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    published: list[tuple[Invalidation, str]] = field(default_factory=list)

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return [self._live(key) for key in keys]

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        until = self.time.seconds() + seconds
        self.values |= {key: (until, value) for key, value in values.items()}
        return True

    async def claim(self, keys: Sequence[str], value: bytes, seconds: int) -> Sequence[bytes | None]:
        for key in keys:
            if self._live(key) is None:
                self.marks[key] = (self.time.seconds() + seconds, value)
        return [self._live(key) for key in keys]

    async def renew(self, key: str, value: bytes, seconds: int) -> None:
        if self._live(key) == value:
            self.marks[key] = (self.time.seconds() + seconds, value)

    async def release(self, key: str, value: bytes) -> None:
        if self._live(key) == value:
            del self.marks[key]

    async def publish(self, change: Invalidation, name: str) -> None:
        self.published.append((change, name))

    async def replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:
        assert all(key.startswith(f"{{{account_id}}}:") for key in values)
        self.marks |= {key: (self.time.seconds() + seconds, value) for key, value in values.items()}
        return True

    async def purge(self, account_id: str) -> bool:
        self.marks = {key: value for key, value in self.marks.items() if not key.startswith(f"{{{account_id}}}:")}
        self.values = {key: value for key, value in self.values.items() if not key.startswith(f"{{{account_id}}}:")}
        return True

    def evict(self, *kinds: str) -> None:
        self.values = {key: value for key, value in self.values.items() if key.split(":")[1] not in kinds}

    def kinds(self) -> set[str]:
        return {key.split(":")[1] for key in self.values}

    def _live(self, key: str) -> bytes | None:
        until, value = self.values.get(key) or self.marks.get(key) or (0.0, None)
        return value if self.time.seconds() < until else None


class UnreachableCache(NoCache):
    """A shared cache that is down: it stores nothing, and says so of an invalidation too."""

    async def replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:  # noqa: ARG002
        return False


class CacheProxy:
    """A way to a cache. Subclasses replace `run`, to delay, count or lose commands; one that is lost gives None."""

    def __init__(self, inner: Cache) -> None:
        self.inner = inner

    async def run(self, command: str, work: Callable[[], Awaitable[Any]]) -> Any:
        raise NotImplementedError

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return await self.run("read", lambda: self.inner.read(keys)) or [None] * len(keys)

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        return bool(await self.run("write", lambda: self.inner.write(values, seconds)))

    async def claim(self, keys: Sequence[str], value: bytes, seconds: int) -> Sequence[bytes | None]:
        return await self.run("claim", lambda: self.inner.claim(keys, value, seconds)) or [None] * len(keys)

    async def renew(self, key: str, value: bytes, seconds: int) -> None:
        await self.run("renew", lambda: self.inner.renew(key, value, seconds))

    async def release(self, key: str, value: bytes) -> None:
        await self.run("release", lambda: self.inner.release(key, value))

    async def publish(self, change: Invalidation, name: str) -> None:
        await self.run("publish", lambda: self.inner.publish(change, name))

    async def replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:
        return bool(await self.run("replace", lambda: self.inner.replace(account_id, values, seconds)))

    async def purge(self, account_id: str) -> bool:
        return bool(await self.run("purge", lambda: self.inner.purge(account_id)))


@dataclass(frozen=True)
class Seal:
    """A cipher in name: it hides nothing, but it opens only what it sealed in the same context."""

    key: str

    def seal(self, plain: bytes, context: bytes) -> bytes:
        return self._mark(plain, context) + plain

    def open(self, sealed: bytes, context: bytes) -> bytes:
        mark, plain = sealed[:32], sealed[32:]
        if mark != self._mark(plain, context):
            raise Unsealable("not sealed so")
        return plain

    def _mark(self, plain: bytes, context: bytes) -> bytes:
        return sha256(b"\0".join((self.key.encode(), context, plain))).digest()


@dataclass
class Register:
    """The database in memory."""

    keys: dict[str, ClientKey] = field(default_factory=dict)
    accounts: dict[str, LinkedAccount] = field(default_factory=dict)
    asked: int = 0
    marked_by: list[Actor] = field(default_factory=list)

    async def find_key(self, secret: str) -> ClientKey | None:
        return self.keys.get(secret)

    async def find_account(self, project_id: str, account_id: str) -> LinkedAccount | None:
        self.asked += 1
        linked = self.accounts.get(account_id)
        return linked if linked and linked.account.project_id == project_id else None

    def is_current(self, key: ClientKey, linked: LinkedAccount) -> bool:
        return self.keys.get(self.secret_of(key)) is key and self.accounts.get(linked.account.id) is linked

    def secret_of(self, key: ClientKey) -> str:
        return next((secret for secret, known in self.keys.items() if known is key), "")

    async def mark(
        self, account_id: str, status: Status, reason: StatusReason | None, *, by: Actor, revision: int | None = None
    ) -> None:
        linked = self.accounts[account_id]
        if revision in {None, linked.account.revision}:
            self.marked_by.append(by)
            reasons = (reason,) if reason else ()
            changed = replace(
                linked.account, status=status, status_reasons=reasons, revision=linked.account.revision + 1
            )
            self.accounts[account_id] = replace(linked, account=changed)

    def change(self, account_id: str, **changes: Any) -> None:
        linked = self.accounts[account_id]
        self.accounts[account_id] = replace(linked, account=replace(linked.account, **changes))


def make_key(*scopes: str, project: str = "p1") -> ClientKey:
    return ClientKey(id="k", project_id=project, prefix="hg_", scopes=frozenset(scopes), created_at=NOW)


def make_linked(account_id: str, *scopes: str, provider: str = "village", project: str = "p1") -> LinkedAccount:
    account = Account(
        id=account_id,
        project_id=project,
        provider=provider,
        owner=Owner(id=f"owner of {account_id}", name="Owner"),
        status=Status.ACTIVE,
        grant=Grant(scopes=frozenset(scopes), found_by="token-info"),
        revision=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return LinkedAccount(account, Secret(f"token of {account_id}"), Seal(account_id))


def json_answer(body: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json; charset=utf-8", **named}, orjson.dumps(body))


def refusal(status: int, **headers: str) -> Answer:
    return json_answer({"code": status, "name": "Fault", "message": f"no: {status}"}, status, **headers)


@dataclass
class Vendor:
    """A vendor in memory. `instead` may answer a call otherwise, or raise; it sees it after it was noted."""

    lists: dict[str, Rows] = field(default_factory=dict)
    most: int = 250
    instead: Callable[[Request], Answer | None] = lambda _: None
    asked: list[Request] = field(default_factory=list)

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        self.asked.append(request)
        return self.instead(request) or self._usual(request)

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]

    def take_calls(self) -> int:
        """Returns how many calls came since the last time."""
        calls = len(self.asked)
        self.asked.clear()
        return calls

    def _usual(self, request: Request) -> Answer:
        rows = self.lists.get(request.path)
        if rows is None:
            listing, _, key = request.path.rpartition("/")
            found = [row for row in self.lists.get(listing, ()) if row["id"] == key]
            return json_answer(found[0]) if found else refusal(404)
        query = dict(request.query)
        limit, skip = min(int(query.pop("limit", "10")), self.most), int(query.pop("skip", "0"))
        known = [row for row in rows if all(str(row.get(name)) == value for name, value in query.items())]
        return json_answer({"total": len(known), "data": known[skip : skip + limit]})
