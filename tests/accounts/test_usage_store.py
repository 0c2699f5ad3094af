"""How accounts fare is kept beside them, and each that is due is looked at once; on SQLite and PostgreSQL."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count

from connectors.connector import Connector
from connectors.exchange import Answer, Grant, Refusal, Request, Verification
from connectors.humaans.connector import HUMAANS
from gateway.accounts.link import Linker
from gateway.accounts.usage import Usage, UsageCounts
from gateway.accounts.verification import Intervals
from gateway.accounts.verifier import LEASE_SECONDS, AccountVerifier
from gateway.app.stores import Stores
from gateway.audit.events import AuditEvent
from gateway.auth.authentication import Authenticator
from gateway.model import AT_A_CALL, AT_A_CHECK, Account, Clock, Status, StatusReason
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from tests.fakes.logs import LogLines
from tests.fixtures.databases import REASON, START, TOKEN, Time, must_find, new_account, open_database

HOUR = 3600.0
INTERVALS = Intervals(idle=HOUR, used=4 * HOUR, failed=2 * HOUR)
SCOPES = "private:read public:read"


def flow() -> Verification:
    """Take the body of the answer for the token's scopes."""
    answer = yield Request("GET", "/token")
    if answer.status == 401:
        return Refusal("The vendor does not take it.")
    return Grant(scopes=frozenset(answer.body.decode().split()), found_by="token-info", role="owner", warnings=("w",))


@dataclass
class Vendor:
    status: int = 200
    scopes: str = SCOPES
    asked: list[str] = field(default_factory=list)

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        self.asked.append(request.headers["authorization"])
        await asyncio.sleep(0)
        return Answer(self.status, {}, self.scopes.encode())


def verifier(stores: Stores, vendor: Vendor, time: Time, *, known: bool = True) -> AccountVerifier:
    connector: Connector = replace(HUMAANS, verify=flow)
    providers: Mapping[str, Provider] = {"humaans": Provider(connector, Policy(connector, Operator()))} if known else {}
    numbers = count()
    return AccountVerifier(
        Authenticator(stores.accounts, providers),
        Linker(accounts=stores.accounts, upstream=vendor, clock=time.now, new_id=lambda: f"new {next(numbers)}"),
        schedule=stores.usage.schedule,
        intervals=INTERVALS,
        clock=Clock(now=time.now, timestamp=lambda: time.now().timestamp(), monotonic=time.monotonic, jitter=lambda: 0),
        logger=LogLines().logger,
    )


async def step(stores: Stores, vendor: Vendor, time: Time, *, known: bool = True) -> bool:
    """Check one account that is due; False where there is none."""
    due = await stores.usage.claim(time.now(), time.now() + timedelta(seconds=LEASE_SECONDS))
    if due is not None:
        await verifier(stores, vendor, time, known=known).process(due)
    return due is not None


async def usage(stores: Stores, account_id: str = "a1") -> Usage:
    return (await stores.usage.read([account_id]))[account_id]


async def look(stores: Stores, vendor: Vendor, time: Time, *, known: bool = True) -> None:
    """Make rounds until nothing is due."""
    while await step(stores, vendor, time, known=known):
        """There may be more."""


async def whats(stores: Stores, account_id: str = "a1") -> list[AuditEvent]:
    """Give what the checks have done to an account, first to last."""
    entries = await stores.audit.read(account_id=account_id)
    return [entry.what for entry in reversed(entries) if entry.by == AT_A_CHECK]


async def linked(stores: Stores, vendor: Vendor, time: Time, **changes: object) -> Account:
    """Link an account, and let it be looked at for the first time, which asks nobody."""
    account = replace(await new_account(stores), **changes)  # type: ignore[arg-type] # columns of a table
    stored = await stores.accounts.store(account, TOKEN)
    await look(stores, vendor, time)
    return stored


# --- looking at accounts ------------------------------------------------------------------------------------


async def test_an_idle_account_is_verified_when_it_is_time_and_not_before(stores: Stores, time: Time) -> None:
    vendor = Vendor()
    account = await linked(stores, vendor, time)
    assert vendor.asked == []
    time.passed = 0.4 * HOUR
    await look(stores, vendor, time)
    assert vendor.asked == []
    for passed in (1.1 * HOUR, 1.2 * HOUR, 2.3 * HOUR):
        time.passed = passed
        await look(stores, vendor, time)
    assert vendor.asked == [f"Bearer {TOKEN.reveal}"] * 2
    assert (await usage(stores)).verified_at == time.now()
    # Nothing has changed: no revision is spent, so nothing that is cached is lost.
    assert (await must_find(stores, account)).account == account
    assert await whats(stores) == []


async def test_an_account_in_use_is_verified_more_seldom(stores: Stores, time: Time) -> None:
    vendor = Vendor()
    await linked(stores, vendor, time)
    for passed in (0.8, 1.5, 2.2, 2.9):
        time.passed = passed * HOUR
        await stores.usage.add({"a1": UsageCounts(misses=1, proven=True)}, time.now())
        await look(stores, vendor, time)
    assert vendor.asked == []
    time.passed = 4 * HOUR
    await stores.usage.add({"a1": UsageCounts(misses=1, proven=True)}, time.now())
    await look(stores, vendor, time)
    assert len(vendor.asked) == 1


async def test_what_a_check_finds_is_kept_and_told(stores: Stores, time: Time) -> None:
    vendor = Vendor()
    account = await linked(stores, vendor, time)

    async def next_time(hours: float, **answer: object) -> tuple[Status, list[AuditEvent]]:
        for name, value in answer.items():
            setattr(vendor, name, value)
        seen, asked = len(await whats(stores)), len(vendor.asked)
        time.passed += hours * HOUR
        await look(stores, vendor, time)
        assert len(vendor.asked) == asked + 1
        found = (await must_find(stores, account)).account
        return found.status, (await whats(stores))[seen:]

    assert await next_time(1, scopes="public:read pay") == (Status.ACTIVE, [AuditEvent.SCOPES_CHANGED])
    assert (await must_find(stores, account)).account.grant.scopes == {"public:read", "pay"}
    assert await next_time(1, status=503) == (Status.ACTIVE, [])
    assert (await usage(stores)).failures == 1
    assert await next_time(1, status=429) == (Status.ACTIVE, [])
    assert (await usage(stores)).failures == 2
    assert await next_time(1, status=401) == (Status.ERROR, [AuditEvent.ERROR])
    assert await next_time(2) == (Status.ERROR, [])
    assert await next_time(2, status=503) == (Status.ERROR, [])
    assert await next_time(2, status=200, scopes="pay") == (
        Status.ACTIVE,
        [AuditEvent.RECOVERED, AuditEvent.SCOPES_CHANGED],
    )
    assert (await usage(stores)).failures == 0
    [relinked] = await stores.audit.read(account_id="a1", what=[AuditEvent.SCOPES_CHANGED], most=1)
    assert relinked.details == {"gained": [], "lost": ["public:read"]}


async def test_a_token_ends_when_it_was_said_to_and_nobody_is_asked(stores: Stores, time: Time) -> None:
    vendor = Vendor()
    end = START + timedelta(minutes=30)
    grant = Grant(scopes=frozenset(SCOPES.split()), found_by="token-info", ends_at=end)
    account = await linked(stores, vendor, time, grant=grant)
    assert (await must_find(stores, account)).account.grant.ends_at == end
    assert (await usage(stores)).check_at == end
    time.passed = 0.5 * HOUR
    await look(stores, vendor, time)
    found = (await must_find(stores, account)).account
    assert (found.status, [reason.code for reason in found.status_reasons]) == (Status.EXPIRED, ["token_ended"])
    assert (await whats(stores), vendor.asked) == ([AuditEvent.EXPIRED], [])
    # A vendor that takes it all the same has moved the end.
    time.passed = 3 * HOUR
    await look(stores, vendor, time)
    again = (await must_find(stores, account)).account
    assert (again.status, again.status_reasons, again.grant.ends_at) == (Status.ACTIVE, (), None)
    assert await whats(stores) == [AuditEvent.EXPIRED, AuditEvent.RECOVERED, AuditEvent.UPDATED]


async def test_an_account_without_its_connector_is_inactive_until_it_is_back(stores: Stores, time: Time) -> None:
    vendor = Vendor()
    account = await linked(stores, vendor, time)
    time.passed = HOUR
    await look(stores, vendor, time, known=False)
    found = (await must_find(stores, account)).account
    assert (found.status, [reason.code for reason in found.status_reasons]) == (Status.INACTIVE, ["connector_removed"])
    time.passed = 3 * HOUR
    await look(stores, vendor, time, known=False)
    assert vendor.asked == []
    time.passed = 6 * HOUR
    await look(stores, vendor, time)
    assert (await must_find(stores, account)).account.status is Status.ACTIVE
    assert await whats(stores) == [AuditEvent.INACTIVE, AuditEvent.RECOVERED]


async def test_an_account_that_a_call_has_put_into_error_is_looked_at_after_a_minute_and_recovers(
    stores: Stores, time: Time
) -> None:
    """By itself, and the trail tells that it has; until then the vendor is asked ever more seldom."""
    vendor = Vendor(status=401)
    account = await linked(stores, vendor, time)
    time.passed = 0.1 * HOUR
    marked = time.passed
    refused = StatusReason("invalid_credentials", "Refused.", time.now())
    await stores.accounts.mark(account.id, Status.ERROR, refused, by=AT_A_CALL)
    for minute in range(33):
        time.passed = marked + minute * 60
        await look(stores, vendor, time)
        assert len(vendor.asked) == sum(minute >= due for due in (1, 3, 7, 15, 31)), minute
    vendor.status = 200
    time.passed = marked + 63 * 60
    await look(stores, vendor, time)
    found = (await must_find(stores, account)).account
    assert (found.status, found.status_reasons) == (Status.ACTIVE, ())
    assert await whats(stores) == [AuditEvent.RECOVERED]


async def test_a_suspended_account_is_left_alone(stores: Stores, time: Time) -> None:
    vendor = Vendor(status=401)
    account = await linked(stores, vendor, time)
    await stores.accounts.mark(account.id, Status.SUSPENDED, REASON)
    time.passed = 100 * HOUR
    await look(stores, vendor, time)
    assert (vendor.asked, await whats(stores)) == ([], [])


async def test_of_many_workers_one_verifies_each_account(stores: Stores, url: str, time: Time) -> None:
    vendor, numbers = Vendor(), range(12)
    for number in numbers:
        await stores.accounts.store(await new_account(stores, f"a{number}"), TOKEN)
    await look(stores, vendor, time)
    time.passed = HOUR
    async with AsyncExitStack() as stack:
        workers = [open_database(url, time) for _ in range(4)]
        for worker in workers:
            stack.push_async_callback(worker.close)
        await asyncio.gather(*(look(worker, vendor, time) for worker in workers))
    assert len(vendor.asked) == len(numbers)
    found = await stores.usage.read([f"a{number}" for number in numbers])
    assert [each.verified_at for each in found.values()] == [time.now()] * len(numbers)


async def test_a_check_whose_process_died_is_made_by_another(stores: Stores, time: Time) -> None:
    vendor = Vendor()
    await linked(stores, vendor, time)
    time.passed = HOUR
    until = time.now() + timedelta(seconds=600)
    due = await stores.usage.claim(time.now(), until)
    assert due is not None
    assert (due.account.id, due.usage.verified_at) == ("a1", START)
    assert await stores.usage.claim(time.now(), until) is None
    time.passed += 600
    await look(stores, vendor, time)
    assert len(vendor.asked) == 1


# --- counting -----------------------------------------------------------------------------------------------


async def test_a_new_account_has_been_verified_and_not_been_called(stores: Stores, time: Time) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    assert await usage(stores) == Usage(check_at=START, verified_at=START)
    time.passed = 60
    await stores.accounts.store(account, TOKEN)
    assert await usage(stores) == Usage(check_at=time.now(), verified_at=time.now())
    assert await stores.usage.read(["nobody"]) == {}


async def test_counts_of_all_processes_are_added_and_the_last_of_each_moment_stays(stores: Stores) -> None:
    await stores.accounts.store(await new_account(stores), TOKEN)
    await stores.accounts.store(await new_account(stores, "a2"), TOKEN)

    early, late = START + timedelta(seconds=1), START + timedelta(seconds=2)
    await stores.usage.add({"a1": UsageCounts(misses=2, errors=3, proven=True, error_code="Early")}, early)
    await stores.usage.add(
        {"a1": UsageCounts(hits=5), "gone": UsageCounts(hits=1), "a2": UsageCounts(errors=1, error_code="Late")}, late
    )
    await stores.usage.add({}, late)
    expected = Usage(
        check_at=START,
        verified_at=START,
        hits=5,
        misses=2,
        errors=3,
        called_at=late,
        proven_at=early,
        error_at=early,
        error_code="Early",
    )
    other = Usage(check_at=START, verified_at=START, errors=1, called_at=late, error_at=late, error_code="Late")
    assert await stores.usage.read(["a1", "a2", "gone"]) == {"a1": expected, "a2": other}


async def test_processes_that_count_the_same_accounts_do_not_wait_for_each_other(stores: Stores, url: str) -> None:
    ids = [f"a{number}" for number in range(30)]
    for account_id in ids:
        await stores.accounts.store(await new_account(stores, account_id), TOKEN)
    async with AsyncExitStack() as stack:
        workers = [open_database(url, Time()) for _ in range(4)]
        for worker in workers:
            stack.push_async_callback(worker.close)
            await worker.usage.read(ids)
        orders = [ids, ids[::-1]] * 2
        rows = [{each: UsageCounts(hits=1) for each in order} for order in orders]
        pairs = list(zip(workers, rows, strict=True)) * 5
        await asyncio.gather(*(worker.usage.add(row, START) for worker, row in pairs))
    assert {each.hits for each in (await stores.usage.read(ids)).values()} == {20}
