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
from gateway.record_events.snapshot import Hashing
from gateway.record_events.watcher import CONFIRM_SECONDS, LEASE_SECONDS
from tests.fakes.core import UnreachableCache, Vendor, make_linked, refusal
from tests.fakes.record_events import HOUR, Killed, Tower
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
    usual = Hashing(b"k", "1").of_record(b"a1", {"name": "Ann", "teams": ["x", "y"]})
    assert (Hashing(key, "1").of_record(owner, record) == usual) is same
    assert "k" not in repr(Hashing(b"k", "1")).removeprefix("Hashing")


# --- from the vendor to what is told ------------------------------------------------------------------------


async def test_the_first_reading_is_a_baseline_and_the_next_tells_what_has_changed() -> None:
    tower = Tower()
    assert await tower.watch() == ("baseline", [])
    assert len(tower.line.hashes) == 30
    assert await tower.watch() == ("unchanged", [])
    tower.people[3]["name"] = "Another"
    del tower.people[5]
    tower.people.append(person(99))
    assert await tower.watch() == ("changed", [("created", "p99"), ("updated", "p3"), ("deleted", "p5")])
    assert await tower.watch() == ("unchanged", [])
    assert "p5" not in tower.line.hashes


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda tower: tower.vendor.lists["/roles"][4].update(title="Other"), ["p4"]),
        (lambda tower: tower.vendor.lists["/towns"][0].update(size="9"), [f"p{each}" for each in range(0, 30, 3)]),
        (lambda tower: tower.people[2].update(number="7"), ["p2"]),
        (lambda tower: tower.people[2].update(unmapped="7"), []),
        (lambda tower: tower.people[2].update(secret="7"), []),
        (lambda tower: tower.people[2].update(photo="https://village.test/2.jpg?signed=anew"), []),
        (lambda tower: tower.people.reverse(), []),
        (lambda tower: tower.people.append({"name": "no id"}), []),
        (lambda tower: tower.people.append({"id": ""}), []),
        (lambda tower: tower.people.append({"id": "\0"}), []),
        (lambda tower: tower.vendor.lists["/roles"].reverse(), []),
    ],
)
async def test_a_record_has_changed_when_a_field_has_that_its_token_may_see(
    change: Callable[[Tower], None], told: list[str]
) -> None:
    tower = Tower()
    await tower.watch()
    change(tower)
    outcome, found = await tower.watch()
    assert (outcome, sorted(found)) == ("changed" if told else "unchanged", sorted(("updated", each) for each in told))


async def test_an_equal_reading_is_not_compared_and_a_fresh_one_costs_no_call() -> None:
    tower = Tower()
    await tower.watch()
    assert sorted(set(tower.vendor.paths())) == ["/people", "/roles", "/towns"]
    tower.vendor.take_calls()
    await tower.watcher.on_vendor_events(tower.register.accounts["a1"].account, [event("employees")])
    assert await tower.watch(30) == ("unchanged", [])
    assert tower.vendor.take_calls() == 0


async def test_a_reading_that_is_no_longer_fresh_is_made_anew_though_callers_would_take_it() -> None:
    tower = Tower(windows=Windows(60, stale_while_revalidate=3 * HOUR, stale_if_error=3 * HOUR))
    await tower.watch()
    tower.people[0]["name"] = "Changed"
    assert await tower.watch() == ("changed", [("updated", "p0")])
    tower.people[0]["name"] = "Changed again"
    tower.vendor.instead = fails
    assert await tower.watch() == ("failed", [])


async def test_what_took_long_is_not_done_again_soon_whatever_happens() -> None:
    tower = Tower()

    def slow(request: Request) -> None:
        tower.time.forward(4 if request.path == "/people" else 0)

    tower.vendor.instead = slow
    await tower.watch()
    await tower.watcher.on_vendor_events(tower.register.accounts["a1"].account, [event("employees")])
    tower.time.forward(15)
    assert not await tower.step()
    assert await tower.watch(1) == ("unchanged", [])


async def test_what_is_told_can_be_read_at_once_so_answers_from_before_are_ended_first() -> None:
    tower = Tower()
    await tower.watch()
    tower.people[0]["unmapped"] = "Changed"
    await tower.watch()
    assert tower.outdated == []
    tower.people[0]["name"] = "Changed"
    del tower.people[1]
    await tower.watch()
    assert tower.outdated == [(["employees", "employments", "locations"], 0)]
    assert len(tower.store.told) == 2


PEOPLE = st.dictionaries(st.integers(0, 9), st.sampled_from(["Ann", "Bea"]), max_size=10)


@given(before=PEOPLE, now=PEOPLE)
@settings(max_examples=60, deadline=None)
def test_of_any_two_readings_exactly_the_difference_is_told(before: dict[int, str], now: dict[int, str]) -> None:
    async def told() -> list[tuple[str, str]]:
        tower = Tower(make_vendor(0))
        tower.people[:] = [person(number, name=name) for number, name in before.items()]
        assert await tower.watch() == ("baseline", [])
        tower.people[:] = [person(number, name=name) for number, name in now.items()]
        outcome, found = await tower.watch()
        if outcome == "unconfirmed":
            outcome, found = await tower.watch(CONFIRM_SECONDS)
        assert outcome == ("changed" if found else "unchanged")
        assert await tower.watch() == ("unchanged", [])
        return found

    verbs = {number: "updated" for number, name in now.items() if before.get(number, name) != name}
    verbs |= dict.fromkeys(now.keys() - before.keys(), "created") | dict.fromkeys(before.keys() - now.keys(), "deleted")
    assert sorted(asyncio.run(told())) == sorted((verb, f"p{number}") for number, verb in verbs.items())


async def test_a_day_makes_records_others_though_no_list_has_changed() -> None:
    tower = Tower()
    await tower.watch()
    reading = tower.line.state.digest
    assert await tower.watch(24 * HOUR) == ("unchanged", [])
    assert tower.line.state.digest != reading


async def test_only_what_some_endpoint_listens_for_is_watched_and_what_nobody_hears_is_forgotten() -> None:
    tower = Tower()
    await tower.watch()
    tower.store.events = {"p1": ["account.*"], "p2": ["*"]}
    assert not await tower.step()
    assert tower.store.lines == {}
    tower.people[0]["name"] = "While nobody listened"
    tower.store.events = {"p1": ["hris_employees.deleted", "account.*"]}
    assert await tower.watch() == ("baseline", [])
    tower.store.events = {"p1": ["*"]}
    outcomes = [await tower.watch(HOUR), await tower.watch(0), await tower.watch(0)]
    assert sorted(outcomes) == [("closed", []), ("closed", []), ("unchanged", [])]
    assert tower.counted["employments closed"] == tower.counted["time_off closed"] == 1


# --- rights and versions ------------------------------------------------------------------------------------


def lose_scope(tower: Tower) -> None:
    tower.register.change("a1", grant=Grant(scopes=frozenset({"open"}), found_by="token-info"))


def lose_role(tower: Tower) -> None:
    grant = tower.register.accounts["a1"].account.grant
    tower.register.change("a1", grant=replace(grant, role="member"))
    del tower.people[:29]


def close_field(tower: Tower) -> None:
    tower.operator = Operator(fields=frozenset({"employees.diet"}))
    tower.watcher = tower.worker()


@pytest.mark.parametrize("change", [lose_scope, lose_role, close_field])
async def test_other_rights_make_a_new_baseline_in_silence(change: Callable[[Tower], None]) -> None:
    tower = Tower()
    await tower.watch()
    change(tower)
    tower.people[0]["name"] = "Changed at the same time"
    assert await tower.watch() == ("baseline", [])
    tower.people[0]["name"] = "Changed after"
    assert await tower.watch() == ("changed", [("updated", str(tower.people[0]["id"]))])


@pytest.mark.parametrize("change", [{"version": "2"}, {"secret": b"other"}])
async def test_a_new_version_or_key_calls_nobody_changed_but_tells_who_came_and_went(change: dict[str, Any]) -> None:
    tower = Tower()
    await tower.watch()
    for name, value in change.items():
        setattr(tower, name, value)
    tower.watcher = tower.worker()
    tower.people[0]["name"] = "Changed"
    tower.people[1:2] = [person(50)]
    assert await tower.watch() == ("changed", [("created", "p50"), ("deleted", "p1")])
    tower.people[0]["name"] = "Changed again"
    assert await tower.watch() == ("changed", [("updated", "p0")])


async def test_without_a_joined_list_nobody_is_called_changed_but_who_came_and_went_is_told() -> None:
    tower = Tower()
    await tower.watch()
    tower.vendor.instead = lambda request: refusal(403) if request.path == "/towns" else None
    tower.people[1:2] = [person(50)]
    assert await tower.watch() == ("changed", [("created", "p50"), ("deleted", "p1")])
    tower.people[0]["name"] = "Changed"
    assert await tower.watch() == ("changed", [("updated", "p0")])
    tower.vendor.instead = lambda _: None
    tower.people.pop()
    assert await tower.watch() == ("changed", [("deleted", "p29")])


@pytest.mark.parametrize("scopes", [("open",), ()])
async def test_a_token_that_may_not_read_is_not_used(scopes: tuple[str, ...]) -> None:
    tower = Tower()
    tower.register.change("a1", grant=Grant(scopes=frozenset(scopes), found_by="token-info"))
    outcome, _ = await tower.watch()
    assert outcome == ("baseline" if scopes else "closed")
    assert ("/people" in tower.vendor.paths()) is bool(scopes)


async def test_what_the_operator_has_closed_is_not_watched() -> None:
    tower = Tower(operator=Operator(operations=frozenset({"list_employees"})))
    assert await tower.watch() == ("closed", [])
    assert tower.vendor.asked == []


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
    tower = Tower(make_vendor(300))
    await tower.watch()
    kept = dict(tower.line.hashes)
    del tower.people[7]
    tower.vendor.instead = instead
    assert await tower.watch() == (outcome, [])
    assert tower.line.hashes == kept
    assert tower.register.accounts["a1"].account.status is status
    tower.vendor.instead = lambda _: None
    tower.register.change("a1", status=Status.ACTIVE)
    assert await tower.watch() == ("changed", [("deleted", "p7")])
    assert tower.line.failures == 0


async def test_after_failures_it_is_tried_ever_later_but_not_later_than_usual() -> None:
    tower = Tower()
    tower.vendor.instead = fails
    waits = []
    for _ in range(9):
        await tower.watch(HOUR)
        waits.append((tower.line.due - tower.time.moment).total_seconds())
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    tower.vendor.instead = lambda _: refusal(429, retry_after="9000")
    await tower.watch(HOUR)
    assert tower.line.due - tower.time.moment == timedelta(seconds=9000)


async def test_that_most_are_gone_is_believed_when_it_is_seen_again_at_the_vendor() -> None:
    tower = Tower(windows=Windows(2 * CONFIRM_SECONDS))
    await tower.watch()
    gone, tower.people[:] = tower.people[:20], tower.people[20:]
    assert await tower.watch() == ("unconfirmed", [])
    assert tower.checked == ["a1"]
    assert len(tower.line.hashes) == 30
    assert tower.line.due - tower.time.moment == timedelta(seconds=CONFIRM_SECONDS)
    tower.vendor.take_calls()
    assert await tower.watch(CONFIRM_SECONDS) == ("changed", [("deleted", str(each["id"])) for each in gone])
    assert "/people" in tower.vendor.paths()
    assert not tower.line.state.unconfirmed


async def test_that_all_are_gone_for_a_moment_is_forgotten() -> None:
    tower = Tower()
    await tower.watch()
    people, tower.people[:] = list(tower.people), []
    assert await tower.watch() == ("unconfirmed", [])
    tower.people[:] = people
    assert await tower.watch(CONFIRM_SECONDS) == ("unchanged", [])
    tower.people[:] = []
    assert await tower.watch() == ("unconfirmed", [])


async def test_most_are_gone_because_the_token_sees_less() -> None:
    tower = Tower()
    await tower.watch()
    tower.loses = {"grant": replace(tower.register.accounts["a1"].account.grant, role="member")}
    del tower.people[1:]
    assert await tower.watch() == ("unconfirmed", [])
    tower.loses = {}
    assert await tower.watch(CONFIRM_SECONDS) == ("baseline", [])
    assert len(tower.line.hashes) == 1


# --- restarts, workers, signals -----------------------------------------------------------------------------


async def test_a_process_that_dies_between_batches_loses_nothing_and_repeats_nothing() -> None:
    tower = Tower(make_vendor(BATCH * 2 + 50))
    await tower.watch()
    for each in tower.people:
        each["name"] = "All changed"
    done = tower.store.breaks_after = len(tower.store.batches) + 1
    tower.time.forward(HOUR)
    with pytest.raises(Killed):
        await tower.step()
    assert len(tower.store.told) == BATCH
    tower.store.breaks_after = None
    assert not await tower.step()
    outcome, told = await tower.watch(LEASE_SECONDS)
    assert (outcome, len(told), len(tower.store.batches) - done) == ("changed", BATCH + 50, 2)
    assert len(set(tower.store.told)) == len(tower.store.told) == len(tower.people)


async def test_a_database_that_goes_away_during_a_watch_has_it_done_again_when_the_lease_ends() -> None:
    tower = Tower()
    await tower.watch()
    tower.people[0]["name"] = "Changed"
    tower.store.hashes_raise = [StoreUnavailable("away"), ZeroDivisionError("nobody expects it")]
    for passed in (HOUR, LEASE_SECONDS):
        tower.time.forward(passed)
        assert await tower.step()
        assert not await tower.step()
    assert [type(fault) for fault in tower.faults] == [ZeroDivisionError]
    tower.faults.clear()
    assert await tower.watch(LEASE_SECONDS) == ("changed", [("updated", "p0")])


async def test_an_account_that_stops_working_between_claim_and_watch_is_let_be() -> None:
    tower = Tower()
    await tower.watch()
    tower.vendor.take_calls()
    tower.store.claimed = lambda: tower.register.change("a1", status=Status.SUSPENDED)
    assert await tower.watch() == ("overtaken", [])
    assert tower.vendor.asked == []


@pytest.mark.parametrize("meanwhile", ["another turn", "another revision"])
async def test_a_watch_that_was_overtaken_keeps_nothing_and_tells_nothing(meanwhile: str) -> None:
    tower = Tower()
    await tower.watch()
    kept = dict(tower.line.hashes)

    def instead(request: Request) -> None:
        if request.path == "/people" and meanwhile == "another turn":
            tower.line.turn += 1
        elif request.path == "/people":
            tower.register.change("a1", revision=9)

    tower.vendor.instead = instead
    tower.people[0]["name"] = "Changed"
    assert await tower.watch() == ("overtaken", [])
    assert tower.line.hashes == kept


async def test_an_account_that_does_not_work_is_left_alone() -> None:
    tower = Tower()
    await tower.watch()
    tower.register.change("a1", status=Status.SUSPENDED)
    tower.time.forward(HOUR)
    assert not await tower.step()


async def comes(happens: Callable[[], bool]) -> bool:
    """Lets other tasks run until something happens, or fails."""
    for _ in range(2000):
        if happens():
            return True
        await asyncio.sleep(0)
    return False


async def test_a_worker_watches_until_it_is_ended_whatever_happens_and_gives_back_what_it_has_begun() -> None:
    tower = Tower()
    for number in range(2, 6):
        tower.register.accounts[f"a{number}"] = make_linked(f"a{number}", "open", "closed", provider="village")
    tower.store.claims_raise = [StoreUnavailable("away"), ZeroDivisionError("nobody expects it")]
    hangs = asyncio.Event()
    asked: list[str] = []

    async def send(base_url: str, request: Request) -> Answer:
        asked.append(request.headers["authorization"])
        await hangs.wait()
        return await Vendor.send(tower.vendor, base_url, request)

    tower.vendor.send = send  # type: ignore[method-assign]
    running = asyncio.create_task(tower.loop().run())
    assert not await comes(lambda: len(asked) > 2)
    assert len(asked) == 2
    assert [type(fault) for fault in tower.faults] == [ZeroDivisionError]
    hangs.set()
    assert await comes(lambda: tower.counted["employees baseline"] == 5)
    hangs.clear()
    tower.time.forward(HOUR)
    assert await comes(lambda: [each.turn for each in tower.store.lines.values()].count(2) == 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    now = tower.time.moment
    assert [each.rest_until <= now for each in tower.store.lines.values()] == [True] * 5
    assert all(each.due <= now and each.state.digest for each in tower.store.lines.values())


def event(*resources: str) -> Event:
    return Event(name="person.updated", resources=frozenset(resources))


@pytest.mark.parametrize(
    ("lists", "hastened"),
    [(["employees"], True), (["employments"], True), (["locations"], True), (["tasks"], False), ([], False)],
)
async def test_a_signal_has_what_it_concerns_watched_soon(lists: list[str], hastened: bool) -> None:
    tower = Tower()
    await tower.watch()
    account = tower.register.accounts["a1"].account
    await tower.watcher.on_vendor_events(account, [event(*lists)])
    await tower.watcher.on_vendor_events(account, [event()])
    assert (tower.line.due - tower.time.moment == timedelta(seconds=5)) is hastened


@pytest.mark.parametrize("resources", [frozenset({"employments"}), None])
async def test_what_we_write_ourselves_is_watched_soon(resources: frozenset[str] | None) -> None:
    tower = Tower()
    await tower.watch()
    ended: list[Any] = []

    async def invalidate(linked: Any, names: frozenset[str] | None, new_id: str) -> bool:
        ended.append((linked.account.id, names, new_id))
        return False

    assert not await tower.watcher.hastening(invalidate)(tower.register.accounts["a1"], resources, "word")
    assert ended == [("a1", resources, "word")]
    assert tower.line.due - tower.time.moment == timedelta(seconds=5)


async def test_a_signal_during_a_watch_has_it_done_again() -> None:
    tower = Tower()
    await tower.watch()
    account = tower.register.accounts["a1"].account
    said: list[asyncio.Future[None]] = []

    def instead(request: Request) -> None:
        if request.path == "/towns":
            said.append(asyncio.ensure_future(tower.watcher.on_vendor_events(account, [event("employees")])))

    tower.vendor.instead = instead
    assert await tower.watch() == ("unchanged", [])
    assert said
    assert tower.line.due - tower.time.moment == timedelta(seconds=5)


# --- caches -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["no cache", "an account that keeps nothing", "rows evicted"])
async def test_it_works_where_nothing_is_kept(how: str) -> None:
    tower = Tower(cache=UnreachableCache() if how == "no cache" else None)
    if how == "an account that keeps nothing":
        tower.register.change("a1", caching=Caching(enabled=False))
    assert await tower.watch() == ("baseline", [])
    if how == "an account that keeps nothing":
        assert tower.memory.values == {}
    tower.people[0]["name"] = "Changed"
    if how == "rows evicted":
        # Another has read the lists since, and of their rows nothing is left.
        other = Tower(tower.vendor, tower.time, register=tower.register)
        tower.time.forward(HOUR)
        other.memory = other.cache = tower.memory
        other.watcher = other.worker()
        assert await other.watch(0) == ("baseline", [])
        tower.memory.evict("rows")
    assert await tower.watch(0 if how == "rows evicted" else HOUR) == ("changed", [("updated", "p0")])
