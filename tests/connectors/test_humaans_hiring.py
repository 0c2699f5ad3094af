"""Creating an employee in Humaans: which calls are made with which bodies, and what Humaans cannot take."""

import json
from typing import Any

import pytest

from connectors import ids
from connectors.writes import Order, Reply, WrongValues
from tests.connectors.flows import TODAY, TYPES, listed, sorted_of, walk, write_of

HIRED = {
    "first_name": "Ada",
    "last_name": "Li",
    "work_email": "ada@example.com",
    "start_date": "2026-12-01T00:00:00.000Z",
    "job_title": "Engineer",
    "work_location": {"city": "Lisbon", "country": "PT"},
}
HIRED_ROW = {
    "firstName": "Ada",
    "lastName": "Li",
    "email": "ada@example.com",
    "employmentStartDate": "2026-12-01",
    "locationId": "remote",
    "remoteCity": "Lisbon",
    "remoteCountryCode": "PT",
    "jobRole": {"jobTitle": "Engineer"},
}


@pytest.mark.parametrize(
    ("more", "row"),
    [
        ({}, {}),
        ({"hire_date": "2026-12-01T23:59:00+05:00"}, {}),
        ({"work_location": {"id": "loc1"}}, {"locationId": "loc1", "remoteCity": None, "remoteCountryCode": None}),
        (
            {"work_location": {"id": ids.encode("location", "loc1")}},
            {"locationId": "loc1", "remoteCity": None, "remoteCountryCode": None},
        ),
        ({"work_location": {"name": "berlin "}}, {"locationId": "l2", "remoteCity": None, "remoteCountryCode": None}),
        (
            {"manager_id": ids.encode("employee", "bob"), "department_id": ids.encode("department", "Design")},
            {"jobRole": {"jobTitle": "Engineer", "department": "Design", "reportingTo": "bob"}},
        ),
        (
            {"gender": "non_binary", "citizenships": ["GB", "FR"]},
            {"gender": "Non-binary", "nationalities": ["British", "French"]},
        ),
        ({"birthday": "1990-05-01T00:00:00Z", "date_of_birth": "1990-05-01T00:00:00Z"}, {"birthday": "1990-05-01"}),
        ({"employment_contract_type": "part_time"}, {"contractType": "Part time"}),
        ({"employment": {"type": {"type": "contractor"}}}, {"contractType": "Contractor"}),
        (
            {"home_location": {"street_1": "1 Road", "city": "Bath", "zip_code": "X", "country": "GB", "state": "S"}},
            {"address": "1 Road", "city": "Bath", "postcode": "X", "countryCode": "GB", "state": "S"},
        ),
        ({"national_identity_number": {"value": "12", "type": None}}, {"taxId": "12"}),
        ({"national_identity_numbers": [{"value": "12"}]}, {"taxId": "12"}),
        ({"passthrough": {"pronouns": "she/her"}}, {"pronouns": "she/her"}),
        ({"display_name": None, "ethnicity": None}, {}),
    ],
)
def test_a_new_employee_is_a_person_with_a_job_role(more: dict[str, Any], row: dict[str, Any]) -> None:
    places = listed({"id": "l1", "label": "London"}, {"id": "l2", "label": "Berlin"})
    sent, remote_id = walk("create_employee", {**HIRED, **more}, {"/locations": places})
    wanted = {name: value for name, value in {**HIRED_ROW, **row}.items() if value is not None}
    assert sent == [("POST /people", wanted)]
    assert remote_id == "new /people"


def test_pay_and_custom_fields_of_a_new_employee_follow_the_person() -> None:
    body = {
        **HIRED,
        "employment": {"pay_rate": "52000.50", "pay_currency": "GBP", "pay_period": "year"},
        "custom_fields": [
            {"name": "t-shirt", "value": "L"},
            {"id": ids.encode("custom_field", "f2"), "value": ["a", "b"]},
        ],
    }
    fields = listed({"id": "f1", "name": "T-shirt"}, {"id": "f2", "name": "Clubs"})
    sent, _ = walk("create_employee", body, {"/compensation-types": listed(*TYPES), "/custom-fields": fields})
    assert sent == [
        ("POST /people", HIRED_ROW),
        (
            "POST /compensations",
            {
                "amount": "52000.50",
                "period": "annual",
                "currency": "GBP",
                "compensationTypeId": "salary",
                "personId": "new /people",
                "effectiveDate": "2026-12-01",
            },
        ),
        ("POST /custom-values", {"personId": "new /people", "customFieldId": "f1", "value": "L"}),
        ("POST /custom-values", {"personId": "new /people", "customFieldId": "f2", "value": ["a", "b"]}),
    ]


def test_every_missing_field_of_a_new_employee_is_named() -> None:
    assert len(sorted_of("create_employee", {}).faults) == 6
    assert all(fault.endswith(" is missing") for fault in sorted_of("create_employee", {}).faults)


UNFIT = [
    ({"ethnicity": "asian"}, "ethnicity cannot be written: Humaans keeps no ethnicity"),
    ({"name": "Ada Li"}, "name cannot be written: Humaans keeps names apart"),
    ({"hire_date": "2026-12-02T00:00:00Z"}, "hire_date and start_date differ, and are one column: employmentStartDate"),
    ({"employment_type": "permanent", "employment_contract_type": "full_time"}, "are one column: contractType"),
    ({"manager_id": ids.encode("location", "bob")}, "manager_id is not the id of a employee"),
    ({"department_id": "Design"}, "department_id is not the id of a department"),
    ({"gender": "unmapped_value"}, "gender has no counterpart for this word; there are: diverse, female"),
    ({"citizenships": ["AQ", "GB"]}, "citizenships cannot be told to Humaans for AQ"),
    ({"employment": {"pay_rate": "a lot"}}, "employment.pay_rate must be a plain decimal number"),
    ({"employment": {"pay_rate": "-5"}}, "employment.pay_rate must be a plain decimal number"),
    ({"employment": {"pay_currency": "gbp"}}, "employment.pay_currency must be a currency"),
    ({"employment": {"pay_period": "every_two_weeks"}}, "employment.pay_period has no counterpart"),
    ({"employment": {"grade": {"name": "A"}}}, "employment.grade cannot be written: Humaans keeps no grades"),
    ({"employment": {"type": {"label": "X"}}}, "employment.type.label cannot be written"),
    ({"home_location": {"street_2": "x"}}, "home_location.street_2 cannot be written"),
    ({"work_location": {"street_1": "x", "id": "l"}}, "work_location.street_1 cannot be written"),
    ({"custom_fields": [{"value": "x"}]}, "custom_fields [0] must name its field"),
    ({"custom_fields": [{"id": "f", "value": {"a": 1}}]}, "custom_fields [0].value must be text"),
    ({"custom_fields": [{"id": "f", "value": "x", "value_id": "v"}]}, "custom_fields [0] names a value"),
    ({"national_identity_number": {"value": "1", "type": "ssn"}}, "national_identity_number is kept by Humaans as"),
    ({"national_identity_numbers": [{"value": "1"}] * 2}, "national_identity_numbers must be one number"),
    ({"passthrough": {"email": "x@y"}}, "passthrough.email cannot be set: it is written by work_email"),
    ({"passthrough": {"role": "owner"}}, "passthrough.role cannot be set"),
    ({"passthrough": {"id": "x"}}, "passthrough.id cannot be set"),
    ({"passthrough": {"jobRole": {}}}, "passthrough.jobRole cannot be set"),
    ({"passthrough": {"amount": "1"}}, "passthrough.amount cannot be set: it is written by employment.pay_rate"),
]


@pytest.mark.parametrize(("more", "fault"), UNFIT)
def test_what_humaans_cannot_take_is_said_and_not_dropped(more: dict[str, Any], fault: str) -> None:
    faults = sorted_of("create_employee", {**HIRED, **more}).faults
    assert len(faults) == 1
    assert fault in faults[0]


WRONG = [
    ({"work_location": {"id": "l", "name": "x"}}, "work_location is either a place"),
    ({"work_location": {"id": "l", "city": "x"}}, "work_location is either a place"),
    ({"work_location": {"city": "x"}}, "work_location.country is missing"),
    ({"work_location": {"id": "remote"}}, "work_location.city is missing"),
    ({"work_location": {"name": "Mars"}}, "work_location.name: no location has this name"),
    ({"work_location": {"name": "Twin"}}, "work_location.name: several locations have this name"),
    ({"employment": {"pay_rate": "1"}}, "pay_currency is missing"),
    ({"custom_fields": [{"name": "x", "value": "y"}]}, "custom_fields: 'x': there is no such custom field"),
]


@pytest.mark.parametrize(("more", "fault"), WRONG)
def test_what_turns_out_wrong_is_said_before_anything_is_written(more: dict[str, Any], fault: str) -> None:
    lists = {
        "/locations": listed({"id": "1", "label": "Twin"}, {"id": "2", "label": "twin"}),
        "/compensation-types": listed(*TYPES),
        "/custom-fields": listed(),
    }
    with pytest.raises(WrongValues) as wrong:
        walk("create_employee", {**HIRED, **more}, lists)
    assert fault in wrong.value.faults[0]


def test_long_lists_are_read_to_their_end() -> None:
    pages = {"0": [{"id": str(number)} for number in range(250)], "250": [{"id": "l", "label": "Rome"}]}
    write = write_of("create_employee")
    found = sorted_of("create_employee", {**HIRED, "work_location": {"name": "Rome"}})
    flow = write.flow(Order(employee="", key="", parts=found.parts, today=TODAY))
    step = next(flow)
    while not step.writes:
        rows = pages[dict(step.request.query)["$skip"]]
        step = flow.send(Reply({"total": 251, "data": rows}))
    assert json.loads(step.request.body or b"")["locationId"] == "l"
