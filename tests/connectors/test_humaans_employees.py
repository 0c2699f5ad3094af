"""Employees of Humaans: every field of the contract is decided, and each made from what Humaans really has."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import ids
from connectors.contract import ListOf, Resource, Type
from connectors.convert import UNREADABLE
from connectors.hris.employees import EMPLOYEES
from connectors.hris.parts import BANK_DETAILS, CUSTOM_FIELDS
from connectors.humaans import bank_details, custom_fields, groups
from connectors.humaans.connector import HUMAANS
from connectors.humaans.employees import EMPLOYEE, citizenships, image, nationality, photo, tax_id, tax_ids
from connectors.humaans.faults import fault_text
from connectors.humaans.groups import department_group, groups_of
from connectors.spec import Absent, Field
from tests.fixtures.contract_check import faults

TODAY = date(2026, 11, 24)
# What Humaans has nothing for, written out.
ABSENT = frozenset(
    """
    unified_custom_fields title job_id job_description cost_centers preferred_language ethnicity marital_status tenure
    work_anniversary benefits skills remote_job_id remote_department_id
    """.split()
)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "variants", "480", "message", "issues", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def test_all_fields_of_the_contract_are_decided() -> None:
    assert len(EMPLOYEE.rows) == 53 + 3  # the schema's, and three names that `fields` allows
    assert {name for name, row in EMPLOYEE.rows.items() if isinstance(row, Absent)} == ABSENT


def test_a_reason_is_a_sentence_without_its_stop() -> None:
    tables = HUMAANS.tables().values()
    reasons = {row.reason for table in tables for row in table.rows.values() if isinstance(row, Absent)}
    assert all(len(reason.split()) >= 4 and not reason.endswith(".") for reason in reasons)


def test_every_scope_that_is_needed_is_one_of_humaans() -> None:
    needs = HUMAANS.needs()
    assert {scope for _, need in needs for scope in need.any_of} <= set(HUMAANS.scopes)
    assert ("employees", HUMAANS.endpoints[0].scope) in needs


def test_the_calendar_secret_never_leaves_and_no_row_reads_it() -> None:
    assert "calendarFeedToken" in HUMAANS.never
    sources = [
        source
        for table in HUMAANS.tables().values()
        for row in table.rows.values()
        if isinstance(row, Field)
        for source in row.sources
    ]
    assert len(sources) > 50
    assert "calendarFeedToken" not in sources


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"id": "x", "variants": {"64": "small", "480": "large", "96": "middle"}}, "large"),
        # Sizes are numbers: 96 is not larger than 480, whatever their letters say.
        ({"variants": {"96": "middle", "480": "large"}}, "large"),
        ({"variants": {"1080": "new", "480": "large"}}, "new"),
        ({"variants": {"original": "x", "64": "small"}}, "small"),
        ({"variants": {"original": "x"}}, None),
        ({"variants": {"480": None}}, None),
        ({"variants": {"480": ""}}, None),
        ({"variants": {"9" * 5000: "no size", "480": "large"}}, "large"),
        ({"variants": {}}, None),
        ({"variants": []}, None),
        ({"variants": None}, None),
        ({}, None),
        (None, None),
        ("url", None),
    ],
)
def test_the_photo_is_the_largest_variant(value: Any, expected: str | None) -> None:
    assert photo(value) == expected
    assert image(value) == (None if expected is None else {"url": expected, "base64": None})


def country(code: str, word: Any) -> dict[str, Any]:
    return {"value": code, "source_value": word}


@pytest.mark.parametrize(
    ("several", "single", "expected"),
    [
        (["British"], None, [country("GB", "British")]),
        (["British", "Nigerian"], "British", [country("GB", "British"), country("NG", "Nigerian")]),
        (None, "German", [country("DE", "German")]),
        ([], "German", [country("DE", "German")]),
        (["german"], None, [country("DE", "german")]),
        (["Cornish"], None, [country("unmapped_value", "Cornish")]),
        # Words that fit two countries are not guessed.
        (["Korean"], None, [country("unmapped_value", "Korean")]),
        (["Congolese"], None, [country("unmapped_value", "Congolese")]),
        (["British", None, ""], None, [country("GB", "British")]),
        ([7], None, [country("unmapped_value", 7)]),
        (None, None, None),
        ([], None, None),
        ([None], None, None),
        ("British", None, UNREADABLE),
        ({}, "German", [country("DE", "German")]),
        (7, "German", UNREADABLE),
    ],
)
def test_citizenships_are_countries_of_nationalities(several: Any, single: Any, expected: Any) -> None:
    assert citizenships(several, single) == expected


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("American", "US"),
        ("Dutch", "NL"),
        ("Czech", "CZ"),
        ("Irish", "IE"),
        ("New Zealander", "NZ"),
        ("South African", "ZA"),
        ("Swiss", "CH"),
        ("Zimbabwean", "ZW"),
        ("Martian", "unmapped_value"),
        ("Great Britain", "unmapped_value"),
    ],
)
def test_a_nationality_is_an_adjective(word: str, code: str) -> None:
    assert nationality(word) == country(code, word)


@pytest.mark.parametrize(
    ("value", "number"), [("234-32-0000", "234-32-0000"), (12345, "12345"), ("", None), (None, None), (True, None)]
)
def test_a_tax_id_is_a_national_number_of_unknown_kind(value: Any, number: str | None) -> None:
    expected = {"value": number, "type": {"value": "unmapped_value", "source_value": "taxId"}, "country": None}
    assert tax_id(value) == (None if number is None else expected)
    assert tax_ids(value) == (None if number is None else [expected])


@pytest.mark.parametrize(
    ("field", "word", "value"),
    [
        ("employment_status", "newHire", "pending"),
        ("employment_status", "active", "active"),
        ("employment_status", "offboarded", "terminated"),
        ("employment_status", "sabbatical", "unmapped_value"),
        ("gender", "Female", "female"),
        ("gender", "male", "male"),
        ("gender", "Non-binary", "non_binary"),
        ("gender", "Agender", "unmapped_value"),
        ("gender", "Prefer not to say", "not_disclosed"),
        ("employment_contract_type", "Full time", "full_time"),
        ("employment_contract_type", "full-time", "full_time"),
        ("employment_contract_type", "Part time", "part_time"),
        ("employment_contract_type", "Contractor", "unmapped_value"),
        ("employment_type", "Contractor", "contractor"),
        ("employment_type", "Fixed term", "temporary"),
        ("employment_type", "Intern", "intern"),
        # How much somebody works says nothing about on what footing.
        ("employment_type", "Full time", "unmapped_value"),
        ("employment_type", "Werkstudent", "unmapped_value"),
    ],
)
def test_a_humaans_value_becomes_a_value_of_the_contract(field: str, word: str, value: str) -> None:
    row = EMPLOYEE.rows[field]
    assert isinstance(row, Field)
    assert row.convert is not None
    assert row.convert(word) == {"value": value, "source_value": word}


def test_groups_are_teams_and_the_department_each_with_an_id_of_its_name() -> None:
    found = groups_of([{"name": "Payroll"}, {"name": "Café & Crème"}, {"name": None}, {}], "Payroll", "c1")
    assert [(each["name"], each["type"]["value"]) for each in found] == [
        ("Payroll", "team"),
        ("Café & Crème", "team"),
        ("Payroll", "department"),
    ]
    # A team and a department of one name are two groups.
    assert [each["id"] for each in found] == [
        ids.encode("team", "Payroll"),
        ids.encode("team", "Café & Crème"),
        ids.encode("department", "Payroll"),
    ]
    assert {each["remote_id"] for each in found} == {None}
    assert {each["company_id"] for each in found} == {ids.encode("company", "c1")}
    assert {each["remote_company_id"] for each in found} == {"c1"}
    assert department_group("Payroll", "c1") == found[2]
    department = EMPLOYEE.rows["department_id"]
    assert isinstance(department, Field)
    assert department.convert is not None
    assert department.convert("Payroll") == found[2]["id"]


@pytest.mark.parametrize("teams", [5, "x", {"name": "Payroll"}, ["x"], [{"name": "Payroll"}, {"name": {"a": 1}}], [[]]])
def test_with_teams_that_cannot_be_read_the_department_alone_is_not_all_groups(teams: Any) -> None:
    assert groups_of(teams, "Payroll", "c1") is UNREADABLE


@pytest.mark.parametrize("teams", [None, [], "", [{}], [{"name": ""}], {}])
def test_nobody_without_team_and_department_has_groups(teams: Any) -> None:
    assert groups_of(teams, None, "c1") is None
    assert groups_of(teams, "", "c1") is None


ODD: list[tuple[Callable[..., Any], int, Type | None]] = [
    (photo, 1, None),
    (image, 1, EMPLOYEE.resource.fields["avatar"].type),
    (citizenships, 2, EMPLOYEE.resource.fields["citizenships"].type),
    (tax_id, 1, EMPLOYEE.resource.fields["national_identity_number"].type),
    (tax_ids, 1, EMPLOYEE.resource.fields["national_identity_numbers"].type),
    (groups_of, 3, EMPLOYEE.resource.fields["groups"].type),
    (groups.department_group, 2, None),
    (bank_details.clearing_codes, 2, BANK_DETAILS.fields["clearing_codes"].type),
    (custom_fields.definition_name, 1, CUSTOM_FIELDS.fields["name"].type),
    (fault_text, 1, None),
]


@pytest.mark.parametrize(("convert", "count", "wanted"), ODD, ids=[each[0].__name__ for each in ODD])
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_no_converter_raises_whatever_humaans_sends(
    convert: Callable[..., Any], count: int, wanted: Type | None, data: st.DataObject
) -> None:
    found = convert(*(data.draw(DATA) for _ in range(count)))
    assert wanted is None or list(faults(None if found is UNREADABLE else found, wanted)) == []


def test_the_table_is_the_contracts() -> None:
    assert EMPLOYEE.resource is EMPLOYEES
    assert isinstance(EMPLOYEE.resource.fields["groups"].type, ListOf)
    assert isinstance(EMPLOYEE.resource.fields["company"].type, Resource)
