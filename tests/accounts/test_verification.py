"""What is due for an account, by its state and by when its token was last known to be good."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.exchange import Grant
from gateway.accounts.usage import Usage
from gateway.accounts.verification import (
    Decision,
    Intervals,
    NothingDue,
    StatusDue,
    TokenCheckDue,
    decide,
    wait_after_failure,
)
from gateway.model import Account, Owner, Status, StatusReason

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
INTERVALS = Intervals(idle=10 * 3600, used=100 * 3600, failed=50 * 3600)
ACCOUNT = Account(
    id="a1",
    project_id="p1",
    provider="village",
    owner=Owner(id="o", name="Owner"),
    status=Status.ACTIVE,
    grant=Grant(scopes=frozenset(), found_by="token-info"),
    revision=1,
    created_at=NOW - 1000 * HOUR,
    updated_at=NOW - 1000 * HOUR,
)


def find(
    status: Status,
    *,
    verified: float | None = 0,
    proven: float | None = None,
    ends: float | None = None,
    changed: float = 1000,
    known: bool = True,
) -> Decision:
    """Decides, with times given as hours ago; `ends` in hours from now."""

    def ago(hours: float | None) -> datetime | None:
        return None if hours is None else NOW - hours * HOUR

    grant = replace(ACCOUNT.grant, ends_at=None if ends is None else NOW + ends * HOUR)
    account = replace(ACCOUNT, status=status, grant=grant, updated_at=NOW - changed * HOUR)
    usage = Usage(check_at=NOW, verified_at=ago(verified), proven_at=ago(proven))
    return decide(account, usage, NOW, INTERVALS, has_connector=known)


@pytest.mark.parametrize(
    ("decision", "hours"),
    [
        (find(Status.ACTIVE), (5, 10)),
        (find(Status.ACTIVE, verified=4), (1, 6)),
        (find(Status.ACTIVE, verified=20, proven=1), (4, 9)),
        (find(Status.ACTIVE, verified=45, proven=0), (5, 10)),
        (find(Status.ACTIVE, ends=1), (1, 1)),
        (find(Status.ACTIVE, ends=500), (5, 10)),
        (find(Status.ERROR, verified=0), (25, 50)),
        (find(Status.EXPIRED, verified=0, ends=-1), (25, 50)),
        (find(Status.ERROR, verified=0, ends=1), (25, 50)),
        (find(Status.SUSPENDED, verified=1000), (25, 50)),
        (find(Status.SUSPENDED, verified=1000, known=False), (25, 50)),
        (find(Status.ARCHIVED, verified=1000, ends=-1), (25, 50)),
        (find(Status.INACTIVE, verified=1000, known=False), (25, 50)),
    ],
)
def test_nothing_is_due_before_its_time(decision: Decision, hours: tuple[float, float]) -> None:
    assert isinstance(decision, NothingDue)
    assert hours[0] * HOUR <= decision.until - NOW <= hours[1] * HOUR


@pytest.mark.parametrize(
    "decision",
    [
        find(Status.ACTIVE, verified=10),
        find(Status.ACTIVE, verified=None),
        find(Status.ACTIVE, verified=20, proven=10),
        find(Status.ACTIVE, verified=100, proven=0),
        find(Status.ACTIVE, verified=10, ends=1),
        find(Status.ERROR, verified=50, changed=50),
        find(Status.EXPIRED, verified=50, ends=-50, changed=50),
        find(Status.INACTIVE, verified=0),
    ],
)
def test_the_vendor_is_asked_when_it_may_say_something_new(decision: Decision) -> None:
    assert decision == TokenCheckDue()


@pytest.mark.parametrize(
    ("decision", "status", "code"),
    [
        (find(Status.ACTIVE, ends=0), Status.EXPIRED, "token_ended"),
        (find(Status.ACTIVE, verified=500, ends=-1), Status.EXPIRED, "token_ended"),
        (find(Status.ACTIVE, known=False), Status.INACTIVE, "connector_removed"),
        (find(Status.ACTIVE, known=False, ends=-1), Status.INACTIVE, "connector_removed"),
        (find(Status.ERROR, known=False), Status.INACTIVE, "connector_removed"),
        (find(Status.EXPIRED, known=False), Status.INACTIVE, "connector_removed"),
    ],
)
def test_what_is_known_without_asking_is_set_at_once(decision: Decision, status: Status, code: str) -> None:
    assert isinstance(decision, StatusDue)
    assert (decision.status, decision.reason.code, decision.reason.timestamp) == (status, code, NOW)


@pytest.mark.parametrize("status", [Status.ERROR, Status.EXPIRED])
@pytest.mark.parametrize("verified", [-1000, -2, 0])
def test_a_token_that_does_not_work_is_asked_about_after_a_minute_then_ever_more_seldom(
    status: Status, verified: float
) -> None:
    """Counted from when it was found not to work: a later change, such as of the label, does not begin it anew."""
    why = StatusReason("invalid_credentials", "It was refused.", NOW)
    account = replace(ACCOUNT, status=status, status_reasons=(why,), updated_at=NOW + HOUR)
    asked, distances = NOW + verified * HOUR, []
    for _ in range(15):
        usage = Usage(check_at=NOW, verified_at=asked)
        decision = decide(account, usage, max(asked, NOW), INTERVALS, has_connector=True)
        assert isinstance(decision, NothingDue)
        assert decide(account, usage, decision.until, INTERVALS, has_connector=True) == TokenCheckDue()
        distances.append((decision.until - max(asked, NOW)).total_seconds())
        asked = decision.until
    growing = [min(60 * 2**times, INTERVALS.failed) for times in range(15)]
    doubled = growing.index(INTERVALS.failed)
    assert distances[:doubled] == growing[:doubled]
    assert all(INTERVALS.failed / 2 <= each <= INTERVALS.failed for each in distances[doubled:])


def test_accounts_that_were_linked_together_are_not_due_together() -> None:
    usage = Usage(check_at=NOW, verified_at=NOW)
    moments = set()
    for number in range(100):
        decision = decide(replace(ACCOUNT, id=f"a{number}"), usage, NOW, INTERVALS, has_connector=True)
        assert decision == decide(replace(ACCOUNT, id=f"a{number}"), usage, NOW, INTERVALS, has_connector=True)
        assert isinstance(decision, NothingDue)
        moments.add(decision.until)
    assert len(moments) > 90


@pytest.mark.parametrize(
    ("failures", "retry_after", "seconds"),
    [
        (1, None, 60),
        (2, None, 120),
        (3, 30.0, 240),
        (1, 900.0, 900),
        (9, None, 15360),
        (10, None, 21600),
        (5000, None, 21600),
        (5000, 86400.0, 86400),
    ],
)
def test_a_vendor_that_tells_nothing_is_asked_ever_more_seldom(
    failures: int, retry_after: float | None, seconds: float
) -> None:
    assert wait_after_failure(failures, retry_after) == seconds
