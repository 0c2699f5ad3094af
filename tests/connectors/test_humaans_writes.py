"""Writing time off and identity documents to Humaans, and what holds for all that is written there."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from connectors.convert import normal
from connectors.hris.operations import OPERATIONS
from connectors.humaans import employees as reading
from connectors.humaans.connector import HUMAANS
from connectors.humaans.employments import PAY_PERIODS
from connectors.humaans.nationalities import NATIONALITIES
from connectors.humaans.time_off import STATUSES as TIME_OFF_STATUSES
from connectors.humaans.writes import pay, people, time_off
from connectors.writes import Missing, WrongValues
from tests.connectors.flows import listed, walk

AWAY = {"start_date": "2026-12-07T00:00:00.000", "end_date": "2026-12-09", "time_off_policy_id": "t1"}
AWAY_ROW = {"startDate": "2026-12-07", "endDate": "2026-12-09", "timeAwayTypeId": "t1", "personId": "ann"}


@pytest.mark.parametrize(
    ("more", "row"),
    [
        ({}, {}),
        ({"comment": "hi"}, {"note": "hi"}),
        ({"status": "rejected"}, {"requestStatus": "declined"}),
        ({"start_half_day": True}, {"startPeriod": "pm", "endPeriod": "full"}),
        ({"end_half_day": True}, {"startPeriod": "full", "endPeriod": "am"}),
        ({"start_half_day": True, "end_half_day": True}, {"startPeriod": "pm", "endPeriod": "am"}),
        (
            {"end_date": "2026-12-07", "start_half_day": True},
            {"endDate": "2026-12-07", "startPeriod": "pm", "endPeriod": "pm"},
        ),
        (
            {"end_date": "2026-12-07", "end_half_day": True},
            {"endDate": "2026-12-07", "startPeriod": "am", "endPeriod": "am"},
        ),
        (
            {"end_date": "2026-12-07", "end_half_day": False},
            {"endDate": "2026-12-07", "startPeriod": "full", "endPeriod": "full"},
        ),
    ],
)
def test_time_off_is_requested_in_days_and_halves(more: dict[str, Any], row: dict[str, Any]) -> None:
    found, _ = walk("create_employee_time_off_request", {**AWAY, **more}, {}, employee="ann")
    assert found == [("POST /time-away", {**AWAY_ROW, **row})]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"end_date": "2026-12-06"}, "end_date is before start_date"),
        ({"end_date": "2026-12-07", "start_half_day": True, "end_half_day": True}, "exclude each other"),
    ],
)
def test_time_off_that_cannot_be_is_refused(more: dict[str, Any], fault: str) -> None:
    with pytest.raises(WrongValues, match=fault):
        walk("create_employee_time_off_request", {**AWAY, **more}, {}, employee="ann")


STORED_ROW = {**AWAY_ROW, "id": "a1", "isTimeOff": True, "startPeriod": "full", "endPeriod": "full"}


@pytest.mark.parametrize(
    ("old", "body", "sent"),
    [
        (STORED_ROW, {"status": "approved"}, {"requestStatus": "approved"}),
        (STORED_ROW, {"comment": None}, {"note": None}),
        (STORED_ROW, {"start_half_day": True}, {"startPeriod": "pm", "endPeriod": "full"}),
        ({**STORED_ROW, "endPeriod": "am"}, {"start_half_day": True}, {"startPeriod": "pm", "endPeriod": "am"}),
        ({**STORED_ROW, "endPeriod": "am"}, {"end_half_day": False}, {"startPeriod": "full", "endPeriod": "full"}),
        (
            {**STORED_ROW, "endDate": "2026-12-07", "startPeriod": "am", "endPeriod": "am"},
            {"start_half_day": True, "end_half_day": True, "comment": "x"},
            {"note": "x"},
        ),
    ],
)
def test_time_off_is_changed_from_what_it_was(old: dict[str, Any], body: dict[str, Any], sent: dict[str, Any]) -> None:
    found, _ = walk("update_employee_time_off_request", body, {"/time-away/a1": old}, employee="ann", key="a1")
    assert found == [("PATCH /time-away/a1", sent)]


def test_time_off_is_cancelled_by_deleting_it() -> None:
    found, _ = walk("cancel_employee_time_off_request", {}, {"/time-away/a1": STORED_ROW}, employee="ann", key="a1")
    assert found == [("DELETE /time-away/a1", None)]


PAPER = {"id": "p1", "personId": "ann"}
OTHERS: list[tuple[str, str, dict[str, Any], str]] = [
    ("update_employee_time_off_request", "/time-away/x", {"personId": "bob", "isTimeOff": True}, "time off"),
    ("cancel_employee_time_off_request", "/time-away/x", {"personId": "bob", "isTimeOff": True}, "time off"),
    ("cancel_employee_time_off_request", "/time-away/x", {"personId": "ann", "isTimeOff": False}, "time off"),
    ("update_employee_employment", "/job-roles/x", {"personId": "bob"}, "employment"),
    ("update_employee_work_eligibility_request", "/identity-documents/x", {"personId": None}, "work eligibility"),
]


@pytest.mark.parametrize(("operation", "path", "record", "what"), OTHERS)
def test_a_record_of_another_employee_is_not_found(operation: str, path: str, record: Any, what: str) -> None:
    with pytest.raises(Missing, match=what):
        walk(operation, {}, {path: record}, employee="ann", key="x")


@pytest.mark.parametrize("key", ["a/b", "..", "a?b", "a#b", "a%2fb", ""])
def test_an_id_that_is_more_than_a_segment_makes_no_path(key: str) -> None:
    with pytest.raises(Missing):
        walk("cancel_employee_time_off_request", {}, {}, employee="ann", key=key)


def test_an_identity_document_is_of_the_one_type_that_is_meant() -> None:
    types = listed({"id": "i1", "name": "Passport"}, {"id": "i2", "name": "Visa"}, {"id": "i3", "name": "Work visa"})
    body = {"type": "visa", "number": "7", "issued_by": "GB", "valid_from": "2026-01-01T00:00:00Z", "sub_type": "B1"}
    found, _ = walk(
        "create_employee_work_eligibility_request", body, {"/identity-document-types": types}, employee="ann"
    )
    columns = {"number": "7", "issuingCountry": "GB", "issueDate": "2026-01-01", "name": "B1"}
    assert found == [("POST /identity-documents", {**columns, "identityDocumentTypeId": "i2", "personId": "ann"})]
    changed = {"type": "passport", "valid_to": None}
    lists = {"/identity-documents/p1": PAPER, "/identity-document-types": types}
    found, _ = walk("update_employee_work_eligibility_request", changed, lists, employee="ann", key="p1")
    assert found == [("PATCH /identity-documents/p1", {"expiryDate": None, "identityDocumentTypeId": "i1"})]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "(none) none of them is visa"),
        (["Passport"], "(Passport) none of them is visa"),
        (["Work visa", "work-visa"], "(Work visa, work-visa) several of them are visa"),
    ],
)
def test_a_type_that_is_not_plainly_one_is_not_guessed(names: list[str], words: str) -> None:
    types = listed(*({"id": name, "name": name} for name in names))
    with pytest.raises(WrongValues) as wrong:
        walk(
            "create_employee_work_eligibility_request",
            {"type": "visa"},
            {"/identity-document-types": types},
            employee="ann",
        )
    assert words in wrong.value.faults[0]


def read_back(table: Mapping[str, str]) -> Callable[[str], str | None]:
    normalised = {normal(theirs): ours for theirs, ours in table.items()}
    return lambda theirs: normalised.get(normal(theirs))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (people.GENDERS, reading.GENDERS),
        (people.SCHEDULES, reading.SCHEDULES),
        (people.FOOTINGS, reading.FOOTINGS),
        (people.ADJECTIVES, NATIONALITIES),
        (pay.PERIODS, PAY_PERIODS),
        (time_off.STATUSES, TIME_OFF_STATUSES),
    ],
)
def test_every_value_that_is_written_is_read_as_the_same(written: Mapping[str, str], read: Mapping[str, str]) -> None:
    back = read_back(read)
    assert {ours: back(theirs) for ours, theirs in written.items()} == {ours: ours for ours in written}


def test_every_write_of_the_contract_is_there_or_has_its_reason() -> None:
    for operation in OPERATIONS:
        if operation.method != "GET":
            assert HUMAANS.write(operation) or HUMAANS.why_unanswered(operation), operation.id
    assert {write.operation for write in HUMAANS.writes} <= {operation.id for operation in OPERATIONS}
    for write in HUMAANS.writes:
        operation = next(each for each in OPERATIONS if each.id == write.operation)
        assert write.body is operation.body


def test_every_writing_scope_is_in_a_rule() -> None:
    needed = {scope for write in HUMAANS.writes for _, need in write.needs() for scope in need.any_of}
    assert {"private:write", "compensations:write", "documents:write"} <= needed
