"""Counts in Redis are everybody's, end by the clock, and go on in one process while Redis is away."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis import Redis

from gateway.auth.login_counts import RedisLoginCounts
from gateway.auth.login_limiter import Count, MemoryLoginCounts
from gateway.cache.embedded_redis import embedded_server
from gateway.cache.redis_client import RedisClient, RedisLimits

SECRET = b"k" * 32
PATIENT = RedisLimits(timeout=30, connect_timeout=30)


@pytest.fixture(name="url", scope="module")
def fixture_url() -> Iterator[str]:
    with embedded_server() as url:
        yield url


@pytest.fixture(name="redis")
def fixture_redis(url: str) -> Iterator[Redis]:
    with Redis.from_url(url) as redis:
        yield redis


def counts_over(client: RedisClient) -> RedisLoginCounts:
    clock = iter(range(1_000_000))
    return RedisLoginCounts(client, MemoryLoginCounts(lambda: next(clock) / 1e6), SECRET)


@pytest.fixture(name="counts")
async def fixture_counts(url: str) -> AsyncIterator[RedisLoginCounts]:
    client = RedisClient(url, PATIENT)
    yield counts_over(client)
    await client.close()


async def test_two_workers_count_together(counts: RedisLoginCounts, url: str) -> None:
    client = RedisClient(url, PATIENT)
    other = counts_over(client)
    found = await asyncio.gather(*(each.add("together", 600) for each in (counts, other) * 5))
    assert sorted(count.number for count in found) == list(range(1, 11))
    shared = await other.get("together")
    assert shared.number == 10
    assert 500 < shared.seconds <= 600
    await counts.delete("together")
    assert await other.get("together") == Count()
    await client.close()


async def test_a_count_ends_so_long_after_its_first(counts: RedisLoginCounts, redis: Redis) -> None:
    await counts.add("ends", 600)
    redis.expire(counts._key("ends"), 300)  # As when half of the time has passed.
    assert (await counts.add("ends", 600)).seconds <= 300
    redis.pexpire(counts._key("ends"), 1)
    while redis.exists(counts._key("ends")):
        pass
    assert await counts.get("ends") == Count()
    assert (await counts.add("ends", 600)).number == 1


async def test_no_name_stands_in_redis(counts: RedisLoginCounts, redis: Redis) -> None:
    await counts.add("from:192.0.2.77", 60)
    keys = list(redis.scan_iter())
    assert keys
    assert not [key for key in keys if b"192.0.2" in key or not key.startswith(b"gateway:login-counts:")]


async def test_a_count_that_has_lost_its_end_gets_one(counts: RedisLoginCounts, redis: Redis) -> None:
    """As when it expires between the command that makes it and the one that counts."""
    await counts.add("lost", 600)
    assert redis.persist(counts._key("lost"))
    assert await counts.add("lost", 600) == Count(2, 600)
    assert 500 < redis.ttl(counts._key("lost")) <= 600


async def test_without_redis_a_worker_counts_alone() -> None:
    client = RedisClient("redis://127.0.0.1:1", PATIENT)
    counts = counts_over(client)
    assert [(await counts.add("alone", 60)).number for _ in range(3)] == [1, 2, 3]
    assert (await counts.get("alone")).number == 3
    await counts.delete("alone")
    assert await counts.get("alone") == Count()
    await client.close()


async def test_a_value_of_another_kind_is_a_fault_and_not_a_failure(counts: RedisLoginCounts, redis: Redis) -> None:
    redis.rpush(counts._key("list"), "x")
    assert (await counts.add("list", 60)).number == 1
    assert (await counts.get("list")).number == 1
