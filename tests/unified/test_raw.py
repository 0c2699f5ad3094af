"""What `raw=true` shows, for every read and every scope: no list, record or column that is not open otherwise.

What a list is about is written out here, not derived from the tables that are tested.
"""

from contextlib import AsyncExitStack
from typing import Any

import pytest

from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from connectors.registry import CONNECTORS
from tests.fixtures.gateway import Sandbox, Site, open_site
from tests.unified.test_api_every_read import some_employee

HUMAANS = CONNECTORS["humaans"]
ANSWERED = [each for each in OPERATIONS if each.reads and HUMAANS.endpoint(each)]
SCOPES = sorted({each.scope for each in OPERATIONS if each.reads})

# List of the vendor -> the scope of a client key that opens its records.
NEEDED = {
    "/people": "hris.employees:read",
    "/job-roles": "hris.employments:read",
    "/companies": "hris.companies:read",
    "/locations": "hris.locations:read",
    "/compensations": "hris.compensation:read",
    "/compensation-types": "hris.*:read",  # No field is made from it: for who may see everything.
    "/bank-accounts": "hris.bank_details:read",
    "/custom-values": "hris.employees:read",
    "/custom-fields": "hris.custom_field_definitions:read",
    "/time-away": "hris.time_off:read",
    "/time-away-types": "hris.time_off_policies:read",
    "/time-away-periods": "hris.time_off_balances:read",
    "/documents": "hris.documents:read",
    "/document-types": "hris.documents:read",
    "/identity-documents": "hris.work_eligibility:read",
    "/identity-document-types": "hris.work_eligibility:read",
    "/timesheet-entries": "hris.time_entries:read",
    "/tasks": "hris.tasks:read",
}
SENSITIVE = {"taxId": "hris.national_ids:read"}
# What an operator may close -> columns of people that must not be seen then, lists that must not.
PROHIBITIONS: list[tuple[dict[str, str], set[str], set[str]]] = [
    ({}, set(), set()),
    (
        {"FORBIDDEN_FIELDS": "employees.date_of_birth,employees.national_identity_number"},
        {"birthday", "shortBirthday", "taxId", "taxCode"},
        set(),
    ),
    ({"FORBIDDEN_FIELDS": "employees.hire_date,employees.home_location"}, {"employmentStartDate", "address"}, set()),
    ({"FORBIDDEN_OPERATIONS": "list_employees,get_employee,proxy_request"}, set(), {"/people"}),
    ({"FORBIDDEN_OPERATIONS": "list_employments"}, set(), set()),
]


async def path_of(site: Site, operation: Operation) -> str:
    """Returns a path of an operation that is answered with records, and for reads of one employee with none at all."""
    path = operation.path.removeprefix("/unified/hris")
    listing = path if operation.kind == "list" else path.rpartition("/")[0]
    if operation.of_employee:
        listing = listing.replace("{id}", await some_employee(site, listing))
    if operation.kind == "list":
        return listing
    one = (await site.get(listing)).json()["data"][0]
    return f"{listing}/{one['id']}"


def has_scope(scopes: list[str], scope: str) -> bool:
    return "*" in scopes or scope in scopes


def check(raw: list[dict[str, Any]], scopes: list[str], columns: set[str], lists: set[str]) -> None:
    for call in raw:
        path = call["url"].split("/api")[1].partition("?")[0]
        of = "/" + path.split("/")[1]
        assert has_scope(scopes, NEEDED[of]), (call["url"], scopes)
        assert of not in lists, call["url"]
        rows = call["response"].get("data", [call["response"]])
        for row in rows if of == "/people" else ():
            assert not columns & row.keys(), (call["url"], columns & row.keys())
            assert all(has_scope(scopes, scope) for column, scope in SENSITIVE.items() if column in row)


@pytest.mark.parametrize(("settings", "columns", "lists"), PROHIBITIONS)
async def test_raw_shows_no_more_than_key_token_and_operator_open(
    site: Site,
    environ: dict[str, str],
    stack: AsyncExitStack,
    settings: dict[str, str],
    columns: set[str],
    lists: set[str],
) -> None:
    paths = {operation.id: await path_of(site, operation) for operation in ANSWERED}
    stranger = (await site.get(page_size="100", fields="id")).json()["data"][-1]["id"]
    closed = await open_site(
        {**environ, **{f"GATEWAY_POLICY_{name}": value for name, value in settings.items()}}, stack
    )
    closed.account = site.account
    keys = {scope: await site.make_key(scope) for scope in [*SCOPES, "*"]}
    seen = 0
    for operation in ANSWERED:
        pair = await site.make_key(operation.scope, "hris.employees:read")
        for scopes, key in [
            *(([scope], key) for scope, key in keys.items()),
            ([operation.scope, NEEDED["/people"]], pair),
        ]:
            whose = [paths[operation.id]]
            if operation.of_employee and operation.kind == "list":
                whose.append(operation.path.removeprefix("/unified/hris").replace("{id}", stranger))
            for path in whose:
                answer = await closed.get(path, key=key, raw="true")
                if not has_scope(scopes, operation.scope):
                    assert answer.status_code == 403
                if answer.status_code == 200:
                    seen += len(answer.json()["raw"])
                    check(answer.json()["raw"], scopes, columns, lists)
                else:
                    assert answer.status_code == 403, answer.text
    assert seen > 20  # Else this would hold of answers that show nothing.


async def test_raw_shows_the_rows_of_the_page_and_no_others(site: Site, sandbox: Sandbox) -> None:
    sandbox.reset()
    answer = (
        await site.get(raw="true", page_size="5", expand="employments", include="bank_details,custom_fields")
    ).json()
    ids = {each["remote_id"] for each in answer["data"]}
    assert len(ids) == 5
    called = {call["path"].removeprefix("/api") for call in sandbox.calls()}
    shown = {call["url"].split("/api")[1].partition("?")[0] for call in answer["raw"]}
    assert shown == called
    for call in answer["raw"]:
        path = call["url"].split("/api")[1].partition("?")[0]
        rows = call["response"]["data"]
        if path == "/people":
            assert {row["id"] for row in rows} == ids
        elif path in {"/job-roles", "/compensations", "/bank-accounts", "/custom-values"}:
            assert {row["personId"] for row in rows} <= ids
            assert rows or path != "/job-roles" or "gt" in call["url"], call["url"]
