"""Events about records tell what has changed between two complete snapshots, and nothing else."""

import asyncio
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.events import Event
from connectors.exchange import Answer, Grant, Request
from gateway.cache.freshness import Windows
from gateway.errors import StoreUnavailable, VendorFailure
from gateway.model import Caching, Status
from gateway.policy.policy import Operator
from gateway.record_events.detector import BATCH
from gateway.record_events.diff import Changes, Outcome, SnapshotVersion, Verb, compare, conclude
from gateway.record_events.snapshot import RecordHasher
from gateway.record_events.watcher import CONFIRM_SECONDS, LEASE_SECONDS
from tests.fakes.core import UnreachableCache, Vendor, make_linked, refusal
from tests.fakes.record_events import HOUR, Killed, WatcherSetup
from tests.fakes.vendor import make_vendor, person

ALL = frozenset(Verb)
HERE = SnapshotVersion("rights", "mapping")
READINGS = st.dictionaries(st.text(max_size=3), st.binary(min_size=1, max_size=1), max_size=12)


# --- comparing ----------------------------------------------------------------------------------------------


@given(before=READINGS, now=READINGS)
def test_the_changes_are_the_difference_of_two_readings(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> None:
    found = compare(before, now)
    assert set(found.created) == now.keys() - before.keys()
    assert set(found.deleted) == before.keys() - now.keys()
    assert set(found.updated) == {key for key, _ in set(now.items()) - set(before.items())} & before.keys()
    kept = dict(before)
    for each in found.deleted:
        del kept[each]
    kept.update({each: now[each] for each in (*found.created, *found.updated)})
    assert kept == now
    assert bool(found) is (before != now)


@pytest.mark.parametrize(
    ("then", "held", "gone", "before", "outcome", "told"),
    [
        # rights, mapping         held  gone before
        (SnapshotVersion(), False, 0, 0, Outcome.BASELINE, set()),
        (SnapshotVersion("other", "mapping"), False, 3, 30, Outcome.BASELINE, set()),
        (SnapshotVersion("other", "mapping"), True, 30, 30, Outcome.BASELINE, set()),
        (SnapshotVersion("rights", "other"), False, 3, 30, Outcome.CHANGED, {Verb.CREATED, Verb.DELETED}),
        (SnapshotVersion("rights", "other"), False, 30, 30, Outcome.UNCONFIRMED, set()),
        (HERE, False, 0, 30, Outcome.UNCHANGED, ALL),
        (HERE, False, 3, 30, Outcome.CHANGED, ALL),
        (HERE, False, 15, 30, Outcome.CHANGED, ALL),
        (HERE, False, 16, 30, Outcome.UNCONFIRMED, set()),
        (HERE, True, 16, 30, Outcome.CHANGED, ALL),
        (HERE, False, 19, 20, Outcome.CHANGED, ALL),
        (HERE, False, 20, 20, Outcome.UNCONFIRMED, set()),
        (HERE, False, 1, 1, Outcome.UNCONFIRMED, set()),
        (HERE, True, 1, 1, Outcome.CHANGED, ALL),
        (HERE, False, 11, 21, Outcome.UNCONFIRMED, set()),
    ],
)
def test_what_changes_mean(
    then: SnapshotVersion, held: bool, gone: int, before: int, outcome: Outcome, told: AbstractSet[Verb]
) -> None:
    known = [str(each) for each in range(before)]
    said = conclude(Changes(deleted=known[:gone]), known, then=then, now=HERE, unconfirmed=held)
    assert (said.outcome, said.verbs) == (outcome, told)


@pytest.mark.parametrize(
    ("key", "owner", "record", "same"),
    [
        (b"k", b"a1", {"name": "Ann", "teams": ["x", "y"]}, True),
        (b"k", b"a1", {"teams": ["y", "x"], "name": "Ann"}, True),
        (b"k", b"a1", {"name": "Ann", "teams": ["x"]}, False),
        (b"k", b"a1", {"name": "Ann"}, False),
        (b"k", b"a2", {"name": "Ann", "teams": ["x", "y"]}, False),
        (b"other", b"a1", {"name": "Ann", "teams": ["x", "y"]}, False),
    ],
)
def test_a_hash_is_of_what_a_record_holds_and_of_its_account_and_the_key(
    key: bytes, owner: bytes, record: Mapping[str, Any], same: bool
) -> None:
    usual = RecordHasher(b"k", "1").of_record(b"a1", {"name": "Ann", "teams": ["x", "y"]})
    assert (RecordHasher(key, "1").of_record(owner, record) == usual) is same
    assert "k" not in repr(RecordHasher(b"k", "1")).removeprefix("RecordHasher")


# --- from the vendor to what is told ------------------------------------------------------------------------


async def test_the_first_reading_is_a_baseline_and_the_next_tells_what_has_changed() -> None:
    setup = WatcherSetup()
    assert await setup.watch() == ("baseline", [])
    assert len(setup.line.hashes) == 30
    assert await setup.watch() == ("unchanged", [])
    setup.people[3]["name"] = "Another"
    del setup.people[5]
    setup.people.append(person(99))
    assert await setup.watch() == ("changed", [("created", "p99"), ("updated", "p3"), ("deleted", "p5")])
    assert await setup.watch() == ("unchanged", [])
    assert "p5" not in setup.line.hashes


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda setup: setup.vendor.lists["/roles"][4].update(title="Other"), ["p4"]),
        (lambda setup: setup.vendor.lists["/towns"][0].update(size="9"), [f"p{each}" for each in range(0, 30, 3)]),
        (lambda setup: setup.people[2].update(number="7"), ["p2"]),
        (lambda setup: setup.people[2].update(unmapped="7"), []),
        (lambda setup: setup.people[2].update(secret="7"), []),
        (lambda setup: setup.people[2].update(photo="https://village.test/2.jpg?signed=anew"), []),
        (lambda setup: setup.people.reverse(), []),
        (lambda setup: setup.people.append({"name": "no id"}), []),
        (lambda setup: setup.people.append({"id": ""}), []),
        (lambda setup: setup.people.append({"id": "\0"}), []),
        (lambda setup: setup.vendor.lists["/roles"].reverse(), []),
    ],
)
async def test_a_record_has_changed_when_a_field_has_that_its_token_may_see(
    change: Callable[[WatcherSetup], None], told: list[str]
) -> None:
    setup = WatcherSetup()
    await setup.watch()
    change(setup)
    outcome, found = await setup.watch()
    assert (outcome, sorted(found)) == ("changed" if told else "unchanged", sorted(("updated", each) for each in told))


async def test_an_equal_reading_is_not_compared_and_a_fresh_one_costs_no_call() -> None:
    setup = WatcherSetup()
    await setup.watch()
    assert sorted(set(setup.vendor.paths())) == ["/people", "/roles", "/towns"]
    setup.vendor.take_calls()
    await setup.watcher.on_vendor_events(setup.register.accounts["a1"].account, [event("employees")])
    assert await setup.watch(30) == ("unchanged", [])
    assert setup.vendor.take_calls() == 0


async def test_a_reading_that_is_no_longer_fresh_is_made_anew_though_callers_would_take_it() -> None:
    setup = WatcherSetup(windows=Windows(60, stale_while_revalidate=3 * HOUR, stale_if_error=3 * HOUR))
    await setup.watch()
    setup.people[0]["name"] = "Changed"
    assert await setup.watch() == ("changed", [("updated", "p0")])
    setup.people[0]["name"] = "Changed again"
    setup.vendor.instead = fails
    assert await setup.watch() == ("failed", [])


async def test_what_took_long_is_not_done_again_soon_whatever_happens() -> None:
    setup = WatcherSetup()

    def slow(request: Request) -> None:
        setup.time.forward(4 if request.path == "/people" else 0)

    setup.vendor.instead = slow
    await setup.watch()
    await setup.watcher.on_vendor_events(setup.register.accounts["a1"].account, [event("employees")])
    setup.time.forward(15)
    assert not await setup.step()
    assert await setup.watch(1) == ("unchanged", [])


async def test_what_is_told_can_be_read_at_once_so_answers_from_before_are_ended_first() -> None:
    setup = WatcherSetup()
    await setup.watch()
    setup.people[0]["unmapped"] = "Changed"
    await setup.watch()
    assert setup.outdated == []
    setup.people[0]["name"] = "Changed"
    del setup.people[1]
    await setup.watch()
    assert setup.outdated == [(["employees", "employments", "locations"], 0)]
    assert len(setup.store.told) == 2


PEOPLE = st.dictionaries(st.integers(0, 9), st.sampled_from(["Ann", "Bea"]), max_size=10)


@given(before=PEOPLE, now=PEOPLE)
@settings(max_examples=60, deadline=None)
def test_of_any_two_readings_exactly_the_difference_is_told(before: dict[int, str], now: dict[int, str]) -> None:
    async def told() -> list[tuple[str, str]]:
        setup = WatcherSetup(make_vendor(0))
        setup.people[:] = [person(number, name=name) for number, name in before.items()]
        assert await setup.watch() == ("baseline", [])
        setup.people[:] = [person(number, name=name) for number, name in now.items()]
        outcome, found = await setup.watch()
        if outcome == "unconfirmed":
            outcome, found = await setup.watch(CONFIRM_SECONDS)
        assert outcome == ("changed" if found else "unchanged")
        assert await setup.watch() == ("unchanged", [])
        return found

    verbs = {number: "updated" for number, name in now.items() if before.get(number, name) != name}
    verbs |= dict.fromkeys(now.keys() - before.keys(), "created") | dict.fromkeys(before.keys() - now.keys(), "deleted")
    assert sorted(asyncio.run(told())) == sorted((verb, f"p{number}") for number, verb in verbs.items())


async def test_a_day_makes_records_others_though_no_list_has_changed() -> None:
    setup = WatcherSetup()
    await setup.watch()
    reading = setup.line.state.digest
    assert await setup.watch(24 * HOUR) == ("unchanged", [])
    assert setup.line.state.digest != reading


async def test_only_what_some_endpoint_listens_for_is_watched_and_what_nobody_hears_is_forgotten() -> None:
    setup = WatcherSetup()
    await setup.watch()
    setup.store.events = {"p1": ["account.*"], "p2": ["*"]}
    assert not await setup.step()
    assert setup.store.lines == {}
    setup.people[0]["name"] = "While nobody listened"
    setup.store.events = {"p1": ["hris_employees.deleted", "account.*"]}
    assert await setup.watch() == ("baseline", [])
    setup.store.events = {"p1": ["*"]}
    outcomes = [await setup.watch(HOUR), await setup.watch(0), await setup.watch(0)]
    assert sorted(outcomes) == [("closed", []), ("closed", []), ("unchanged", [])]
    assert setup.counted["employments closed"] == setup.counted["time_off closed"] == 1


# --- rights and versions ------------------------------------------------------------------------------------


def lose_scope(setup: WatcherSetup) -> None:
    setup.register.change("a1", grant=Grant(scopes=frozenset({"open"}), found_by="token-info"))


def lose_role(setup: WatcherSetup) -> None:
    grant = setup.register.accounts["a1"].account.grant
    setup.register.change("a1", grant=replace(grant, role="member"))
    del setup.people[:29]


def close_field(setup: WatcherSetup) -> None:
    setup.operator = Operator(fields=frozenset({"employees.diet"}))
    setup.watcher = setup.worker()


@pytest.mark.parametrize("change", [lose_scope, lose_role, close_field])
async def test_other_rights_make_a_new_baseline_in_silence(change: Callable[[WatcherSetup], None]) -> None:
    setup = WatcherSetup()
    await setup.watch()
    change(setup)
    setup.people[0]["name"] = "Changed at the same time"
    assert await setup.watch() == ("baseline", [])
    setup.people[0]["name"] = "Changed after"
    assert await setup.watch() == ("changed", [("updated", str(setup.people[0]["id"]))])


@pytest.mark.parametrize("change", [{"version": "2"}, {"secret": b"other"}])
async def test_a_new_version_or_key_calls_nobody_changed_but_tells_who_came_and_went(change: dict[str, Any]) -> None:
    setup = WatcherSetup()
    await setup.watch()
    for name, value in change.items():
        setattr(setup, name, value)
    setup.watcher = setup.worker()
    setup.people[0]["name"] = "Changed"
    setup.people[1:2] = [person(50)]
    assert await setup.watch() == ("changed", [("created", "p50"), ("deleted", "p1")])
    setup.people[0]["name"] = "Changed again"
    assert await setup.watch() == ("changed", [("updated", "p0")])


async def test_without_a_joined_list_nobody_is_called_changed_but_who_came_and_went_is_told() -> None:
    setup = WatcherSetup()
    await setup.watch()
    setup.vendor.instead = lambda request: refusal(403) if request.path == "/towns" else None
    setup.people[1:2] = [person(50)]
    assert await setup.watch() == ("changed", [("created", "p50"), ("deleted", "p1")])
    setup.people[0]["name"] = "Changed"
    assert await setup.watch() == ("changed", [("updated", "p0")])
    setup.vendor.instead = lambda _: None
    setup.people.pop()
    assert await setup.watch() == ("changed", [("deleted", "p29")])


@pytest.mark.parametrize("scopes", [("open",), ()])
async def test_a_token_that_may_not_read_is_not_used(scopes: tuple[str, ...]) -> None:
    setup = WatcherSetup()
    setup.register.change("a1", grant=Grant(scopes=frozenset(scopes), found_by="token-info"))
    outcome, _ = await setup.watch()
    assert outcome == ("baseline" if scopes else "closed")
    assert ("/people" in setup.vendor.paths()) is bool(scopes)


async def test_what_the_operator_has_closed_is_not_watched() -> None:
    setup = WatcherSetup(operator=Operator(operations=frozenset({"list_employees"})))
    assert await setup.watch() == ("closed", [])
    assert setup.vendor.asked == []


# --- what must not be believed ------------------------------------------------------------------------------


def fails(_: Request) -> Answer | None:
    raise VendorFailure("down")


@pytest.mark.parametrize(
    ("instead", "outcome", "status"),
    [
        (fails, "failed", Status.ACTIVE),
        (lambda _: refusal(500), "failed", Status.ACTIVE),
        (lambda _: refusal(429, retry_after="7"), "failed", Status.ACTIVE),
        (lambda _: refusal(403), "refused", Status.ACTIVE),
        (lambda _: refusal(404), "refused", Status.ACTIVE),
        (lambda _: refusal(401), "failed", Status.ERROR),
        (lambda request: refusal(500) if request.path == "/roles" else None, "failed", Status.ACTIVE),
        (lambda request: refusal(500) if dict(request.query).get("skip") == "249" else None, "failed", Status.ACTIVE),
    ],
)
async def test_what_the_vendor_does_not_say_clearly_changes_nothing(
    instead: Callable[[Request], Answer | None], outcome: str, status: Status
) -> None:
    setup = WatcherSetup(make_vendor(300))
    await setup.watch()
    kept = dict(setup.line.hashes)
    del setup.people[7]
    setup.vendor.instead = instead
    assert await setup.watch() == (outcome, [])
    assert setup.line.hashes == kept
    assert setup.register.accounts["a1"].account.status is status
    setup.vendor.instead = lambda _: None
    setup.register.change("a1", status=Status.ACTIVE)
    assert await setup.watch() == ("changed", [("deleted", "p7")])
    assert setup.line.failures == 0


async def test_after_failures_it_is_tried_ever_later_but_not_later_than_usual() -> None:
    setup = WatcherSetup()
    setup.vendor.instead = fails
    waits = []
    for _ in range(9):
        await setup.watch(HOUR)
        waits.append((setup.line.due - setup.time.moment).total_seconds())
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    setup.vendor.instead = lambda _: refusal(429, retry_after="9000")
    await setup.watch(HOUR)
    assert setup.line.due - setup.time.moment == timedelta(seconds=9000)


async def test_that_most_are_gone_is_believed_when_it_is_seen_again_at_the_vendor() -> None:
    setup = WatcherSetup(windows=Windows(2 * CONFIRM_SECONDS))
    await setup.watch()
    gone, setup.people[:] = setup.people[:20], setup.people[20:]
    assert await setup.watch() == ("unconfirmed", [])
    assert setup.checked == ["a1"]
    assert len(setup.line.hashes) == 30
    assert setup.line.due - setup.time.moment == timedelta(seconds=CONFIRM_SECONDS)
    setup.vendor.take_calls()
    assert await setup.watch(CONFIRM_SECONDS) == ("changed", [("deleted", str(each["id"])) for each in gone])
    assert "/people" in setup.vendor.paths()
    assert not setup.line.state.unconfirmed


async def test_that_all_are_gone_for_a_moment_is_forgotten() -> None:
    setup = WatcherSetup()
    await setup.watch()
    people, setup.people[:] = list(setup.people), []
    assert await setup.watch() == ("unconfirmed", [])
    setup.people[:] = people
    assert await setup.watch(CONFIRM_SECONDS) == ("unchanged", [])
    setup.people[:] = []
    assert await setup.watch() == ("unconfirmed", [])


async def test_most_are_gone_because_the_token_sees_less() -> None:
    setup = WatcherSetup()
    await setup.watch()
    setup.loses = {"grant": replace(setup.register.accounts["a1"].account.grant, role="member")}
    del setup.people[1:]
    assert await setup.watch() == ("unconfirmed", [])
    setup.loses = {}
    assert await setup.watch(CONFIRM_SECONDS) == ("baseline", [])
    assert len(setup.line.hashes) == 1


# --- restarts, workers, signals -----------------------------------------------------------------------------


async def test_a_process_that_dies_between_batches_loses_nothing_and_repeats_nothing() -> None:
    setup = WatcherSetup(make_vendor(BATCH * 2 + 50))
    await setup.watch()
    for each in setup.people:
        each["name"] = "All changed"
    done = setup.store.breaks_after = len(setup.store.batches) + 1
    setup.time.forward(HOUR)
    with pytest.raises(Killed):
        await setup.step()
    assert len(setup.store.told) == BATCH
    setup.store.breaks_after = None
    assert not await setup.step()
    outcome, told = await setup.watch(LEASE_SECONDS)
    assert (outcome, len(told), len(setup.store.batches) - done) == ("changed", BATCH + 50, 2)
    assert len(set(setup.store.told)) == len(setup.store.told) == len(setup.people)


async def test_a_database_that_goes_away_during_a_watch_has_it_done_again_when_the_lease_ends() -> None:
    setup = WatcherSetup()
    await setup.watch()
    setup.people[0]["name"] = "Changed"
    setup.store.hashes_raise = [StoreUnavailable("away"), ZeroDivisionError("nobody expects it")]
    for passed in (HOUR, LEASE_SECONDS):
        setup.time.forward(passed)
        assert await setup.step()
        assert not await setup.step()
    assert [type(fault) for fault in setup.faults] == [ZeroDivisionError]
    setup.faults.clear()
    assert await setup.watch(LEASE_SECONDS) == ("changed", [("updated", "p0")])


async def test_an_account_that_stops_working_between_claim_and_watch_is_let_be() -> None:
    setup = WatcherSetup()
    await setup.watch()
    setup.vendor.take_calls()
    setup.store.claimed = lambda: setup.register.change("a1", status=Status.SUSPENDED)
    assert await setup.watch() == ("overtaken", [])
    assert setup.vendor.asked == []


@pytest.mark.parametrize("meanwhile", ["another turn", "another revision"])
async def test_a_watch_that_was_overtaken_keeps_nothing_and_tells_nothing(meanwhile: str) -> None:
    setup = WatcherSetup()
    await setup.watch()
    kept = dict(setup.line.hashes)

    def instead(request: Request) -> None:
        if request.path == "/people" and meanwhile == "another turn":
            setup.line.lease += 1
        elif request.path == "/people":
            setup.register.change("a1", revision=9)

    setup.vendor.instead = instead
    setup.people[0]["name"] = "Changed"
    assert await setup.watch() == ("overtaken", [])
    assert setup.line.hashes == kept


async def test_an_account_that_does_not_work_is_left_alone() -> None:
    setup = WatcherSetup()
    await setup.watch()
    setup.register.change("a1", status=Status.SUSPENDED)
    setup.time.forward(HOUR)
    assert not await setup.step()


async def comes(happens: Callable[[], bool]) -> bool:
    """Lets other tasks run until something happens, or fails."""
    for _ in range(2000):
        if happens():
            return True
        await asyncio.sleep(0)
    return False


async def test_a_worker_watches_until_it_is_ended_whatever_happens_and_gives_back_what_it_has_begun() -> None:
    setup = WatcherSetup()
    for number in range(2, 6):
        setup.register.accounts[f"a{number}"] = make_linked(f"a{number}", "open", "closed", provider="village")
    setup.store.claims_raise = [StoreUnavailable("away"), ZeroDivisionError("nobody expects it")]
    hangs = asyncio.Event()
    asked: list[str] = []

    async def send(base_url: str, request: Request) -> Answer:
        asked.append(request.headers["authorization"])
        await hangs.wait()
        return await Vendor.send(setup.vendor, base_url, request)

    setup.vendor.send = send  # type: ignore[method-assign]
    running = asyncio.create_task(setup.loop().run())
    assert not await comes(lambda: len(asked) > 2)
    assert len(asked) == 2
    assert [type(fault) for fault in setup.faults] == [ZeroDivisionError]
    hangs.set()
    assert await comes(lambda: setup.counted["employees baseline"] == 5)
    hangs.clear()
    setup.time.forward(HOUR)
    assert await comes(lambda: [each.lease for each in setup.store.lines.values()].count(2) == 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    now = setup.time.moment
    assert [each.rest_until <= now for each in setup.store.lines.values()] == [True] * 5
    assert all(each.due <= now and each.state.digest for each in setup.store.lines.values())


def event(*resources: str) -> Event:
    return Event(name="person.updated", resources=frozenset(resources))


@pytest.mark.parametrize(
    ("lists", "hastened"),
    [(["employees"], True), (["employments"], True), (["locations"], True), (["tasks"], False), ([], False)],
)
async def test_a_signal_has_what_it_concerns_watched_soon(lists: list[str], hastened: bool) -> None:
    setup = WatcherSetup()
    await setup.watch()
    account = setup.register.accounts["a1"].account
    await setup.watcher.on_vendor_events(account, [event(*lists)])
    await setup.watcher.on_vendor_events(account, [event()])
    assert (setup.line.due - setup.time.moment == timedelta(seconds=5)) is hastened


@pytest.mark.parametrize("resources", [frozenset({"employments"}), None])
async def test_what_we_write_ourselves_is_watched_soon(resources: frozenset[str] | None) -> None:
    setup = WatcherSetup()
    await setup.watch()
    ended: list[Any] = []

    async def invalidate(linked: Any, names: frozenset[str] | None, new_id: str) -> bool:
        ended.append((linked.account.id, names, new_id))
        return False

    assert not await setup.watcher.hastening(invalidate)(setup.register.accounts["a1"], resources, "word")
    assert ended == [("a1", resources, "word")]
    assert setup.line.due - setup.time.moment == timedelta(seconds=5)


async def test_a_signal_during_a_watch_has_it_done_again() -> None:
    setup = WatcherSetup()
    await setup.watch()
    account = setup.register.accounts["a1"].account
    said: list[asyncio.Future[None]] = []

    def instead(request: Request) -> None:
        if request.path == "/towns":
            said.append(asyncio.ensure_future(setup.watcher.on_vendor_events(account, [event("employees")])))

    setup.vendor.instead = instead
    assert await setup.watch() == ("unchanged", [])
    assert said
    assert setup.line.due - setup.time.moment == timedelta(seconds=5)


# --- caches -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["no cache", "an account that keeps nothing", "rows evicted"])
async def test_it_works_where_nothing_is_kept(how: str) -> None:
    setup = WatcherSetup(cache=UnreachableCache() if how == "no cache" else None)
    if how == "an account that keeps nothing":
        setup.register.change("a1", caching=Caching(enabled=False))
    assert await setup.watch() == ("baseline", [])
    if how == "an account that keeps nothing":
        assert setup.memory.values == {}
    setup.people[0]["name"] = "Changed"
    if how == "rows evicted":
        # Another has read the lists since, and of their rows nothing is left.
        other = WatcherSetup(setup.vendor, setup.time, register=setup.register)
        setup.time.forward(HOUR)
        other.memory = other.cache = setup.memory
        other.watcher = other.worker()
        assert await other.watch(0) == ("baseline", [])
        setup.memory.evict("rows")
    assert await setup.watch(0 if how == "rows evicted" else HOUR) == ("changed", [("updated", "p0")])
