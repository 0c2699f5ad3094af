"""The shared cache in Redis or Valkey.

Redis may fail at any time. A failure is counted and returned as a miss; it is never an error of the request.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from time import time
from typing import Any, TypeVar

from redis.asyncio.client import Pipeline

from gateway.cache.redis_client import ErrorReply, RedisClient, RedisResting, RedisUnavailable
from gateway.model import GENERATION, Invalidation
from gateway.observability.metrics import Metrics

T = TypeVar("T")
CHANNEL = "hris-gateway:changes"
"""The pub/sub channel for changes. A message is an `Invalidation`, a space, and the id of an account or key."""

_READ_AT_ONCE = 32
_WRITTEN_AT_ONCE = 16
"""Values in one pipeline. All its replies must come within the timeout, and other requests wait for it. The first look
of a request, at generations and heads of lists, has more than twenty small ones."""
_KEYS_AT_ONCE = 1000
"""Keys in one command that deletes."""
_INDEX_SECONDS = 30 * 24 * 3600
"""The least time that an account's index of keys is stored."""
_IN_FLIGHT_SECONDS = 0.15
"""The time in which all workers receive a message, and commands that they sent before reach Redis."""
_GENERATION = f":{GENERATION}:"
_RENEW = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('expire',KEYS[1],ARGV[2]) end return 0"
_RELEASE = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) end return 0"


class RedisCache:
    """Implements `Cache` of `gateway.model`. One round trip for up to 32 values read or 16 written.

    Keys begin with the account's id in braces, which keeps them in one slot of a cluster.
    """

    def __init__(self, client: RedisClient, metrics: Metrics) -> None:
        self._client = client
        self._hits = metrics.cache_reads.labels("hit")
        self._misses = metrics.cache_reads.labels("miss")
        self._faults = metrics.cache_faults
        self._replacing: set[asyncio.Task[bool | None]] = set()

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """Returns the values of keys, in their order; None for each miss."""
        values = await self._guard("read", self._read(keys)) or [None] * len(keys)
        # Generations are read with every value; if they were counted, each miss would also count as a hit.
        counted = [value for key, value in zip(keys, values, strict=True) if _GENERATION not in key]
        hits = len(counted) - counted.count(None)
        if hits:
            self._hits.inc(hits)
        if hits < len(counted):
            self._misses.inc(len(counted) - hits)
        return values

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        """Stores values for a number of seconds. Returns whether all were stored."""
        return bool(await self._guard("write", self._write(values, seconds)))

    async def claim(self, keys: Sequence[str], value: bytes, seconds: int) -> Sequence[bytes | None]:
        """Stores a value under each key that has none. Returns the values that are stored then; None on failure."""
        return await self._guard("claim", self._claim(keys, value, seconds)) or [None] * len(keys)

    async def renew(self, key: str, value: bytes, seconds: int) -> None:
        """Sets the seconds until a key expires, if it still has this value."""
        await self._guard("renew", self._client.run(key, lambda pipe: pipe.eval(_RENEW, 1, key, value, seconds)))

    async def release(self, key: str, value: bytes) -> None:
        """Deletes a key, if it still has this value."""
        await self._guard("release", self._client.run(key, lambda pipe: pipe.eval(_RELEASE, 1, key, value)))

    async def replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:
        """Stores new generations and tells all workers to drop the local answers. Returns whether both succeeded."""
        # First the values, then the message, which may go to another node of a cluster. A task of its own does both,
        # so that the cancellation of a caller cannot leave the second step out.
        task = asyncio.create_task(self._guard("write", self._replace(account_id, values, seconds)))
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)
        return bool(await asyncio.shield(task))

    async def publish(self, change: Invalidation, name: str) -> None:
        """Publishes a change to all workers."""
        await self._guard("publish", self._client.publish(CHANNEL, f"{change} {name}"))

    async def purge(self, account_id: str) -> bool:
        """Deletes all values of an account. Returns whether that succeeded.

        Waits first until values that workers sent before they received the message have reached Redis.
        """
        await asyncio.sleep(_IN_FLIGHT_SECONDS)
        return bool(await self._guard("purge", self._purge(account_id)))

    async def ping(self) -> bool:
        """Returns whether Redis answers."""
        # Not PING, which a cluster would send to all nodes.
        return await self._guard("ping", self._client.run(CHANNEL, lambda pipe: pipe.exists(CHANNEL))) is not None

    async def _read(self, keys: Sequence[str]) -> list[bytes | None]:
        found: list[bytes | None] = []
        for start in range(0, len(keys), _READ_AT_ONCE):
            found += await self._read_some(keys[start : start + _READ_AT_ONCE])
        return found

    async def _read_some(self, keys: Sequence[str]) -> list[bytes | None]:
        accounts: dict[str, list[str]] = {}
        for key in keys:
            accounts.setdefault(_account(key), []).append(key)
        replies = await self._client.run(
            keys[0],
            # A cluster's pipeline has no `mget`, as keys may be on several nodes; an account's are on one.
            lambda pipe: [pipe.execute_command("MGET", *each) for each in accounts.values()],
        )
        found: dict[str, bytes | None] = {}
        for names, reply in zip(accounts.values(), replies, strict=True):
            if self._accepted([reply]):
                found.update(zip(names, reply, strict=True))
        return [found.get(key) for key in keys]

    async def _write(self, values: Mapping[str, bytes], seconds: int, *, despite_rest: bool = False) -> bool:
        keys = list(values)
        for start in range(0, len(keys), _WRITTEN_AT_ONCE):
            add = partial(_add_values, {key: values[key] for key in keys[start : start + _WRITTEN_AT_ONCE]}, seconds)
            if not self._accepted(await self._client.run(keys[start], add, despite_rest=despite_rest)):
                return False
        return True

    async def _replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:
        # A change must be stored even if the last command has just failed.
        if not await self._write(values, seconds, despite_rest=True):
            return False
        text = f"{Invalidation.ANSWERS} {account_id}"
        return self._accepted([await self._client.publish(CHANNEL, text, despite_rest=True)])

    async def _claim(self, keys: Sequence[str], value: bytes, seconds: int) -> list[bytes | None]:
        def add(pipe: Pipeline) -> None:
            for key in keys:
                pipe.set(key, value, ex=seconds, nx=True, get=True)
            _add_to_index(pipe, keys, seconds)

        replies = await self._client.run(keys[0], add)
        if not self._accepted(replies):
            return [None] * len(keys)
        return [before or value for before in replies[: len(keys)]]

    async def _purge(self, account_id: str) -> bool:
        index = _index(account_id)
        [keys] = await self._client.run(index, lambda pipe: pipe.zrange(index, 0, -1))
        if not self._accepted([keys]):
            return False
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            if not await self._unlink(index, keys[start : start + _KEYS_AT_ONCE]):
                return False
        return await self._unlink(index, [index])

    async def _unlink(self, index: str, keys: Sequence[str | bytes]) -> bool:
        # Not `unlink`, which a cluster's pipeline does not have for several keys.
        return self._accepted(await self._client.run(index, lambda pipe: pipe.execute_command("UNLINK", *keys)))

    def _accepted(self, replies: Sequence[Any]) -> bool:
        """Returns whether no reply is an error, and counts those that are."""
        refused = sum(isinstance(reply, ErrorReply) for reply in replies)
        if refused:
            # For example a server whose memory is full. It works otherwise, so no rest begins.
            self._faults.labels("refused").inc(refused)
        return not refused

    async def _guard(self, kind: str, command: Awaitable[T]) -> T | None:
        """Returns what a command returns; counts its failure and returns None."""
        try:
            return await command
        except RedisResting:
            self._faults.labels("resting").inc()
        except RedisUnavailable:
            self._faults.labels(kind).inc()
        return None


class NoCache:
    """Stores nothing: for a gateway whose operator has switched the cache off."""

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """Returns None for each key."""
        return [None] * len(keys)

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:  # noqa: ARG002 - a Cache
        """Returns False."""
        return False

    async def claim(self, keys: Sequence[str], value: bytes, seconds: int) -> Sequence[bytes | None]:  # noqa: ARG002
        """Returns None for each key."""
        return [None] * len(keys)

    async def renew(self, key: str, value: bytes, seconds: int) -> None:
        """Does nothing."""

    async def release(self, key: str, value: bytes) -> None:
        """Does nothing."""

    async def replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:  # noqa: ARG002
        """Returns True: no stored value can be used again."""
        return True

    async def publish(self, change: Invalidation, name: str) -> None:
        """Does nothing."""

    async def purge(self, account_id: str) -> bool:  # noqa: ARG002 - a Cache
        """Returns True."""
        return True

    async def ping(self) -> bool:
        """Returns True."""
        return True


def _account(key: str) -> str:
    """Returns the account's id, which stands in braces at the beginning of a key."""
    return key[1:].partition("}")[0]


def _index(account_id: str) -> str:
    """Returns the key of the sorted set of an account's keys, each with the time at which it has expired."""
    return f"{{{account_id}}}:keys"


def _add_values(values: Mapping[str, bytes], seconds: int, pipe: Pipeline) -> None:
    for key, value in values.items():
        # As it is sent: the library's own methods take longer to read their options than to pack the command.
        pipe.execute_command("SET", key, value, "EX", seconds)
    _add_to_index(pipe, values, seconds)


def _add_to_index(pipe: Pipeline, keys: Iterable[str], seconds: int) -> None:
    """Adds keys to their accounts' indexes, by which a purge finds them without a search through all of Redis."""
    now = int(time())
    accounts: dict[str, dict[str, float]] = {}
    for key in keys:
        accounts.setdefault(_account(key), {})[key] = now + seconds + 1
    for account, ends in accounts.items():
        index = _index(account)
        pipe.execute_command("ZADD", index, *chain.from_iterable((end, key) for key, end in ends.items()))
        pipe.execute_command("ZREMRANGEBYSCORE", index, "-inf", now)
        pipe.execute_command("EXPIRE", index, max(seconds, _INDEX_SECONDS))
