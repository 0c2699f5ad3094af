"""Who may ask what, and which fields they see: compared with a table that is not derived from the code."""

from collections.abc import Iterator
from itertools import chain, combinations

import pytest

from connectors.contract import Given
from connectors.hris.operations import OPERATIONS
from connectors.humaans.connector import HUMAANS
from gateway.contract.query import PageLimits, Query, parse
from gateway.policy.policy import Denial, Operator, Permission, Policy, holds, scope_matches, stricter_fields

LIST = next(operation for operation in OPERATIONS if operation.id == "list_employees")
GET = next(operation for operation in OPERATIONS if operation.id == "get_employee")
POLICY = Policy(HUMAANS, Operator())
ENDPOINT = next(each for each in HUMAANS.endpoints if each.table.resource.name == "employees")
EVERYTHING = frozenset({"*"})

# What Humaans shows with `private:read` alone, though `public:read` opens the list.
PRIVATE_FIELDS = frozenset(
    """
    personal_email personal_phone_number gender date_of_birth birthday termination_date citizenships home_location
    custom_fields employee_number bank_details national_identity_number national_identity_numbers
    """.split()
)
PAY_FIELDS = frozenset({"employments.pay_rate", "employments.pay_period", "employments.pay_currency"})
# What a client key needs a scope of its own for.
KEY_FIELDS = {
    "bank_details": "hris.bank_details:read",
    "national_identity_number": "hris.national_ids:read",
    "national_identity_numbers": "hris.national_ids:read",
    "employments.pay_rate": "hris.compensation:read",
    "employments.pay_period": "hris.compensation:read",
    "employments.pay_frequency": "hris.compensation:read",
    "employments.pay_currency": "hris.compensation:read",
}
VENDOR_SCOPES = tuple(HUMAANS.scopes)
TOKENS = [
    frozenset(scopes)
    for scopes in chain.from_iterable(combinations(VENDOR_SCOPES, size) for size in range(len(VENDOR_SCOPES) + 1))
]
KEYS = [
    frozenset(scopes)
    for scopes in (
        {"*"},
        {"hris.*:read"},
        {"hris.employees:read"},
        {"hris.employees:read", "hris.compensation:read"},
        {"hris.employees:read", "hris.bank_details:read"},
        {"hris.employees:read", "hris.national_ids:*"},
        {"hris.employees:*"},
        {"hris.employees:write"},
        {"hris.bank_details:read", "hris.compensation:read"},
        {"hris.locations:read"},
        set(),
    )
]
READING_KEYS = [key for key in KEYS if any("employees:read" in each or "*" in each for each in key)]
# Which of those keys have which scope, again written out.
HAVING = {
    "hris.compensation:read": [KEYS[0], KEYS[1], KEYS[3], KEYS[8]],
    "hris.bank_details:read": [KEYS[0], KEYS[1], KEYS[4], KEYS[8]],
    "hris.national_ids:read": [KEYS[0], KEYS[1], KEYS[5]],
}


def ask(**query: str) -> Query:
    pairs = [(name.replace("__", "[") + ("]" if "__" in name else ""), value) for name, value in query.items()]
    return parse(LIST, ENDPOINT.table.resource, pairs, PageLimits(25, 250))


WHOLE = ask(
    expand="company,employments,work_location,home_location,groups,skills",
    include="avatar_url,avatar,custom_fields,job_description,benefits,bank_details",
)


@pytest.mark.parametrize(
    ("pattern", "scope", "matches"),
    [
        ("*", "hris.employees:read", True),
        ("hris.employees:read", "hris.employees:read", True),
        ("hris.employees:*", "hris.employees:read", True),
        ("hris.employees:*", "hris.employees:write", True),
        ("hris.*:read", "hris.employees:read", True),
        ("hris.*:read", "hris.employees:write", False),
        ("hris.*:*", "hris.employees:write", True),
        ("*.*:*", "hris.employees:read", True),
        ("*.employees:read", "hris.employees:read", True),
        ("hris.employees:read", "hris.employees:write", False),
        ("hris.employees:write", "hris.employees:read", False),
        ("hris.employee:read", "hris.employees:read", False),
        ("hris.employees", "hris.employees:read", False),
        ("hris.employees:", "hris.employees:read", False),
        ("hris:read", "hris.employees:read", False),
        ("hris.*", "hris.employees:read", False),
        ("*:read", "hris.employees:read", False),
        ("*:*", "hris.employees:read", False),
        ("hris.emp*:read", "hris.employees:read", False),
        ("hris.employees:re*", "hris.employees:read", False),
        ("hris.*.*:read", "hris.employees:read", False),
        ("HRIS.employees:read", "hris.employees:read", False),
        ("", "hris.employees:read", False),
        ("accounts:*", "accounts:write", True),
    ],
)
def test_a_pattern_covers_whole_segments(pattern: str, scope: str, *, matches: bool) -> None:
    assert scope_matches(pattern, scope) is matches
    assert holds(frozenset({pattern, "other:read"}), scope) is matches


@pytest.mark.parametrize("key", KEYS, ids=lambda key: " ".join(sorted(key)) or "none")
def test_a_key_is_admitted_by_its_scopes(key: frozenset[str]) -> None:
    denied = POLICY.admit_key(LIST, key)
    if key in READING_KEYS:
        assert denied is None
    else:
        assert denied is not None
        assert denied.missing == "hris.employees:read"
        assert "The API key lacks the scope hris.employees:read" in denied.message
        assert "operator of this gateway can create a key" in denied.message


def closed_paths(key: frozenset[str], token: frozenset[str]) -> Iterator[str]:
    """Returns the paths that should be closed, by the tables above alone."""
    for path, scope in KEY_FIELDS.items():
        if key not in HAVING[scope]:
            yield path
    if "private:read" not in token:
        yield from PRIVATE_FIELDS
    if "compensations:read" not in token:
        yield from PAY_FIELDS


@pytest.mark.parametrize("key", READING_KEYS, ids=lambda key: " ".join(sorted(key)))
def test_every_set_of_vendor_scopes_shows_what_the_table_says(key: frozenset[str]) -> None:
    for token in TOKENS:
        decision = POLICY.decide(ENDPOINT, WHOLE, key, token)
        if not token & {"public:read", "private:read"}:
            assert isinstance(decision, Denial), token
            assert decision.missing == "public:read or private:read"
            continue
        assert isinstance(decision, Permission), token
        assert set(decision.withheld) == set(closed_paths(key, token)), token
        names = {name for name, spec in ENDPOINT.table.resource.fields.items() if spec.given is not Given.ASKED}
        assert set(decision.fields) == {name for name in names if name not in decision.withheld}, token


def test_the_order_of_fields_is_that_of_the_contract() -> None:
    decision = POLICY.decide(ENDPOINT, WHOLE, EVERYTHING, frozenset(VENDOR_SCOPES))
    assert isinstance(decision, Permission)
    asked = {"remote_job_id", "remote_department_id", "remote_company_id"}
    assert list(decision.fields) == [name for name in ENDPOINT.table.resource.fields if name not in asked]


@pytest.mark.parametrize(
    ("query", "shown", "not_shown"),
    [
        ({}, {"id", "name", "department"}, {"groups", "avatar", "company", "bank_details", "remote_job_id"}),
        ({"expand": "groups"}, {"id", "groups"}, {"company", "avatar"}),
        ({"include": "avatar"}, {"id", "avatar"}, {"avatar_url", "groups"}),
        ({"fields": "id,name"}, {"id", "name"}, {"first_name", "groups"}),
        ({"fields": "id", "expand": "groups"}, {"id", "groups"}, {"name"}),
        ({"fields": "groups"}, set(), {"groups", "id"}),
        ({"fields": "remote_job_id"}, {"remote_job_id"}, {"id"}),
    ],
)
def test_fields_narrow_and_expand_and_include_add(query: dict[str, str], shown: set[str], not_shown: set[str]) -> None:
    decision = POLICY.decide(ENDPOINT, ask(**query), EVERYTHING, frozenset(VENDOR_SCOPES))
    assert isinstance(decision, Permission)
    assert shown <= set(decision.fields)
    assert not not_shown & set(decision.fields)
    assert decision.withheld == {}


def test_only_what_is_asked_for_is_called_withheld() -> None:
    decision = POLICY.decide(ENDPOINT, ask(fields="id,gender"), EVERYTHING, frozenset({"public:read"}))
    assert isinstance(decision, Permission)
    assert decision.fields == ("id",)
    assert set(decision.withheld) == {"gender"}
    assert decision.withheld["gender"].needs == "private:read"
    assert decision.withheld["gender"].granter == HUMAANS.granter


def test_a_withheld_field_names_the_one_who_can_open_it() -> None:
    decision = POLICY.decide(ENDPOINT, WHOLE, frozenset({"hris.employees:read"}), frozenset({"public:read"}))
    assert isinstance(decision, Permission)
    ours, theirs = decision.withheld["bank_details"], decision.withheld["home_location"]
    assert (ours.needs, ours.granter) == (
        "hris.bank_details:read",
        "the operator of this gateway, with another API key",
    )
    assert (theirs.needs, theirs.granter) == ("private:read", HUMAANS.granter)


@pytest.mark.parametrize(
    ("token", "query", "missing"),
    [
        ({"public:read"}, {"filter__employee_number": "7"}, "private:read"),
        ({"private:read"}, {"filter__employee_number": "7"}, None),
        ({"public:read"}, {"filter__email": "a@b.c"}, None),
        ({"public:read"}, {"updated_after": "2026-01-01"}, None),
        # A filter reveals values, even where the field itself was not asked for.
        ({"public:read"}, {"filter__employee_number": "7", "fields": "id"}, "private:read"),
    ],
)
def test_a_filter_on_a_withheld_field_is_denied(token: set[str], query: dict[str, str], missing: str | None) -> None:
    decision = POLICY.decide(ENDPOINT, ask(**query), EVERYTHING, frozenset(token))
    assert (decision.missing if isinstance(decision, Denial) else None) == missing
    if isinstance(decision, Denial):
        assert decision.message.startswith("filter[employee_number] needs private:read")


@pytest.mark.parametrize(
    ("key", "hidden"),
    [
        ({"*"}, None),
        ({"hris.*:read"}, None),
        (
            {"hris.employees:read"},
            {
                "bank_details",
                "national_identity_number",
                "national_identity_numbers",
                "employments.pay_currency",
                "employments.pay_frequency",
                "employments.pay_period",
                "employments.pay_rate",
            },
        ),
        (
            {"hris.employees:read", "hris.compensation:read", "hris.national_ids:read"},
            {"bank_details"},
        ),
    ],
)
def test_raw_is_denied_to_a_key_that_may_not_see_all(key: set[str], hidden: set[str] | None) -> None:
    decision = POLICY.decide(ENDPOINT, ask(raw="true", fields="id"), frozenset(key), frozenset({"public:read"}))
    assert (set(decision.missing.split(", ")) if isinstance(decision, Denial) else None) == hidden


def test_what_the_operator_forbids_is_forbidden_to_all() -> None:
    fields = frozenset({"employees.gender", "employments.pay_rate", "locations.street_1"})
    policy = Policy(HUMAANS, Operator(frozenset({"get_employee"}), fields))
    denied = policy.admit_key(GET, EVERYTHING)
    assert denied is not None
    assert denied.message == "The operator of this gateway has closed get_employee."
    assert denied.missing == ""
    assert policy.admit_key(LIST, EVERYTHING) is None

    decision = policy.decide(ENDPOINT, WHOLE, EVERYTHING, frozenset(VENDOR_SCOPES))
    assert isinstance(decision, Permission)
    assert set(decision.withheld) == {
        "gender",
        "employments.pay_rate",
        "home_location.street_1",
        "work_location.street_1",
    }
    assert {why.needs for why in decision.withheld.values()} == {"the operator's consent"}
    raw = policy.decide(ENDPOINT, ask(raw="true"), EVERYTHING, frozenset(VENDOR_SCOPES))
    assert isinstance(raw, Denial)


def test_an_operator_who_forbids_a_field_forbids_its_filter() -> None:
    policy = Policy(HUMAANS, Operator(fields=frozenset({"employees.work_email"})))
    decision = policy.decide(ENDPOINT, ask(filter__email="a@b.c"), EVERYTHING, frozenset(VENDOR_SCOPES))
    assert isinstance(decision, Denial)
    assert decision.missing == "the operator's consent"


def test_no_two_sets_of_visible_fields_share_a_fingerprint() -> None:
    prints: dict[str, tuple[object, ...]] = {}
    for key in READING_KEYS:
        for token in TOKENS:
            decision = POLICY.decide(ENDPOINT, WHOLE, key, token)
            if isinstance(decision, Permission):
                seen = (decision.fields, frozenset(decision.withheld))
                assert prints.setdefault(decision.fingerprint(), seen) == seen
    assert len(prints) == len(set(prints.values())) == 10


def test_the_stricter_fields_are_those_of_the_table() -> None:
    found = {path: (ours, theirs) for path, ours, theirs in stricter_fields(ENDPOINT.table)}
    assert {path for path, (ours, _) in found.items() if ours} == set(KEY_FIELDS)
    assert all(found[path][0] == scope for path, scope in KEY_FIELDS.items())
    assert {path for path, (_, theirs) in found.items() if theirs == "private:read"} == PRIVATE_FIELDS
    assert {path for path, (_, theirs) in found.items() if theirs == "compensations:read"} == PAY_FIELDS
