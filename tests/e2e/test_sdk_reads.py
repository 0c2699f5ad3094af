"""StackOne's TypeScript SDK, as npm has it, reads employees: its strict schemas take every answer."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from connectors.hris.operations import EMPLOYEE_EXPAND, EMPLOYEE_INCLUDE
from tests.e2e.clients import Sdk, date
from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation

EVERYTHING = {"expand": ",".join(EMPLOYEE_EXPAND), "include": ",".join(EMPLOYEE_INCLUDE)}
# What the contract has and this version of the SDK does not know; it drops that in silence.
UNKNOWN_TO_SDK = {
    "title",
    "bank_details",
    "remote_job_id",
    "remote_department_id",
    "remote_company_id",
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")


@pytest.mark.parametrize(
    ("size", "pages"), [(None, 6), ("1", 130), ("7", 19), ("65", 2), ("129", 2), ("130", 1), ("250", 1)]
)
def test_a_walk_gives_every_person_once_and_ends(
    sdk: Sdk, caller: Caller, company: Company, size: str | None, pages: int
) -> None:
    outcome = sdk.call(caller, "listEmployees", {} if size is None else {"pageSize": size})
    seen = Counter(each["remoteId"] for each in outcome.records)
    assert seen == Counter(row["id"] for row in company.rows("people"))
    assert [len(body["data"]) for body in outcome.bodies][:-1] == [int(size or 25)] * (pages - 1)
    assert [body["next"] is None for body in outcome.bodies] == [False] * (pages - 1) + [True]
    assert {page["kind"] for page in outcome.pages} == {"employeesPaginated"}


def test_every_value_of_every_person_arrives_as_it_was_sent(sdk: Sdk, caller: Caller) -> None:
    """With all that can be expanded and included; a value that the SDK did not understand would be missing."""
    given = sdk.call(caller, "listEmployees", {**EVERYTHING, "pageSize": "250"}).records
    sent = caller.get(f"/employees?page_size=250&expand={EVERYTHING['expand']}&include={EVERYTHING['include']}")
    for ours, theirs in zip(sent.json["data"], given, strict=True):
        for name, value in ours.items():
            if name not in UNKNOWN_TO_SDK:
                assert as_sdk(value) == as_sdk(theirs[camel(name)]), (ours["remote_id"], name)


@pytest.mark.parametrize("token", ["only-public-read", "public-private-user"])
def test_what_a_token_may_not_see_is_left_out_and_named_and_the_rest_is_taken(
    sdk: Sdk, caller: Caller, company: Company, installation: Installation, token: str
) -> None:
    narrow = Caller(caller.url, caller.key, installation.account(token))
    request = {"pageSize": "250", "fields": "remote_id,first_name,personal_email"}
    outcome = sdk.call(narrow, "listEmployees", request)
    seen = {each["remoteId"] for each in outcome.records}
    assert seen < {row["id"] for row in company.rows("people")}
    withheld = outcome.pages[0]["headers"].get("x-withheld-fields")
    may_not = token == "only-public-read"
    assert withheld == ("personal_email" if may_not else None)
    assert any("personalEmail" in each for each in outcome.records) != may_not


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(each.capitalize() for each in rest)


def as_sdk(value: Any) -> Any:
    """Write names as the SDK does, and moments in one way; leave out what has no value."""
    if isinstance(value, Mapping):
        return {camel(name): as_sdk(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [as_sdk(each) for each in value]
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return datetime.fromisoformat(value)
    return value


@pytest.mark.parametrize("by", ["id", "remoteId"])
def test_one_person_is_found_by_either_id_and_is_as_in_the_list(sdk: Sdk, caller: Caller, by: str) -> None:
    for listed in sdk.call(caller, "listEmployees", {"pageSize": "3"}).records[::29]:
        outcome = sdk.call(caller, "getEmployee", {"id": listed[by]})
        assert [page["kind"] for page in outcome.pages] == ["employeeResult"]
        assert outcome.bodies[0]["data"] == listed


@pytest.mark.parametrize("days", [1, 5, 16])
def test_updated_after_takes_a_date_and_gives_what_has_changed_since(sdk: Sdk, caller: Caller, days: int) -> None:
    everybody = sdk.call(caller, "listEmployees").records
    moments = sorted((each["updatedAt"] for each in everybody), reverse=True)
    since = moments[days * 7]
    found = sdk.call(caller, "listEmployees", {"filter": {"updatedAfter": date(since)}, "pageSize": "9"}).records
    assert ids(found) == [each["id"] for each in everybody if each["updatedAt"] > since]
    assert 0 < len(found) <= days * 7


@pytest.mark.parametrize(("ours", "theirs"), [("email", "email"), ("employeeNumber", "employeeId")])
def test_a_filter_gives_whom_the_company_has_under_that_value(
    sdk: Sdk, caller: Caller, company: Company, ours: str, theirs: str
) -> None:
    people = [row for row in company.rows("people") if row[theirs]]
    for row in people[::40]:
        found = sdk.call(caller, "listEmployees", {"filter": {ours: row[theirs]}}).records
        expected = [each["id"] for each in people if each[theirs] == row[theirs]]
        assert sorted(each["remoteId"] for each in found) == sorted(expected)
    assert sdk.call(caller, "listEmployees", {"filter": {ours: "nobody has this"}}).records == []


def test_fields_leaves_out_all_others(sdk: Sdk, caller: Caller) -> None:
    records = sdk.call(caller, "listEmployees", {"fields": "remote_id,first_name", "pageSize": "100"}).records
    assert len(records) == 130
    assert {frozenset(each) for each in records} == {frozenset({"remoteId", "firstName"})}


@pytest.mark.parametrize("name", EMPLOYEE_EXPAND)
def test_what_is_not_expanded_is_not_there_and_what_is_expanded_is(sdk: Sdk, caller: Caller, name: str) -> None:
    assert_added(sdk, caller, "expand", name)


@pytest.mark.parametrize("name", sorted({*EMPLOYEE_INCLUDE} - UNKNOWN_TO_SDK))
def test_what_is_not_included_is_not_there_and_what_is_included_is(sdk: Sdk, caller: Caller, name: str) -> None:
    assert_added(sdk, caller, "include", name)


def assert_added(sdk: Sdk, caller: Caller, parameter: str, name: str) -> None:
    without = sdk.call(caller, "listEmployees", {"pageSize": "250"}).records
    added = sdk.call(caller, "listEmployees", {"pageSize": "250", parameter: name}).records
    field = camel(name)
    assert not any(field in each for each in without)
    assert all(field in each for each in added)
    # Humaans has no such things: the field is null, and only because it was asked for.
    nothing = name in {"skills", "benefits", "job_description"}
    assert any(each[field] for each in added) != nothing


@pytest.mark.parametrize("method", ["listEmployees", "getEmployee"])
def test_raw_adds_the_calls_to_the_vendor(sdk: Sdk, caller: Caller, company: Company, method: str) -> None:
    someone = company.rows("people")[0]["id"]
    request = {"raw": True, "pageSize": "250"} if method == "listEmployees" else {"raw": True, "id": someone}
    [body] = sdk.call(caller, method, request).bodies
    assert {(each["method"], each["url"].split("?")[0]) for each in body["raw"]} == {
        (call["method"], f"{company.api}{call['path']}") for call in company.calls()
    }
    assert someone in str([each["response"] for each in body["raw"] if "/people" in each["url"]])
    [plain] = sdk.call(caller, method, {**request, "raw": False}).bodies
    assert "raw" not in plain


def test_proxy_parameters_reach_the_vendor(sdk: Sdk, caller: Caller, company: Company) -> None:
    fresh = {"headers": {"cache-control": "no-cache"}}
    found = sdk.call(caller, "listEmployees", {"proxy": {"status": "active"}}, options=fresh).records
    assert {call["query"]["status"] for call in company.calls("/people")} == {"active"}
    active = [row["id"] for row in company.rows("people") if row["status"] == "active"]
    assert sorted(each["remoteId"] for each in found) == sorted(active)
    assert 0 < len(active) < len(company.rows("people"))


def ids(records: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in records]
