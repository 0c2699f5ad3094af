"""20,000 linked accounts in the background: jobs are spread over their interval, and none is done twice."""

import asyncio
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from connectors.exchange import Grant
from gateway.accounts.usage import Usage
from gateway.accounts.verification import Intervals, NothingDue, TokenCheckDue, decide
from gateway.app.stores import Stores
from gateway.background import spread
from gateway.model import Account, Owner, Status
from gateway.record_events.model import NextRun, WatchClaim, WatchState
from tests.fixtures.databases import START, TOKEN, new_account

ACCOUNTS = 20_000
HOUR = 3600
IDLE, USED = 6 * HOUR, 24 * HOUR
MOMENTS = st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(name=st.text(max_size=8), moment=MOMENTS, hours=st.integers(1, 48), late=st.floats(0, 600))
def test_a_job_is_due_within_its_interval_and_at_its_own_place_from_then_on(
    name: str, moment: datetime, hours: int, late: float
) -> None:
    interval = timedelta(hours=hours)
    due = spread(name, moment + interval, interval.total_seconds())
    assert interval / 2 - timedelta(seconds=1) <= due - moment <= interval
    done = due + timedelta(seconds=late)
    assert spread(name, done + interval, interval.total_seconds()) == due + interval


def account(number: int) -> Account:
    return Account(
        id=f"a{number}",
        project_id="p1",
        provider="humaans",
        owner=Owner(id="o", name="Owner"),
        status=Status.ACTIVE,
        grant=Grant(scopes=frozenset(), found_by="token-info"),
        revision=1,
        created_at=START,
        updated_at=START,
    )


def test_tokens_that_were_linked_in_one_moment_are_verified_evenly_and_once_in_their_interval() -> None:
    intervals = Intervals(idle=IDLE, used=USED, failed=12 * HOUR)
    minutes: Counter[int] = Counter()
    hours: Counter[int] = Counter()
    for number in range(ACCOUNTS):
        verified = START
        while (passed := (verified - START).total_seconds()) < 4 * IDLE:
            if passed >= IDLE:
                minutes[int(passed // 60)] += 1
                hours[int(passed // IDLE)] += 1
            usage = Usage(check_at=verified, verified_at=verified)
            then = decide(account(number), usage, verified, intervals, has_connector=True)
            assert isinstance(then, NothingDue)
            assert decide(account(number), usage, then.until, intervals, has_connector=True) == TokenCheckDue()
            verified = then.until
    assert max(minutes.values()) <= 3 * ACCOUNTS / (IDLE / 60)
    assert all(abs(each - ACCOUNTS) <= 1 for each in hours.values())


def test_a_token_in_use_is_verified_once_a_day_however_often_it_is_looked_at() -> None:
    intervals = Intervals(idle=IDLE, used=USED, failed=12 * HOUR)
    verified, checks, now = START, 0, START
    while now < START + timedelta(days=10):
        usage = Usage(check_at=now, verified_at=verified, proven_at=now)
        then = decide(account(1), usage, now, intervals, has_connector=True)
        if isinstance(then, TokenCheckDue):
            verified, checks = now, checks + 1
        else:
            assert isinstance(then, NothingDue)
            now = then.until
    assert checks in {10, 11}


async def test_the_watches_of_a_new_endpoint_are_spread_and_claimed_once(sqlite: Stores, tmp_path: Path) -> None:
    first = await sqlite.accounts.store(await new_account(sqlite), TOKEN)
    multiply(tmp_path / "stores.db", "accounts", first.id)
    wanted = {first.project_id: frozenset({"employees"})}
    await sqlite.record_watches.arrange(wanted, START, HOUR)
    with sqlite3.connect(tmp_path / "stores.db") as database:
        moments = [each for (each,) in database.execute("select due_at from record_watches")]
    assert len(moments) == ACCOUNTS
    assert max(Counter(moments).values()) <= 30
    claimed = []
    for second in range(20):
        now = START + timedelta(seconds=second)

        async def claim(now: datetime = now) -> WatchClaim | None:
            return await sqlite.record_watches.claim(now, now + timedelta(minutes=5))

        while found := [each for each in await asyncio.gather(claim(), claim()) if each]:  # Two workers at once.
            claimed += [each.account_id for each in found]
            later = NextRun(due=now + timedelta(hours=1), rest_until=now, failures=0)
            await sqlite.record_watches.settle(found[0], WatchState(), later)  # The other one has died.
    assert len(claimed) == len(set(claimed))
    assert 100 <= len(claimed) <= 300


async def test_the_watches_of_a_few_accounts_are_due_at_once(sqlite: Stores) -> None:
    first = await sqlite.accounts.store(await new_account(sqlite), TOKEN)
    await sqlite.record_watches.arrange({first.project_id: frozenset({"employees"})}, START, HOUR)
    assert await sqlite.record_watches.claim(START, START + timedelta(minutes=5)) is not None


def multiply(path: Path, table: str, account_id: str) -> None:
    """Copies the row of one account until there are `ACCOUNTS`."""
    with sqlite3.connect(path) as database:
        columns = [row[1] for row in database.execute(f"pragma table_info({table})") if row[1] != "id"]
        names = ", ".join(columns)
        numbers = "with recursive n(i) as (select 2 union all select i + 1 from n where i < ?)"
        database.execute(
            f"{numbers} insert into {table} (id, {names}) select 'b' || i, {names} from {table}, n where id = ?",
            (ACCOUNTS, account_id),
        )
