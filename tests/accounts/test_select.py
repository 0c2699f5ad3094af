"""The platform API's door to the database: accounts are chosen, paged and amended in it; on SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.app.stores import Stores
from gateway.errors import Conflict
from gateway.model import Account, AccountFilter, Owner, Status
from tests.fixtures.databases import START, TOKEN, must_find, new_account


async def fill(stores: Stores) -> str:
    """Store five accounts of one project, made in the order of their numbers though not stored in it, and a stranger's.

    The second and third were made at the same moment.
    """
    account = await new_account(stores)
    for number in (4, 3, 5, 1, 2):
        await stores.accounts.store(
            replace(
                account,
                id=f"a{number}",
                provider="other" if number == 5 else "humaans",
                owner=Owner(id=f"owner {number % 2}", name="Customer"),
                status=Status.ERROR if number == 4 else Status.ACTIVE,
                created_at=START + timedelta(seconds=2 if number == 3 else number),
            ),
            TOKEN,
        )
    await stores.accounts.store(await new_account(stores, "s1", "stranger"), TOKEN)
    return account.project_id


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        (AccountFilter(most=9), "a1 a2 a3 a4 a5"),
        (AccountFilter(most=2), "a1 a2"),
        (AccountFilter(most=2, skip=2), "a3 a4"),
        (AccountFilter(most=2, skip=4), "a5"),
        (AccountFilter(most=2, skip=6), ""),
        (AccountFilter(most=9, ids=("a3", "a1", "s1", "nobody")), "a1 a3"),
        (AccountFilter(most=9, providers=("other",)), "a5"),
        (AccountFilter(most=9, providers=("other", "humaans"), skip=3), "a4 a5"),
        (AccountFilter(most=9, owner_ids=("owner 0",)), "a2 a4"),
        (AccountFilter(most=9, statuses=(Status.ERROR, Status.EXPIRED)), "a4"),
        (AccountFilter(most=9, statuses=(Status.ACTIVE,), owner_ids=("owner 1",), providers=("humaans",)), "a1 a3"),
        (AccountFilter(most=9, statuses=(Status.EXPIRED,)), ""),
    ],
)
async def test_accounts_of_a_project_are_chosen_oldest_first(stores: Stores, choice: AccountFilter, ids: str) -> None:
    project_id = await fill(stores)
    assert [account.id for account in await stores.accounts.select(project_id, choice)] == ids.split()


async def test_a_chosen_account_is_whole(stores: Stores) -> None:
    stored = await stores.accounts.store(await new_account(stores), TOKEN)
    assert await stores.accounts.select(stored.project_id, AccountFilter(ids=("a1",))) == [stored]


async def test_amending_keeps_credential_and_data_key_and_is_seen_at_once(stores: Stores) -> None:
    stored = await stores.accounts.store(await new_account(stores), TOKEN)
    before = await must_find(stores, stored)
    sealed = before.cipher.seal(b"kept", b"here")
    amended = await stores.accounts.update(replace(stored, label="new", setup_information={}))
    assert amended == replace(stored, label="new", setup_information={}, revision=2)
    after = await must_find(stores, stored)
    assert (after.account, after.credential, after.cipher.open(sealed, b"here")) == (amended, TOKEN, b"kept")


async def test_what_was_changed_or_unlinked_since_is_not_amended(stores: Stores) -> None:
    stored = await stores.accounts.store(await new_account(stores), TOKEN)
    stranger = await stores.keys.ensure_project("stranger")
    with pytest.raises(Conflict):
        await stores.accounts.update(replace(stored, project_id=stranger.id, label="stolen"))
    amended = await stores.accounts.update(replace(stored, label="first"))
    with pytest.raises(Conflict):
        await stores.accounts.update(replace(stored, label="second"))
    assert await stores.accounts.find("a1") == amended
    await stores.accounts.unlink(stored.project_id, "a1")
    with pytest.raises(Conflict):
        await stores.accounts.update(amended)
    assert await stores.accounts.find("a1") is None


async def test_of_many_changes_at_once_one_is_kept_and_the_rest_are_told(stores: Stores) -> None:
    stored = await stores.accounts.store(await new_account(stores), TOKEN)
    changes = [stores.accounts.update(replace(stored, label=f"label {number}")) for number in range(8)]
    done = await asyncio.gather(*changes, return_exceptions=True)
    kept = [each for each in done if isinstance(each, Account)]
    assert [each.label for each in kept] == [(await must_find(stores, stored)).account.label]
    assert [type(each) for each in done if not isinstance(each, Account)] == [Conflict] * 7
