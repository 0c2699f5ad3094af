"""Changing an employee in Humaans: each change goes to the record that stores it, effective from a day."""

from typing import Any

import pytest

from connectors.writes import WrongValues
from tests.connectors.flows import CARRIED, HISTORY, NEW, PERSON, ROLE, SALARY, listed, sorted_of, walk

ON = {"employment": {"effective_date": "2027-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("body", "roles", "sent"),
    [
        ({"display_name": "A"}, [ROLE], [("PATCH /people/ann", {"preferredName": "A"})]),
        (
            {"display_name": None, "termination_date": None},
            [ROLE],
            [("PATCH /people/ann", {"preferredName": None, "employmentEndDate": None})],
        ),
        (
            {"termination_date": "2027-01-31T00:00:00Z"},
            [ROLE],
            [("PATCH /people/ann", {"employmentEndDate": "2027-01-31"})],
        ),
        ({"job_title": "Lead"}, [ROLE], [("POST /job-roles", {**CARRIED, "jobTitle": "Lead", **NEW})]),
        ({"manager_id": None}, [ROLE], [("POST /job-roles", {**CARRIED, "reportingTo": None, **NEW})]),
        ({"job_title": "Engineer", "department": "Design"}, [ROLE], []),
        (
            {"job_title": "Lead"},
            [{**ROLE, "effectiveDate": "2026-11-24"}],
            [("PATCH /job-roles/r1", {"jobTitle": "Lead"})],
        ),
        (
            {"job_title": "Lead"} | ON,
            [ROLE],
            [("POST /job-roles", {**CARRIED, "jobTitle": "Lead", "personId": "ann", "effectiveDate": "2027-01-01"})],
        ),
        (
            {"job_title": "Lead"} | ON,
            [ROLE, {**ROLE, "id": "r2", "effectiveDate": "2027-01-01"}],
            [("PATCH /job-roles/r2", {"jobTitle": "Lead"})],
        ),
        ({"job_title": "Lead"}, [], [("POST /job-roles", {"jobTitle": "Lead", **NEW})]),
    ],
)
def test_a_change_of_an_employee_goes_to_the_record_that_stores_it(
    body: dict[str, Any], roles: list[dict[str, Any]], sent: list[tuple[str, Any]]
) -> None:
    found, remote_id = walk("update_employee", body, {**HISTORY, "/job-roles": listed(*roles)}, key="ann")
    assert (found, remote_id) == (sent, "ann")


def test_the_role_of_who_has_not_begun_is_changed_and_not_followed_by_another() -> None:
    lists = {
        **HISTORY,
        "/people/ann": {**PERSON, "employmentStartDate": "2027-02-01", "status": "newHire"},
        "/job-roles": listed({**ROLE, "effectiveDate": "2027-02-01"}),
    }
    found, _ = walk("update_employee", {"job_title": "Lead"}, lists, key="ann")
    assert found == [("PATCH /job-roles/r1", {"jobTitle": "Lead"})]


@pytest.mark.parametrize(
    ("salaries", "sent"),
    [
        ([SALARY], ("POST /compensations", {**SALARY, "amount": "60000", "effectiveDate": "2026-11-24"})),
        ([{**SALARY, "effectiveDate": "2026-11-24"}], ("PATCH /compensations/c1", {"amount": "60000"})),
        ([{**SALARY, "amount": "60000"}], None),
    ],
)
def test_a_raise_begins_today_or_corrects_what_began_today(
    salaries: list[dict[str, Any]], sent: tuple[str, dict[str, Any]] | None
) -> None:
    lists = {**HISTORY, "/compensations": listed(*salaries)}
    found, _ = walk("update_employee", {"employment": {"pay_rate": "60000"}}, lists, key="ann")
    if sent is not None:
        sent = (sent[0], {name: value for name, value in sent[1].items() if name not in {"id", "endDate"}})
    assert found == ([sent] if sent else [])


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "nothing is given that could be changed"),
        ({"first_name": None}, "first_name cannot be emptied"),
        ({"home_location": None}, "home_location cannot be emptied as a whole"),
        (ON, "neither a role nor pay to change"),
        ({"department": "X"}, "job_title is missing"),
    ],
)
def test_a_change_that_is_none_or_cannot_be_is_refused(body: dict[str, Any], fault: str) -> None:
    faults: tuple[str, ...] = sorted_of("update_employee", body).faults
    if not faults:
        with pytest.raises(WrongValues) as wrong:
            walk("update_employee", body, {**HISTORY, "/job-roles": listed()}, key="ann")
        faults = wrong.value.faults
    assert fault in faults[0]


def test_custom_values_that_are_there_are_changed_and_the_rest_made() -> None:
    lists = {
        "/custom-fields": listed({"id": "f1", "name": "A"}, {"id": "f2", "name": "B"}, {"id": "f3", "name": "C"}),
        "/custom-values": listed(
            {"id": "v0", "customFieldId": "f1", "resourceId": None, "value": "oldest", "updatedAt": "2025"},
            {"id": "v1", "customFieldId": "f1", "resourceId": None, "value": "old", "updatedAt": "2026"},
            {"id": "v3", "customFieldId": "f3", "resourceId": None, "value": "same", "updatedAt": "2026"},
        ),
    }
    body = {"custom_fields": [{"id": "f1", "value": "new"}, {"id": "f2", "value": 7}, {"id": "f3", "value": "same"}]}
    found, _ = walk("update_employee", body, lists, key="ann")
    assert found == [
        ("PATCH /custom-values/v1", {"value": "new"}),
        ("POST /custom-values", {"personId": "ann", "customFieldId": "f2", "value": "7"}),
    ]


def test_a_new_employment_goes_on_with_department_and_manager() -> None:
    body = {"job_title": "Lead", "effective_date": "2027-01-01T00:00:00Z", "pay_rate": "60000"}
    found, remote_id = walk("create_employee_employment", body, HISTORY, employee="ann")
    assert found == [
        ("POST /job-roles", {**CARRIED, "jobTitle": "Lead", "effectiveDate": "2027-01-01", "personId": "ann"}),
        (
            "POST /compensations",
            {
                "amount": "60000",
                "currency": "GBP",
                "period": "annual",
                "compensationTypeId": "salary",
                "personId": "ann",
                "effectiveDate": "2027-01-01",
            },
        ),
    ]
    assert remote_id == "new /job-roles"


@pytest.mark.parametrize(
    ("body", "since", "sent"),
    [
        ({"job_title": "X"}, "2024-01-01", [("PATCH /job-roles/r1", {"jobTitle": "X"})]),
        (
            {"effective_date": "2024-02-01T00:00:00Z"},
            "2024-01-01",
            [("PATCH /job-roles/r1", {"effectiveDate": "2024-02-01"})],
        ),
        ({"pay_rate": "1"}, "2024-01-01", [("PATCH /compensations/c1", {"amount": "1"})]),
        # The salary is older than the role: it is history, and gets a successor.
        (
            {"pay_rate": "1"},
            "2023-01-01",
            [
                (
                    "POST /compensations",
                    {
                        "amount": "1",
                        "currency": "GBP",
                        "period": "annual",
                        "compensationTypeId": "salary",
                        "personId": "ann",
                        "effectiveDate": "2024-01-01",
                    },
                )
            ],
        ),
    ],
)
def test_an_employment_is_corrected_with_its_pay(body: dict[str, Any], since: str, sent: list[tuple[str, Any]]) -> None:
    lists = {**HISTORY, "/job-roles/r1": ROLE, "/compensations": listed({**SALARY, "effectiveDate": since})}
    found, _ = walk("update_employee_employment", body, lists, employee="ann", key="r1")
    assert found == sent


@pytest.mark.parametrize(
    ("body", "path", "theirs"),
    [
        ({"job_title": "Lead"}, "/job-roles", {**ROLE, "id": "r9", "personId": "bob", "effectiveDate": "2026-11-24"}),
        (
            {"employment": {"pay_rate": "60000"}},
            "/compensations",
            {**SALARY, "id": "c9", "personId": "bob", "effectiveDate": "2026-11-24"},
        ),
    ],
)
def test_a_filter_that_is_ignored_changes_nothing_of_somebody_else(
    body: dict[str, Any], path: str, theirs: dict[str, Any]
) -> None:
    own = HISTORY[path]["data"]
    expected, _ = walk("update_employee", body, HISTORY, key="ann")
    found, _ = walk("update_employee", body, {**HISTORY, path: listed(theirs, *own)}, key="ann")
    assert found == expected
    assert found
