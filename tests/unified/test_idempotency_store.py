"""Idempotency keys in the database: one process of many reserves a key, and unlinking deletes it."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from gateway.app.stores import Stores
from gateway.model import IdempotencyKey, IdempotencyState
from tests.fixtures.databases import START, TOKEN, Time, new_account, open_database

ROOT = Path(__file__).parents[2]
SINCE = START - timedelta(days=1)
TAKE = """
import asyncio, sys
from datetime import timedelta
from gateway.model import IdempotencyKey
from tests.fixtures.databases import START, Time, open_database

async def take():
    database = open_database(sys.argv[1], Time())
    since = START - timedelta(days=1)
    taken = [await database.idempotency.begin(IdempotencyKey("a1", f"k{number}", "r"), START, since) is None
             for number in range(20)]
    await database.close()
    print(sum(taken))

asyncio.run(take())
"""


async def account_in(stores: Stores) -> None:
    await stores.accounts.store(await new_account(stores), TOKEN)


async def test_the_result_of_a_write_is_returned_to_later_requests(stores: Stores, url: str, time: Time) -> None:
    await account_in(stores)
    turn = IdempotencyKey("a1", "key", "request")
    assert await stores.idempotency.begin(turn, START, SINCE) is None
    begun = await stores.idempotency.begin(IdempotencyKey("a1", "key", "other"), START, SINCE)
    assert begun is not None
    assert (begun.request, begun.state, begun.created_at) == ("request", IdempotencyState.STARTED, START)
    await stores.idempotency.end(turn, IdempotencyState.DONE, 201, b"sealed")
    other = open_database(url, time)
    done = await other.idempotency.begin(turn, START + timedelta(hours=23), SINCE)
    assert done is not None
    assert (done.state, done.status, done.sealed) == (IdempotencyState.DONE, 201, b"sealed")
    await other.close()


async def test_a_key_that_is_released_or_expired_is_free(stores: Stores) -> None:
    await account_in(stores)
    turn, old = IdempotencyKey("a1", "key", "request"), IdempotencyKey("a1", "old", "request")
    await stores.idempotency.begin(turn, START, SINCE)
    await stores.idempotency.release(turn)
    assert await stores.idempotency.begin(turn, START, SINCE) is None
    await stores.idempotency.begin(old, START - timedelta(hours=1), SINCE)
    assert await stores.idempotency.begin(turn, START, START) is not None
    # Expired records of all keys are deleted.
    assert await stores.idempotency.begin(old, START, SINCE) is None


async def test_keys_are_those_of_one_account_and_end_with_it(stores: Stores) -> None:
    await account_in(stores)
    await stores.accounts.store(await new_account(stores, "a2"), TOKEN)
    turn = IdempotencyKey("a1", "key", "request")
    assert await stores.idempotency.begin(turn, START, SINCE) is None
    assert await stores.idempotency.begin(IdempotencyKey("a2", "key", "request"), START, SINCE) is None
    account = await stores.accounts.find("a1")
    assert account is not None
    await stores.accounts.unlink(account.project_id, "a1")
    await account_in(stores)
    assert await stores.idempotency.begin(turn, START, SINCE) is None


async def test_of_many_at_once_one_gets_the_key(stores: Stores) -> None:
    await account_in(stores)
    turn = IdempotencyKey("a1", "key", "request")
    found = await asyncio.gather(*(stores.idempotency.begin(turn, START, SINCE) for _ in range(20)))
    assert found.count(None) == 1


async def test_of_several_processes_one_gets_each_key(stores: Stores, url: str) -> None:
    await account_in(stores)

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", TAKE, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)

    taken = [int(process.communicate()[0]) for process in [start() for _ in range(3)]]
    assert sum(taken) == 20
