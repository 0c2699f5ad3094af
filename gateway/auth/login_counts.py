"""Counts in Redis that all workers share. While Redis is away each worker counts for itself."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import hiredis

from gateway.auth.login_limiter import Count, MemoryLoginCounts
from gateway.cache.redis_connection import LineBroken, RedisLine

T = TypeVar("T")
_FAULTS = (LineBroken, TimeoutError, hiredis.HiredisError)
_PREFIX = "gateway:tally:"


class RedisLoginCounts:
    """Implements `core.attempts.Tally`. Each command is about one key, as a cluster wants it.

    Names may hold addresses of people: in Redis stands what `secret` makes of them.
    """

    def __init__(self, line: RedisLine, alone: MemoryLoginCounts, secret: bytes) -> None:
        self._line = line
        self._alone = alone
        self._secret = secret

    async def add(self, name: str, seconds: int) -> Count:
        return await self._or_alone(self._add, lambda: self._alone.add(name, seconds), name, seconds)

    async def look(self, name: str) -> Count:
        return await self._or_alone(self._look, lambda: self._alone.look(name), name)

    async def forget(self, name: str) -> None:
        await self._alone.forget(name)
        await self._or_alone(self._forget, _nothing, name)

    def close(self) -> None:
        self._line.close()

    async def _add(self, name: str, seconds: int) -> Count:
        key = self._key(name)
        _, number, left = await self._send(("SET", key, 0, "EX", seconds, "NX"), ("INCR", key), ("TTL", key))
        if left < 0:  # It expired between the first two.
            await self._send(("EXPIRE", key, seconds))
            left = seconds
        return Count(number, left)

    async def _look(self, name: str) -> Count:
        key = self._key(name)
        number, left = await self._send(("GET", key), ("TTL", key))
        return Count(int(number), max(0, left)) if number is not None else Count()

    async def _forget(self, name: str) -> None:
        await self._send(("DEL", self._key(name)))

    def _key(self, name: str) -> str:
        return _PREFIX + hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()[:32]

    async def _send(self, *commands: tuple[str | int, ...]) -> list[Any]:
        replies = await self._line.calls(*commands)
        refused = next((each for each in replies if isinstance(each, hiredis.ReplyError)), None)
        if refused is not None:
            raise refused
        return replies

    async def _or_alone(self, shared: Callable[..., Awaitable[T]], alone: Callable[[], Awaitable[T]], *words: Any) -> T:
        try:
            return await shared(*words)
        except _FAULTS:
            return await alone()


async def _nothing() -> None:
    """There is nothing to do."""
