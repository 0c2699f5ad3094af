"""StackOne's TypeScript SDK does each write that the connector has, and reads back what it wrote."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.clients import Sdk, date
from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation
from tests.e2e.processes import serving

HIRE = {
    "firstName": "Ada",
    "lastName": "Written",
    "workEmail": "ada.written@example.com",
    "jobTitle": "Engineer",
    "startDate": date("2026-01-05T00:00:00Z"),
    "workLocation": {"city": "Lisbon", "country": {"value": "PT"}},
}


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """Returns a caller to a company of its own: others count on theirs to stay as it is."""
    folder = tmp_path_factory.mktemp("writes")
    with serving(["deploy.sandbox", "--port", "0", "--people", "60"], {}, folder / "sandbox.log") as server:
        installation = Installation(folder, Company(server))
        with installation.gateway() as gateway:
            yield Caller(gateway.url, installation.key(), installation.account())


def written(sdk: Sdk, caller: Caller, method: str, **request: Any) -> str:
    """Do a write that makes something, and give its id."""
    [body] = sdk.call(caller, method, request).bodies
    assert body["statusCode"] == 201
    return str(body["data"]["id"])


def hire(sdk: Sdk, caller: Caller, email: str) -> str:
    return written(sdk, caller, "createEmployee", hrisCreateEmployeeRequestDto={**HIRE, "workEmail": email})


def got(sdk: Sdk, caller: Caller, method: str, **request: Any) -> dict[str, Any]:
    [body] = sdk.call(caller, method, request).bodies
    found: dict[str, Any] = body["data"]
    return found


def test_an_employee_is_made_and_changed(sdk: Sdk, caller: Caller) -> None:
    employee = hire(sdk, caller, "ada.one@example.com")
    assert got(sdk, caller, "getEmployee", id=employee)["jobTitle"] == "Engineer"
    change = {"displayName": "Addy", "jobTitle": "Lead"}
    [changed] = sdk.call(caller, "updateEmployee", {"id": employee, "hrisUpdateEmployeeRequestDto": change}).bodies
    assert changed["statusCode"] == 200
    found = got(sdk, caller, "getEmployee", id=employee)
    assert (found["displayName"], found["jobTitle"]) == ("Addy", "Lead")


def test_an_employment_is_made_and_changed(sdk: Sdk, caller: Caller) -> None:
    employee = hire(sdk, caller, "ada.two@example.com")
    role = {"jobTitle": "Architect", "effectiveDate": date("2026-06-01T00:00:00Z")}
    employment = written(sdk, caller, "createEmployeeEmployment", id=employee, hrisCreateEmploymentRequestDto=role)
    place = {"id": employee, "subResourceId": employment}
    sdk.call(caller, "updateEmployeeEmployment", {**place, "hrisUpdateEmploymentRequestDto": {"jobTitle": "Chief"}})
    assert got(sdk, caller, "getEmployeeEmployment", **place)["jobTitle"] == "Chief"


def test_time_off_is_made_changed_and_cancelled(sdk: Sdk, caller: Caller) -> None:
    employee = hire(sdk, caller, "ada.three@example.com")
    policy = sdk.call(caller, "listTimeOffPolicies").records[0]["id"]
    wish = {"startDate": "2026-12-01T00:00:00.000", "endDate": "2026-12-02T00:00:00.000", "timeOffPolicyId": policy}
    entry = written(sdk, caller, "createEmployeeTimeOffRequest", id=employee, hrisCreateTimeOffRequestDto=wish)
    place = {"id": employee, "subResourceId": entry}
    longer = {**wish, "endDate": "2026-12-03T00:00:00.000"}
    [changed] = sdk.call(
        caller, "updateEmployeeTimeOffRequest", {**place, "hrisCreateTimeOffRequestDto": longer}
    ).bodies
    assert changed["statusCode"] == 200
    assert got(sdk, caller, "getEmployeesTimeOffRequest", **place)["endDate"].startswith("2026-12-03")
    assert sdk.call(caller, "cancelEmployeeTimeOffRequest", place).error is None
    gone = sdk.call(caller, "getEmployeesTimeOffRequest", place).error
    assert gone is not None
    assert gone["statusCode"] == 404


def test_work_eligibility_is_made_and_changed(sdk: Sdk, caller: Caller) -> None:
    employee = hire(sdk, caller, "ada.four@example.com")
    paper = {"type": {"value": "passport"}, "number": "X1", "issuedBy": {"value": "GB"}}
    entry = written(
        sdk, caller, "createEmployeeWorkEligibilityRequest", id=employee, hrisCreateWorkEligibilityRequestDto=paper
    )
    place = {"id": employee, "subResourceId": entry}
    change = {**place, "hrisCreateWorkEligibilityRequestDto": {"number": "X2"}}
    assert sdk.call(caller, "updateEmployeeWorkEligibilityRequest", change).error is None
    assert got(sdk, caller, "getEmployeesWorkEligibility", **place)["number"] == "X2"
