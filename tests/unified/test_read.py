"""One read from start to end: who may ask, what the cache answers, and what a refusal leaves behind."""

import asyncio
from itertools import product
from typing import Any

import orjson
import pytest

from connectors.exchange import Grant
from gateway.errors import (
    AccountUnavailable,
    BadRequest,
    Forbidden,
    GatewayError,
    NotFound,
    NotImplementedHere,
    Unauthenticated,
)
from gateway.model import Status, StatusReason
from gateway.policy.policy import Operator
from gateway.unified.plan import REMEMBERED_PLANS
from tests.fakes.core import NOW, Register, UnreachableCache, Vendor, make_key, make_linked
from tests.fakes.vendor import ALL_SCOPES, CREATE, GET, LIST, READER, ReadBench, make_vendor


def register() -> Register:
    """Keys and accounts of two projects, all linked to the same vendor."""
    return Register(
        keys={
            "reader": make_key(READER),
            "payroll": make_key(READER, "hris.compensation:read"),
            "writer": make_key("hris.employees:write"),
            "none": make_key(),
            "stranger": make_key(*ALL_SCOPES, project="p2"),
        },
        accounts={
            "open": make_linked("open", "open"),
            "closed": make_linked("closed", "closed"),
            "powerless": make_linked("powerless", "other"),
            "elsewhere": make_linked("elsewhere", "open", provider="elsewhere"),
        },
    )


def bench(people: int = 5) -> ReadBench[Vendor]:
    return ReadBench(make_vendor(people), register=register())


# --- the order of refusals, and what they cost ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"secret": None}, Unauthenticated, "API key is missing or not valid"),
        ({"secret": ""}, Unauthenticated, "API key is missing or not valid"),
        ({"secret": "unknown"}, Unauthenticated, "API key is missing or not valid"),
        ({"secret": "unknown", "account": None}, Unauthenticated, "API key is missing or not valid"),
        ({"account": None}, BadRequest, "The header x-account-id is missing"),
        ({"account": ""}, BadRequest, "The header x-account-id is missing"),
        ({"account": "unknown"}, NotFound, "no such linked account in the project"),
        ({"account": "elsewhere"}, AccountUnavailable, "no longer has a connector"),
        ({"secret": "stranger"}, NotFound, "no such linked account in the project"),
        ({"secret": "writer"}, Forbidden, "API key lacks the scope hris.employees:read"),
        ({"secret": "none"}, Forbidden, "API key lacks the scope hris.employees:read"),
        ({"account": "powerless"}, Forbidden, "Village token lacks the scope open or closed"),
        ({"secret": "reader", "raw": "true"}, Forbidden, "raw shows the provider's records whole"),
        ({"account": "open", "filter__employee_number": "1"}, Forbidden, r"filter\[employee_number\] needs closed"),
        ({"colour": "red"}, BadRequest, "unknown parameter 'colour'"),
        ({"page_size": "0"}, BadRequest, "page_size must be"),
        ({"operation": CREATE}, Forbidden, "API key lacks the scope hris.employees:write"),
        ({"operation": CREATE, "secret": "writer"}, NotImplementedHere, "Village connector does not answer"),
        ({"operation": GET, "key": "p1", "page_size": "1"}, BadRequest, "unknown parameter 'page_size'"),
    ],
)
async def test_a_refused_call_names_its_reason_and_asks_the_vendor_nothing(
    call: dict[str, Any], error: type[GatewayError], words: str
) -> None:
    gateway = bench()
    with pytest.raises(error, match=words):
        await gateway.ask(**{"secret": "key", "account": "a1", **call})
    assert gateway.vendor.take_calls() == 0
    assert gateway.memory.values == {}


async def test_a_denial_names_the_scope_and_who_can_grant_it() -> None:
    gateway = bench()
    with pytest.raises(Forbidden) as denied:
        await gateway.ask(account="powerless")
    assert denied.value.errors == ("missing scope: open or closed",)
    assert "It can be granted by the mayor; then verify the account again" in denied.value.message
    with pytest.raises(Forbidden) as denied:
        await gateway.ask(secret="none")
    assert denied.value.errors == ("missing scope: hris.employees:read",)
    assert "The operator of this gateway can create a key that has it" in denied.value.message


async def test_a_key_that_may_not_ask_is_denied_before_the_account_is_spoken_of() -> None:
    gateway = bench()
    gateway.register.change("a1", status=Status.ERROR)
    with pytest.raises(Forbidden):
        await gateway.ask(secret="none")


@pytest.mark.parametrize(
    ("status", "reasons", "words"),
    [
        (Status.SUSPENDED, (), "The linked account is suspended. Resume it"),
        (Status.ERROR, (), "The linked account is error. Link it again with a working Village token"),
        (Status.EXPIRED, (), "The linked account is expired. It must be linked again"),
        (Status.INACTIVE, (), "The linked account is inactive"),
        (Status.ARCHIVED, (), "The linked account is archived"),
        (Status.ERROR, (StatusReason("x", "The token was deleted.", NOW),), "is error. The token was deleted."),
    ],
)
async def test_an_account_that_is_not_active_is_not_asked_not_even_in_the_cache(
    status: Status, reasons: tuple[StatusReason, ...], words: str
) -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.take_calls()
    # The same revision, so that cached answers would still be found.
    gateway.register.change("a1", status=status, status_reasons=reasons)
    with pytest.raises(AccountUnavailable, match=words):
        await gateway.ask()
    assert gateway.vendor.take_calls() == 0


async def test_what_the_operator_has_closed_is_closed() -> None:
    gateway = ReadBench(make_vendor(3), operator=Operator(frozenset({"get_employee"}), frozenset({"employees.diet"})))
    with pytest.raises(Forbidden, match="The operator of this gateway has closed get_employee") as denied:
        await gateway.ask(GET, "p1")
    assert denied.value.errors == ()
    assert gateway.vendor.take_calls() == 0
    page = await gateway.ask()
    assert page.withheld == ("diet",)
    assert "diet" not in orjson.loads(page.body)["data"][0]


# --- what is seen -----------------------------------------------------------------------------------------------

# (token, key) to the fields that are left out, by hand.
LEFT_OUT = {
    ("closed", "key"): set(),
    ("closed", "payroll"): {"work_location.size"},
    ("closed", "reader"): {"pay_rate", "work_location.size"},
    ("open", "key"): {"employee_number", "diet", "work_location"},
    ("open", "payroll"): {"employee_number", "diet", "work_location"},
    ("open", "reader"): {"employee_number", "diet", "work_location", "pay_rate"},
}


@pytest.mark.parametrize("order", [list(LEFT_OUT), list(reversed(LEFT_OUT))])
@pytest.mark.parametrize("cached", [True, False])
async def test_the_memory_of_decisions_and_of_answers_never_mixes_rights(
    order: list[tuple[str, str]], *, cached: bool
) -> None:
    """The same question on one account, by keys and tokens of different rights, over and over."""
    gateway = ReadBench(make_vendor(5), register=register(), cache=None if cached else UnreachableCache())
    for account, key in order * 3:
        gateway.register.change("a1", grant=Grant(scopes=frozenset({account}), found_by="token-info"))
        for operation, record_id in ((LIST, ""), (GET, "p1")):
            page = await gateway.ask(operation, record_id, secret=key, expand="work_location")
            data = orjson.loads(page.body)["data"]
            record = data if operation is GET else data[1]
            hidden = LEFT_OUT[account, key]
            assert set(page.withheld) == hidden, (account, key)
            for path in ("pay_rate", "employee_number", "diet", "work_location"):
                assert (path in record) == (path not in hidden), (account, key, path)
            if "work_location" in record:
                assert ("size" in record["work_location"]) == ("work_location.size" not in hidden)


async def test_accounts_do_not_share_cached_answers() -> None:
    gateway = bench()
    gateway.register.accounts["a2"] = make_linked("a2", "closed")
    await gateway.ask(account="a1")
    gateway.vendor.lists["/people"] = [{"id": "q1", "name": "Of another company"}]
    page = await gateway.ask(account="a2")
    assert [each["remote_id"] for each in orjson.loads(page.body)["data"]] == ["q1"]
    assert {request.headers["authorization"] for request in gateway.vendor.asked} == {
        "Bearer token of a1",
        "Bearer token of a2",
    }
    again = await gateway.ask(account="a1")
    assert len(orjson.loads(again.body)["data"]) == 5


async def test_a_cursor_of_one_account_is_refused_by_another() -> None:
    gateway = bench()
    gateway.register.accounts["a2"] = make_linked("a2", "closed")
    cursor = (await gateway.body(page_size="2"))["next"]
    with pytest.raises(BadRequest, match="not a cursor of this list"):
        await gateway.ask(account="a2", page_size="2", next=cursor)


async def test_the_memory_of_decisions_is_bounded() -> None:
    gateway = bench()
    for number in range(REMEMBERED_PLANS + 10):
        await gateway.ask(filter__employee_number=str(number), fields="id")
    assert len(gateway.planner) <= REMEMBERED_PLANS
    assert gateway.vendor.take_calls() <= 3


async def test_many_records_share_one_decision() -> None:
    gateway = bench(50)
    for number in range(50):
        body = await gateway.body(GET, f"p{number}", fields="id,remote_id")
        assert body["data"]["remote_id"] == f"p{number}"
    assert len(gateway.planner) == 1


async def test_side_by_side_calls_of_different_rights_get_their_own() -> None:
    gateway = bench()
    cases = list(product(["reader", "payroll", "key"], ["open", "closed"])) * 5
    pages = await asyncio.gather(*(gateway.ask(secret=key, account=account) for key, account in cases))
    for (key, account), page in zip(cases, pages, strict=True):
        record = orjson.loads(page.body)["data"][0]
        assert ("pay_rate" in record) == (key != "reader")
        assert ("diet" in record) == (account == "closed")
