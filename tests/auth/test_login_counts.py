"""Counts in Redis are everybody's, end by the clock, and go on in one process while Redis is away."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.auth.login_counts import RedisLoginCounts
from gateway.auth.login_limiter import Count, MemoryLoginCounts
from gateway.cache.embedded_redis import embedded_server
from gateway.cache.redis_connection import RedisLine

SECRET = b"k" * 32


@pytest.fixture(name="url", scope="module")
def fixture_url() -> Iterator[str]:
    with embedded_server() as url:
        yield url


def made(url: str) -> RedisLoginCounts:
    clock = iter(range(1_000_000))
    return RedisLoginCounts(RedisLine(url, 30, 30), MemoryLoginCounts(lambda: next(clock) / 1e6), SECRET)


@pytest.fixture(name="tally")
async def fixture_tally(url: str) -> AsyncIterator[RedisLoginCounts]:
    tally = made(url)
    yield tally
    tally.close()


async def test_two_workers_count_together(tally: RedisLoginCounts, url: str) -> None:
    other = made(url)
    counts = await asyncio.gather(*(each.add("together", 600) for each in (tally, other) * 5))
    assert sorted(count.number for count in counts) == list(range(1, 11))
    found = await other.look("together")
    assert found.number == 10
    assert 500 < found.seconds <= 600
    await tally.forget("together")
    assert await other.look("together") == Count()
    other.close()


async def test_a_count_ends_so_long_after_its_first(tally: RedisLoginCounts, url: str) -> None:
    line = RedisLine(url, 30, 30)
    await tally.add("ends", 600)
    await line.call("EXPIRE", _key("ends"), 300)  # As when half of the time has passed.
    assert (await tally.add("ends", 600)).seconds <= 300
    await line.call("PEXPIRE", _key("ends"), 1)
    while await line.call("EXISTS", _key("ends")):
        pass
    assert await tally.look("ends") == Count()
    assert (await tally.add("ends", 600)).number == 1
    line.close()


async def test_no_name_stands_in_redis(tally: RedisLoginCounts, url: str) -> None:
    await tally.add("from:192.0.2.77", 60)
    line = RedisLine(url, 30, 30)
    keys = await line.call("KEYS", "*")
    line.close()
    assert keys
    assert not [key for key in keys if b"192.0.2" in key or not key.startswith(b"gateway:tally:")]


async def test_a_count_that_has_lost_its_end_gets_one(tally: RedisLoginCounts, url: str) -> None:
    """As when it expires between the command that makes it and the one that counts."""
    await tally.add("lost", 600)
    line = RedisLine(url, 30, 30)
    assert await line.call("PERSIST", _key("lost")) == 1
    assert await tally.add("lost", 600) == Count(2, 600)
    assert 500 < await line.call("TTL", _key("lost")) <= 600
    line.close()


def _key(name: str) -> bytes:
    return (
        RedisLoginCounts(RedisLine("redis://127.0.0.1:1", 1, 1), MemoryLoginCounts(lambda: 0.0), SECRET)
        ._key(name)
        .encode()
    )


async def test_without_redis_a_worker_counts_alone() -> None:
    tally = made("redis://127.0.0.1:1")
    assert [(await tally.add("alone", 60)).number for _ in range(3)] == [1, 2, 3]
    assert (await tally.look("alone")).number == 3
    await tally.forget("alone")
    assert await tally.look("alone") == Count()
    tally.close()


async def test_a_value_of_another_kind_is_a_fault_and_not_a_failure(tally: RedisLoginCounts, url: str) -> None:
    line = RedisLine(url, 30, 30)
    await line.call("RPUSH", _key("list"), "x")
    assert (await tally.add("list", 60)).number == 1
    assert (await tally.look("list")).number == 1
    line.close()
