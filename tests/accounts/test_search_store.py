"""Accounts of all projects are searched, counted and paged by the database, in any number."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import insert

from gateway.accounts.rows import write_account
from gateway.accounts.search import Search
from gateway.app.stores import Stores
from gateway.db.engine import writing
from gateway.db.schema import accounts, credentials
from gateway.model import Account, Owner, Status
from tests.fixtures.databases import START, TOKEN, new_account


async def stored(stores: Stores, account_id: str, project: str = "acme", **owner: str) -> Account:
    account = await new_account(stores, account_id, project)
    named = replace(account, owner=Owner(**{"id": f"id of {account_id}", "name": f"Name of {account_id}", **owner}))
    return await stores.accounts.store(named, TOKEN)


# What is searched for, and whom it finds.
SEARCHES: list[tuple[str, set[str]]] = [
    ("", {"a1", "a2", "b1"}),
    ("name of A", {"a1", "a2"}),
    ("id of b", {"b1"}),
    ("a2", {"a2"}),
    ("100%", {"b1"}),
    ("%", {"b1"}),
    ("_", set()),
    ("\\", set()),
    ("' OR 1=1 --", set()),
    ("nobody", set()),
]


async def test_text_is_looked_for_in_names_ids_and_labels(stores: Stores) -> None:
    await stored(stores, "a1")
    await stored(stores, "a2")
    account = await stored(stores, "b1", "beta")
    await stores.accounts.update(replace(account, label="100% ours"))
    for text, found in SEARCHES:
        search = Search(text=text)
        assert {each.id for each in await stores.account_search.search(search)} == found, text
        assert sum((await stores.account_search.count(search)).values()) == len(found), text


async def test_projects_providers_and_states_narrow(stores: Stores) -> None:
    first = await stored(stores, "a1")
    await stored(stores, "b1", "beta")
    await stores.accounts.mark("b1", Status.ERROR, None)
    register = stores.account_search
    assert [each.id for each in await register.search(Search(project_id=first.project_id))] == ["a1"]
    assert [each.id for each in await register.search(Search(status=Status.ERROR))] == ["b1"]
    assert await register.search(Search(provider="other")) == []
    assert await register.count(Search()) == {Status.ACTIVE: 1, Status.ERROR: 1}
    assert await register.count(Search(status=Status.ERROR)) == {Status.ACTIVE: 1, Status.ERROR: 1}


async def test_ten_thousand_accounts_are_paged_the_latest_first(stores: Stores) -> None:
    account = await new_account(stores)
    rows = [
        write_account(replace(account, id=f"a{number:05d}", revision=1, created_at=START + timedelta(seconds=number)))
        for number in range(10_000)
    ]
    async with writing(stores.engine) as connection:
        await connection.execute(insert(accounts), rows)
        damaged = {"master_key_id": "", "wrapped_key": b"", "sealed": b"", "owner_sealed": b"", "updated_at": START}
        await connection.execute(insert(credentials), [{"account_id": row["id"], **damaged} for row in rows])
    page = await stores.account_search.search(Search(skip=9_950, most=25))
    assert [each.id for each in page] == [f"a{number:05d}" for number in range(49, 24, -1)]
    assert await stores.account_search.count(Search(text="a0999")) == {Status.ACTIVE: 10}
    assert [each.id for each in await stores.account_search.search(Search(text="A00042"))] == ["a00042"]
