"""Every kind of refusal reaches a caller of StackOne's SDK as the SDK's own typed error, with status and reason."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from tests.e2e.clients import Outcome, Sdk
from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation
from tests.e2e.processes import Server

FRESH: Mapping[str, object] = {"headers": {"cache-control": "no-cache"}}
"""Options of a call that must reach the vendor, whatever is kept."""
DEADLINE = 1.0

Request = Mapping[str, object]


def assert_error(outcome: Outcome, kind: str, status: int, *words: str) -> None:
    assert outcome.error is not None, f"{len(outcome.pages)} pages and no error"
    assert set(outcome.error["kinds"]) == {kind, "StackOneError"}
    assert outcome.error["statusCode"] == status
    body = json.loads(outcome.error["body"])
    assert body["statusCode"] == status
    assert outcome.error["message"] == body["message"]
    missing = [word for word in words if word not in body["message"]]
    assert not missing, body["message"]


@pytest.fixture(scope="module")
def cursor(caller: Caller) -> str:
    """Returns a good cursor of the list of employees with no parameters."""
    return str(caller.get("/employees").json["next"])


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"pageSize": "0"}, ["page_size", "from 1 to 250"]),
        ({"pageSize": "251"}, ["page_size", "from 1 to 250"]),
        ({"pageSize": "ten"}, ["page_size", "from 1 to 250"]),
        ({"next": "x"}, ["next is not a cursor of this list"]),
        ({"next": "$cursor", "pageSize": "7", "fields": "id"}, ["next is not a cursor of this list"]),
        ({"next": "$changed"}, ["next is not a cursor of this list"]),
        ({"next": "$cursor", "page": "2"}, ["page and next exclude each other"]),
        ({"fields": "id,salary"}, ["fields has no salary", "first_name"]),
        ({"expand": "pets"}, ["expand has no pets", "home_location"]),
        ({"include": "secrets"}, ["include has no secrets", "custom_fields"]),
        ({"proxy": {"$limit": "1"}}, ["proxy cannot set $limit"]),
    ],
)
def test_a_question_that_makes_no_sense_is_a_400_that_says_what_is_known(
    sdk: Sdk, caller: Caller, cursor: str, request_: Request, words: list[str]
) -> None:
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    values = {"$cursor": cursor, "$changed": changed}
    filled = {name: values.get(str(value), value) for name, value in request_.items()}
    assert_error(sdk.call(caller, "listEmployees", filled), "BadRequestResponse", 400, *words)


def test_a_cursor_of_another_account_is_a_400(
    sdk: Sdk, caller: Caller, cursor: str, installation: Installation
) -> None:
    assert len(sdk.call(caller, "listEmployees", {"next": cursor}).records) == 130 - 25
    other = replace(caller, account=installation.account("only-public-read"))
    outcome = sdk.call(other, "listEmployees", {"next": cursor})
    assert_error(outcome, "BadRequestResponse", 400, "next is not a cursor of this list")


def test_an_account_that_is_not_named_is_a_400(sdk: Sdk, caller: Caller) -> None:
    outcome = sdk.call(replace(caller, account=""), "listEmployees")
    assert_error(outcome, "BadRequestResponse", 400, "x-account-id")


@pytest.mark.parametrize("part", [slice(0), slice(4), slice(-1), slice(None, None, -1)])
def test_a_wrong_key_is_a_401_whatever_is_asked(sdk: Sdk, caller: Caller, company: Company, part: slice) -> None:
    wrong = replace(caller, key=caller.key[part])
    for method, request in (("listEmployees", {}), ("getEmployee", {"id": "x"}), ("listBenefits", {})):
        outcome = sdk.call(wrong, method, request, options=FRESH)
        assert_error(outcome, "UnauthorizedResponse", 401, "API key")
    assert company.calls() == []


def test_a_revoked_key_is_a_401(sdk: Sdk, caller: Caller, installation: Installation) -> None:
    key = installation.key("hris.employees:read", "hris.benefits:read")
    installation.run("keys", "revoke", key[:12])
    assert_error(sdk.call(replace(caller, key=key), "listEmployees"), "UnauthorizedResponse", 401, "API key")


def test_a_key_without_the_scope_is_a_403_and_asks_nothing(
    sdk: Sdk, caller: Caller, company: Company, installation: Installation
) -> None:
    narrow = replace(caller, key=installation.key("hris.companies:read"))
    for method, request in (("listEmployees", {}), ("getEmployee", {"id": company.rows("people")[0]["id"]})):
        outcome = sdk.call(narrow, method, request, options=FRESH)
        assert_error(outcome, "ForbiddenResponse", 403, "hris.employees:read")
    assert company.calls() == []


def test_a_token_without_the_scope_is_a_403_and_asks_nothing(
    sdk: Sdk, caller: Caller, company: Company, installation: Installation
) -> None:
    narrow = replace(caller, account=installation.account("only-documents-read"))
    company.clear()
    for method, request in (("listEmployees", {}), ("getEmployee", {"id": company.rows("people")[0]["id"]})):
        outcome = sdk.call(narrow, method, request, options=FRESH)
        assert_error(outcome, "ForbiddenResponse", 403, "public:read", "Humaans")
    assert company.calls() == []


@pytest.mark.parametrize("wanted", ["nobody", "a/b?c#d", "ÄÖ", "x" * 300, "aGcxIWVtcGxveWVlOm5vYm9keQ"])
def test_an_unknown_employee_is_a_404(sdk: Sdk, caller: Caller, wanted: str) -> None:
    assert_error(sdk.call(caller, "getEmployee", {"id": wanted}), "NotFoundResponse", 404, "employee")


def test_an_unknown_account_and_one_of_another_project_are_the_same_404(
    sdk: Sdk, caller: Caller, installation: Installation
) -> None:
    foreign = installation.link("all-owner", project="globex")
    for account in ("unknown", foreign):
        outcome = sdk.call(replace(caller, account=account), "listEmployees")
        assert_error(outcome, "NotFoundResponse", 404, "no such linked account in the project of this API key")


def test_a_suspended_account_is_a_412_and_asks_nothing(
    sdk: Sdk, caller: Caller, company: Company, installation: Installation
) -> None:
    suspended = replace(caller, account=installation.link("all-owner"))
    installation.run("accounts", "suspend", suspended.account)
    company.clear()
    outcome = sdk.call(suspended, "listEmployees", options=FRESH)
    assert_error(outcome, "PreconditionFailedResponse", 412, "suspended")
    assert company.calls() == []


def test_a_token_that_is_no_longer_known_is_a_412_from_then_on(
    sdk: Sdk, caller: Caller, company: Company, installation: Installation
) -> None:
    expelled = replace(caller, account=installation.link("all-owner"))
    with company.fault("unauthorized"):
        outcome = sdk.call(expelled, "listEmployees")
        assert_error(outcome, "PreconditionFailedResponse", 412, "Humaans", "401", "Link the account again")
    company.clear()
    outcome = sdk.call(expelled, "listEmployees")
    assert_error(outcome, "PreconditionFailedResponse", 412, "Link the account again")
    assert company.calls() == []


def test_the_vendors_rate_limit_is_a_429_with_the_time_to_wait(sdk: Sdk, caller: Caller, company: Company) -> None:
    with company.fault("rate_limit", path="/people", retry_after=30):
        outcome = sdk.call(caller, "listEmployees", options=FRESH)
    assert_error(outcome, "TooManyRequestsResponse", 429, "Humaans")
    assert outcome.error is not None
    assert int(outcome.error["retryAfter"]) >= 30
    assert len(company.calls("/people")) == 1


def test_the_sdk_waits_for_retry_after_and_then_gets_its_answer(sdk: Sdk, caller: Caller, company: Company) -> None:
    """With the SDK's own retries. A wait of up to two seconds is the gateway's; a longer one is the caller's."""
    with company.fault("rate_limit", path="/people", retry_after=3, times=1):
        outcome = sdk.call(caller, "listEmployees", {"pageSize": "250"}, options=FRESH, retries=None)
    assert len(outcome.records) == 130
    assert [call["status"] for call in company.calls("/people")] == [429, 200]


@pytest.mark.parametrize("method", ["listBenefits", "listPositions", "createEmployeeSkill"])
def test_what_the_connector_does_not_do_is_a_501(sdk: Sdk, caller: Caller, company: Company, method: str) -> None:
    request: Request = {"id": "x", "entitySkillsCreateRequestDto": {}} if method.startswith("create") else {}
    assert_error(sdk.call(caller, method, request), "NotImplementedResponse", 501, "Humaans")
    assert company.calls() == []


@pytest.mark.parametrize(
    "kind",
    [
        "server_error",
        "html_error",
        "truncated_json",
        "garbage_json",
        "wrong_content_type",
        "empty_body",
        "wrong_envelope",
        "deep_json",
        "connection_reset",
        "redirect",
        "oversized",
    ],
)
@pytest.mark.parametrize("path", ["/people", "/job-roles"])
def test_garbage_of_the_vendor_is_a_502(sdk: Sdk, caller: Caller, company: Company, kind: str, path: str) -> None:
    """Of the list itself or of one that is joined to it: half an answer is none."""
    with company.fault(kind, path=path):
        outcome = sdk.call(caller, "listEmployees", options=FRESH)
    assert_error(outcome, "BadGatewayResponse", 502)
    assert outcome.pages == []


@pytest.fixture(scope="module")
def hurried(installation: Installation) -> Iterator[Server]:
    with installation.gateway(upstream_deadline_seconds=str(DEADLINE)) as server:
        yield server


@pytest.mark.parametrize(
    ("kind", "how"), [("latency", {"seconds": 5}), ("slow_drip", {"seconds_per_chunk": 0.5, "chunks": 10})]
)
def test_a_vendor_that_is_too_slow_is_a_408_to_a_read(
    sdk: Sdk, caller: Caller, company: Company, hurried: Server, kind: str, how: Mapping[str, object]
) -> None:
    there = replace(caller, url=hurried.url)
    someone = company.rows("people")[0]["id"]
    for method, request in (("listEmployees", {}), ("getEmployee", {"id": someone})):
        with company.fault(kind, path="/people", **how):
            outcome = sdk.call(there, method, request, options=FRESH)
        assert_error(outcome, "RequestTimedOutResponse", 408, "Humaans", f"{DEADLINE:g} seconds")
        assert outcome.error is not None
        assert int(outcome.error["retryAfter"]) >= 1
    # Soon after it answers again; the SDK tries anew by itself.
    assert len(sdk.call(there, "listEmployees", {"pageSize": "250"}, options=FRESH, retries=None).records) == 130


def test_an_error_in_the_middle_of_a_walk_never_looks_like_its_end(
    sdk: Sdk, caller: Caller, company: Company, installation: Installation
) -> None:
    """With nothing kept, also by others, each page is read from the vendor: the third reading fails."""
    caller = replace(caller, account=installation.link("all-owner"))
    nothing_kept = {"headers": {"cache-control": "no-store"}}
    with company.fault("server_error", path="/people", after=2):
        outcome = sdk.call(caller, "listEmployees", options=nothing_kept)
    assert_error(outcome, "BadGatewayResponse", 502)
    assert [len(page["body"]["data"]) for page in outcome.pages] == [25, 25]
    assert all(page["body"]["next"] for page in outcome.pages)
