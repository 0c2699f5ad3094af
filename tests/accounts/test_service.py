"""The platform API: which accounts are listed, what may be changed in one, and what unlinking leaves."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from connectors.exchange import Answer, Request
from connectors.platform import PLATFORM_OPERATIONS
from gateway.accounts.service import linked_account, read_choice
from gateway.accounts.update import read_changes
from gateway.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    GatewayError,
    NotFound,
    Unauthenticated,
    Unprocessable,
    VendorFailure,
)
from gateway.model import GATEWAY, AccountFilter, Caching, Ceilings, Owner, Secret, Status, StatusReason
from gateway.policy.policy import Operator
from tests.fakes.accounts import Office
from tests.fakes.core import NOW, make_key, make_linked
from tests.fakes.vendor import PAGES, VILLAGE

LISTING = PLATFORM_OPERATIONS[0]
OF_ONE = [each for each in PLATFORM_OPERATIONS if "{id}" in each.path]

# --- who may ask --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", PLATFORM_OPERATIONS, ids=lambda each: each.id)
async def test_a_key_needs_the_scope_of_the_operation_and_the_operator_s_consent(operation: Any) -> None:
    named = {"accounts": "a1", "connectors": "village"}[operation.resource] if "{" in operation.path else ""
    scopes = {each.scope for each in PLATFORM_OPERATIONS}
    office = Office()
    office.register.keys |= {
        "own": make_key(operation.scope),
        "others": make_key("hris.*:*", *scopes - {operation.scope}),
    }
    with pytest.raises(Forbidden, match=operation.scope):
        await office.ask(operation.id, named, secret="others")
    with pytest.raises(Unauthenticated):
        await office.ask(operation.id, named, secret=None)
    assert set(office.register.accounts) == {"a1", "b1"}
    assert await office.ask(operation.id, named, {}, secret="own") is not None
    closed = Office(operator=Operator(operations=frozenset({operation.id})))
    with pytest.raises(Forbidden, match="operator"):
        await closed.ask(operation.id, named)


@pytest.mark.parametrize("named", ["b1", "nobody", "", "a1\0", "a1\n"])
@pytest.mark.parametrize("operation", OF_ONE, ids=lambda each: each.id)
async def test_an_account_of_another_project_is_not_there(operation: Any, named: str) -> None:
    office = Office()
    with pytest.raises(NotFound) as missing:
        await office.ask(operation.id, named)
    assert missing.value.code == "AccountNotFoundError"
    assert set(office.register.accounts) == {"a1", "b1"}
    # PostgreSQL cannot be asked about a text with a zero in it.
    assert len(office.books.asked) == (1 if named.isprintable() else 0)


async def test_an_account_whose_connector_is_gone_can_be_looked_at_changed_and_unlinked_but_promises_nothing() -> None:
    office = Office(providers={})
    assert (await office.ask("get_account", "a1"))["provider_name"] == "village"
    assert (await office.ask("update_account", "a1", {"label": "old"}))["label"] == "old"
    with pytest.raises(BadRequest, match="no connector"):
        await office.ask("update_account", "a1", {"credentials": {"token": "new"}})
    for operation in ("get_account_meta_info", "get_account_permissions"):
        with pytest.raises(NotFound, match="no connector for 'village'"):
            await office.ask(operation, "a1")
    assert (await office.ask("delete_account", "a1"))["id"] == "a1"


# --- which accounts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "choice"),
    [
        ([], AccountFilter(most=25)),
        ([("page_size", "3"), ("page", "4")], AccountFilter(skip=9, most=3)),
        ([("page_size", ""), ("page", ""), ("status", "")], AccountFilter(most=25)),
        ([("provider", "x")], AccountFilter(providers=("x",), most=25)),
        (
            [("provider", "x"), ("providers", "y"), ("providers[]", "z")],
            AccountFilter(providers=("x", "y", "z"), most=25),
        ),
        ([("origin_owner_id", "a,b")], AccountFilter(owner_ids=("a,b",), most=25)),
        ([("origin_owner_ids", "a"), ("origin_owner_ids[]", "b")], AccountFilter(owner_ids=("a", "b"), most=25)),
        ([("account_ids[]", "1"), ("account_ids", "2")], AccountFilter(ids=("1", "2"), most=25)),
        ([("status", "active"), ("status[]", "error")], AccountFilter(statuses=(Status.ACTIVE, Status.ERROR), most=25)),
    ],
)
def test_a_query_names_the_accounts_that_are_wanted(pairs: Sequence[tuple[str, str]], choice: AccountFilter) -> None:
    assert read_choice(LISTING, pairs, PAGES) == choice


@pytest.mark.parametrize(
    ("pairs", "faults"),
    [
        ([("page_size", "0")], ["page_size must be a whole number from 1 to 250"]),
        ([("page_size", "251"), ("page", "-1")], ["page_size must be", "page must be a whole number"]),
        ([("page", "2.5")], ["page must be"]),
        ([("page", "\N{FULLWIDTH DIGIT ONE}")], ["page must be"]),
        ([("page", "1"), ("page", "2")], ["page is given twice"]),
        ([("provider", "1"), ("provider", "2")], ["provider is given twice"]),
        ([("provider[]", "1")], ["unknown parameter 'provider[]'; known: page,"]),
        ([("next", "1"), ("order", "up")], ["unknown parameter 'next'", "unknown parameter 'order'"]),
        ([("status", "active"), ("status", "gone")], ["status has no gone; known: active, inactive"]),
        ([("account_ids", "a\0")], ["account_ids has characters that cannot be printed"]),
    ],
)
def test_a_query_that_makes_no_sense_names_every_fault(pairs: Sequence[tuple[str, str]], faults: Sequence[str]) -> None:
    with pytest.raises(BadRequest) as refused:
        read_choice(LISTING, pairs, PAGES)
    assert len(refused.value.errors) == len(faults)
    assert all(fault in text for fault, text in zip(faults, refused.value.errors, strict=True))


async def test_other_operations_take_no_parameters() -> None:
    for operation in OF_ONE:
        with pytest.raises(BadRequest, match="takes no parameters"):
            await Office().ask(operation.id, "a1", pairs=[("x", "y")])


def test_an_account_is_shown_in_the_contract_s_form_and_without_its_credential() -> None:
    reason = StatusReason("invalid_credentials", "Link it again.", NOW)
    account = replace(
        make_linked("a1", "open").account,
        status=Status.ERROR,
        status_reasons=(reason,),
        label="main",
        owner=Owner(id="c1", name="Customer", username="ann"),
        setup_information={"domain": "acme"},
    )
    assert linked_account(account, "Village") == {
        "id": "a1",
        "provider": "village",
        "provider_name": "Village",
        "status": "error",
        "status_reasons": [
            {"code": "invalid_credentials", "description": "Link it again.", "timestamp": "2026-11-24T12:00:00.000Z"}
        ],
        "origin_owner_id": "c1",
        "origin_owner_name": "Customer",
        "origin_username": "ann",
        "credentials": {},
        "setup_information": {"domain": "acme"},
        "label": "main",
        "created_at": "2026-11-24T12:00:00.000Z",
        "updated_at": "2026-11-24T12:00:00.000Z",
        "type": "production",
        "shared": False,
        "cache": {"enabled": True, "max_fresh_seconds": None, "max_stale_seconds": None},
    }


# --- changes ------------------------------------------------------------------------------------------------

BEFORE = replace(
    make_linked("a1").account,
    label="main",
    owner=Owner(id="c1", name="Customer", username="ann"),
    setup_information={"domain": "acme", "region": "eu"},
)


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({}, {}),
        ({"label": " new "}, {"label": "new"}),
        ({"label": None}, {"label": None}),
        ({"type": "test"}, {"kind": "test"}),
        ({"type": None, "provider": None}, {}),
        ({"provider": "village", "type": "production"}, {}),
        ({"origin_owner_id": "c2"}, {"owner": Owner(id="c2", name="Customer", username="ann")}),
        ({"origin_owner_name": "New"}, {"owner": Owner(id="c1", name="New", username="ann")}),
        ({"origin_username": "bob"}, {"owner": Owner(id="c1", name="Customer", username="bob")}),
        ({"origin_username": None}, {"owner": Owner(id="c1", name="Customer")}),
        ({"origin_owner_id": None, "origin_owner_name": None}, {}),
        ({"setup_information": {"region": "us"}}, {"setup_information": {"domain": "acme", "region": "us"}}),
        ({"setup_information": {"domain": None, "x": "y"}}, {"setup_information": {"region": "eu", "x": "y"}}),
        ({"setup_information": {"nothing": None}}, {}),
        ({"setup_information": {}}, {}),
        ({"setup_information": None}, {}),
        ({"cache": {"enabled": False}}, {"caching": Caching(enabled=False)}),
        ({"cache": {"max_fresh_seconds": 30}}, {"caching": Caching(ceilings=Ceilings(fresh=30))}),
        ({"cache": {"max_stale_seconds": 0}}, {"caching": Caching(ceilings=Ceilings(stale=0))}),
        ({"cache": {}}, {"caching": Caching()}),
        ({"cache": None}, {"caching": Caching()}),
        ({"metadata": None}, {}),
        # What a client made from StackOne's OpenAPI sends of a free map: nothing of it.
        ({"metadata": {}}, {}),
        ({"environment": None, "authentication_config_key": None, "integration_id": None}, {}),
        ({"credentials": None, "secrets": None}, {}),
    ],
)
def test_a_change_is_merged_into_the_account(body: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    assert read_changes(body, BEFORE, VILLAGE) == (replace(BEFORE, **changes), None, False)


@pytest.mark.parametrize(
    "body",
    [
        {"credentials": {"token": "new"}},
        {"secrets": {"token": "new"}},
        {"secrets": {"token": "new"}, "credentials": {"token": "new"}},
    ],
)
def test_a_new_credential_is_found_under_the_name_of_its_field(body: Mapping[str, Any]) -> None:
    assert read_changes(body, BEFORE, VILLAGE) == (BEFORE, Secret("new"), False)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"surprise": 1, "label": ""}, ["surprise: there is no such field; known: label,", "label: must be 1 to 200"]),
        ({"type": "prod"}, ["type: must be one of: production, test"]),
        ({"provider": "other"}, ["provider: cannot be changed"]),
        ({"setup_information": {"a": 1, "b": "\0"}}, ["setup_information.a: must be", "setup_information.b: must be"]),
        ({"setup_information": {str(each): "x" for each in range(51)}}, ["setup_information: must be an object with"]),
        ({"setup_information": {str(each): "x" for each in range(49)}}, ["setup_information: would have more than 50"]),
        ({"cache": []}, ["cache: must be an object"]),
        ({"cache": {"ttl": 1}}, ["cache.ttl: there is no such field; known: enabled, max_fresh_seconds, max_stale_"]),
        (
            {"cache": {"enabled": None, "max_fresh_seconds": -1, "max_stale_seconds": 1.5}},
            [
                "cache.enabled: must not be null",
                "cache.max_fresh_seconds: must be a whole number from 0 to 604800",
                "cache.max_stale_seconds: must be",
            ],
        ),
        ({"metadata": {"a": 1}}, ["metadata: is not stored here"]),
        ({"environment": "eu"}, ["environment: cannot be chosen"]),
        ({"credentials": {}}, ["credentials: must be an object of token alone"]),
        ({"credentials": {"token": "planted", "more": "planted"}}, ["credentials: must be an object of token alone"]),
        ({"credentials": {"apiToken": "planted"}}, ["credentials: must be an object of token alone"]),
        ({"credentials": {"token": 7}}, ["credentials: must be an object of token alone"]),
        ({"secrets": "planted"}, ["secrets: must be an object"]),
        ({"replace_company": True}, ["replace_company: needs credentials"]),
        (
            {"secrets": {"token": "planted"}, "credentials": {"token": "planted too"}},
            ["credentials: differ from secrets"],
        ),
    ],
)
def test_a_change_that_cannot_be_names_every_fault_and_no_value(body: Mapping[str, Any], faults: Sequence[str]) -> None:
    with pytest.raises(BadRequest) as refused:
        read_changes(body, BEFORE, VILLAGE)
    assert len(refused.value.errors) == len(faults)
    assert all(fault in text for fault, text in zip(faults, refused.value.errors, strict=True))
    assert "planted" not in refused.value.message


async def test_a_change_is_kept_with_its_time_and_nobody_is_asked() -> None:
    office = Office()
    office.time.forward(60)
    answer = await office.ask("update_account", "a1", {"label": "new", "type": "production"})
    assert (answer["label"], answer["updated_at"]) == ("new", "2026-11-24T12:01:00.000Z")
    assert (office.account().label, office.account().revision, office.vendor.asked) == ("new", 2, [])


async def test_no_change_is_no_write() -> None:
    office = Office()
    before = office.account()
    office.time.forward(60)
    await office.ask("update_account", "a1", {"type": "production", "origin_owner_name": "Owner"})
    assert office.account() is before


async def test_of_two_changes_at_once_the_second_is_refused() -> None:
    office = Office()
    seen = office.account()
    await office.ask("update_account", "a1", {"label": "first"})
    with pytest.raises(Conflict):
        await office.platform._directory.update(replace(seen, label="second"), GATEWAY)
    assert office.account().label == "first"


# --- a new credential ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Status.ACTIVE, Status.ACTIVE),
        (Status.ERROR, Status.ACTIVE),
        (Status.EXPIRED, Status.ACTIVE),
        (Status.SUSPENDED, Status.SUSPENDED),
    ],
)
async def test_a_good_new_credential_replaces_the_old_one_in_that_very_account(before: Status, after: Status) -> None:
    office = Office()
    reason = StatusReason("code", "Why.", NOW)
    twin = replace(make_linked("a0").account, owner=office.account().owner)
    office.register.accounts = {
        "a0": replace(make_linked("a0"), account=twin),
        **office.register.accounts,
    }
    office.register.change("a1", status=before, status_reasons=(reason,))
    answer = await office.ask("update_account", "a1", {"credentials": {"token": " new "}, "label": "x"})
    assert (answer["id"], answer["status"], answer["label"]) == ("a1", after, "x")
    assert [each["code"] for each in answer["status_reasons"]] == (["code"] if after is Status.SUSPENDED else [])
    assert office.register.accounts["a1"].credential == Secret("new")
    assert office.account().grant.scopes == {"open", "closed"}
    assert office.register.accounts["a0"].account is twin
    assert "new" not in str(answer)


async def test_a_credential_that_the_vendor_refuses_leaves_all_as_it_was() -> None:
    office = Office(granting="")
    before = office.register.accounts["a1"]
    with pytest.raises(Unprocessable, match="Village does not know it"):
        await office.ask("update_account", "a1", {"label": "x", "credentials": {"token": "new"}})
    assert office.register.accounts["a1"] is before


@pytest.mark.parametrize(("token", "error"), [("a b", Unprocessable), ("", Unprocessable)])
async def test_what_can_be_no_credential_is_not_shown_to_the_vendor(token: str, error: type[GatewayError]) -> None:
    office = Office()
    with pytest.raises(error):
        await office.ask("update_account", "a1", {"credentials": {"token": token}})
    assert office.vendor.asked == []


class Slow:
    """A vendor that never answers."""

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        await asyncio.Event().wait()
        raise NotImplementedError


async def test_a_vendor_that_does_not_answer_about_a_credential_is_waited_for_so_long_and_nothing_changes() -> None:
    office = Office(upstream=Slow(), deadline=0.01)
    before = office.register.accounts["a1"]
    with pytest.raises(VendorFailure, match=r"did not answer within 0\.01 seconds"):
        await office.ask("update_account", "a1", {"credentials": {"token": "new"}})
    assert office.register.accounts["a1"] is before


# --- unlinking ----------------------------------------------------------------------------------------------


async def test_unlinking_answers_what_was_deleted() -> None:
    office = Office()
    assert (await office.ask("delete_account", "a1"))["id"] == "a1"
    assert set(office.register.accounts) == {"b1"}
    with pytest.raises(NotFound):
        await office.ask("delete_account", "a1")
