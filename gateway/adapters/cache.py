"""The shared cache in Redis or Valkey. It may fail at any time, which is a counted miss and never an error."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.metrics import Metrics

_FAULTS = (RedisError, OSError, TimeoutError, asyncio.IncompleteReadError)


@dataclass(frozen=True, slots=True)
class RedisLimits:
    """Seconds for a command and for connecting, connections in the pool, and seconds of rest after a fault.

    While resting no command is tried, so that a dead Redis costs a request nothing.
    """

    timeout: float
    connect_timeout: float
    connections: int
    rest: float = 1.0


class RedisCache:
    """Implements `core.model.Cache`. One round trip a read, one a write."""

    def __init__(self, url: str, limits: RedisLimits, metrics: Metrics) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            timeout=limits.timeout,
            max_connections=limits.connections,
            socket_timeout=limits.timeout,
            socket_connect_timeout=limits.connect_timeout,
            # A retry would double the wait of a request that can do without.
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )
        self._redis = Redis(connection_pool=pool)
        self._limits = limits
        self._reads = metrics.cache_reads
        self._hits = metrics.cache_reads.labels("hit")
        self._misses = metrics.cache_reads.labels("miss")
        self._faults = metrics.cache_faults
        self._resting_until = 0.0

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        values: list[bytes | None] = await self._guard("read", self._get(keys)) or [None] * len(keys)
        hits = len(values) - values.count(None)
        if hits:
            self._hits.inc(hits)
        if hits < len(values):
            self._misses.inc(len(values) - hits)
        return values

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        return await self._guard("write", self._set(values, seconds)) is not None

    async def forget(self, account_id: str) -> None:
        await self._guard("forget", self._forget(account_id))

    async def ping(self) -> bool:
        return await self._guard("ping", self._ping()) is not None

    async def close(self) -> None:
        await self._redis.aclose(close_connection_pool=True)

    async def _get(self, keys: Sequence[str]) -> list[bytes | None]:
        values: list[Any] = [await self._redis.get(keys[0])] if len(keys) == 1 else await self._redis.mget(keys)
        return values

    async def _set(self, values: Mapping[str, bytes], seconds: int) -> bool:
        if len(values) == 1:
            [(key, value)] = values.items()
            await self._redis.set(key, value, ex=seconds)
            return True
        async with self._redis.pipeline(transaction=False) as pipe:
            for key, value in values.items():
                pipe.set(key, value, ex=seconds)
            await pipe.execute()
        return True

    async def _forget(self, account_id: str) -> bool:
        async for key in self._redis.scan_iter(match=f"{{{account_id}}}:*", count=1000):
            await self._redis.unlink(key)
        return True

    async def _ping(self) -> bool:
        await self._redis.ping()
        return True

    async def _guard(self, kind: str, command: Any) -> Any:
        """Await a command; a fault is counted, and gives Redis a rest."""
        if monotonic() < self._resting_until:
            command.close()
            self._faults.labels("resting").inc()
            return None
        try:
            return await command
        except _FAULTS:
            self._resting_until = monotonic() + self._limits.rest
            self._faults.labels(kind).inc()
            return None


class NoCache:
    """Keeps nothing: for a gateway whose operator has switched the cache off."""

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return [None] * len(keys)

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:  # noqa: ARG002 - a Cache
        return False

    async def forget(self, account_id: str) -> None:
        """There is nothing to forget."""

    async def ping(self) -> bool:
        return True

    async def close(self) -> None:
        """There is nothing to close."""
