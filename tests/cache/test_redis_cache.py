"""The shared cache against a real server: what is stored, and what a dead, frozen or full one costs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from gateway.cache.embedded_redis import embedded_server
from gateway.cache.redis_cache import NoCache, RedisCache
from gateway.cache.redis_client import RedisClient, RedisLimits
from gateway.observability.metrics import Metrics, make_metrics
from tests.fixtures.redis_servers import RedisServer, until

PATIENT = RedisLimits(timeout=30, connect_timeout=30, rest=60)


@pytest.fixture(name="url", scope="module")
def _url() -> Iterator[str]:
    with embedded_server() as url:
        yield url


@pytest.fixture(name="metrics")
def _metrics() -> Metrics:
    return make_metrics()


@pytest.fixture(name="cache")
async def _cache(url: str, metrics: Metrics) -> AsyncIterator[RedisCache]:
    async with opened(url, PATIENT, metrics) as cache:
        yield cache


@asynccontextmanager
async def opened(url: str, limits: RedisLimits, metrics: Metrics) -> AsyncIterator[RedisCache]:
    client = RedisClient(url, limits)
    yield RedisCache(client, metrics)
    await client.close()


def faults(metrics: Metrics, kind: str) -> float:
    return metrics.registry.get_sample_value("gateway_cache_faults_total", {"kind": kind}) or 0


async def test_what_was_written_is_read_and_what_was_not_is_none(cache: RedisCache) -> None:
    assert await cache.write({"{a}:1": b"one", "{a}:2": b"two"}, 60)
    assert await cache.write({"{a}:3": b"three"}, 60)
    assert await cache.read(["{a}:2", "{a}:9", "{a}:1"]) == [b"two", None, b"one"]
    assert await cache.read(["{a}:3"]) == [b"three"]
    assert await cache.read([]) == []


async def test_a_long_list_is_written_and_read_whole(cache: RedisCache) -> None:
    values = {f"{{long}}:{number}": b"%d" % number for number in range(100)}
    assert await cache.write(values, 60)
    assert await cache.read([*values, "{long}:none"]) == [*values.values(), None]
    await cache.purge("long")
    assert await cache.read(list(values)) == [None] * 100


async def test_values_expire(cache: RedisCache, url: str) -> None:
    await cache.write({"{a}:soon": b"expired"}, 1)
    await cache.write({"{a}:late": b"there"}, 3600)
    with Redis.from_url(url) as client:
        assert 0 < client.ttl("{a}:late") <= 3600

    async def has_expired() -> bool:
        return await cache.read(["{a}:soon"]) == [None]

    await until(has_expired)
    assert await cache.read(["{a}:late"]) == [b"there"]


async def test_a_claim_is_the_first_ones_and_a_replacement_is_the_last_ones(cache: RedisCache) -> None:
    found = await asyncio.gather(*(cache.claim(["{c}:generation:"], b"%d" % number, 60) for number in range(20)))
    assert len({word for [word] in found}) == 1
    assert await cache.read(["{c}:generation:"]) == found[0]
    assert await cache.replace("c", {"{c}:generation:": b"new"}, 60)
    assert await cache.claim(["{c}:generation:", "{c}:generation:people"], b"late", 60) == [b"new", b"late"]


async def test_the_generation_beside_a_question_is_not_counted(cache: RedisCache, metrics: Metrics) -> None:
    await cache.replace("c", {"{c}:generation:": b"new"}, 60)
    await cache.read(["{c}:generation:", "{c}:generation:people", "{c}:unknown"])
    read = metrics.registry.get_sample_value
    counted = {each: read("gateway_cache_reads_total", {"result": each}) for each in ("hit", "miss")}
    assert counted == {"hit": 0, "miss": 1}


async def test_a_replacement_does_not_wait_for_the_rest_after_a_fault(metrics: Metrics) -> None:
    async with opened("redis://127.0.0.1:1", PATIENT, metrics) as cache:
        assert await cache.read(["x"]) == [None]
        assert not await cache.replace("x", {"{x}:generation:": b"1"}, 60)
        assert faults(metrics, "write") == 1
        assert await cache.claim(["{x}:generation:"], b"1", 60) == [None]


async def test_purging_an_account_leaves_the_others(cache: RedisCache) -> None:
    await cache.write({"{purged}:1": b"x", "{purged}:2": b"y", "{other}:1": b"z"}, 60)
    await cache.purge("purged")
    assert await cache.read(["{purged}:1", "{purged}:2", "{other}:1"]) == [None, None, b"z"]


async def test_a_server_that_is_not_there_is_a_counted_miss_and_then_left_alone(metrics: Metrics) -> None:
    async with opened("redis://127.0.0.1:1", PATIENT, metrics) as cache:
        assert await cache.read(["a", "b"]) == [None, None]
        assert not await cache.write({"{a}:a": b"x"}, 60)
        assert not await cache.ping()
        assert (faults(metrics, "read"), faults(metrics, "resting")) == (1, 2)


async def test_after_the_rest_it_is_tried_again(metrics: Metrics) -> None:
    async with opened("redis://127.0.0.1:1", replace(PATIENT, rest=0.02), metrics) as cache:

        async def is_tried_again() -> bool:
            await cache.read(["x"])
            return faults(metrics, "read") == 2

        await until(is_tried_again)


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.stop()


async def test_a_frozen_server_costs_one_short_wait_and_serves_again_when_it_thaws(
    server: RedisServer, metrics: Metrics
) -> None:
    async with opened(f"unix://{server.socket}", RedisLimits(timeout=1, connect_timeout=1, rest=3), metrics) as cache:
        assert await cache.write({"{a}:k": b"v"}, 60)
        server.freeze()
        assert [await cache.read(["{a}:k"]) for _ in range(20)] == [[None]] * 20
        assert (faults(metrics, "read"), faults(metrics, "resting")) == (1, 19)
        server.thaw()

        async def is_back() -> bool:
            return await cache.read(["{a}:k"]) == [b"v"]

        await until(is_back)


async def test_no_cache_stores_nothing() -> None:
    cache = NoCache()
    assert not await cache.write({"{a}:k": b"v"}, 60)
    assert await cache.read(["{a}:k", "{a}:l"]) == [None, None]
    assert await cache.ping()
