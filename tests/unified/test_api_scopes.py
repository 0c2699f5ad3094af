"""What each pair of vendor token and client key may see of an employee, and that a denied call costs nothing.

The expectations are written out here by name, not derived from the tables that they test.
"""

from contextlib import AsyncExitStack

import httpx
import pytest

from connectors.hris.operations import OPERATIONS
from connectors.platform import CONNECT_OPERATIONS, PLATFORM_OPERATIONS, PROXY, WEBHOOK_OPERATIONS
from gateway.app.routes import OPEN_ROUTES
from gateway.app.routes import Site as Pages
from tests.fixtures.gateway import Sandbox, Site, open_site

PUBLIC = frozenset(
    """
    id remote_id first_name last_name name display_name work_email work_phone_number job_title department_id department
    manager_id remote_manager_id hire_date start_date employment_type employment_contract_type employment_status
    company_name company_id created_at updated_at
    unified_custom_fields title job_id cost_centers preferred_language ethnicity marital_status tenure work_anniversary
    """.split()
)
PRIVATE = frozenset(
    """
    personal_email personal_phone_number gender date_of_birth birthday termination_date citizenships employee_number
    """.split()
)
NATIONAL_IDS = frozenset({"national_identity_number", "national_identity_numbers"})
COSTLY_PUBLIC = frozenset({"avatar_url", "avatar", "groups", "work_location", "company", "employments", "skills"})
COSTLY_PUBLIC_ABSENT = frozenset({"job_description", "benefits"})
COSTLY_PRIVATE = frozenset({"home_location", "custom_fields"})
BANK = frozenset({"bank_details"})
PAY = frozenset({"employments.pay_rate", "employments.pay_period", "employments.pay_currency"})
PAY_OF_KEY = PAY | {"employments.pay_frequency"}

ALL_COSTLY = {
    "expand": "company,employments,work_location,home_location,groups,skills",
    "include": "avatar_url,avatar,custom_fields,job_description,benefits,bank_details",
}

# (vendor token, scopes of the client key, top-level fields shown, paths named as withheld)
EVERYTHING = PUBLIC | PRIVATE | NATIONAL_IDS | COSTLY_PUBLIC | COSTLY_PUBLIC_ABSENT | COSTLY_PRIVATE | BANK
OPEN_TO_PUBLIC = PUBLIC | COSTLY_PUBLIC | COSTLY_PUBLIC_ABSENT
CLOSED_TO_PUBLIC = PRIVATE | NATIONAL_IDS | COSTLY_PRIVATE | BANK
READ = "hris.employees:read"
VISIBLE = [
    ("all-owner", ["*"], EVERYTHING, frozenset()),
    ("all-owner", ["hris.*:read"], EVERYTHING, frozenset()),
    ("all-owner", [READ], EVERYTHING - BANK - NATIONAL_IDS, BANK | NATIONAL_IDS | PAY_OF_KEY),
    ("all-owner", [READ, "hris.compensation:read"], EVERYTHING - BANK - NATIONAL_IDS, BANK | NATIONAL_IDS),
    ("all-owner", [READ, "hris.bank_details:read"], EVERYTHING - NATIONAL_IDS, NATIONAL_IDS | PAY_OF_KEY),
    ("all-owner", [READ, "hris.national_ids:read"], EVERYTHING - BANK, BANK | PAY_OF_KEY),
    ("public-private", ["*"], EVERYTHING, PAY),
    ("public-private-compensations", ["*"], EVERYTHING, frozenset()),
    ("only-private-read", ["*"], EVERYTHING, PAY),
    ("only-public-read", ["*"], OPEN_TO_PUBLIC, CLOSED_TO_PUBLIC | PAY),
    ("only-public-read", [READ], OPEN_TO_PUBLIC, CLOSED_TO_PUBLIC | PAY_OF_KEY),
    ("all-but-webhooks", ["*"], EVERYTHING, frozenset()),
]


@pytest.mark.parametrize("kind", ["list", "get"])
@pytest.mark.parametrize(("token", "scopes", "shown", "withheld"), VISIBLE)
async def test_exactly_the_fields_of_the_rights_are_shown_and_the_rest_is_named(
    site: Site, token: str, scopes: list[str], shown: frozenset[str], withheld: frozenset[str], kind: str
) -> None:
    account, key = await site.link(token), await site.make_key(*scopes)
    path = "/employees"
    if kind == "get":
        path += "/" + (await site.get(account=account, key=key, page_size="1")).json()["data"][0]["id"]
    answer = await site.get(path, account=account, key=key, headers=None, **ALL_COSTLY)
    assert answer.status_code == 200
    records = answer.json()["data"] if kind == "list" else [answer.json()["data"]]
    assert {frozenset(record) for record in records} == {shown}
    assert named(answer) == withheld
    for record in records:
        for employment in record["employments"] or []:
            assert not {f"employments.{name}" for name in employment} & withheld


def named(answer: httpx.Response) -> frozenset[str]:
    return frozenset(filter(None, answer.headers.get("x-withheld-fields", "").split(", ")))


DENIED = [
    ("all-owner", ["hris.locations:read"], {}, "hris.employees:read"),
    ("all-owner", ["hris.employees:write"], {}, "hris.employees:read"),
    ("only-private-write", ["*"], {}, "public:read or private:read"),
    ("only-compensations-read", ["*"], {}, "public:read or private:read"),
    ("only-documents-read", ["*"], {}, "public:read or private:read"),
    ("only-webhooks-manage", ["*"], {}, "public:read or private:read"),
    ("only-public-read", ["*"], {"filter__employee_number": "1"}, "private:read"),
    ("all-owner", ["hris.employees:read"], {"raw": "true"}, "bank_details"),
    ("all-owner", ["hris.employees:read"], {"proxy__taxId": "234-32-0000"}, "national_identity_number"),
    ("all-owner", ["hris.employees:read"], {"proxy__taxId][$gt": "2"}, "national_identity_number"),
    ("only-public-read", ["*"], {"proxy__birthday][$gt": "1990-01-01"}, "birthday"),
    ("all-owner", ["*"], {"proxy__calendarFeedToken][$gte": "a"}, "calendarFeedToken"),
]


@pytest.mark.parametrize(("token", "scopes", "query", "missing"), DENIED)
async def test_a_denied_call_names_the_missing_scope_and_makes_no_vendor_call(
    site: Site, sandbox: Sandbox, token: str, scopes: list[str], query: dict[str, str], missing: str
) -> None:
    account, key = await site.link(token), await site.make_key(*scopes)
    sandbox.reset()
    answer = await site.get(account=account, key=key, headers=None, **query)
    body = answer.json()
    assert (answer.status_code, body["statusCode"], body["errorCode"]) == (403, 403, "InsufficientScopeError")
    assert missing in body["message"]
    assert missing in body["errors"][0]
    assert sandbox.calls() == []


@pytest.mark.parametrize(
    "name", ["$or][0][taxId", "$sort][taxId", "$select", "id][$or][0][taxId", "$where", "id][$regex"]
)
async def test_proxy_compares_columns_and_does_nothing_else(site: Site, sandbox: Sandbox, name: str) -> None:
    """The rest of the vendor's language of queries could tell what a column holds that is not shown."""
    sandbox.reset()
    answer = await site.get(headers=None, **{f"proxy__{name}": "1"})
    assert (answer.status_code, "no condition on a column" in answer.json()["message"]) == (400, True)
    assert sandbox.calls() == []


async def test_a_cached_answer_is_not_given_to_a_key_of_other_rights(site: Site, sandbox: Sandbox) -> None:
    full = await site.get(include="bank_details", page_size="100")
    assert "bank_details" in full.json()["data"][0]
    sandbox.reset()
    narrow = await site.get(key=await site.make_key("hris.employees:read"), include="bank_details", page_size="100")
    assert "bank_details" not in narrow.json()["data"][0]
    denied = await site.get(key=await site.make_key("hris.groups:read"), include="bank_details", page_size="100")
    assert denied.status_code == 403


async def test_what_the_operator_closes_is_closed_to_everyone(
    environ: dict[str, str], stack: AsyncExitStack, sandbox: Sandbox
) -> None:
    closed = {
        "GATEWAY_POLICY_FORBIDDEN_FIELDS": "employees.gender,employments.pay_rate",
        "GATEWAY_POLICY_FORBIDDEN_OPERATIONS": "get_employee",
    }
    site = await open_site({**environ, **closed}, stack)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    answer = await site.get(expand="employments")
    assert "gender" not in answer.json()["data"][0]
    assert named(answer) == {"gender", "employments.pay_rate"}
    sandbox.reset()
    one = await site.get("/employees/VMB1yzL5uL8VvNNCJc9rykJz")
    assert (one.status_code, sandbox.calls()) == (403, [])
    assert "operator" in one.json()["message"]
    assert (await site.get(raw="true")).status_code == 403


ROLES = [
    # (token, how many of the 60 people, is the birthday of all of them known)
    ("all-owner", 60, True),
    ("public-private", 60, True),
    ("public-private-user", None, False),
    ("only-public-read", None, False),
]


@pytest.mark.parametrize(("token", "people", "all_birthdays"), ROLES)
async def test_the_role_of_the_token_s_owner_limits_what_the_scopes_promise(
    site: Site,
    token: str,
    people: int | None,
    all_birthdays: bool,
) -> None:
    account = await site.link(token)
    answer = await site.get(account=account, page_size="100", include="withheld")
    body = answer.json()
    assert len(body["data"]) == people if people else len(body["data"]) < 60
    reasons = {line["reason"]: line for line in body["withheld"].get("date_of_birth", ())}
    assert ("withheld_by_role" in reasons or "withheld_by_scope" in reasons) == (not all_birthdays)


async def test_the_routes_of_the_site_are_those_that_have_a_rule(site: Site) -> None:
    pages = site.edge.app
    assert isinstance(pages, Pages)
    routes = {(method, route.path) for route in pages.routes for method in route.methods or () if method != "HEAD"}
    ruled = {
        (operation.method, operation.path)
        for operation in (*PLATFORM_OPERATIONS, *CONNECT_OPERATIONS, *WEBHOOK_OPERATIONS, PROXY)
    }
    assert routes == ruled | set(OPEN_ROUTES)
    assert all(operation.scope.startswith("hris.") for operation in (*OPERATIONS, PROXY))
    assert all(
        operation.scope.startswith("platform.")
        for operation in (*PLATFORM_OPERATIONS, *CONNECT_OPERATIONS, *WEBHOOK_OPERATIONS)
    )


async def test_every_operation_of_the_contract_refuses_a_key_without_its_scope(site: Site, sandbox: Sandbox) -> None:
    key = await site.make_key("hris.nothing:read")
    sandbox.reset()
    for operation in (*OPERATIONS, *PLATFORM_OPERATIONS, *CONNECT_OPERATIONS, *WEBHOOK_OPERATIONS):
        path = operation.path.replace("{id}", site.account).replace("{subResourceId}", "2")
        answer = await site.client.request(
            operation.method, path, auth=(key, ""), headers={"x-account-id": site.account}
        )
        assert (answer.status_code, operation.scope in answer.json()["message"]) == (403, True), operation.id
    assert sandbox.calls() == []
