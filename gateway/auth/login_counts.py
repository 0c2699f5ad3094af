"""Counts in Redis that all workers share. While Redis is away each worker counts for itself."""

import hashlib
import hmac
from collections.abc import Awaitable
from typing import Any, TypeVar

from gateway.auth.login_limiter import Count, MemoryLoginCounts
from gateway.cache.redis_client import AddCommands, ErrorReply, RedisClient, RedisUnavailable

T = TypeVar("T")
_PREFIX = "gateway:login-counts:"


class RedisLoginCounts:
    """Implements `LoginCounts`. Each command is about one key, as a cluster requires.

    A name may hold an address of a person: Redis has only its digest under `secret`. `local` counts while Redis fails.
    """

    def __init__(self, client: RedisClient, local: MemoryLoginCounts, secret: bytes) -> None:
        self._client = client
        self._local = local
        self._secret = secret

    async def add(self, name: str, seconds: int) -> Count:
        return await self._shared(self._add(name, seconds)) or await self._local.add(name, seconds)

    async def get(self, name: str) -> Count:
        return await self._shared(self._get(name)) or await self._local.get(name)

    async def delete(self, name: str) -> None:
        await self._local.delete(name)
        key = self._key(name)
        await self._shared(self._run(key, lambda pipe: pipe.delete(key)))

    async def _add(self, name: str, seconds: int) -> Count:
        key = self._key(name)
        _, number, left = await self._run(
            key, lambda pipe: [pipe.set(key, 0, ex=seconds, nx=True), pipe.incr(key), pipe.ttl(key)]
        )
        if left < 0:  # It expired between the first two.
            await self._run(key, lambda pipe: pipe.expire(key, seconds))
            left = seconds
        return Count(number, left)

    async def _get(self, name: str) -> Count:
        key = self._key(name)
        number, left = await self._run(key, lambda pipe: [pipe.get(key), pipe.ttl(key)])
        return Count(int(number), max(0, left)) if number is not None else Count()

    def _key(self, name: str) -> str:
        return _PREFIX + hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()[:32]

    async def _run(self, key: str, add: AddCommands) -> list[Any]:
        replies = await self._client.run(key, add)
        for reply in replies:
            if isinstance(reply, ErrorReply):
                raise RedisUnavailable from reply
        return replies

    async def _shared(self, command: Awaitable[T]) -> T | None:
        try:
            return await command
        except RedisUnavailable:
            return None
