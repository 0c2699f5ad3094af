"""The Redis client of a process, over redis-py.

All commands that are issued in one turn of the event loop are sent as one pipeline; those issued while it is under way
are the next pipeline. Each pipeline runs in a task of its own, so a caller that is cancelled leaves no unread reply on
a connection, which another caller might receive. One pipeline at a time uses one connection, so there is no pool to
size and no wait for a free connection.

In a cluster each node has its own queue of pipelines, so a node that is down makes only its own keys unavailable.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any, cast

from redis.asyncio import RedisCluster
from redis.asyncio.client import Pipeline, PubSub
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.exceptions import RedisClusterException, RedisError, ResponseError

from gateway.cache.redis_url import Client, open_servers

FAULTS = (RedisError, RedisClusterException, OSError, LookupError)
"""What the library raises where no reply comes.

A `TimeoutError` is an `OSError`; a cluster without slots raises an `IndexError`, which is a `LookupError`.
"""
_MOST_COMMANDS = 100
"""Commands in one pipeline. With more, the replies would take noticeably longer than one reply."""
_GRACE = 0.01
"""Seconds after the timeout in which replies that have already arrived are still read."""

AddCommands = Callable[[Pipeline], object]
ErrorReply = ResponseError
"""What the server returns for a command that it refuses, as a value among the replies."""


class RedisUnavailable(Exception):
    """No reply came: the server is down or too slow."""


class RedisResting(RedisUnavailable):
    """The command was not sent, because the last one has just failed."""


@dataclass(frozen=True, slots=True)
class RedisLimits:
    """Seconds to wait for a reply, seconds to wait for a connection, and seconds of rest after a failure.

    While a server rests no command is sent to it, so that requests do not wait for a Redis that is down.
    """

    timeout: float
    connect_timeout: float
    rest: float = 1.0


class RedisClient:
    """Sends commands to the Redis of a URL. It connects with the first command, and again after a failure."""

    def __init__(self, url: str, limits: RedisLimits) -> None:
        self._open = partial(open_servers, url, limits.timeout, limits.connect_timeout)
        servers = self._open()
        self._redis = servers.client
        self._limits = limits
        self.connect_seconds = servers.count * limits.connect_timeout
        self._queues: dict[str, _PipelineQueue] = {}

    async def run(self, key: str, add: AddCommands, *, despite_rest: bool = False) -> list[Any]:
        """Sends the commands that `add` puts into a pipeline, and returns their replies in order.

        `key` is the key that the commands are about; it decides the node. The reply to a command that the server
        refuses is an `ErrorReply`. With `despite_rest` the commands are sent even during a rest. Raises
        `RedisUnavailable`.
        """
        return await self._queue(self._node_of(key)).send(add, despite_rest=despite_rest)

    async def publish(self, channel: str, message: str, *, despite_rest: bool = False) -> Any:
        """Publishes a message and returns the reply. Raises `RedisUnavailable`.

        With `despite_rest` it is sent even during a rest.
        """
        name, options = "", {}
        if isinstance(self._redis, RedisCluster) and (nodes := self._redis.get_primaries()):
            # Any node will do, since each one passes messages on to all others: one that is not resting.
            node = next((each for each in nodes if not self._queue(each.name).rests()), nodes[0])
            name, options = node.name, {"target_nodes": node}
        [reply] = await self._queue(name).send(
            lambda pipe: pipe.execute_command("PUBLISH", channel, message, **options), despite_rest=despite_rest
        )
        return reply

    async def pubsub(self) -> PubSub:
        """Returns a subscriber on a connection of its own, in a cluster to any node. Raises one of `FAULTS`."""
        if isinstance(self._redis, RedisCluster):
            await self._redis.initialize()
            return self._redis.pubsub(node=self._redis.get_random_node())
        return self._redis.pubsub()

    async def close(self) -> None:
        """Fails the commands that still wait, and closes all connections."""
        for queue in self._queues.values():
            await queue.close()
        with suppress(*FAULTS):
            await _close(self._redis)

    def _node_of(self, key: str) -> str:
        """Returns the name of the node that has a key; empty where there is one server, or none is known yet."""
        if isinstance(self._redis, RedisCluster):
            with suppress(RedisClusterException):
                node = self._redis.get_node_from_key(key)
                return node.name if node else ""
        return ""

    def _queue(self, node: str) -> "_PipelineQueue":
        queue = self._queues.get(node)
        if queue is None:
            queue = _PipelineQueue(self._new_pipeline, self._limits, self.connect_seconds, self._find_nodes)
            self._queues[node] = queue
        return queue

    def _new_pipeline(self) -> Pipeline:
        # The pipeline of a cluster has the same commands, but is not a subclass.
        return cast(Pipeline, self._redis.pipeline(transaction=False))

    async def _find_nodes(self) -> None:
        """Reads which nodes of a cluster have which keys now. A pipeline does not do so after the loss of a node."""
        redis = self._redis
        if not isinstance(redis, RedisCluster):
            return
        try:
            async with asyncio.timeout(self.connect_seconds + self._limits.timeout):
                await redis.nodes_manager.initialize()
        except FAULTS:
            # The library asks only the nodes that it knows, and none of them answers. A new client begins again with
            # those of the URL, which may have others behind its names by now.
            if self._redis is redis:
                self._redis = self._open().client
            with suppress(*FAULTS):
                await _close(redis)


async def _close(redis: Client) -> None:
    await redis.aclose()
    if isinstance(redis, RedisCluster):
        # `aclose` leaves these connections open where the cluster was never found.
        await redis.nodes_manager.aclose()
        await redis.nodes_manager.aclose("startup_nodes")
    elif isinstance(redis.connection_pool, SentinelConnectionPool):
        await redis.connection_pool.sentinel_manager.aclose()


@dataclass(slots=True)
class _Batch:
    """A pipeline, and for each caller the future that gets its part of the replies."""

    pipe: Pipeline
    calls: list[tuple[asyncio.Future[list[Any]], slice]] = field(default_factory=list)


class _PipelineQueue:
    """Sends pipelines to one server, one after the other."""

    def __init__(
        self,
        new_pipeline: Callable[[], Pipeline],
        limits: RedisLimits,
        connect_seconds: float,
        recover: Callable[[], Awaitable[None]],
    ) -> None:
        """`recover` is called after each failure."""
        self._new_pipeline = new_pipeline
        self._limits = limits
        self._connect_seconds = connect_seconds
        self._recover = recover
        self._batches: deque[_Batch] = deque()
        self._sent: _Batch | None = None
        self._task: asyncio.Task[None] | None = None
        self._rests_until = 0.0
        self._connected = False

    def rests(self) -> bool:
        """Returns whether the last command has failed so recently that none is sent."""
        return monotonic() < self._rests_until

    def send(self, add: AddCommands, *, despite_rest: bool) -> asyncio.Future[list[Any]]:
        """Adds commands to the next pipeline. The future gets their replies or `RedisUnavailable`.

        Raises `RedisResting`.
        """
        if self.rests() and not despite_rest:
            raise RedisResting
        if not self._batches or len(self._batches[-1].pipe) >= _MOST_COMMANDS:
            self._batches.append(_Batch(self._new_pipeline()))
        batch = self._batches[-1]
        first = len(batch.pipe)
        add(batch.pipe)
        loop = asyncio.get_running_loop()
        replies: asyncio.Future[list[Any]] = loop.create_future()
        batch.calls.append((replies, slice(first, len(batch.pipe))))
        if self._task is None:
            self._task = loop.create_task(self._work())
        return replies

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._fail(asyncio.CancelledError())

    async def _work(self) -> None:
        try:
            while self._batches:
                self._sent = self._batches.popleft()
                try:
                    replies = await self._execute(self._sent.pipe)
                except FAULTS as error:
                    self._fail(error)
                    await self._recover()
                else:
                    for waiting, part in self._sent.calls:
                        if not waiting.done():  # Else its caller was cancelled.
                            waiting.set_result(replies[part])
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._task = None

    async def _execute(self, pipe: Pipeline) -> list[Any]:
        limits, loop = self._limits, asyncio.get_running_loop()
        seconds = limits.timeout if self._connected else self._connect_seconds + limits.timeout
        async with asyncio.timeout(None) as deadline:
            # If this process was stalled, replies may have arrived and not been read yet. They get a moment more, or
            # the server would be taken for down. One timer for all commands is cheaper than the library's, which
            # sets one for each reply.
            timer = loop.call_later(seconds, lambda: deadline.reschedule(loop.time() + _GRACE))
            try:
                replies: list[Any] = await pipe.execute(raise_on_error=False)
            finally:
                timer.cancel()
        for reply in replies:
            if isinstance(reply, Exception) and not isinstance(reply, ResponseError):
                raise reply  # A cluster's pipeline returns failures too, instead of raising them.
        self._connected = True
        return replies

    def _fail(self, error: BaseException) -> None:
        """Fails the pipeline that was sent and all that wait behind it. The rest begins."""
        self._connected = False
        self._rests_until = monotonic() + self._limits.rest
        for each in (*([self._sent] if self._sent else ()), *self._batches):
            for waiting, _ in each.calls:
                if not waiting.done():
                    unavailable = RedisUnavailable()
                    unavailable.__cause__ = error
                    waiting.set_exception(unavailable)
                    waiting.exception()  # Or asyncio logs it, where the caller was cancelled and does not read it.
        self._batches.clear()
