"""Whoever unlinks an account or switches its cache off: each place that has something of the account lets it go."""

import asyncio
import gc
import os
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis
from sqlalchemy import func, select

from gateway.app.stores import Stores
from gateway.audit.events import AuditEvent
from gateway.cache.lru import AccountLru
from gateway.db.engine import open_engine, reading
from gateway.db.schema import connect_sessions, credentials
from tests.accounts.test_lifecycle import until
from tests.fixtures.dashboard_browser import Operator, open_dashboard
from tests.fixtures.gateway import Site, open_site
from tests.fixtures.linking import Time, made

ROOT = Path(__file__).parents[2]
Way = Callable[[Operator], Awaitable[None]]


async def in_the_api(at: Operator) -> None:
    answer = await at.site.client.delete(f"/accounts/{at.site.account}", auth=(at.site.key, ""))
    assert answer.status_code == 200, answer.text


async def in_the_dashboard(at: Operator) -> None:
    await at.sign_in()
    answer = await at.send(f"/accounts/{at.site.account}/unlink", {"confirmation": "unlink"})
    assert answer.status_code == 303, answer.text


async def on_the_command_line(at: Operator) -> None:
    """As a process that is not told of the gateway's own Redis."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    own = {
        "GATEWAY_DATABASE_URL": at.site.settings.database.url,
        "GATEWAY_VAULT_MASTER_KEY": b64encode(at.site.settings.vault.key).decode(),
        "PYTHONPATH": str(ROOT),
    }
    words = (sys.executable, "-m", "gateway", "accounts", "unlink", at.site.account)
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, env={**clean, **own})
    assert await process.wait() == 0


async def by_another_process(at: Operator) -> None:
    """As a gateway whose messages do not come through: the trail alone tells of it."""
    account = await at.account()
    await at.stores.accounts.unlink(account.project_id, account.id)


class Places:
    """Where something of an account can be: in the database, in Redis, and in the memory of any process."""

    def __init__(self, site: Site, redis: Redis) -> None:
        self.site = site
        self.account = site.account
        self._redis = redis
        # Some that other tests have left would be found as well, but for the account, which is this test's own.
        gc.collect()

    async def rows(self, table: Any) -> int:
        engine = open_engine(self.site.settings.database.async_url)
        async with reading(engine) as connection:
            found = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
        await engine.dispose()
        return int(found)

    async def taken(self) -> set[str]:
        """Name the places that still have something of it."""
        held = [each for each in gc.get_objects() if isinstance(each, AccountLru) and self.account in each]
        answer = await self.site.get(account=self.account)
        found = {
            "credential": await self.rows(credentials) > 0,
            "sessions": await self.rows(connect_sessions) > 0,
            "memory": bool(held),
            "Redis": any(self._redis.scan_iter(f"{{{self.account}}}:*")),
            "memo": answer.status_code == 200,
        }
        return {name for name, there in found.items() if there}


@pytest.mark.parametrize("unlink", [in_the_api, in_the_dashboard, on_the_command_line, by_another_process])
async def test_each_way_to_unlink_empties_each_place(
    environ: dict[str, str], stack: AsyncExitStack, redis_url: str, clock: Time, unlink: Way
) -> None:
    """Redis without a channel is what a worker has whose messages are lost."""
    own = {**environ, "GATEWAY_ACCOUNTS_CACHE_SECONDS": "60", "GATEWAY_SERVER_WORKERS": "1"}
    at = await open_dashboard(own, stack, clock)
    at.site.account, at.site.key = await at.site.link("all-owner"), await at.site.make_key()
    account = await at.account()
    await made(at.site, account_id=account.id, origin_owner_id=account.owner.id, origin_owner_name="Customer")
    for query in ({"page_size": "10"}, {"page_size": "20"}, {"page_size": "20"}):
        assert (await at.site.get(headers=None, **query)).status_code == 200
    redis = stack.enter_context(Redis.from_url(redis_url))
    places = Places(at.site, redis)
    assert await places.taken() == {"credential", "sessions", "memory", "Redis", "memo"}
    await unlink(at)

    async def empty() -> bool:
        return not await places.taken()

    await until(empty)


# --- caching is switched off ------------------------------------------------------------------------------


async def patch(site: Site, **cache: object) -> httpx.Response:
    answer = await site.client.patch(f"/accounts/{site.account}", json={"cache": cache}, auth=(site.key, ""))
    assert answer.status_code == 200, answer.text
    return answer


async def data_key(stores: Stores, site: Site) -> bytes:
    account = await stores.accounts.find(site.account)
    assert account is not None
    linked = await stores.accounts.find_account(account.project_id, account.id)
    assert linked is not None
    return linked.cipher.seal(b"planted", b"context")


@pytest.mark.parametrize(
    "off", [{"enabled": False}, {"max_fresh_seconds": 0}, {"max_fresh_seconds": 0, "max_stale_seconds": 0}]
)
async def test_switching_caching_off_empties_redis_and_the_memory_of_every_worker(
    environ: dict[str, str], stack: AsyncExitStack, redis_url: str, off: dict[str, object]
) -> None:
    one, two = await open_site(environ, stack), await open_site(environ, stack)
    one.account = two.account = await one.link("all-owner")
    one.key = two.key = await one.make_key()
    for site in (one, two):
        for _ in range(2):
            assert (await site.get(page_size="10")).status_code == 200
            assert (await site.get("/companies")).status_code == 200
    redis = stack.enter_context(Redis.from_url(redis_url))
    places = Places(one, redis)
    assert {"memory", "Redis"} <= await places.taken()
    kept = {key: redis.dump(key) for key in redis.scan_iter(f"{{{one.account}}}:*")}
    before = await data_key(one.stores, one)
    await patch(one, **off)

    async def empty() -> bool:
        gc.collect()
        held = [each for each in gc.get_objects() if isinstance(each, AccountLru) and one.account in each]
        return not held and not any(redis.scan_iter(f"{{{one.account}}}:*"))

    await until(empty)
    assert len(kept) > 5
    # What is left in a copy of Redis is sealed by a key that is no more.
    after = await data_key(one.stores, one)
    account = await one.stores.accounts.find(one.account)
    assert account is not None
    linked = await one.stores.accounts.find_account(account.project_id, account.id)
    assert linked is not None
    assert linked.cipher.open(after, b"context") == b"planted"
    with pytest.raises(Exception, match="not sealed by this key"):
        linked.cipher.open(before, b"context")
    # Reading goes on, and keeps nothing of what it reads.
    for site in (one, two):
        for _ in range(2):
            assert "hit" not in (await site.get(page_size="10")).headers["cache-status"]
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, AccountLru) and one.account in each]
    kinds = {key.decode().split(":")[1] for key in redis.scan_iter(f"{{{one.account}}}:*")}
    assert kinds <= {"generation", "keys", "lease"}, "random words, which say nothing of anybody"
    told = [entry.what for entry in await one.stores.audit.read(account_id=one.account)]
    assert told.count(AuditEvent("account.cache_erased")) == 1


async def test_caching_that_is_switched_on_again_works_at_once(site: Site) -> None:
    assert (await site.get()).status_code == 200
    await patch(site, enabled=False)
    assert "hit" not in (await site.get()).headers["cache-status"]
    await patch(site, enabled=True)
    assert "stored" in (await site.get()).headers["cache-status"]
    assert "hit" in (await site.get()).headers["cache-status"]


async def test_a_change_that_leaves_caching_on_erases_nothing(
    site: Site, redis_url: str, stack: AsyncExitStack
) -> None:
    redis = stack.enter_context(Redis.from_url(redis_url))
    assert (await site.get()).status_code == 200
    kept = set(redis.scan_iter(f"{{{site.account}}}:*"))
    sealed = await data_key(site.stores, site)
    await patch(site, max_fresh_seconds=60)
    account = await site.stores.accounts.find(site.account)
    assert account is not None
    linked = await site.stores.accounts.find_account(account.project_id, account.id)
    assert linked is not None
    assert linked.cipher.open(sealed, b"context") == b"planted"
    assert kept <= set(redis.scan_iter(f"{{{site.account}}}:*"))
