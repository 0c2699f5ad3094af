"""The shared cache in Redis or Valkey. It may fail at any time, which is a counted miss and never an error."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

import hiredis

from gateway.adapters.redis_line import LineBroken, RedisLine
from gateway.core.model import GENERATION
from gateway.metrics import Metrics

T = TypeVar("T")
_FAULTS = (LineBroken, TimeoutError, hiredis.HiredisError)
_SCANNED = 1000


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
        # The generation goes with every question; counted, it would make a miss look half a hit.
        counted = values[1:] if keys[0].endswith(GENERATION) else values
        hits = len(counted) - counted.count(None)
        if hits:
            self._hits.inc(hits)
        if hits < len(counted):
            self._misses.inc(len(counted) - hits)
        return values

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        return bool(await self._guard("write", self._write, values, seconds))

    async def claim(self, key: str, value: bytes, seconds: int) -> bytes | None:
        return await self._guard("claim", self._claim, key, value, seconds)

    async def replace(self, key: str, value: bytes, seconds: int) -> bool:
        # A write must be noted even if the last command has just failed.
        self._resting_until = 0.0
        return await self.write({key: value}, seconds)

    async def forget(self, account_id: str) -> None:
        await self._guard("forget", self._forget, account_id)

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

    async def _write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        replies = await self._line.calls(*(("SET", key, value, "EX", seconds) for key, value in values.items()))
        refused = sum(isinstance(reply, hiredis.ReplyError) for reply in replies)
        if refused:
            # A full server says so, and is well otherwise.
            self._faults.labels("refused").inc(refused)
        return not refused

    async def _claim(self, key: str, value: bytes, seconds: int) -> bytes | None:
        [reply] = await self._line.calls(("SET", key, value, "EX", seconds, "NX", "GET"))
        if isinstance(reply, hiredis.ReplyError):
            self._faults.labels("refused").inc()
            return None
        before: bytes | None = reply
        return before or value

    async def _forget(self, account_id: str) -> bool:
        cursor: bytes | int = 0
        while True:
            cursor, keys = await self._line.call("SCAN", cursor, "MATCH", f"{{{account_id}}}:*", "COUNT", _SCANNED)
            if keys:
                await self._line.call("UNLINK", *keys)
            if int(cursor) == 0:
                return True

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

    async def claim(self, key: str, value: bytes, seconds: int) -> bytes | None:  # noqa: ARG002 - a Cache
        return None

    async def replace(self, key: str, value: bytes, seconds: int) -> bool:  # noqa: ARG002 - a Cache
        return True

    async def forget(self, account_id: str) -> None:
        """There is nothing to forget."""

    async def ping(self) -> bool:
        return True

    async def close(self) -> None:
        """There is nothing to close."""
