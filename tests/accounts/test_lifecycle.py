"""The life of an account in a running gateway: who did what is told, idle tokens are checked, nothing outlives it."""

import asyncio
import hashlib
import json
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from deploy.sandbox.tokens import by_name
from gateway.accounts.unlink import unlink
from gateway.accounts.usage import Usage
from gateway.audit.change_log import change_log
from gateway.audit.events import AuditEvent, AuditFact, AuditRecord
from gateway.auth.api_key import new_id
from gateway.model import AT_A_CHECK, Actor
from gateway.observability.logs import make_logger
from tests.fixtures.gateway import Sandbox, Site, now, open_site
from tests.fixtures.linking import hub, made, order
from tests.fixtures.writes import fixture_own_sandbox, hired

__all__ = ["fixture_own_sandbox"]

TOKEN = by_name("all-owner").token


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Waits until something holds; fails after some seconds."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - it is another process that makes it so
            await asyncio.sleep(0.05)


async def linked_in_the_hub(site: Site, **wish: object) -> tuple[str, int]:
    """Link an account as a customer does; gives its id, and the number of the session."""
    session = await made(site, **wish)
    answer = await hub(site, session["token"], "POST", "/accounts", order(TOKEN))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], session["id"]


# --- unlinking ----------------------------------------------------------------------------------------------


def database_of(site: Site) -> Path:
    return Path(site.settings.database.url.removeprefix("sqlite:///"))


def in_tables(path: Path, needles: dict[str, bytes]) -> set[tuple[str, str]]:
    """Returns which needle is in which table."""
    with sqlite3.connect(path) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = set()
        for table in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):
                cells = [cell if isinstance(cell, bytes) else str(cell).encode() for cell in row]
                found |= {(table, name) for name, needle in needles.items() for cell in cells if needle in cell}
    connection.close()
    return found


def in_files(path: Path, needle: bytes) -> int:
    """Counts a needle, in another process: SQLite's locks end when its own process closes such a file."""
    files = path.parent.glob(f"{path.name}*")
    return subprocess.run(["cat", *files], check=True, capture_output=True).stdout.count(needle)


def in_redis(redis: Redis, needles: dict[str, bytes]) -> set[str]:
    """Returns which needles are in keys or values of any kind."""
    held = [key + b"\0" + (redis.dump(key) or b"") for key in redis.scan_iter()]
    return {name for name, needle in needles.items() if any(needle in each for each in held)}


async def by_the_api(site: Site) -> None:
    answer = await site.client.delete(f"/accounts/{site.account}", auth=(site.key, ""))
    assert answer.status_code == 200, answer.text


async def at_the_command_line(site: Site) -> None:
    """As a process that cannot reach the cache."""
    project = (await site.stores.keys.ensure_project("demo")).id
    await unlink(project, site.account, site.stores.accounts)


def planted(path: Path, account: str, session_token: str) -> dict[str, bytes]:
    """Returns what must be gone after an unlink, as its bytes stand in the database, by what it is."""
    with sqlite3.connect(path) as connection:
        [wrapped, sealed] = connection.execute("SELECT wrapped_key, sealed FROM credentials").fetchone()
    connection.close()
    return {
        "id": account.encode(),
        "token": TOKEN.encode(),
        "data key": wrapped,
        "credential": sealed,
        "owner id": b"planted-owner",
        "owner name": b"Planted Ltd",
        "user": b"planted-user",
        "label": b"planted label",
        "session": hashlib.sha256(session_token.encode()).hexdigest().encode(),
        "repeat": hashlib.sha256(b"planted-key").hexdigest().encode(),
    }


@pytest.mark.parametrize("unlinking", [by_the_api, at_the_command_line])
async def test_a_second_after_unlinking_only_the_trail_has_the_account_and_only_its_id(
    environ: dict[str, str],
    stack: AsyncExitStack,
    sandbox: Sandbox,
    redis_url: str,
    unlinking: Callable[[Site], Awaitable[None]],
) -> None:
    """Two workers have all that there can be of it, and one of them is in the middle of a read."""
    environ = {**environ, "GATEWAY_ACCOUNTS_CACHE_SECONDS": "2", "GATEWAY_ACCOUNTS_USAGE_FLUSH_SECONDS": "0.1"}
    one, two = await open_site(environ, stack), await open_site(environ, stack)
    one.key = two.key = await one.make_key()
    owner = {"origin_owner_id": "planted-owner", "origin_owner_name": "Planted Ltd", "origin_username": "planted-user"}
    one.account, _ = await linked_in_the_hub(one, **owner, label="planted label")
    two.account = one.account
    open_session = await made(one, **owner)
    await made(one, **owner, account_id=one.account)
    for site in (one, two):
        assert (await site.get()).status_code == 200
        assert (await site.get("/companies")).status_code == 200
    # The company is this module's own, for here somebody is hired.
    created = await one.client.post(
        "/unified/hris/employees",
        json=hired(f"planted-{new_id()}"),
        auth=(one.key, ""),
        headers={"x-account-id": one.account, "idempotency-key": "planted-key"},
    )
    assert created.status_code == 201, created.text
    assert (await one.get()).status_code == 200
    path = database_of(one)
    with sqlite3.connect(path) as connection:
        [counted] = connection.execute("SELECT count(*) FROM account_usage").fetchone()
    connection.close()
    needles = planted(path, one.account, open_session["token"])
    before = in_tables(path, needles)
    assert {table for table, _ in before} >= {
        *"accounts account_usage audit_log connect_sessions credentials idempotency".split()
    }
    assert {name for _, name in before} == {*needles} - {"token"}
    assert counted == 1
    with Redis.from_url(redis_url) as redis:
        kept = {key: redis.dump(key) for key in redis.scan_iter(f"{{{one.account}}}:*")}
        assert len(kept) > 3
        sandbox.steer("POST", "/faults", {"kind": "latency", "seconds": 0.7, "path": "/people", "times": 1})
        reading = asyncio.ensure_future(two.get(headers={"cache-control": "no-cache"}))
        await asyncio.sleep(0.2)

        await unlinking(one)
        await asyncio.sleep(1)

        assert (await reading).status_code == 200
        assert in_redis(redis, needles) == set()
        values = {redis.dump(key) for key in redis.scan_iter()}
        assert not values & set(kept.values())
    assert in_tables(path, needles) == {("audit_log", "id")}
    rows = len(await one.stores.audit.read(account_id=one.account))
    # In each row, and in the index over them.
    assert {name: in_files(path, needle) for name, needle in needles.items()} == dict.fromkeys(needles, 0) | {
        "id": 2 * rows
    }
    assert [(await site.get()).status_code for site in (one, two)] == [404, 404]
    over = await hub(one, open_session["token"], "GET", "/settings")
    assert over.status_code == 400, over.text


# --- who did what -------------------------------------------------------------------------------------------


async def test_the_trail_tells_who_did_it_and_from_where(site: Site, sandbox: Sandbox) -> None:
    account, session = await linked_in_the_hub(site)
    patched = await site.client.patch(f"/accounts/{account}", json={"label": "new"}, auth=(site.key, ""))
    assert patched.status_code == 200, patched.text
    again = await made(site, account_id=account)
    relinked = await hub(site, again["token"], "PATCH", f"/accounts/{account}", order(TOKEN))
    assert relinked.status_code == 200, relinked.text
    sandbox.steer("POST", "/faults", {"kind": "unauthorized"})
    assert (await site.get(account=account)).status_code == 412
    sandbox.reset()
    await site.client.delete(f"/accounts/{account}", auth=(site.key, ""))
    key = next(each.id for each in await site.stores.keys.all() if site.key.startswith(each.prefix))
    entries = await site.stores.audit.read(account_id=account)
    assert [(entry.what, entry.by.kind, entry.by.id, entry.by.address) for entry in reversed(entries)] == [
        (AuditEvent.LINKED, "session", str(session), "127.0.0.1"),
        (AuditEvent.UPDATED, "key", key, "127.0.0.1"),
        (AuditEvent.SESSION_CREATED, "key", key, "127.0.0.1"),
        (AuditEvent.RELINKED, "session", str(again["id"]), "127.0.0.1"),
        (AuditEvent.ERROR, "gateway", "call", ""),
        (AuditEvent.UNLINKED, "key", key, "127.0.0.1"),
    ]


async def test_each_change_has_a_line_in_the_log_without_whose_account_it_is(
    capfd: pytest.CaptureFixture[str],
) -> None:
    hear = change_log(make_logger("info"))
    lost = AuditFact(AuditEvent.SCOPES_CHANGED, {"gained": ["pay"], "lost": ["public:read", "private:read"]})
    facts = (AuditFact(AuditEvent.RECOVERED, {"from": "error"}), lost)
    change = AuditRecord(at=now(), by=AT_A_CHECK, project_id="p1", account_id="a1", facts=facts)
    await hear(change)
    await hear(replace(change, account_id=None, key_id="k1", facts=(AuditFact(AuditEvent.KEY_REVOKED),)))
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    for line in lines:
        del line["timestamp"]
    told = {"level": "info", "by": "gateway check"}
    assert lines == [
        {**told, "event": "account.recovered", "account": "a1", "detail": "from: error"},
        {
            **told,
            "event": "account.scopes_changed",
            "account": "a1",
            "detail": "gained: pay; lost: public:read private:read",
        },
        {**told, "event": "key.revoked", "key": "k1", "detail": ""},
    ]


# --- beside the requests ------------------------------------------------------------------------------------


async def test_an_idle_account_follows_its_token_without_a_call(
    environ: dict[str, str], stack: AsyncExitStack, sandbox: Sandbox
) -> None:
    short = dict.fromkeys(("IDLE", "USED", "FAILED"), "0.3")
    rules = {f"GATEWAY_VERIFICATION_{name}_SECONDS": seconds for name, seconds in short.items()}
    site = await open_site({**environ, **rules, "GATEWAY_VERIFICATION_PER_MINUTE": "6000"}, stack)
    site.account = await site.link("all-owner")

    async def told() -> list[tuple[AuditEvent, Actor]]:
        entries = await site.stores.audit.read(account_id=site.account)
        return [(entry.what, entry.by) for entry in reversed(entries)][1:]

    async def refused() -> bool:
        return await told() == [(AuditEvent.ERROR, AT_A_CHECK)]

    async def recovered() -> bool:
        return await told() == [(AuditEvent.ERROR, AT_A_CHECK), (AuditEvent.RECOVERED, AT_A_CHECK)]

    sandbox.steer("POST", "/faults", {"kind": "unauthorized"})
    await until(refused)
    sandbox.reset()
    await until(recovered)


async def test_calls_are_counted_for_each_account(
    environ: dict[str, str], stack: AsyncExitStack, sandbox: Sandbox
) -> None:
    site = await open_site({**environ, "GATEWAY_ACCOUNTS_USAGE_FLUSH_SECONDS": "0.05"}, stack)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    idle = await site.link("all-owner")
    for _ in range(3):
        assert (await site.get()).status_code == 200
    assert (await site.get(key="hrk_unknown")).status_code == 401
    assert (await site.get(nonsense="1")).status_code == 400
    assert (await site.get(account="nobody")).status_code == 404
    sandbox.steer("POST", "/faults", {"kind": "server_error"})
    assert (await site.get(headers={"cache-control": "no-cache"})).status_code == 502

    async def usage() -> Usage:
        return (await site.stores.usage.read([site.account]))[site.account]

    async def counted() -> bool:
        return (await usage()).errors > 0

    await until(counted)
    found = await usage()
    assert (found.hits, found.misses, found.errors, found.error_code) == (2, 1, 1, "ProviderError")
    assert found.called_at is not None
    assert found.proven_at is not None
    assert found.error_at == found.called_at >= found.proven_at
    other = (await site.stores.usage.read([idle]))[idle]
    assert (other.hits, other.misses, other.errors, other.called_at) == (0, 0, 0, None)


@pytest.mark.parametrize(
    ("header", "address"),
    [("", "127.0.0.1"), ("x-forwarded-for", "198.51.100.1"), ("x-real-ip", "203.0.113.9")],
)
async def test_the_trail_says_from_where_as_the_operators_proxy_tells(
    environ: dict[str, str], stack: AsyncExitStack, header: str, address: str
) -> None:
    """A client's own word for its address is not believed: it stands before the proxy's, or where nobody looks."""
    site = await open_site({**environ, "GATEWAY_SERVER_ADDRESS_HEADER": header}, stack)
    key, account = await site.make_key(), await site.link("all-owner")
    answer = await site.client.patch(
        f"/accounts/{account}",
        json={"label": "new"},
        auth=(key, ""),
        headers={"x-forwarded-for": "10.0.0.1, 198.51.100.1", "x-real-ip": "203.0.113.9"},
    )
    assert answer.status_code == 200
    [newest, *_] = await site.stores.audit.read(account_id=account)
    assert (newest.what, newest.by.address) == (AuditEvent.UPDATED, address)
