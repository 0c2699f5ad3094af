"""Answers in the coding that a caller takes, and not again to who has them; the local cache is as right as Redis."""

import asyncio
import gzip
import json
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from gateway.app.services import open_cache, open_redis, open_the_vault
from gateway.app.stores import open_stores
from gateway.cache.invalidation import invalidation_listener
from gateway.cache.redis_cache import RedisCache
from gateway.http.codings import coding_for, matches
from gateway.observability.metrics import make_metrics
from tests.fixtures.gateway import Sandbox, Site, open_site

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (b"", ""),
        (b"gzip", "gzip"),
        (b"gzip, deflate, br", "gzip"),
        (b"gzip, deflate, br, zstd", "zstd"),
        (b"GZIP", "gzip"),
        (b"zstd;q=0, gzip", "gzip"),
        (b"zstd;q=0.1, gzip;q=0.9", "gzip"),
        (b"zstd; q=0.5 , gzip;q=0.5", "zstd"),
        (b"*", "zstd"),
        (b"*;q=0", ""),
        (b"gzip;q=0, *", "zstd"),
        (b"identity", ""),
        (b"br", ""),
        (b"gzip;q=x", ""),
        (b"\xff, gzip", "gzip"),
    ],
)
def test_a_coding_is_chosen_by_what_the_caller_takes(header: bytes, coding: str) -> None:
    assert coding_for(header) == coding


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (b"", False),
        (b'"a"', True),
        (b'W/"a"', True),
        (b'"b", W/"a"', True),
        (b'"b"', False),
        (b"*", True),
        (b"a", False),
        (b'"a-gzip"', False),
    ],
)
def test_what_the_caller_has_is_compared_weakly(given: bytes, known: bool) -> None:
    assert matches(given, b'"a"') is known


OPENED: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "zstd": zstd.decompress, "identity": bytes}


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_every_coding_has_the_same_answer_from_every_cache(site: Site, times: int) -> None:
    """The first comes from the vendor, the second from a cache, the third by the fast path."""
    plain = None
    for coding, opened in OPENED.items():
        for _ in range(times):
            request = site.client.build_request(
                "GET",
                "/unified/hris/employees",
                headers={"x-account-id": site.account, "accept-encoding": coding},
            )
            answer = await site.client.send(request, auth=(site.key, ""), stream=True)
            body = opened(b"".join([chunk async for chunk in answer.aiter_raw()]))
            assert answer.headers.get("content-encoding", "identity") == coding
            assert answer.headers["etag"].endswith("" if coding == "identity" else f'-{coding}"')
            plain = plain or body
            assert body == plain
    assert len(json.loads(plain or b"")["data"]) == 25


async def test_a_small_answer_is_not_worth_a_coding(site: Site) -> None:
    answer = await site.get("/employees", page_size="1", fields="id", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers


async def test_if_none_match_gets_a_304_until_the_answer_changes(site: Site, sandbox: Sandbox) -> None:
    first = await site.get(page_size="3")
    tag = first.headers["etag"]
    for headers in ({}, {}, {"cache-control": "no-cache"}):
        again = await site.get(page_size="3", headers={"if-none-match": tag, **headers})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-type" not in again.headers
        assert again.headers["cache-control"].startswith("private, max-age=")
        assert "age" in again.headers
    one = first.json()["data"][0]
    sandbox.steer("PATCH", f"/rows/people/{one['remote_id']}", {"firstName": "Changed"})
    changed = await site.get(page_size="3", headers={"if-none-match": tag, "cache-control": "no-cache"})
    sandbox.steer("PATCH", f"/rows/people/{one['remote_id']}", {"firstName": one["first_name"]})
    assert (changed.status_code, changed.json()["data"][0]["first_name"]) == (200, "Changed")
    assert changed.headers["etag"] != tag


@pytest.mark.parametrize(
    ("header", "detail"), [({}, "local"), ({"cache-control": "max-age=50"}, "local"), ({"x-other": "1"}, "local")]
)
async def test_a_repeated_request_is_answered_from_the_local_cache(
    site: Site, header: dict[str, str], detail: str
) -> None:
    for _ in range(2):
        await site.get()
    hit = await site.get(headers=header)
    assert hit.headers["cache-status"].startswith("hris-gateway; hit; ttl=")
    assert hit.headers["cache-status"].endswith(f"detail={detail}")


async def test_the_short_way_is_closed_to_other_keys_and_when_the_key_ends(
    environ: dict[str, str], site: Site, stack: AsyncExitStack
) -> None:
    remembering = await open_site({**environ, "GATEWAY_ACCOUNTS_CACHE_SECONDS": "60"}, stack)
    key = await remembering.make_key()
    for _ in range(3):
        assert (await remembering.get(key=key, account=site.account)).status_code == 200
    assert (await remembering.get(key=key + "x", account=site.account)).status_code == 401
    assert (await remembering.get(key=key, account="another")).status_code == 404
    other = await remembering.make_key(project="another")
    assert (await remembering.get(key=other, account=site.account)).status_code == 404
    # Revoked by another process and announced over the channel, though the memo lasts a minute.
    cache = open_cache(site.settings, await stack.enter_async_context(open_redis(site.settings)), make_metrics())
    elsewhere = await open_stores(site.settings, open_the_vault(site.settings), (invalidation_listener(cache),))
    stack.push_async_callback(elsewhere.close)
    assert isinstance(cache, RedisCache)
    await elsewhere.keys.revoke_key(key[:12])
    for _ in range(100):
        if (await remembering.get(key=key, account=site.account)).status_code == 401:
            break
        await asyncio.sleep(0.01)
    else:
        pytest.fail("the revocation did not arrive")
