"""StackOne's TypeScript SDK lists, reads, changes and unlinks accounts, and reads what they can do."""

from typing import Any

import pytest

from tests.e2e.clients import Outcome, Sdk
from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation
from tests.e2e.test_sdk_errors import assert_error


@pytest.fixture
def mine(caller: Caller, installation: Installation) -> Caller:
    """Returns a caller with an account that a test may change."""
    return Caller(caller.url, caller.key, installation.link("all-owner"))


def accounts(sdk: Sdk, caller: Caller, method: str, **request: Any) -> Outcome:
    return sdk.call(caller, method, request, area="accounts")


def account(sdk: Sdk, caller: Caller) -> dict[str, Any]:
    [body] = accounts(sdk, caller, "getAccount", id=caller.account).bodies
    return body


def listed(sdk: Sdk, caller: Caller, **request: Any) -> list[str]:
    [page] = sdk.call(caller, "listLinkedAccounts", request, area="accounts").pages
    # So the SDK names a bare list of accounts.
    assert page["kind"] == "classes"
    return [each["id"] for each in page["body"]]


def test_accounts_are_listed_by_every_filter_in_pages(sdk: Sdk, mine: Caller, installation: Installation) -> None:
    other = installation.link("only-public-read")
    owner = account(sdk, mine)["originOwnerId"]
    assert listed(sdk, mine, accountIds=[mine.account, other, "nobody"]) == [mine.account, other]
    assert listed(sdk, mine, accountIds=[mine.account, other], page=2, pageSize=1) == [other]
    assert listed(sdk, mine, originOwnerId=owner) == [mine.account]
    assert listed(sdk, mine, originOwnerIds=["nobody", owner], status=["active", "error"]) == [mine.account]
    assert listed(sdk, mine, originOwnerId=owner, provider="humaans", providers=["other"]) == [mine.account]
    assert listed(sdk, mine, originOwnerId=owner, status=["error"]) == []
    assert listed(sdk, mine, providers=["other"]) == []


def test_an_account_is_read_with_all_that_the_sdk_knows_of_it(sdk: Sdk, mine: Caller) -> None:
    found = account(sdk, mine)
    assert found.keys() == set(
        """
        id provider providerName status statusReasons originOwnerId originOwnerName originUsername credentials
        setupInformation label createdAt updatedAt type
        """.split()
    )
    assert (found["provider"], found["providerName"], found["status"]) == ("humaans", "Humaans", "active")


def test_a_change_arrives_and_comes_back(sdk: Sdk, mine: Caller) -> None:
    """The SDK can send no label: it takes an object there and empties it, as it does with every free map."""
    change = {"originOwnerName": "Renamed", "originUsername": "ann", "type": "test", "setupInformation": {"a": "b"}}
    [changed] = accounts(sdk, mine, "updateAccount", id=mine.account, patchAccountExternalDto=change).bodies
    assert (changed["originOwnerName"], changed["originUsername"], changed["type"]) == ("Renamed", "ann", "test")
    assert account(sdk, mine) == changed
    # What the SDK sends of itself is taken too.
    [again] = accounts(sdk, mine, "updateAccount", id=mine.account, patchAccountExternalDto={}).bodies
    assert (again["originOwnerName"], again["type"]) == ("Renamed", "production")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"credentials": {"apiToken": "x"}}, ["credentials: must be an object of apiToken alone", "may empty it"]),
        ({"label": {"text": "x"}}, ["label: must be"]),
        ({"provider": "other"}, ["provider: cannot be changed"]),
        ({"environment": "eu"}, ["environment: cannot be chosen"]),
        ({"type": "staging"}, ["type: must be one of: production, test"]),
    ],
)
def test_a_change_that_cannot_be_is_a_400_with_its_reason(
    sdk: Sdk, caller: Caller, change: dict[str, Any], words: list[str]
) -> None:
    outcome = accounts(sdk, caller, "updateAccount", id=caller.account, patchAccountExternalDto=change)
    assert_error(outcome, "BadRequestResponse", 400, *words)


def test_an_unlinked_account_is_returned_once_more_and_then_not_found(sdk: Sdk, mine: Caller, company: Company) -> None:
    before = account(sdk, mine)
    assert sdk.call(mine, "listEmployees", {"pageSize": "250"}).records
    [deleted] = accounts(sdk, mine, "deleteAccount", id=mine.account).bodies
    assert deleted == before
    company.clear_calls()
    gone = accounts(sdk, mine, "deleteAccount", id=mine.account)
    assert_error(gone, "NotFoundResponse", 404, "no such linked account")
    assert_error(sdk.call(mine, "listEmployees"), "NotFoundResponse", 404, "no such linked account")
    assert listed(sdk, mine, accountIds=[mine.account]) == []
    assert company.calls() == []


@pytest.mark.parametrize(
    ("area", "method", "request_", "scope"),
    [
        ("accounts", "listLinkedAccounts", {}, "platform.accounts:read"),
        ("accounts", "getAccount", {"id": "x"}, "platform.accounts:read"),
        ("accounts", "getAccountMetaInfo", {"id": "x"}, "platform.accounts:read"),
        ("accounts", "updateAccount", {"id": "x", "patchAccountExternalDto": {}}, "platform.accounts:write"),
        ("accounts", "deleteAccount", {"id": "x"}, "platform.accounts:write"),
        ("connectors", "listConnectorsMeta", {}, "platform.connectors:read"),
        ("connectors", "getConnectorMeta", {"provider": "humaans"}, "platform.connectors:read"),
    ],
)
def test_a_key_without_the_scope_is_a_403_that_names_it(
    sdk: Sdk, caller: Caller, installation: Installation, area: str, method: str, request_: dict[str, Any], scope: str
) -> None:
    narrow = Caller(caller.url, installation.key("hris.*:*"), caller.account)
    assert_error(sdk.call(narrow, method, request_, area=area), "ForbiddenResponse", 403, scope)
    stranger = Caller(caller.url, "hrk_nobody", caller.account)
    assert_error(sdk.call(stranger, method, request_, area=area), "UnauthorizedResponse", 401)


def test_connectors_and_accounts_list_what_they_can_do(sdk: Sdk, caller: Caller, installation: Installation) -> None:
    details = "field_path,unmapped_fields,resources,inactive,webhooks,static_fields"
    [page] = sdk.call(caller, "listConnectorsMeta", {"include": details}, area="connectors").pages
    [connector] = page["body"]
    one = {"provider": "humaans", "include": details}
    assert sdk.call(caller, "getConnectorMeta", one, area="connectors").bodies == [connector]
    assert (connector["provider"], connector["providerName"], connector["category"]) == ("humaans", "Humaans", "hris")
    [meta] = accounts(sdk, caller, "getAccountMetaInfo", id=caller.account).bodies
    assert meta["models"].keys() == connector["models"].keys()
    [narrow] = accounts(sdk, caller, "getAccountMetaInfo", id=installation.account("only-public-read")).bodies
    [listing] = [each["list"] for name, each in narrow["models"].items() if name == "employees"]
    names = {each["name"] for each in listing["output"]["defaultFields"]}
    assert listing["apiPath"] == "/unified/hris/employees"
    assert "first_name" in names
    assert "personal_email" not in names
    unknown = sdk.call(caller, "getConnectorMeta", {"provider": "other"}, area="connectors")
    assert_error(unknown, "NotFoundResponse", 404, "no connector for 'other'")
