"""The shared connection: replies reach whom they belong to, whatever is cancelled, and a break is noticed."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hiredis
import pytest
import uvloop

from gateway.cache.redis_connection import LineBroken, RedisLine
from tests.fixtures.redis_servers import RedisServer

SECONDS = 30
"""Longer than a busy machine takes."""


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture(name="line")
async def _line(server: RedisServer) -> AsyncIterator[RedisLine]:
    line = RedisLine(f"unix://{server.socket}", SECONDS, SECONDS)
    yield line
    line.close()


async def test_replies_come_in_the_order_of_the_commands(line: RedisLine) -> None:
    assert await line.calls(("SET", "a", b"\x00\xff"), ("GET", "a"), ("GET", "b")) == [b"OK", b"\x00\xff", None]


async def test_an_error_reply_is_a_value_and_the_line_goes_on(line: RedisLine) -> None:
    assert isinstance(await line.call("NOSUCHCOMMAND"), hiredis.ReplyError)
    assert await line.call("PING") == b"PONG"


async def test_a_cancelled_request_never_leaves_its_reply_to_another(line: RedisLine) -> None:
    """Many readers of many keys, half of them cut off at every point: each of the others gets its own value."""
    await line.calls(*(("SET", f"k{number}", f"v{number}") for number in range(50)))
    chance = random.Random(4)
    for _ in range(200):
        numbers = [chance.randrange(50) for _ in range(10)]
        tasks = [asyncio.create_task(line.call("GET", f"k{number}")) for number in numbers]
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        values = await asyncio.gather(*tasks, return_exceptions=True)
        for number, value in zip(numbers, values, strict=True):
            assert isinstance(value, asyncio.CancelledError) or value == f"v{number}".encode()


async def test_a_thousand_at_once_share_one_connection(line: RedisLine) -> None:
    await line.call("SET", "k", "v")
    assert set(await asyncio.gather(*(line.call("GET", "k") for _ in range(1000)))) == {b"v"}
    clients = await line.call("CLIENT", "LIST")
    assert clients.count(b"\n") == 1


async def test_a_frozen_server_breaks_the_line_for_everybody(server: RedisServer) -> None:
    line = RedisLine(f"unix://{server.socket}", 1, SECONDS)
    await line.call("PING")
    server.freeze()
    found = await asyncio.gather(*(line.call("PING") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(each, LineBroken) for each in found)
    server.thaw()
    assert await line.call("PING") == b"PONG"
    line.close()


async def test_a_stall_of_our_own_is_no_fault_of_the_server(server: RedisServer) -> None:
    line = RedisLine(f"unix://{server.socket}", 1, SECONDS)
    await line.call("PING")
    reply = asyncio.create_task(line.call("PING"))
    await asyncio.sleep(0)
    time.sleep(1.5)  # noqa: ASYNC251 - the stall
    assert await reply == b"PONG"
    line.close()


async def test_a_server_that_comes_back_is_found_again(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    line = RedisLine(f"unix://{server.socket}", SECONDS, SECONDS)
    assert await line.call("PING") == b"PONG"
    server.stop()
    for _ in range(2):
        with pytest.raises(LineBroken):
            await line.call("PING")
    again = RedisServer(tmp_path)
    assert await line.call("PING") == b"PONG"
    line.close()
    again.stop()


async def test_password_and_database_of_the_url_are_used(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--requirepass", "s3cret")
    right, wrong = (RedisLine(f"unix://:{word}@{server.socket}?db=3", SECONDS, SECONDS) for word in ("s3cret", "no"))
    await right.call("SET", "k", "v")
    assert b"db=3" in await right.call("CLIENT", "LIST")
    with pytest.raises(LineBroken, match="refuses us") as caught:
        await wrong.call("PING")
    assert "no" not in str(caught.value).split()
    right.close()
    wrong.close()
    server.stop()


def test_it_speaks_under_the_event_loop_that_the_server_uses(server: RedisServer) -> None:
    """The transports of uvloop are classes of their own."""

    async def ping() -> object:
        line = RedisLine(f"unix://{server.socket}", SECONDS, SECONDS)
        reply = await line.call("PING")
        line.close()
        return reply

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(ping()) == b"PONG"


async def test_nobody_listening_is_a_broken_line() -> None:
    with pytest.raises(LineBroken):
        await RedisLine("redis://127.0.0.1:1/0", SECONDS, SECONDS).call("PING")
