"""The client all share: replies reach who asked, whatever is cancelled, and a server that fails costs little."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from redis.asyncio.client import Pipeline
from redis.exceptions import ResponseError

from gateway.cache.redis_client import RedisClient, RedisLimits, RedisResting, RedisUnavailable
from tests.fixtures.redis_servers import RedisServer

SECONDS = 30
"""Longer than a busy machine takes."""
PATIENT = RedisLimits(timeout=SECONDS, connect_timeout=SECONDS, rest=0)


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.stop()


@asynccontextmanager
async def opened(url: str, limits: RedisLimits = PATIENT) -> AsyncIterator[RedisClient]:
    client = RedisClient(url, limits)
    yield client
    await client.close()


@pytest.fixture(name="client")
async def _client(server: RedisServer) -> AsyncIterator[RedisClient]:
    async with opened(f"unix://{server.socket}") as client:
        yield client


def command(*words: str | int) -> Any:
    def add(pipe: Pipeline) -> None:
        pipe.execute_command(*words)

    return add


async def ask(client: RedisClient, *words: str | int) -> Any:
    [reply] = await client.run("k", command(*words))
    return reply


async def test_replies_come_in_the_order_of_the_commands(client: RedisClient) -> None:
    found = await client.run("a", lambda pipe: [pipe.set("a", b"\x00\xff"), pipe.get("a"), pipe.get("b")])
    assert found == [True, b"\x00\xff", None]


async def test_an_error_reply_is_a_value_and_the_others_are_not_touched(client: RedisClient) -> None:
    wrong, right = await asyncio.gather(ask(client, "NOSUCHCOMMAND"), ask(client, "ECHO", "x"))
    assert isinstance(wrong, ResponseError)
    assert right == b"x"


async def test_a_command_that_cannot_be_sent_is_its_callers_fault_alone(client: RedisClient) -> None:
    def add(pipe: Pipeline) -> None:
        pipe.set("k", "v")
        raise ValueError("not for Redis")

    right = asyncio.create_task(ask(client, "ECHO", "x"))
    with pytest.raises(ValueError, match="not for Redis"):
        await client.run("k", add)
    assert await right == b"x"


async def test_a_cancelled_request_never_leaves_its_reply_to_another(client: RedisClient) -> None:
    """Many readers of many keys, half of them cut off at every point: each of the others gets its own value."""
    await client.run("k", lambda pipe: pipe.mset({f"k{number}": f"v{number}" for number in range(50)}))
    chance = random.Random(4)
    cut = 0
    for _ in range(200):
        numbers = [chance.randrange(50) for _ in range(10)]
        tasks = [asyncio.create_task(ask(client, "GET", f"k{number}")) for number in numbers]
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
        cut += sum(task.cancel() for task in tasks[::2])
        values = await asyncio.gather(*tasks, return_exceptions=True)
        for number, value in zip(numbers, values, strict=True):
            assert isinstance(value, asyncio.CancelledError) or value == f"v{number}".encode()
    assert cut > 200
    assert (await ask(client, "CLIENT", "LIST")).count(b"\n") == 1, "no connection was given up"


async def test_a_thousand_at_once_share_one_connection(client: RedisClient) -> None:
    await ask(client, "SET", "k", "v")
    assert set(await asyncio.gather(*(ask(client, "GET", "k") for _ in range(1000)))) == {b"v"}
    assert (await ask(client, "CLIENT", "LIST")).count(b"\n") == 1


async def test_a_frozen_server_fails_all_that_wait_and_rests(server: RedisServer) -> None:
    async with opened(f"unix://{server.socket}", RedisLimits(1, SECONDS, rest=SECONDS)) as client:
        await ask(client, "ECHO", "x")
        server.freeze()
        began = time.monotonic()
        waiting = [asyncio.create_task(ask(client, "ECHO", "x")) for _ in range(5)]
        await asyncio.sleep(0.1)
        waiting += [asyncio.create_task(ask(client, "ECHO", "x")) for _ in range(5)]
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(each, RedisUnavailable) for each in found)
        assert time.monotonic() - began < 2
        server.thaw()
        with pytest.raises(RedisResting):
            await ask(client, "ECHO", "x")
        assert await client.run("k", command("ECHO", "x"), despite_rest=True) == [b"x"]


async def test_a_stall_of_our_own_is_no_fault_of_the_server(server: RedisServer) -> None:
    async with opened(f"unix://{server.socket}", RedisLimits(1, SECONDS)) as client:
        await ask(client, "ECHO", "x")
        reply = asyncio.create_task(ask(client, "ECHO", "x"))
        for _ in range(5):
            await asyncio.sleep(0)
        time.sleep(1.5)  # noqa: ASYNC251 - the stall
        assert await reply == b"x"


async def test_a_server_that_comes_back_is_found_again(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    async with opened(f"unix://{server.socket}") as client:
        assert await ask(client, "ECHO", "x") == b"x"
        server.stop()
        for _ in range(2):
            with pytest.raises(RedisUnavailable):
                await ask(client, "ECHO", "x")
        again = RedisServer(tmp_path)
        assert await ask(client, "ECHO", "x") == b"x"
        again.stop()


async def test_password_and_database_of_the_url_are_used(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--requirepass", "s3cret")
    async with opened(f"unix://:s3cret@{server.socket}?db=3") as client:
        assert b"db=3" in await ask(client, "CLIENT", "LIST")
    async with opened(f"unix://:no@{server.socket}?db=3") as client:
        with pytest.raises(RedisUnavailable):
            await ask(client, "ECHO", "x")
    server.stop()


def test_it_works_under_the_event_loop_that_the_server_uses(server: RedisServer) -> None:
    """The transports of uvloop are classes of their own."""

    async def echo() -> Any:
        async with opened(f"unix://{server.socket}") as client:
            return await ask(client, "ECHO", "x")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(echo()) == b"x"


async def test_closing_fails_what_waits(server: RedisServer) -> None:
    async with opened(f"unix://{server.socket}") as client:
        await ask(client, "ECHO", "x")
        server.freeze()
        waiting = [asyncio.create_task(ask(client, "ECHO", "x")) for _ in range(2)]
        await asyncio.sleep(0.1)
        waiting += [asyncio.create_task(ask(client, "ECHO", "x")) for _ in range(2)]
        await asyncio.sleep(0)
    async with opened(f"unix://{server.socket}") as client:
        waiting.append(asyncio.create_task(ask(client, "ECHO", "x")))
        await asyncio.sleep(0)  # Asked, and not begun.
    assert [type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)] == [RedisUnavailable] * 5
