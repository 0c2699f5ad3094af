"""The server's connections: a hit is the same on the fast path and on the full one; slow and endless requests end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from tests.fakes.core import Time
from tests.fixtures.gateway import Site, open_site
from tests.fixtures.server import PATIENCE, Client, Served, ask_twice, connect, converse, normal, request, serve

LINKS = (
    "",
    "?page_size=5",
    "?fields=id,first_name",
    "?filter%5Bemail%5D=x%40example.com",
    "?page_size=2&expand=groups",
)
PATHS = (
    *(f"/employees{query}" for query in LINKS),
    "/employees/{id}",
    "/employees/{id}?fields=id,name",
    "/employees/{id}/employments",
    "/employees/{id}/time_off",
    "/employments",
    "/groups/departments",
    "/locations",
    "/time_off",
    "/companies",
)
FORMS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "gzip": ("accept-encoding: gzip",),
    "zstd": ("accept-encoding: gzip, zstd",),
    "no coding": ("accept-encoding: identity",),
    "not the same": ('if-none-match: "no"',),
    "anything": ("if-none-match: *",),
    "the same": ('if-none-match: "{etag}"',),
    "weakly the same": ('if-none-match: "no", W/"{etag}"',),
    "the same in gzip": ("accept-encoding: gzip", 'if-none-match: "{etag}-gzip"'),
    "the last one": ("connection: close",),
    "behind a proxy": ("X-Forwarded-For: 10.0.0.1", "x-request-id: 1", "via: 1.1 proxy", "user-agent: curl"),
    "a field of the client": ("accept: application/json", "x-own: 1"),
}


LOGGED = {"GATEWAY_LOG_REQUESTS": "true", "GATEWAY_LOG_LEVEL": "info", "GATEWAY_ACCOUNTS_CACHE_SECONDS": "60"}


async def counts(site: Site) -> dict[str, float]:
    lines = (await site.client.get("/metrics")).text.splitlines()
    wanted = ("gateway_requests_total", "gateway_request_seconds_count", "gateway_cache_reads_total")
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name.startswith(wanted)
    }


def lines_of(output: str) -> list[dict[str, Any]]:
    """Returns the log lines about unified requests, without what is new each time."""
    lines = [json.loads(line) for line in output.splitlines() if '"event":"request"' in line]
    return [
        {name: value for name, value in line.items() if name not in {"request_id", "milliseconds", "timestamp"}}
        for line in lines
        if line["operation"] != "metrics"
    ]


@pytest.mark.parametrize("path", PATHS)
async def test_both_paths_give_the_same_bytes_counts_and_log_lines(
    environ: dict[str, str], capfd: pytest.CaptureFixture[str], path: str
) -> None:
    async with AsyncExitStack() as stack:
        # The clock stands still, so that equal requests have equal answers.
        site = await open_site({**environ, **LOGGED}, stack, Time().clock())
        site.key, site.account = await site.make_key(), await site.link("all-owner")
        employee = (await site.get("/employees", page_size="1")).json()["data"][0]["id"]
        async with serve(site, fast=True) as fast, serve(site, fast=False) as full:
            await compare_both(site, fast, full, capfd, path.format(id=employee))


async def compare_both(site: Site, fast: Served, full: Served, capfd: pytest.CaptureFixture[str], path: str) -> None:
    first = await ask_twice(fast, request(site, path))
    assert first.startswith(b"HTTP/1.1 200 OK\r\n"), first
    etag = first.partition(b'etag: "')[2].partition(b'"')[0].decode()
    for name, fields in FORMS.items():
        data = request(site, path, *(field.replace("{etag}", etag) for field in fields))
        for _ in range(
            3
        ):  # On a busy machine the subscription may begin anew meanwhile, which empties the local cache.
            await ask_twice(fast, data)
            on_fast, on_full = [await observe(site, served, capfd, data) for served in (fast, full)]
            if on_fast == on_full and (fast.reached_last, full.reached_last) == (0, 1):
                break
        assert on_fast == on_full, name
        assert (fast.reached_last, full.reached_last) == (0, 1), f"{name}: the fast path is not taken"
        assert len(on_fast[2]) == 1


async def observe(
    site: Site, served: Served, capfd: pytest.CaptureFixture[str], data: bytes
) -> tuple[bytes, dict[str, float], list[dict[str, Any]]]:
    """Returns what is answered, counted and logged for a request."""
    capfd.readouterr()
    before, reached = await counts(site), served.reached
    async with connect(served.port) as client:
        answer = await client.ask(data)
        if b"\r\nconnection: close" in data:
            assert await client.rest() == b""
    after = await counts(site)
    served.reached_last = served.reached - reached
    counted = {key: after[key] - before.get(key, 0) for key in after if "metrics" not in key}
    return normal(answer), counted, lines_of(capfd.readouterr().err)


async def test_each_answer_of_the_fast_path_counts_as_a_hit_of_the_account(
    environ: dict[str, str], stack: AsyncExitStack
) -> None:
    patience = {"GATEWAY_ACCOUNTS_CACHE_SECONDS": "60", "GATEWAY_ACCOUNTS_USAGE_FLUSH_SECONDS": "0.05"}
    site = await open_site({**environ, **patience}, stack)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    async with serve(site) as served:
        await ask_twice(served, request(site, "/locations"))
        reached = served.reached
        async with connect(served.port) as client:
            for _ in range(5):
                await client.ask(request(site, "/locations"))
        assert served.reached == reached
        for _ in range(500):
            usage = (await site.stores.usage.read([site.account]))[site.account]
            if usage.hits >= 6:
                break
            await asyncio.sleep(0.02)
    assert (usage.hits, usage.misses) == (6, 1)


async def test_a_key_without_the_right_never_gets_the_answer_of_another(hits: Site) -> None:
    narrow = await hits.make_key("hris.locations:read")
    async with serve(hits) as served:
        data = request(hits, "/employees")
        assert (await ask_twice(served, data)).startswith(b"HTTP/1.1 200")
        for _ in range(3):
            assert (await ask_twice(served, request(hits, "/employees", key=narrow))).startswith(b"HTTP/1.1 403")
            assert (await ask_twice(served, request(hits, "/employees", key="hg_none"))).startswith(b"HTTP/1.1 401")
            async with connect(served.port) as client:
                assert (await client.ask(data.replace(hits.account.encode(), b"none"))).startswith(b"HTTP/1.1 404")
                assert (await client.ask(data)).startswith(b"HTTP/1.1 200")


async def test_a_connection_may_mix_hits_misses_writes_and_bodies(hits: Site) -> None:
    plain, fresh = request(hits, "/locations"), request(hits, "/locations", "cache-control: no-cache")
    body = b'{"first_name": 1}'
    post = request(hits, "/employees", "content-type: application/json", f"content-length: {len(body)}")
    post = post.replace(b"GET", b"POST")
    async with serve(hits) as served:
        expected = normal(await ask_twice(served, plain)).partition(b"\r\n\r\n")[2]
        async with connect(served.port) as client:
            for _ in range(3):
                for data in (plain, fresh, plain + plain, plain):
                    client.writer.write(data)
                    for _ in range(data.count(b"GET ")):
                        assert (await client.answer()).partition(b"\r\n\r\n")[2] == expected
                client.writer.write(post)
                await asyncio.sleep(0.02)
                assert (await client.ask(body)).startswith(b"HTTP/1.1 4")
        assert served.reached < 2 + 3 * 6, "no plain request was a hit"


# --- limits -----------------------------------------------------------------------------------------------------


async def test_an_endless_head_is_refused_and_costs_nobody_else_a_moment(hits: Site) -> None:
    async with serve(hits) as served, connect(served.port) as client:
        client.writer.write(b"GET /healthz HTTP/1.1\r\nx-endless: ")
        refused = asyncio.create_task(client.rest())
        with suppress(ConnectionError):
            for _ in range(4000):
                client.writer.write(b"x" * 16_384)
                await client.writer.drain()
            raise AssertionError("64 MB of a head were read")
        assert served.reached == 0
        refused.cancel()


async def test_a_head_that_is_too_long_is_told_so(hits: Site) -> None:
    async with serve(hits) as served, connect(served.port) as client:
        for number in range(10):
            client.writer.write(b"GET /healthz HTTP/1.1\r\n" if not number else b"x-a: " + b"x" * 8_000 + b"\r\n")
            await client.writer.drain()
            await asyncio.sleep(0.01)
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 431 ")
        assert b"connection: close" in head
        assert json.loads(body)["statusCode"] == 431


POST = b"POST"


def post(site: Site) -> bytes:
    """Returns the head of a write, which is read whole before anything else is done, without its end."""
    return request(site, "/employees", "content-type: application/json").replace(b"GET", b"POST")[:-2]


CUT_SHORT = {
    "a head": (b"GET /unified/hris/locations HTTP/1.1\r\nhost: ", 408),
    "a body": (POST + b"content-length: 10\r\n\r\nabc", 408),
    "a chunked body": (POST + b"transfer-encoding: chunked\r\n\r\n5\r\nabc", 408),
    "nothing": (b"", 0),
    "empty lines": (b"\r\n\r\n", 0),
}


@pytest.mark.parametrize(("data", "status"), CUT_SHORT.values(), ids=CUT_SHORT.keys())
async def test_a_request_that_is_not_complete_in_time_is_ended(hits: Site, data: bytes, status: int) -> None:
    async with serve(hits, head_seconds=0.1, body_seconds=0.1) as served, connect(served.port) as client:
        client.writer.write(data.replace(POST, post(hits)))
        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 408 " if status else b"")
        assert bool(answer) == bool(status)


async def test_a_request_that_drips_is_ended_as_well(hits: Site) -> None:
    async with serve(hits, head_seconds=0.2) as served, connect(served.port) as client:
        began = asyncio.get_running_loop().time()
        with suppress(ConnectionError):  # Where more came than the server has read, its answer may be lost.
            for number in range(1000):
                client.writer.write(b"G" if not number else b"ET /healthz?" if number == 1 else b"x")
                await client.writer.drain()
                await asyncio.sleep(0.01)
                if client.reader.at_eof() or client.writer.transport.is_closing():
                    break
        assert asyncio.get_running_loop().time() - began < PATIENCE


async def test_a_body_of_tiny_chunks_with_long_extensions_is_refused(hits: Site) -> None:
    async with serve(hits) as served, connect(served.port) as client:
        client.writer.write(post(hits) + b"transfer-encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            for _ in range(1000):
                client.writer.write(b"1;" + b"x" * 2_000 + b"\r\na\r\n")
                await client.writer.drain()
                await asyncio.sleep(0.001)
            raise AssertionError("2 MB around 1,000 bytes were read")


async def test_what_is_no_http_is_refused_in_the_shape_of_every_error(hits: Site) -> None:
    async with serve(hits) as served:
        head, _, body = (await converse(served.port, b"nonsense\r\n\r\n")).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert list(json.loads(body)) == ["statusCode", "message", "timestamp", "errorCode"]


# --- a connection's life ----------------------------------------------------------------------------------------


@pytest.fixture(name="hit")
async def fixture_hit(hits: Site) -> AsyncIterator[tuple[Served, Client, bytes]]:
    """A connection that has just had a hit on the fast path, and what it asked."""
    plain = request(hits, "/locations")
    async with serve(hits, keep_alive=1) as served, connect(served.port) as client:
        await ask_twice(served, plain)
        reached = served.reached
        await client.ask(plain)
        assert served.reached == reached
        yield served, client, plain


async def test_an_idle_connection_is_closed_after_the_keep_alive_time_since_its_last_hit(
    hit: tuple[Served, Client, bytes],
) -> None:
    _, client, plain = hit
    began = asyncio.get_running_loop().time()
    for _ in range(3):
        await asyncio.sleep(0.6)
        await client.ask(plain)
    last = asyncio.get_running_loop().time()
    assert await client.rest() == b""
    closed = asyncio.get_running_loop().time()
    assert last - began > 1.0, "the connection has outlived its first keep-alive time"
    assert closed - last > 0.9


async def test_a_shutdown_closes_connections_that_are_between_two_hits(hit: tuple[Served, Client, bytes]) -> None:
    served, client, _ = hit
    assert served.server is not None
    served.server.should_exit = True
    assert await client.rest() == b""


async def test_a_client_that_does_not_read_holds_up_nothing_and_fills_no_memory(hits: Site) -> None:
    """Once its write buffer is full, requests take the full path, which waits."""
    plain = request(hits, "/employees")
    async with serve(hits) as served:
        await ask_twice(served, plain)
        async with connect(served.port) as lazy:
            lazy.writer.transport.pause_reading()  # type: ignore[attr-defined]
            reached = served.reached
            for _ in range(400):
                lazy.writer.write(plain)
                await asyncio.sleep(0.001)
                if served.reached > reached:
                    break
            assert served.reached > reached
            async with connect(served.port) as other:
                assert (await other.ask(plain)).startswith(b"HTTP/1.1 200")


async def test_a_client_that_hangs_up_leaves_nothing_behind(hit: tuple[Served, Client, bytes]) -> None:
    served, client, plain = hit
    client.writer.write(plain)
    client.writer.transport.abort()
    assert served.server is not None
    for _ in range(500):
        if not served.server.server_state.connections:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(served.server.server_state.connections)
