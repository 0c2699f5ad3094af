"""Each way to unlink an account, or to switch its caching off, purges each place that has something of it.

The places are those of `PURGE_ORDER`. Three gateways run in this process: two share a Redis, one has its own.
"""

import asyncio
import gc
import os
import sqlite3
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from redis import Redis

from gateway.accounts.unlink import PURGE_ORDER, PurgePlace
from gateway.app.stores import Stores
from gateway.audit.events import AuditEvent
from gateway.auth.api_key import new_id
from gateway.cache.embedded_redis import embedded_server
from gateway.cache.local import LocalCache
from gateway.cache.lru import AccountLru
from gateway.cache.tombstones import Tombstones
from gateway.model import LinkedAccount
from gateway.unified.block_cache import BlockCache
from tests.accounts.test_lifecycle import in_files, in_redis, in_tables, linked_in_the_hub, planted, until
from tests.fakes.heap import alive, texts_with
from tests.fixtures.dashboard_browser import Operator, open_dashboard
from tests.fixtures.gateway import Sandbox, Site, open_site
from tests.fixtures.linking import Time, hub, made
from tests.fixtures.public_gateway import endpoints
from tests.fixtures.receiver import Receiver
from tests.fixtures.webhooks import LOCAL, ask, fixture_receiver
from tests.fixtures.writes import fixture_own_sandbox, hired

__all__ = ["fixture_own_sandbox", "fixture_receiver"]

ROOT = Path(__file__).parents[2]
OWNER = {"origin_owner_id": "planted-owner", "origin_owner_name": "Planted Ltd", "origin_username": "planted-user"}


@dataclass
class Gateways:
    """`operator` is at the dashboard of the first; the account was used in all of them."""

    operator: Operator
    sites: tuple[Site, Site, Site]
    redis: tuple[Redis, Redis]
    sandbox: Sandbox
    open_session: str
    needles: dict[str, bytes]
    person: str

    @property
    def account(self) -> str:
        return self.sites[0].account

    @property
    def path(self) -> Path:
        return Path(self.sites[0].settings.database.url.removeprefix("sqlite:///"))


async def in_the_api(at: Gateways) -> None:
    await ask(at.sites[0], "DELETE", f"/accounts/{at.account}")


async def in_the_dashboard(at: Gateways) -> None:
    await at.operator.sign_in()
    answer = await at.operator.send(f"/accounts/{at.account}/unlink", {"confirmation": "unlink"})
    assert answer.status_code == 303, answer.text


async def on_the_command_line_that_knows_no_redis(at: Gateways) -> None:
    """As beside a gateway with its own embedded Redis, which no other process can reach."""
    await on_the_command_line(at, "")


async def on_the_command_line_that_shares_redis(at: Gateways) -> None:
    await on_the_command_line(at, at.sites[0].settings.redis.url)


async def on_the_command_line(at: Gateways, redis_url: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    settings = at.sites[0].settings
    own = {
        "GATEWAY_DATABASE_URL": settings.database.url,
        "GATEWAY_REDIS_URL": redis_url,
        "GATEWAY_VAULT_MASTER_KEY": b64encode(settings.vault.key).decode(),
        "GATEWAY_HUMAANS_BASE_URL": at.sandbox.url,
        "PYTHONPATH": str(ROOT),
    }
    words = (sys.executable, "-m", "gateway", "accounts", "unlink", at.account)
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, env={**clean, **own})
    assert await process.wait() == 0


async def at_another_node_that_shares_redis(at: Gateways) -> None:
    await ask(at.sites[1], "DELETE", f"/accounts/{at.account}", key=at.sites[0].key)


async def at_another_node_with_its_own_redis(at: Gateways) -> None:
    await ask(at.sites[2], "DELETE", f"/accounts/{at.account}", key=at.sites[0].key)


# --- the places ---------------------------------------------------------------------------------------------


def at_the_vendor(at: Gateways) -> bool:
    return any(each["url"].endswith(f"/{at.account}") for each in endpoints(at.sandbox))


def in_rows(at: Gateways) -> bool:
    """The audit log and the log of deliveries tell that the account was there, by its id alone."""
    found = in_tables(at.path, at.needles) - {("audit_log", "id"), ("webhook_deliveries", "id")}
    with sqlite3.connect(at.path) as connection:
        [payloads] = connection.execute("SELECT count(payload) FROM webhook_deliveries").fetchone()
    connection.close()
    return bool(found or payloads)


def no_tombstone(at: Gateways) -> bool:
    """Each gateway has one for Redis, and one for decoded lists."""
    return sum(at.account in each for each in alive(Tombstones)) < 2 * len(at.sites)


def in_memos(at: Gateways) -> bool:
    return any(each.account.id == at.account for each in alive(LinkedAccount))


def in_local_answers(at: Gateways) -> bool:
    return any(holds(each, at.account) for each in alive(LocalCache))


def in_decoded_lists(at: Gateways) -> bool:
    return any(holds(each, at.account) for each in alive(BlockCache))


def holds(cache: object, account: str) -> bool:
    return any(isinstance(each, AccountLru) and account in each for each in vars(cache).values())


def in_any_redis(at: Gateways) -> bool:
    return any(in_redis(each, at.needles) for each in at.redis)


def in_database_files(at: Gateways) -> bool:
    return any(in_files(at.path, needle) for name, needle in at.needles.items() if name != "id")


CHECKS: dict[PurgePlace, Callable[[Gateways], bool]] = {
    PurgePlace.VENDOR_WEBHOOK: at_the_vendor,
    PurgePlace.ROWS: in_rows,
    PurgePlace.TOMBSTONE: no_tombstone,
    PurgePlace.MEMO: in_memos,
    PurgePlace.LOCAL_ANSWERS: in_local_answers,
    PurgePlace.DECODED_LISTS: in_decoded_lists,
    # All gateways are in this process, so that each check of the memory is one of the other workers.
    PurgePlace.OTHER_WORKERS: in_local_answers,
    PurgePlace.REDIS: in_any_redis,
    PurgePlace.FILES: in_database_files,
}


def not_purged(at: Gateways) -> set[PurgePlace]:
    gc.collect()
    return {place for place, check in CHECKS.items() if check(at)}


# --- the table ----------------------------------------------------------------------------------------------


@pytest.fixture
async def gateways(
    environ: dict[str, str],
    stack: AsyncExitStack,
    redis_url: str,
    sandbox: Sandbox,
    receiver: Receiver,
    clock: Time,
) -> Gateways:
    """Everything that there can be of an account is there: an employee of its company has a planted name."""
    own = {
        **environ,
        **LOCAL,
        # For longer than the test: what is gone was purged, and did not end by itself.
        "GATEWAY_ACCOUNTS_CACHE_SECONDS": "60",
        "GATEWAY_ACCOUNTS_USAGE_FLUSH_SECONDS": "0.05",
        "GATEWAY_RECORD_EVENTS_SCAN_SECONDS": "0.05",
        # Where our webhook is registered; nothing is sent there.
        "GATEWAY_SERVER_PUBLIC_URL": "http://127.0.0.1:9",
        "GATEWAY_SERVER_WORKERS": "1",
    }
    operator = await open_dashboard(own, stack, clock)
    own["GATEWAY_VAULT_MASTER_KEY"] = b64encode(operator.site.settings.vault.key).decode()
    private = stack.enter_context(embedded_server())
    one, two = operator.site, await open_site(own, stack)
    three = await open_site({**own, "GATEWAY_REDIS_URL": private}, stack)
    one.key = two.key = three.key = await one.make_key()
    webhook = await ask(one, "POST", "/webhooks", {"url": receiver.url, "events": ["account.*"]}, status=201)
    one.account, _ = await linked_in_the_hub(one, **OWNER, label="planted label")
    # Only now: watches of accounts that are linked later are created once a minute.
    await ask(one, "PATCH", f"/webhooks/{webhook['id']}", {"events": ["account.*", "hris_employees.*"]})
    two.account = three.account = one.account
    session = await made(one, **OWNER)
    person = f"planted-{new_id()}"
    created = await one.client.post(
        "/unified/hris/employees",
        json=hired(person),
        auth=(one.key, ""),
        headers={"x-account-id": one.account, "idempotency-key": "planted-key"},
    )
    assert created.status_code == 201, created.text
    for site in (one, two, three):
        for query in ({"page_size": "100"}, {"page_size": "90"}, {"page_size": "90"}):
            answer = await site.get(headers=None, **query)
            assert answer.status_code == 200, answer.text
    path = Path(one.settings.database.url.removeprefix("sqlite:///"))

    async def rows() -> bool:
        with sqlite3.connect(path) as connection:
            tables = ("record_hashes", "account_usage WHERE hits > 0", "webhook_deliveries WHERE state = 'delivered'")
            counts = [connection.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in tables]
        connection.close()
        return all(counts)

    await until(rows, seconds=60)
    needles = planted(path, one.account, session["token"])
    redis = stack.enter_context(Redis.from_url(redis_url)), stack.enter_context(Redis.from_url(private))
    return Gateways(operator, (one, two, three), redis, sandbox, session["token"], needles, person)


@pytest.mark.parametrize(
    "unlink",
    [
        in_the_api,
        in_the_dashboard,
        on_the_command_line_that_knows_no_redis,
        on_the_command_line_that_shares_redis,
        at_another_node_that_shares_redis,
        at_another_node_with_its_own_redis,
    ],
)
async def test_each_way_to_unlink_purges_each_place(
    gateways: Gateways, unlink: Callable[[Gateways], Awaitable[None]]
) -> None:
    assert set(CHECKS) == set(PURGE_ORDER)
    assert not_purged(gateways) == set(CHECKS)
    assert texts_with(gateways.person)
    await unlink(gateways)

    left = not_purged(gateways)
    with suppress(TimeoutError):
        async with asyncio.timeout(40):
            while left:
                await asyncio.sleep(0.2)
                left = not_purged(gateways)
    assert left == set()
    assert [(await site.get()).status_code for site in gateways.sites] == [404, 404, 404]
    over = await hub(gateways.sites[0], gateways.open_session, "GET", "/settings")
    assert over.status_code == 400, over.text
    # No row of the vendor's is left in any gateway's memory, wherever that may be.
    assert texts_with(gateways.person) == []


async def test_the_hub_has_no_way_to_unlink(site: Site) -> None:
    """Its component asks the product's backend, which calls the API."""
    account, _ = await linked_in_the_hub(site)
    session = await made(site, account_id=account)
    refused = await hub(site, session["token"], "DELETE", f"/accounts/{account}")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, PATCH")


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
    assert all(any(holds(each, one.account) for each in alive(kind)) for kind in (LocalCache, BlockCache))
    kept = {key: redis.dump(key) for key in redis.scan_iter(f"{{{one.account}}}:*")}
    before = await data_key(one.stores, one)
    await patch(one, **off)

    async def empty() -> bool:
        gc.collect()
        in_memory = any(one.account in each for each in alive(AccountLru))
        return not in_memory and not any(redis.scan_iter(f"{{{one.account}}}:*"))

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
    assert not any(one.account in each for each in alive(AccountLru))
    kinds = {key.decode().split(":")[1] for key in redis.scan_iter(f"{{{one.account}}}:*")}
    assert kinds <= {"generation", "keys", "lease"}, "random words, which say nothing of anybody"
    told = [entry.what for entry in await one.stores.audit.read(account_id=one.account)]
    assert told.count(AuditEvent("account.cache_purged")) == 1


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
