"""What workers tell each other is received, and a channel that does not work says so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from redis.asyncio.client import Pipeline

from gateway.cache.redis_cache import CHANNEL, RedisCache
from gateway.cache.redis_client import RedisClient, RedisLimits
from gateway.cache.redis_pubsub import SILENCE, PubSub
from gateway.model import Invalidation
from gateway.observability.metrics import make_metrics
from tests.fixtures.redis_servers import RedisServer, until

PATIENT = RedisLimits(timeout=30, connect_timeout=30)


def seen(happens: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return happens()

    return ask


class Worker:
    """A subscriber: what it has received, and how often it subscribed."""

    def __init__(self, url: str) -> None:
        self.received: list[tuple[Invalidation, str]] = []
        self.began = 0
        self.client = RedisClient(url, PATIENT)
        self.channel = PubSub(self.client, lambda news, name: self.received.append((news, name)), self._begin)

    def _begin(self) -> None:
        self.began += 1

    async def close(self) -> None:
        await self.channel.close()
        await self.client.close()


@pytest.fixture(name="server")
def fixture_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture(name="worker")
async def fixture_worker(server: RedisServer) -> AsyncIterator[Worker]:
    worker = Worker(f"unix://{server.socket}")
    worker.channel.open()
    await until(seen(lambda: worker.began == 1))
    yield worker
    await worker.close()


@pytest.fixture(name="client")
async def fixture_client(server: RedisServer) -> AsyncIterator[RedisClient]:
    client = RedisClient(f"unix://{server.socket}", PATIENT)
    yield client
    await client.close()


@pytest.fixture(name="cache")
def fixture_cache(client: RedisClient) -> RedisCache:
    return RedisCache(client, make_metrics())


async def test_every_subscriber_gets_every_message_in_order(worker: Worker, cache: RedisCache) -> None:
    await cache.publish(Invalidation.ACCOUNT, "a1")
    await cache.replace("a2", {"{a2}:generation:": b"1"}, 60)
    await cache.publish(Invalidation.GONE, "a3")
    await cache.publish(Invalidation.KEY, "k1")
    await until(seen(lambda: len(worker.received) == 4))
    assert worker.received == [
        (Invalidation.ACCOUNT, "a1"),
        (Invalidation.ANSWERS, "a2"),
        (Invalidation.GONE, "a3"),
        (Invalidation.KEY, "k1"),
    ]
    assert worker.channel.works()


async def test_an_unknown_message_is_ignored(worker: Worker, cache: RedisCache, client: RedisClient) -> None:
    for text in ("later a1", "", "answers", "\udcff"):
        await client.run(CHANNEL, partial(publish, text.encode(errors="surrogateescape")))
    await cache.publish(Invalidation.ACCOUNT, "a1")
    await until(seen(lambda: (Invalidation.ACCOUNT, "a1") in worker.received))
    assert worker.received == [(Invalidation.ANSWERS, ""), (Invalidation.ACCOUNT, "a1")]


async def test_a_frozen_server_is_not_trusted_and_is_subscribed_again_when_it_is_back(
    worker: Worker, server: RedisServer, cache: RedisCache
) -> None:
    server.freeze()
    await until(seen(lambda: not worker.channel.works()))
    server.thaw()
    # Over the same connection if it thawed in time, for then nothing was lost, else over a new one.
    await until(seen(worker.channel.works))
    await cache.publish(Invalidation.ACCOUNT, "a1")
    await until(seen(lambda: worker.received == [(Invalidation.ACCOUNT, "a1")]))
    assert SILENCE <= 1


def publish(data: bytes, pipe: Pipeline) -> None:
    pipe.publish(CHANNEL, data)


async def test_a_connection_that_is_cut_is_made_again(worker: Worker, client: RedisClient) -> None:
    await client.run(CHANNEL, lambda pipe: pipe.client_kill_filter(_type="pubsub"))
    await until(seen(lambda: worker.began == 2))
    assert worker.channel.works()


async def test_without_a_server_it_does_not_work_and_ends_when_asked(tmp_path: Path) -> None:
    worker = Worker(f"unix://{tmp_path}/nothing.sock")
    worker.channel.open()
    await asyncio.sleep(0.05)
    assert not worker.channel.works()
    await worker.close()
