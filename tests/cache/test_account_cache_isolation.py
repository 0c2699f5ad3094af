"""Entries of one account or scope are useless to another, even to an attacker who can write to the cache."""

from itertools import permutations
from typing import Any

import pytest

from gateway.model import LinkedAccount
from tests.fakes.core import Seal, Vendor, make_key, make_linked
from tests.fakes.vendor import GET, LIST, READER, ReadBench, make_vendor


def bench() -> ReadBench[Vendor]:
    """Two accounts of one vendor, whose tokens may see the same."""
    gateway = ReadBench(make_vendor(3), local_bytes=0)
    gateway.register.accounts["a2"] = make_linked("a2", *gateway.connector.scopes)
    return gateway


def marks_of(gateway: ReadBench[Vendor], account: str) -> dict[str, tuple[float, bytes]]:
    return {key: value for key, value in gateway.memory.marks.items() if key.startswith(f"{{{account}}}")}


async def test_values_that_are_copied_from_another_account_are_not_opened() -> None:
    gateway = bench()
    gateway.vendor.lists["/people"][0]["name"] = "Of a1"
    await gateway.ask(account="a1")
    taken = {key.replace("{a1}", "{a2}"): value for key, value in gateway.memory.values.items()}
    # The generations too, so that nothing but the sealing stands in the way.
    gateway.memory.marks |= {key.replace("{a1}", "{a2}"): value for key, value in marks_of(gateway, "a1").items()}
    gateway.memory.values |= taken
    gateway.vendor.lists["/people"][0]["name"] = "Of a2"
    page = await gateway.ask(account="a2")
    assert (page.upstream_calls, b"Of a1" in page.body, b"Of a2" in page.body) == (2, False, True)


async def test_the_account_in_a_value_is_compared_even_where_two_accounts_share_a_data_key() -> None:
    gateway = bench()
    for account in ("a1", "a2"):
        linked = gateway.register.accounts[account]
        gateway.register.accounts[account] = LinkedAccount(linked.account, linked.credential, Shared())
    await gateway.ask(account="a1")
    gateway.memory.values |= {key.replace("{a1}", "{a2}"): value for key, value in gateway.memory.values.items()}
    gateway.memory.marks |= {key.replace("{a1}", "{a2}"): value for key, value in marks_of(gateway, "a1").items()}
    assert (await gateway.ask(account="a2")).upstream_calls == 2


class Shared(Seal):
    """A cipher that opens whatever it has sealed, wherever that stands."""

    def __init__(self) -> None:
        super().__init__("one for all")

    def _mark(self, plain: bytes, context: bytes) -> bytes:  # noqa: ARG002 - it does not look
        return super()._mark(plain, b"")


async def test_any_two_cached_values_may_be_exchanged_and_no_answer_changes() -> None:
    gateway = bench()
    asked = [(account, fields) for account in ("a1", "a2") for fields in ("id,name", "pay_rate")]
    bodies = [(await gateway.ask(account=account, fields=fields)).body for account, fields in asked]
    whole = dict(gateway.memory.values)
    for one, other in permutations(whole, 2):
        gateway.memory.values = {**whole, one: whole[other]}
        assert [(await gateway.ask(account=account, fields=fields)).body for account, fields in asked] == bodies


@pytest.mark.parametrize("order", [("all", "few"), ("few", "all")])
@pytest.mark.parametrize("local_bytes", [0, 1 << 20])
@pytest.mark.parametrize(
    "query", [{}, {"expand": "work_location"}, {"fields": "id,work_location", "expand": "work_location"}]
)
async def test_keys_with_different_rights_never_see_each_others_cached_answers(
    order: tuple[str, str], local_bytes: int, query: dict[str, Any]
) -> None:
    gateway = ReadBench(make_vendor(3), local_bytes=local_bytes)
    gateway.register.keys |= {"all": gateway.register.keys["key"], "few": make_key(READER)}
    for operation, key in ((LIST, ""), (GET, "p1")):
        for secret in (*order, *order):
            page = await gateway.ask(operation, key, secret=secret, **query)
            shown = {name for name in (b'"pay_rate"', b'"size"') if name in page.body}
            may = {b'"pay_rate"'} if "fields" not in query else set()
            may |= {b'"size"'} if "expand" in query else set()
            assert shown == (may if secret == "all" else set())
            assert bool(page.withheld) == (secret == "few")


async def test_a_value_of_an_old_data_key_is_a_miss() -> None:
    """Linking anew seals under a new key; that alone would do, whatever the revision said."""
    gateway = bench()
    await gateway.ask()
    linked = gateway.register.accounts["a1"]
    gateway.register.accounts["a1"] = LinkedAccount(linked.account, linked.credential, Seal("another"))
    assert (await gateway.ask()).upstream_calls == 2
    # The old entries are useless to the old key too: they were replaced.
    assert (await gateway.ask()).upstream_calls == 0


async def test_a_token_with_fewer_scopes_is_not_shown_what_one_with_more_has_brought() -> None:
    gateway = ReadBench(make_vendor(3), local_bytes=1 << 20)
    assert b'"diet"' in (await gateway.ask(fields="id,diet")).body
    before = gateway.register.accounts["a1"]
    fewer = make_linked("a1", "open").account
    # Even with the same revision and data key, as if neither had been changed.
    gateway.register.accounts["a1"] = LinkedAccount(fewer, before.credential, before.cipher)
    page = await gateway.ask(fields="id,diet")
    assert b'"diet"' not in page.body
    assert "diet" in page.withheld
