"""Request smuggling: with the fast path and without it, the server reads the same requests in the same bytes."""

import asyncio
import os
import random
import re
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.load.nginx import start_shipped
from deploy.load.processes import Processes
from tests.fixtures.gateway import Site
from tests.fixtures.server import ask_twice, connect, normal, request, serve
from tests.fuzz.heads import converse_in_memory, mutate


def corpus(plain: bytes) -> dict[str, bytes]:
    """Returns requests that two parsers may read in two ways, each after a plain one that is a hit."""
    line, rest = plain.split(b"\r\n", 1)

    def with_field(field: bytes) -> bytes:
        return line + b"\r\n" + field + b"\r\n" + rest

    chunked = b"0\r\n\r\n"
    return {
        "CL and no body": with_field(b"content-length: 0"),
        "CL and a body": with_field(b"content-length: 3") + b"abc",
        "CL too long": with_field(b"content-length: 300") + plain,
        "CL with a sign": with_field(b"content-length: +0"),
        "two CL": with_field(b"content-length: 0\r\ncontent-length: 5") + b"abcde",
        "CL list": with_field(b"content-length: 0, 0"),
        "TE": with_field(b"transfer-encoding: chunked") + chunked,
        "CL and TE": with_field(b"content-length: 5\r\ntransfer-encoding: chunked") + chunked,
        "TE and CL": with_field(b"transfer-encoding: chunked\r\ncontent-length: 6") + chunked + b"G",
        "TE with a tail": with_field(b"transfer-encoding: chunked") + chunked + plain,
        "TE spelled oddly": with_field(b"Transfer-Encoding : chunked") + chunked,
        "TE identity": with_field(b"transfer-encoding: identity"),
        "TE twice": with_field(b"transfer-encoding: chunked\r\ntransfer-encoding: identity") + chunked,
        "TE with a tab": with_field(b"transfer-encoding:\tchunked") + chunked,
        "TE with a vertical tab": with_field(b"transfer-encoding: \x0bchunked") + chunked,
        "bare LF": plain.replace(b"\r\n", b"\n"),
        "one bare LF": with_field(b"x-a: b\nx-c: d"),
        "bare LF in an ignored line": with_field(b"via: b\ncontent-length: 3") + b"abc",
        "bare CR": with_field(b"x-a: b\rx-c: d"),
        "bare CR in an ignored line": with_field(b"via: b\rtransfer-encoding: chunked"),
        "LF CR": with_field(b"x-a: b\n\rx-c: d"),
        "fold": with_field(b"x-a: b\r\n c"),
        "fold of an ignored line": with_field(b"via: b\r\n c"),
        "fold of an ignored line with a tab": with_field(b"via: b\r\n\tcontent-length: 3") + b"abc",
        "fold that hides TE": with_field(b"x-a: b\r\n transfer-encoding: chunked") + chunked,
        "NUL": with_field(b"x-a: \0"),
        "NUL in an ignored line": with_field(b"via: \0"),
        "NUL in a name": with_field(b"vi\0a: x"),
        "DEL in an ignored line": with_field(b"via: \x7f"),
        "a byte above ASCII": with_field(b"via: \xff"),
        "a name with a space": with_field(b"via : x"),
        "a line without a colon": with_field(b"via"),
        "an empty name": with_field(b": x"),
        "authorization twice": with_field(b"authorization: Basic eDo="),
        "account twice": with_field(b"x-account-id: other"),
        "host twice": with_field(b"host: other"),
        "no host": plain.replace(b"host: gateway\r\n", b""),
        "an empty line first": b"\r\n" + plain,
        "a space first": b" " + plain,
        "two requests": plain + plain,
        "a request and a half": plain + plain[:50],
        "a body that nobody named": plain + b"abc",
        "a whole URL": plain.replace(b"GET /", b"GET http://gateway/"),
        "a whole URL of others": plain.replace(b"GET /", b"GET http://elsewhere/"),
        "CONNECT": plain.replace(b"GET /", b"CONNECT /"),
        "an upgrade": with_field(b"connection: upgrade\r\nupgrade: h2c") + plain,
        "an upgrade to websocket": with_field(b"connection: upgrade\r\nupgrade: websocket") + plain,
        "HTTP/1.0": plain.replace(b"HTTP/1.1", b"HTTP/1.0"),
        "HTTP/1.0 kept": with_field(b"connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"),
        "HTTP/0.9": line.rpartition(b" ")[0] + b"\r\n\r\n",
        "HTTP/2.0": plain.replace(b"HTTP/1.1", b"HTTP/2.0"),
        "HTTP/1.2": plain.replace(b"HTTP/1.1", b"HTTP/1.2"),
        "http/1.1": plain.replace(b"HTTP/1.1", b"http/1.1"),
        "HTTP 1.1": plain.replace(b"HTTP/1.1", b"HTTP 1.1"),
        "closing, and one more": with_field(b"connection: close") + plain,
        "closing in other letters": with_field(b"Connection: Close, Via"),
        "a method in small letters": plain.replace(b"GET", b"get"),
        "HEAD": plain.replace(b"GET", b"HEAD"),
        "OPTIONS": plain.replace(b"GET", b"OPTIONS"),
        "a path with a NUL": plain.replace(b" HTTP", b"%00 HTTP"),
        "a path with a fragment": plain.replace(b" HTTP", b"#x HTTP"),
        "a path with a tab": plain.replace(b" HTTP", b"\t HTTP"),
        "a path with dots": plain.replace(b"/unified/hris/", b"/unified/hris/../hris/"),
        "an encoded slash": plain.replace(b"/unified/hris/", b"/unified/hris%2F"),
        "the query's mark alone": plain.replace(b" HTTP", b"? HTTP"),
        "expect": with_field(b"expect: 100-continue"),
        "a trailer": with_field(b"te: trailers"),
        "a directive": with_field(b"cache-control: no-store"),
        "ignored in capitals": with_field(b"VIA: x"),
    }


async def test_the_smuggling_corpus_gets_the_same_verdicts_with_the_fast_path_and_without(hits: Site) -> None:
    plain = request(hits, "/locations")
    for _ in range(2):
        await converse_in_memory(hits, [plain], fast=True)
    for name, data in corpus(plain).items():
        # Twice, so that what the first one may have left behind is used; and after a hit, as an attacker would.
        for chunks in ([data], [data], [plain, data], [data, plain]):
            fast_said, fast_closed = await converse_in_memory(hits, chunks, fast=True)
            full_said, full_closed = await converse_in_memory(hits, chunks, fast=False)
            assert ages_apart(fast_said) == ages_apart(full_said), name
            assert fast_closed == full_closed, name


def ages_apart(answer: bytes) -> bytes:
    """Returns answers without what time has changed."""
    answer = re.sub(rb"(?m)^age: \d+\r$", b"age: -\r", normal(answer))
    answer = re.sub(rb"detail=(local|shared)", b"detail=-", answer)  # On a busy machine the subscription may rest.
    return re.sub(rb"(ttl|max-age)=\d+", rb"\1=-", answer)


async def test_a_head_that_is_split_anywhere_gets_the_same_answer(hits: Site) -> None:
    plain = request(hits, "/locations", "via: x")
    async with serve(hits) as served:
        expected = ages_apart(await ask_twice(served, plain))
        async with connect(served.port) as client:
            for end in range(1, len(plain)):
                client.writer.write(plain[:end])
                await client.writer.drain()
                await asyncio.sleep(0.001)
                assert ages_apart(await client.ask(plain[end:])) == expected, plain[:end]
                assert ages_apart(await client.ask(plain)) == expected


async def test_nginx_in_front_changes_no_verdict(hits: Site, tmp_path: Path) -> None:
    plain = request(hits, "/locations")
    with Processes(tmp_path) as processes:
        async with serve(hits, fast=True) as fast, serve(hits, fast=False) as full:
            _, before_fast = start_shipped(processes, [f"127.0.0.1:{fast.port}"], "fast")
            _, before_full = start_shipped(processes, [f"127.0.0.1:{full.port}"], "full")
            ports = [int(address.rpartition(":")[2]) for address in (before_fast, before_full)]
            reached = fast.reached
            for name, data in corpus(plain).items():
                verdicts = []
                for port in ports:
                    async with connect(port) as client:
                        assert (await client.ask(plain)).startswith(b"HTTP/1.1 200")
                    verdicts.append(without_nginx(await until_quiet(port, data)))
                assert verdicts[0] == verdicts[1], name
            assert fast.reached - reached < full.reached / 2, "hardly a hit behind nginx took the fast path"


async def until_quiet(port: int, data: bytes) -> bytes:
    """Returns what comes back. Unlike uvicorn, nginx drops its work once the client ends its side."""
    found = b""
    async with connect(port) as client:
        client.writer.write(data)
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(0.1):
                    piece = await client.reader.read(1 << 16)
                if not piece:
                    break
                found += piece
    return found


def without_nginx(answer: bytes) -> bytes:
    return re.sub(rb"(?mi)^(server|date): .*\r$", rb"\1: -\r", ages_apart(answer))


@pytest.mark.parametrize("seed", range(int(os.environ.get("FUZZ_SEEDS", "8"))))
async def test_mutated_requests_get_the_same_verdicts(hits: Site, seed: int) -> None:
    chance = random.Random(seed)
    plain = request(hits, "/locations", "via: x", "accept-encoding: identity")
    for _ in range(2):
        await converse_in_memory(hits, [plain], fast=True)
    for _ in range(40):
        chunks = mutate(plain, chance)
        found = [await converse_in_memory(hits, chunks, fast=fast) for fast in (True, False)]
        (fast_said, fast_closed), (full_said, full_closed) = found
        assert ages_apart(fast_said) == ages_apart(full_said), chunks
        assert fast_closed == full_closed, chunks
