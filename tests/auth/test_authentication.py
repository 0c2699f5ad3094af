"""Admission: who calls, for which account, may they, and is the account active, in this order."""

from dataclasses import replace

import pytest

from connectors.platform import PLATFORM_OPERATIONS
from gateway.auth.authentication import Authenticator, must_be_active
from gateway.errors import AccountUnavailable, BadRequest, Forbidden, GatewayError, NotFound, Unauthenticated
from gateway.model import Status, StatusReason
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from tests.fakes.core import NOW, Register, make_key, make_linked
from tests.fakes.vendor import LIST, VILLAGE

WHY = StatusReason("why", "For this reason.", NOW)
KEYS = {"reader": make_key(LIST.scope), "other": make_key("hris.groups:read")}


def authenticator(status: Status = Status.ACTIVE, *forbidden: str) -> Authenticator:
    linked = make_linked("a1", "open")
    linked = replace(linked, account=replace(linked.account, status=status))
    policy = Policy(VILLAGE, Operator(operations=frozenset(forbidden)))
    return Authenticator(Register(keys=KEYS, accounts={"a1": linked}), {"village": Provider(VILLAGE, policy)})


async def test_a_caller_who_may_call_is_found_with_the_account_and_its_provider() -> None:
    caller = await authenticator().admit("reader", "a1", LIST)
    assert (caller.key, caller.linked.account.id, caller.provider.connector) == (KEYS["reader"], "a1", VILLAGE)


@pytest.mark.parametrize(
    ("secret", "account_id", "status", "error"),
    [
        ("nobody", "", Status.SUSPENDED, Unauthenticated),
        ("other", "", Status.SUSPENDED, BadRequest),
        ("other", "b1", Status.SUSPENDED, NotFound),
        ("other", "a1", Status.SUSPENDED, Forbidden),
        ("reader", "a1", Status.SUSPENDED, AccountUnavailable),
    ],
)
async def test_the_first_fault_is_the_answer_and_has_the_id_of_an_account_that_was_found(
    secret: str, account_id: str, status: Status, error: type[GatewayError]
) -> None:
    with pytest.raises(error) as refused:
        await authenticator(status).admit(secret, account_id, LIST)
    assert refused.value.account_id == ("a1" if account_id == "a1" else "")


async def test_the_operator_closes_an_operation_to_every_key() -> None:
    with pytest.raises(Forbidden, match="operator of this gateway has closed list_employees"):
        await authenticator(Status.ACTIVE, LIST.id).admit("reader", "a1", LIST)
    listing = PLATFORM_OPERATIONS[0]
    with pytest.raises(Forbidden, match=f"operator of this gateway has closed {listing.id}"):
        await authenticator().admit_key("reader", listing, Operator(operations=frozenset({listing.id})))


async def test_an_account_without_its_connector_is_there_but_inactive() -> None:
    register = Register(accounts={"a1": make_linked("a1", provider="gone")})
    gone = Authenticator(register, {})
    with pytest.raises(AccountUnavailable, match=r"is inactive.* no longer has a connector"):
        await gone.find_account(make_key("*"), "a1")
    with pytest.raises(NotFound):
        await gone.find_account(make_key("*", project="p2"), "a1")


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.ACTIVE])
def test_only_an_active_account_is_used_and_the_reason_is_told(status: Status) -> None:
    account = replace(make_linked("a1").account, status=status, status_reasons=(WHY,))
    with pytest.raises(AccountUnavailable, match=f"is {status}. For this reason."):
        must_be_active(account, "Village")
    with pytest.raises(AccountUnavailable, match=r"\. (Link|Resume|It must)"):
        must_be_active(replace(account, status_reasons=()), "Village")
    must_be_active(replace(account, status=Status.ACTIVE), "Village")
