"""What is told of an account, and who wants to hear it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.core.model import Account, Status, StatusReason
from gateway.core.outbox.events import EVENTS, account_event, account_events, is_known, ping_event, wants
from tests.core.parts import NOW, make_linked

ACCOUNT = make_linked("a1", "open").account
BROKEN = replace(ACCOUNT, status=Status.ERROR, status_reasons=(StatusReason("invalid", "Not taken.", NOW),))


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        (None, ACCOUNT, ["account.created"]),
        (ACCOUNT, replace(ACCOUNT, label="new"), ["account.updated"]),
        (ACCOUNT, BROKEN, ["account.updated", "account.error"]),
        (BROKEN, replace(BROKEN, label="new"), ["account.updated"]),
        (BROKEN, ACCOUNT, ["account.updated"]),
        (ACCOUNT, None, ["account.deleted"]),
        (None, None, []),
    ],
)
def test_what_has_happened_is_seen_from_before_and_after(
    before: Account | None, after: Account | None, events: Sequence[str]
) -> None:
    assert list(account_events(before, after)) == events
    assert set(events) <= EVENTS.keys()


@pytest.mark.parametrize(
    ("patterns", "heard"),
    [
        (["*"], ["account.created", "account.error", "hris_employees.updated"]),
        (["account.*"], ["account.created", "account.error"]),
        (["account.error", "hris_employees.updated"], ["account.error", "hris_employees.updated"]),
        (["account"], []),
        (["acc*"], []),
        ([], []),
    ],
)
def test_an_endpoint_hears_what_it_names(patterns: Sequence[str], heard: Sequence[str]) -> None:
    names = ["account.created", "account.error", "hris_employees.updated"]
    assert [name for name in names if wants(patterns, name)] == heard


@pytest.mark.parametrize(
    ("pattern", "known"),
    [("*", True), ("account.*", True), *((each, True) for each in EVENTS), ("account.gone", False), ("acc.*", False)],
)
def test_only_what_there_is_can_be_asked_for(pattern: str, known: bool) -> None:
    assert is_known(pattern) is known


def test_an_error_says_why_and_the_end_says_no_more_than_it_must() -> None:
    failed = account_event("account.error", BROKEN, "e1", NOW).payload
    assert failed["status"] == "error"
    reason = {"code": "invalid", "description": "Not taken.", "timestamp": "2026-11-24T12:00:00.000Z"}
    assert failed["status_reasons"] == [reason]
    set_up = replace(ACCOUNT, setup_information={"domain": "acme"})
    told = account_event("account.updated", set_up, "e2", NOW).payload
    ended = account_event("account.deleted", set_up, "e3", NOW).payload
    assert (told["setup_information"], ended["setup_information"]) == ({"domain": "acme"}, {})
    assert told.keys() == ended.keys()
    assert "planted" not in repr(account_event("account.updated", replace(set_up, label="planted"), "e", NOW))


def test_a_ping_is_about_the_endpoint_alone() -> None:
    ping = ping_event("p1", "w1", "e1", NOW)
    assert (ping.account_id, ping.payload["record_id"], ping.payload["event"]) == (None, "w1", "webhook.ping")
