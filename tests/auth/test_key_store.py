"""Projects and client keys: a key is known by its digest until it is revoked, and its use is noted."""

import asyncio

from sqlalchemy import text

from gateway.app.stores import Stores
from gateway.db.engine import open_engine, writing
from tests.fixtures.databases import START, Time


async def test_a_key_is_found_by_its_secret_until_it_is_revoked(stores: Stores) -> None:
    project = await stores.keys.ensure_project("acme")
    key, secret = await stores.keys.create_key(project.id, ["hris.*:read"])
    found = await stores.accounts.find_key(secret.reveal)
    assert found == key
    assert (key.scopes, key.prefix) == (frozenset({"hris.*:read"}), secret.reveal[:12])
    revoked = await stores.keys.revoke_key(key.prefix)
    assert revoked is not None
    assert revoked.revoked_at == START
    assert await stores.accounts.find_key(secret.reveal) is None
    assert await stores.keys.revoke_key("hrk_nobody12") is None


async def test_an_unknown_key_is_nobody_and_becomes_known_when_the_memory_ends(stores: Stores, time: Time) -> None:
    project = await stores.keys.ensure_project("acme")
    key, secret = await stores.keys.create_key(project.id, ["*"])
    await stores.keys.revoke_key(key.id)
    assert await stores.accounts.find_key(secret.reveal) is None
    time.passed = 5
    assert await stores.accounts.find_key(secret.reveal) is None


async def test_the_use_of_a_key_is_noted_once_a_minute(stores: Stores, time: Time) -> None:
    project = await stores.keys.ensure_project("acme")
    _, secret = await stores.keys.create_key(project.id, ["*"])
    seen = []
    for second in (10, 40, 69, 72, 100):
        time.passed = second
        await stores.accounts.find_key(secret.reveal)
        await stores.keys.close()
        [key] = await stores.keys.all()
        assert key.last_used_at is not None
        seen.append((key.last_used_at - START).total_seconds())
    assert seen == [10, 10, 10, 72, 72]


async def test_a_use_that_cannot_be_noted_fails_no_request(stores: Stores, url: str) -> None:
    project = await stores.keys.ensure_project("acme")
    _, secret = await stores.keys.create_key(project.id, ["*"])
    engine = open_engine(url)
    async with writing(engine) as connection:
        await connection.execute(text("ALTER TABLE api_keys RENAME COLUMN last_used_at TO elsewhere"))
        await connection.execute(text("CREATE VIEW k AS SELECT *, NULL AS last_used_at FROM api_keys"))
        await connection.execute(text("ALTER TABLE api_keys RENAME TO real_keys"))
        await connection.execute(text("ALTER TABLE projects RENAME TO real_projects"))
        await connection.execute(text("DROP VIEW k"))
        await connection.execute(
            text("CREATE VIEW api_keys AS SELECT *, CAST(NULL AS TIMESTAMP) AS last_used_at FROM real_keys")
        )
    await engine.dispose()
    # A view can be read and not be written to.
    assert await stores.accounts.find_key(secret.reveal) is not None
    await stores.keys.close()


async def test_a_project_that_two_ask_for_at_once_is_made_once(stores: Stores) -> None:
    made = await asyncio.gather(*(stores.keys.ensure_project("acme") for _ in range(8)))
    assert len({project.id for project in made}) == 1
    assert await stores.keys.find_project("acme") == made[0]
    assert await stores.keys.find_project("nobody") is None
    assert list(await stores.keys.projects()) == [made[0]]
