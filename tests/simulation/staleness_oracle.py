"""What an answer may be, from what was true when: the contract of the cache, as a model of few rules."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from gateway.cache.freshness import Freshness, Windows
from gateway.errors import (
    AccountUnavailable,
    BadRequest,
    DeadlineExceeded,
    Forbidden,
    NotCached,
    NotFound,
    RateLimited,
    Unauthenticated,
    VendorFailure,
)
from gateway.model import LinkedAccount, Status
from tests.simulation.simulation import Period, SimulatedRequest, Simulation
from tests.simulation.vendor_history import LETTERS, RESOURCES
from tests.simulation.workers import CURSOR, DEADLINE, WINDOWS

STAMP = re.compile(rb"([a-z]+)~(c\d)~([prt]\d+)~(\d+)(?:~(\d{4}-\d\d-\d\d))?")
EMAIL = re.compile(rb"([prt]\d+)@(c\d)\.test")
SLACK = 0.01
"""Seconds: a moment is a microsecond, and a step of the machine is TICK."""


@dataclass(frozen=True)
class Stamp:
    """A value in an answer."""

    what: str
    company: str
    record: str
    number: int
    day: str

    @property
    def resource(self) -> str:
        return RESOURCES[LETTERS[self.record[0]]]


def stamps(body: bytes) -> list[Stamp]:
    return [
        Stamp(what.decode(), company.decode(), record.decode(), int(number), day.decode())
        for what, company, record, number, day in STAMP.findall(body)
    ]


def check(simulation: Simulation, asked: SimulatedRequest) -> None:
    """Raises an `AssertionError` for an answer that may not be."""
    assert asked.ended - asked.began <= DEADLINE + 1, "it took longer than it may"
    if asked.page is None:
        _check_error(simulation, asked)
        return
    assert asked.secret in {"full", "plain"}, "this key may not ask"
    outcome = list(dict.fromkeys(_fault(simulation, asked, period) for period in possible(simulation, asked)))
    assert "" in outcome, "; ".join(outcome) or "nobody may answer for this account"
    assert not asked.foreign, "it goes on with a walk of somebody else"
    _check_stale(simulation, asked, asked.page.freshness)
    _check_written(simulation, asked)


def _check_stale(simulation: Simulation, asked: SimulatedRequest, fresh: Freshness) -> None:
    """A stale cached answer is given for a reason, and a failure that it replaces has happened."""
    if fresh.failed or fresh.detail == "vendor-failed":
        assert simulation.vendor.unwell >= asked.began - 2 * DEADLINE, f"{fresh.failed!r} is no failure"
    if fresh.detail in {"local", "shared"} and fresh.now >= fresh.times.fresh_until:
        assert asked.directives.max_stale or asked.directives.only_if_cached, "it is stale, and none is fetched"


def possible(simulation: Simulation, asked: SimulatedRequest) -> list[Period]:
    """Returns the states of the account that the worker may have known."""
    periods = simulation.periods.get(asked.account, [])
    known = [number for number, each in enumerate(periods) if each.known(asked.worker) < asked.began]
    return [each for each in periods[max(known, default=0) :] if each.since <= asked.ended]


def _check_error(simulation: Simulation, asked: SimulatedRequest) -> None:
    error, calls = asked.error, asked.action.calls
    periods = possible(simulation, asked)
    states = [each.linked.account.status if each.linked else None for each in periods]
    match error:
        case Unauthenticated():
            assert (asked.secret, calls) == ("nobody", 0)
        case Forbidden():
            refused = any(
                (each.company, path) in simulation.vendor.ever_refused for each in periods for path in RESOURCES
            )
            assert asked.secret == "blind" or refused
            assert asked.secret != "blind" or calls == 0
        case NotFound(code="AccountNotFoundError"):
            assert asked.secret == "foreign" or None in states or not states
            assert calls == 0
        case NotFound():
            assert asked.operation.kind == "get"
            companies = [simulation.companies[each.company] for each in periods if each.linked]
            there = [company.there("/people", asked.began, asked.ended) for company in companies]
            refused = any((each.name, "/people") in simulation.vendor.ever_refused for each in companies)
            assert refused or not all(asked.key in each for each in there), f"{asked.key} was there all the time"
        case AccountUnavailable():
            refused = any(
                each.linked and each.linked.credential.reveal in simulation.vendor.revoked for each in periods
            )
            assert refused or any(state is not Status.ACTIVE for state in states), "the account is active"
        case NotCached():
            assert asked.directives.only_if_cached
        case BadRequest(code="StaleCursorError"):
            assert asked.cursor
            assert not asked.foreign
            assert simulation.may_have_lost(asked.account, asked.walk_since), "the walk's own reading is still stored"
            simulation.begun_again[asked.account] = asked.ended
        case BadRequest():
            assert asked.foreign
        case VendorFailure() | RateLimited() | DeadlineExceeded():
            assert simulation.vendor.unwell >= asked.began - 2 * DEADLINE, "the vendor was well"
        case _:
            raise AssertionError(f"nothing explains {error!r}")


def _fault(simulation: Simulation, asked: SimulatedRequest, period: Period) -> str:
    """Returns what is wrong with an answer if its account stood so, or nothing."""
    page, linked = asked.page, period.linked
    assert page is not None
    if linked is None or linked.account.status is not Status.ACTIVE:
        return f"the account is {linked.account.status if linked else 'unlinked'}"
    seen = stamps(page.body)
    companies = {each.company for each in seen} | {name.decode() for _, name in EMAIL.findall(page.body)}
    if companies - {period.company}:
        return f"it shows {companies}, and the account is of {period.company}"
    hidden = {each.what for each in seen} - visible(asked, linked)
    if hidden:
        return f"it shows {hidden}"
    old = next(filter(None, (_too_old(simulation, asked, each, linked) for each in seen)), "")
    return old or _incomplete(simulation, asked, period)


def visible(asked: SimulatedRequest, linked: LinkedAccount) -> set[str]:
    """Returns what a question may show, to this key and for this token."""
    fields = asked.query.get("fields", "name,work_email,employee_number,job_title,diet,pay_rate").split(",")
    named = {
        "name": "name",
        "employee_number": "number",
        "job_title": "title",
        "diet": "diet",
        "pay_rate": "pay",
    }
    shown = {named[each] for each in fields if each in named}
    if "avatar_url" in asked.query.get("include", ""):
        shown.add("photo")
    if "work_location" in asked.query.get("expand", ""):
        shown |= {"town", "size"}
    if "closed" not in linked.account.grant.scopes:
        shown -= {"number", "diet", "town", "size"}
    return shown - {"pay", "size"} if asked.secret == "plain" else shown


def _too_old(simulation: Simulation, asked: SimulatedRequest, stamp: Stamp, linked: LinkedAccount) -> str:
    page = asked.page
    assert page is not None
    fresh = page.freshness
    true = simulation.companies[stamp.company].last_true(stamp.record, stamp.number, asked.ended)
    windows = _windows(stamp.resource, linked)
    most = _most_age(asked, stamp, windows, linked)
    walked = asked.cursor and stamp.resource == "employees"
    called_fresh = fresh.now < fresh.times.fresh_until and not walked
    days = {f"{datetime.fromtimestamp(each, UTC):%Y-%m-%d}" for each in (asked.began, asked.ended)}
    if true is None:
        return f"{stamp} was never true"
    until = true[0] + SLACK
    faults = {
        "it is of another moment": not asked.began - SLACK <= fresh.now <= asked.ended + SLACK,
        f"{stamp} ended before the answer says that it was made": until < fresh.times.made_at,
        f"{stamp} ended {asked.began - until:g} s before it was asked for": until < asked.began - most,
        f"{stamp} is called fresh and is not": called_fresh and until < fresh.now - windows.fresh,
        f"{stamp} is of another day": stamp.day and stamp.day not in days,
    }
    return next((fault for fault, is_so in faults.items() if is_so), "")


def _windows(resource: str, linked: LinkedAccount) -> Windows:
    """Returns what the settings and the account's ceilings allow; said here again, as the engine is what is judged."""
    allowed, most = WINDOWS[resource], linked.account.caching.ceilings
    stale = most.stale if min(allowed.fresh, most.fresh) > 0 else 0
    return Windows(
        min(allowed.fresh, most.fresh), min(allowed.stale_while_revalidate, stale), min(allowed.stale_if_error, stale)
    )


def _most_age(asked: SimulatedRequest, stamp: Stamp, windows: Windows, linked: LinkedAccount) -> float:
    """Returns how many seconds before the request a value may have ended to be true."""
    page, wanted = asked.page, asked.directives
    assert page is not None
    fresh = page.freshness
    stale = max(windows.stale_while_revalidate, windows.stale_if_error)
    if asked.cursor and stamp.resource == "employees":
        return windows.fresh + stale + CURSOR  # A walk goes on in its own reading.
    if not wanted.may_read or not linked.account.caching.enabled:
        return 0
    if fresh.now < fresh.times.fresh_until:
        most = windows.fresh
    elif fresh.failed or fresh.detail == "vendor-failed":
        most = windows.fresh + stale
    elif wanted.max_stale:
        most = windows.fresh + max(windows.stale_while_revalidate, min(stale, wanted.max_stale))
    else:
        most = windows.fresh + windows.stale_while_revalidate
    if wanted.min_fresh:
        most = max(0.0, windows.fresh - wanted.min_fresh)
    return most if wanted.max_age is None else min(most, wanted.max_age)


def _incomplete(simulation: Simulation, asked: SimulatedRequest, period: Period) -> str:
    """Returns who is missing in a list that is asked for whole, or is not who was asked for."""
    page = asked.page
    assert page is not None
    if asked.operation.kind == "get":
        shown = orjson.loads(page.body)["data"]["remote_id"]
        return "" if shown == asked.key else f"it shows {shown}"
    if asked.query.keys() & {"next", "page_size", "updated_after"}:
        return ""
    since = min(asked.began, page.freshness.times.made_at)
    wanted = simulation.companies[period.company].there("/people", since, asked.ended)
    if "filter[email]" in asked.query:
        wanted = {each for each in wanted if asked.query["filter[email]"] == f"{each}@{period.company}.test"}
    ids = [each["remote_id"] for each in orjson.loads(page.body)["data"]]
    if len(ids) != len(set(ids)):
        return f"it repeats somebody: {ids}"
    missing = wanted - set(ids)
    return f"{missing} are missing" if missing else ""


def _check_written(simulation: Simulation, asked: SimulatedRequest) -> None:
    page = asked.page
    assert page is not None
    for stamp in stamps(page.body):
        path = LETTERS[stamp.record[0]]
        if asked.cursor and path == "/people":
            continue
        true = simulation.companies[stamp.company].last_true(stamp.record, stamp.number, asked.ended)
        for floor in simulation.floors:
            if (floor.account, floor.company, floor.path) == (asked.account, stamp.company, path):
                entries = floor.holds(asked.worker, asked.began, asked.ended)
                assert not entries or (true and true[1] > floor.number), (
                    f"{stamp} was changed by a write before it was asked for"
                )


def check_unlinked(simulation: Simulation) -> None:
    """Raises an `AssertionError` where entries of an unlinked account are still cached."""
    now = simulation.time.seconds()
    for account, since in simulation.unlinked.items():
        quiet = simulation.disturbed < since - 2
        if now < since + (1 if quiet else 2 * DEADLINE):
            continue
        if quiet or simulation.unsteady < since - 2:
            left = [
                key for key in (*simulation.redis.values, *simulation.redis.marks) if key.startswith(f"{{{account}}}")
            ]
            assert not left, f"{left} are still cached of {account}"
        for worker in simulation.workers:
            stored = account in worker.local or account in worker.lists
            assert not stored or not quiet, f"a worker still has entries of {account}"
