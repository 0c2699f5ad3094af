"""The HTTP client against a real server on a real socket: limits, faults, and what cancelled requests leave behind."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from connectors.exchange import Request
from gateway.errors import GatewayError, VendorFailure
from gateway.observability.metrics import make_metrics
from gateway.upstream.client import HttpUpstream

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def upstream_with(*, read_timeout: float = 30) -> HttpUpstream:
    return HttpUpstream(
        make_metrics(),
        {},
        connect_timeout=30,
        read_timeout=read_timeout,
        max_connections=4,
        account_connections=4,
        max_body_bytes=1000,
    )


@asynccontextmanager
async def served(handler: Handler, *, read_timeout: float = 30) -> AsyncIterator[tuple[HttpUpstream, str]]:
    connections: set[asyncio.Task[None] | None] = set()

    async def careful(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(careful, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with upstream_with(read_timeout=read_timeout) as upstream:
            yield upstream, f"http://127.0.0.1:{port}/api"
        await asyncio.gather(*(task for task in connections if task))


def answering(*chunks: bytes, then_silent: bool = False) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)
        if then_silent:
            await reader.read()  # Until the client has had enough.

    return handle


def http(body: bytes, status: str = "200 OK", extra: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n".encode()
    return head + extra + b"connection: close\r\n\r\n" + body


async def test_a_whole_answer_comes_back_with_its_status_and_lower_case_headers() -> None:
    async with served(answering(http(b"[1]", "404 Not Found", b"Retry-After: 7\r\n"))) as (upstream, url):
        answer = await upstream.send(url, Request("GET", "/people"))
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (404, b"[1]", "7")


async def test_the_request_line_has_base_path_and_encoded_query() -> None:
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(http(b"{}"))

    async with served(handle) as (upstream, url):
        query = (("$limit", "250"), ("name", "a&b=c d"))
        await upstream.send(url, Request("GET", "/people/a%2Fb", query, {"authorization": "Bearer t"}))
    line = seen[0].split(b"\r\n")[0].decode()
    assert line == "GET /api/people/a%2Fb?$limit=250&name=a%26b%3Dc+d HTTP/1.1"
    assert b"\r\nauthorization: Bearer t\r\n" in seen[0].lower().replace(b"bearer t", b"Bearer t")


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (answering(http(b"x" * 1001)), "larger than 1000 bytes"),
        (answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123"), "broke off"),
        (answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n1", then_silent=True), "stopped answering"),
        (answering(b"not http at all\r\n\r\n"), "broke off"),
        (answering(), "broke off"),
    ],
    ids=["too large", "cut short", "silent", "not HTTP", "hung up"],
)
async def test_anything_but_a_whole_answer_is_a_vendor_failure_with_our_message(handler: Handler, says: str) -> None:
    async with served(handler, read_timeout=0.5 if says == "stopped answering" else 30) as (upstream, url):
        with pytest.raises(VendorFailure, match=says) as caught:
            await upstream.send(url, Request("GET", "/people"))
    assert caught.value.provider_errors[0].url == "/people"
    assert "127.0.0.1" not in caught.value.message


async def test_nobody_listening_is_a_vendor_failure() -> None:
    async with upstream_with() as upstream:
        with pytest.raises(VendorFailure, match="does not accept connections"):
            await upstream.send("http://127.0.0.1:1", Request("GET", "/people"))


def test_our_failures_are_not_the_library_s() -> None:
    assert not issubclass(GatewayError, httpx.HTTPError)


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    moved = http(b"", "302 Found", b"location: http://127.0.0.1:1/elsewhere\r\n")
    async with served(answering(moved)) as (upstream, url):
        assert (await upstream.send(url, Request("GET", "/people"))).status == 302


async def test_a_cookie_of_one_answer_is_not_sent_with_the_next_request() -> None:
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(http(b"{}", extra=b"set-cookie: session=of-one-account; Path=/\r\n"))

    async with served(handle) as (upstream, url):
        await upstream.send(url, Request("GET", "/people"))
        await upstream.send(url, Request("GET", "/people"))
    assert len(seen) == 2
    assert not any(b"of-one-account" in request for request in seen)


async def test_no_host_s_cookie_is_sent_either() -> None:
    """A cookie jar may keep the cookies of names and not those of addresses."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(http(b"{}", extra=b"set-cookie: session=of-one-account; Path=/\r\n"))

    async with served(handle) as (upstream, url):
        for _ in range(2):
            await upstream.send(url.replace("127.0.0.1", "localhost"), Request("GET", "/people"))
    assert len(seen) == 2
    assert not any(b"of-one-account" in request for request in seen)


@pytest.mark.parametrize(
    ("body", "coding"),
    [(gzip.compress(b"[1, 2]"), b"gzip"), (zlib.compress(b"[1, 2]"), b"deflate")],
    ids=["gzip", "deflate"],
)
async def test_a_compressed_body_is_decoded(body: bytes, coding: bytes) -> None:
    async with served(answering(http(body, extra=b"content-encoding: " + coding + b"\r\n"))) as (upstream, url):
        assert (await upstream.send(url, Request("GET", "/people"))).body == b"[1, 2]"


@pytest.mark.parametrize(
    ("body", "says"),
    [(gzip.compress(b"x" * 50_000_000), "larger than 1000 bytes"), (b"not gzip at all", "broke off")],
    ids=["a bomb", "broken"],
)
async def test_a_compressed_body_has_the_limits_of_a_plain_one(body: bytes, says: str) -> None:
    async with served(answering(http(body, extra=b"content-encoding: gzip\r\n"))) as (upstream, url):
        with pytest.raises(VendorFailure, match=says):
            await upstream.send(url, Request("GET", "/people"))


async def test_headers_of_one_name_are_joined_and_any_bytes_are_text() -> None:
    extra = b"X-One: a\r\nx-one: b\r\nx-utf-8: \xc3\xa9\r\nx-latin-1: \xe9\r\nx-back: Bearer secret-token\r\n"
    async with served(answering(http(b"", extra=extra))) as (upstream, url):
        answer = await upstream.send(url, Request("GET", "/people", headers={"authorization": "Bearer secret-token"}))
    names = ("x-one", "x-utf-8", "x-latin-1", "x-back")
    assert [answer.headers[name] for name in names] == ["a, b", "é", "é", "Bearer [redacted]"]


async def test_requests_cancelled_while_connecting_leave_the_pool_usable() -> None:
    """The pool of httpx pool loses a slot for each: after 20 rounds of 12 it times out (encode/httpcore #1093)."""
    async with served(answering(http(b"[1]"))) as (upstream, url):
        for _ in range(20):
            storm = [asyncio.create_task(upstream.send(url, Request("GET", "/people"))) for _ in range(12)]
            await asyncio.sleep(0)
            for task in storm:
                task.cancel()
            await asyncio.gather(*storm, return_exceptions=True)
        answer = await upstream.send(url, Request("GET", "/people"))
    assert answer.body == b"[1]"


async def test_requests_cancelled_half_way_never_leave_their_answer_to_another() -> None:
    """Each request must get the body of its own path, however many neighbours were cut off meanwhile."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = head.split(b" ")[1]
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
            await writer.drain()
            await asyncio.sleep(0.001)
            writer.write(body)
            await writer.drain()

    async with served(echo) as (upstream, url):
        for round_ in range(60):
            paths = [f"/{round_}/{number}" for number in range(8)]
            tasks = [asyncio.create_task(upstream.send(url, Request("GET", path))) for path in paths]
            await asyncio.sleep(0.0015)
            for task in tasks[::2]:
                task.cancel()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            for path, answer in zip(paths[1::2], answers[1::2], strict=True):
                assert not isinstance(answer, BaseException)
                assert answer.body.decode() == f"/api{path}"
