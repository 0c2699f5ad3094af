"""The shared cache in Redis or Valkey. It may fail at any time, which is a counted miss and never an error."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, time
from typing import Any, TypeVar

import hiredis

from gateway.cache.redis_address import Word
from gateway.cache.redis_connection import LineBroken, RedisLine
from gateway.model import GENERATION, Invalidation
from gateway.observability.metrics import Metrics

T = TypeVar("T")
CHANNEL = "hris-gateway:changes"
"""Where workers tell each other of changes: a word for what it is about, a space, an id."""

_FAULTS = (LineBroken, TimeoutError, hiredis.HiredisError)
_SCANNED = 1000
_INDEX_SECONDS = 30 * 24 * 3600
_IN_FLIGHT = 0.15
"""Seconds in which all workers have heard of a change, and what they had sent before has come to Redis."""
_GENERATION = f":{GENERATION}:"
_RENEW = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('expire',KEYS[1],ARGV[2]) end return 0"
_RELEASE = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) end return 0"


@dataclass(frozen=True, slots=True)
class RedisLimits:
    """Seconds for a command and for connecting, and seconds of rest after a fault.

    While resting no command is tried, so that a dead Redis costs a request nothing.
    """

    timeout: float
    connect_timeout: float
    rest: float = 1.0


class RedisCache:
    """Implements `core.model.Cache`. One round trip a read, one a write."""

    def __init__(self, url: str, limits: RedisLimits, metrics: Metrics) -> None:
        self._line = RedisLine(url, limits.timeout, limits.connect_timeout)
        self._rest = limits.rest
        self._hits = metrics.cache_reads.labels("hit")
        self._misses = metrics.cache_reads.labels("miss")
        self._faults = metrics.cache_faults
        self._resting_until = 0.0

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        values = await self._guard("read", self._read, keys) or [None] * len(keys)
        # Generations go with every question; counted, they would make a miss look half a hit.
        counted = [value for key, value in zip(keys, values, strict=True) if _GENERATION not in key]
        hits = len(counted) - counted.count(None)
        if hits:
            self._hits.inc(hits)
        if hits < len(counted):
            self._misses.inc(len(counted) - hits)
        return values

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        return bool(await self._guard("write", self._write, values, seconds, ()))

    async def claim(self, keys: Sequence[str], value: bytes, seconds: int) -> Sequence[bytes | None]:
        return await self._guard("claim", self._claim, keys, value, seconds) or [None] * len(keys)

    async def renew(self, key: str, value: bytes, seconds: int) -> None:
        await self._guard("renew", self._line.call, "EVAL", _RENEW, 1, key, value, seconds)

    async def release(self, key: str, value: bytes) -> None:
        await self._guard("release", self._line.call, "EVAL", _RELEASE, 1, key, value)

    async def replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:
        # A write must be noted even if the last command has just failed.
        self._resting_until = 0.0
        told = ("PUBLISH", CHANNEL, f"{Invalidation.ANSWERS} {account_id}")
        return bool(await self._guard("write", self._write, values, seconds, (told,)))

    async def tell(self, news: Invalidation, name: str) -> None:
        """Tell all workers of a change."""
        await self._guard("publish", self._line.call, "PUBLISH", CHANNEL, f"{news} {name}")

    async def forget(self, account_id: str) -> bool:
        """Drop an account's values, once what workers had sent before they heard of it has come."""
        await asyncio.sleep(_IN_FLIGHT)
        return bool(await self._guard("forget", self._forget, account_id))

    async def ping(self) -> bool:
        return await self._guard("ping", self._line.call, "PING") is not None

    async def close(self) -> None:
        self._line.close()

    async def _read(self, keys: Sequence[str]) -> list[bytes | None]:
        replies = await self._line.call("MGET", *keys)
        if isinstance(replies, hiredis.ReplyError):
            self._faults.labels("refused").inc()
            return [None] * len(keys)
        found: list[bytes | None] = replies
        return found

    async def _write(self, values: Mapping[str, bytes], seconds: int, told: tuple[tuple[str, ...], ...]) -> bool:
        sets = (("SET", key, value, "EX", seconds) for key, value in values.items())
        return self._taken(await self._line.calls(*sets, *_indexed(values, seconds), *told))

    async def _claim(self, keys: Sequence[str], value: bytes, seconds: int) -> list[bytes | None]:
        sets = (("SET", key, value, "EX", seconds, "NX", "GET") for key in keys)
        replies = await self._line.calls(*sets, *_indexed(keys, seconds))
        if not self._taken(replies):
            return [None] * len(keys)
        return [before or value for before in replies[: len(keys)]]

    def _taken(self, replies: Sequence[Any]) -> bool:
        refused = sum(isinstance(reply, hiredis.ReplyError) for reply in replies)
        if refused:
            # A full server says so, and is well otherwise.
            self._faults.labels("refused").inc(refused)
        return not refused

    async def _forget(self, account_id: str) -> bool:
        index = _index(account_id)
        keys = await self._line.call("ZRANGE", index, 0, -1)
        if not self._taken([keys]):
            return False
        for start in range(0, len(keys), _SCANNED):
            if not self._taken([await self._line.call("UNLINK", *keys[start : start + _SCANNED])]):
                return False
        return self._taken([await self._line.call("UNLINK", index)])

    async def _guard(self, kind: str, command: Callable[..., Awaitable[T]], *words: Any) -> T | None:
        """Await a command; a fault is counted, and gives Redis a rest."""
        if monotonic() < self._resting_until:
            self._faults.labels("resting").inc()
            return None
        try:
            return await command(*words)
        except _FAULTS:
            self._resting_until = monotonic() + self._rest
            self._faults.labels(kind).inc()
            return None


class NoCache:
    """Keeps nothing: for a gateway whose operator has switched the cache off."""

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return [None] * len(keys)

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:  # noqa: ARG002 - a Cache
        return False

    async def claim(self, keys: Sequence[str], value: bytes, seconds: int) -> Sequence[bytes | None]:  # noqa: ARG002
        return [None] * len(keys)

    async def renew(self, key: str, value: bytes, seconds: int) -> None:
        """There is nothing to renew."""

    async def release(self, key: str, value: bytes) -> None:
        """There is nothing to release."""

    async def replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:  # noqa: ARG002
        return True

    async def tell(self, news: Invalidation, name: str) -> None:
        """There is nothing that others could have kept."""

    async def forget(self, account_id: str) -> bool:  # noqa: ARG002 - a Cache
        return True

    async def ping(self) -> bool:
        return True

    async def close(self) -> None:
        """There is nothing to close."""


def _account(key: str) -> str:
    return key[1 : key.index("}")]


def _index(account_id: str) -> str:
    return f"{{{account_id}}}:keys"


def _indexed(keys: Iterable[str], seconds: int) -> list[tuple[Word, ...]]:
    """Make the commands that note keys by account: to be found without searching all keys when it is unlinked."""
    now = int(time())
    accounts: dict[str, list[Word]] = {}
    for key in keys:
        accounts.setdefault(_account(key), []).extend((now + seconds + 1, key))
    commands: list[tuple[Word, ...]] = []
    for account, entries in accounts.items():
        index = _index(account)
        commands += [
            ("ZADD", index, *entries),
            ("ZREMRANGEBYSCORE", index, "-inf", now),
            ("EXPIRE", index, max(seconds, _INDEX_SECONDS)),
        ]
    return commands
