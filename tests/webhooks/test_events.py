"""What is told of an account, and who wants to hear it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.model import Status, StatusReason
from gateway.webhooks.events import EVENTS, Record, account_event, events_of, is_known, ping_event, record_event, wants
from tests.fakes.core import NOW, make_linked

ACCOUNT = make_linked("a1", "open").account
BROKEN = replace(ACCOUNT, status=Status.ERROR, status_reasons=(StatusReason("invalid", "Not taken.", NOW),))


@pytest.mark.parametrize(
    ("facts", "events"),
    [
        (["account.linked"], ["account.created"]),
        (["account.relinked", "account.recovered"], ["account.updated"]),
        (["account.suspended"], ["account.updated"]),
        (["account.scopes_changed", "account.updated"], ["account.updated"]),
        (["account.error"], ["account.updated", "account.error"]),
        (["account.expired"], ["account.updated", "account.expired"]),
        (["account.unlinked"], ["account.deleted"]),
    ],
)
def test_what_has_happened_is_told_in_the_words_of_the_contract(facts: Sequence[str], events: Sequence[str]) -> None:
    assert list(events_of(facts)) == events
    assert set(events) <= EVENTS.keys()


def test_of_a_record_is_said_which_it_is_and_not_what_it_holds() -> None:
    told = record_event("hris_employees.updated", ACCOUNT, Record("employees", "u1", "r1"), "e1", NOW)
    assert told.payload == {
        "project_id": "p1",
        "account_id": "a1",
        "event": "hris_employees.updated",
        "event_date": "2026-11-24T12:00:00.000Z",
        "record_type": "employees",
        "record_id": "u1",
        "record_remote_id": "r1",
    }
    assert "record_remote_id" not in record_event("x", ACCOUNT, Record("employees", "u1"), "e1", NOW).payload


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
