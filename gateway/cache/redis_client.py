"""The one way to Redis for all parts of a process, over redis-py.

Commands that are asked in one turn of the event loop are sent as one pipeline; those asked while it is on its way are
the next one. A pipeline belongs to a task of its own, so a caller that is cancelled leaves no reply unread on a
connection, and no other caller can receive that reply. One pipeline at a time uses one connection, so there is no
pool to size and no wait for a free connection.

In a cluster each node has pipelines of its own, so that a dead node costs only the keys that are on it.
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
"""What the library raises where no reply comes: a `TimeoutError` is an `OSError`, a cluster without slots an
`IndexError`."""
_MOST_COMMANDS = 100
"""Commands in one pipeline; more would make the wait for their replies longer than for one."""
_GRACE = 0.01

AddCommands = Callable[[Pipeline], object]
ErrorReply = ResponseError
"""What the server returns for a command that it refuses, as a value among the replies."""


class RedisUnavailable(Exception):
    """No reply came: the server is away or too slow."""


class RedisResting(RedisUnavailable):
    """The command was not sent, as the last one has just failed."""


@dataclass(frozen=True, slots=True)
class RedisLimits:
    """Seconds for a reply and for connecting, and seconds of rest after a failure.

    While a server rests no command is sent, so that a dead Redis costs a request nothing.
    """

    timeout: float
    connect_timeout: float
    rest: float = 1.0


class RedisClient:
    """Sends commands to the Redis of a URL; connects when first asked, and again after a failure."""

    def __init__(self, url: str, limits: RedisLimits) -> None:
        self._open = partial(open_servers, url, limits.timeout, limits.connect_timeout)
        servers = self._open()
        self._redis = servers.client
        self._limits = limits
        self.connect_seconds = servers.count * limits.connect_timeout
        self._queues: dict[str, _PipelineQueue] = {}

    async def run(self, key: str, add: AddCommands, *, despite_rest: bool = False) -> list[Any]:
        """Sends the commands that `add` puts into a pipeline, and returns their replies in order.

        `key` is the key they are about; it names the server. A refused one has an `ErrorReply`. Raises
        `RedisUnavailable`. `despite_rest` sends them even after a failure.
        """
        return await self._queue(self._node_of(key)).send(add, despite_rest=despite_rest)

    async def publish(self, channel: str, message: str, *, despite_rest: bool = False) -> Any:
        """Publishes a message and returns the reply. Raises `RedisUnavailable`."""
        name, options = "", {}
        if isinstance(self._redis, RedisCluster) and (nodes := self._redis.get_primaries()):
            # Each node passes messages on to all others.
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
        # A cluster's takes the same commands, but is no subclass.
        return cast(Pipeline, self._redis.pipeline(transaction=False))

    async def _find_nodes(self) -> None:
        """Learns which nodes of a cluster have which keys now. A pipeline does not do so when a node is lost."""
        redis = self._redis
        if not isinstance(redis, RedisCluster):
            return
        try:
            async with asyncio.timeout(self.connect_seconds + self._limits.timeout):
                await redis.nodes_manager.initialize()
        except FAULTS:
            # It asks only nodes that it has learned of, and none of them answers: the URL may name others.
            if self._redis is redis:
                self._redis = self._open().client
            with suppress(*FAULTS):
                await _close(redis)


async def _close(redis: Client) -> None:
    await redis.aclose()
    if isinstance(redis, RedisCluster):
        # What it closes only where the cluster was found.
        await redis.nodes_manager.aclose()
        await redis.nodes_manager.aclose("startup_nodes")
    elif isinstance(redis.connection_pool, SentinelConnectionPool):
        await redis.connection_pool.sentinel_manager.aclose()


@dataclass(slots=True)
class _Batch:
    """A pipeline, and who waits for which of its replies."""

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
        return monotonic() < self._rests_until

    def send(self, add: AddCommands, *, despite_rest: bool) -> asyncio.Future[list[Any]]:
        """Puts commands into the next pipeline; the future gets their replies or `RedisUnavailable`."""
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
            # After a stall of this process replies may lie unread: they get a moment more, or the server would be
            # taken for dead. One timer for all commands; the library's would be one for each reply.
            timer = loop.call_later(seconds, lambda: deadline.reschedule(loop.time() + _GRACE))
            try:
                replies: list[Any] = await pipe.execute(raise_on_error=False)
            finally:
                timer.cancel()
        for reply in replies:
            if isinstance(reply, Exception) and not isinstance(reply, ResponseError):
                raise reply  # A cluster's pipeline returns these too.
        self._connected = True
        return replies

    def _fail(self, error: BaseException) -> None:
        """Fails the pipeline that was sent and all that wait behind it, and begins the rest."""
        self._connected = False
        self._rests_until = monotonic() + self._limits.rest
        for each in (*([self._sent] if self._sent else ()), *self._batches):
            for waiting, _ in each.calls:
                if not waiting.done():
                    unavailable = RedisUnavailable()
                    unavailable.__cause__ = error
                    waiting.set_exception(unavailable)
                    waiting.exception()  # A caller that is cancelled just now does not come for it.
        self._batches.clear()
