"""What follows from a reply, and when: a pure decision, row by row."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.model import Secret
from gateway.settings.schema import RETRY_SECONDS
from gateway.webhooks.deliveries import LONGEST_RETRY_AFTER, Claim, Outcome, Reply, Schedule, State
from gateway.webhooks.events import PING
from tests.fakes.core import NOW

SCHEDULE = Schedule(waits=(5.0, 30.0, 120.0), disable_after=timedelta(days=5), lease=30.0)
CLAIM = Claim(
    delivery_id="d1",
    token="t1",
    endpoint_id="w1",
    url="https://example.com/?token=planted",
    event_id="e1",
    event="account.updated",
    payload=b'{"name":"planted"}',
    secrets=(Secret("planted"),),
    tries=0,
    failing_since=None,
)
DEAD = Outcome(State.DEAD, "failed")


@pytest.mark.parametrize(
    ("status", "tries", "outcome"),
    [
        (200, 0, Outcome(State.DELIVERED)),
        (204, 2, Outcome(State.DELIVERED)),
        (299, 0, Outcome(State.DELIVERED)),
        (199, 0, Outcome(State.PENDING, wait=5.0)),
        (301, 0, Outcome(State.PENDING, wait=5.0)),
        (400, 1, Outcome(State.PENDING, wait=30.0)),
        (404, 2, Outcome(State.PENDING, wait=120.0)),
        (503, 3, DEAD),
        (None, 0, Outcome(State.PENDING, wait=5.0)),
        (None, 3, DEAD),
        (410, 0, Outcome(State.DEAD, "gone", disable="gone")),
    ],
)
def test_a_reply_decides(status: int | None, tries: int, outcome: Outcome) -> None:
    assert SCHEDULE.decide(replace(CLAIM, tries=tries), Reply(status=status), NOW, 0.5) == outcome


@pytest.mark.parametrize(("jitter", "wait"), [(0.0, 2.5), (0.25, 3.75), (0.5, 5.0), (1.0, 7.5)])
def test_chance_moves_a_wait_by_up_to_a_half(jitter: float, wait: float) -> None:
    assert SCHEDULE.decide(CLAIM, Reply(status=500), NOW, jitter).wait == wait


@pytest.mark.parametrize(
    ("asked", "wait"),
    [(None, 5.0), (0.0, 5.0), (4.0, 5.0), (60.0, 60.0), (1e9, LONGEST_RETRY_AFTER)],
)
def test_a_receiver_may_put_us_off_for_up_to_an_hour(asked: float | None, wait: float) -> None:
    reply = Reply(status=429, retry_after=asked)
    assert SCHEDULE.decide(CLAIM, reply, NOW, 0.5).wait == wait


def test_a_ping_is_tried_once_with_each_secret() -> None:
    ping = replace(CLAIM, event=PING)
    assert SCHEDULE.decide(ping, Reply(status=500), NOW, 0.5) == DEAD
    two = replace(ping, secrets=CLAIM.secrets * 2)
    assert SCHEDULE.decide(two, Reply(status=401), NOW, 0.5).state is State.PENDING
    assert SCHEDULE.decide(replace(two, tries=1), Reply(status=401), NOW, 0.5) == DEAD


@pytest.mark.parametrize(
    ("since", "disable"),
    [(None, None), (NOW - timedelta(days=5) + timedelta(seconds=1), None), (NOW - timedelta(days=5), "failing")],
)
def test_an_endpoint_that_has_failed_for_days_is_disabled_with_the_next_delivery_that_dies(
    since: datetime | None, disable: str | None
) -> None:
    last = replace(CLAIM, tries=3, failing_since=since)
    assert SCHEDULE.decide(last, Reply(status=500), NOW, 0.5) == replace(DEAD, disable=disable)
    assert SCHEDULE.decide(replace(last, tries=0), Reply(status=500), NOW, 0.5).disable is None


def test_the_waits_that_are_set_last_a_night_at_the_least_and_a_day_as_a_rule() -> None:
    rule = sum(RETRY_SECONDS) / 3600
    assert rule / 2 > 10
    assert 20 < rule < 24


def test_a_claim_shows_neither_where_it_goes_nor_what_it_says() -> None:
    assert "planted" not in repr(CLAIM)
