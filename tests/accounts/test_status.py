"""Why an account cannot be used, as a caller is told it, and what a vendor's 401 makes of it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.accounts.token_rejection import TokenRejections
from gateway.model import AT_A_CALL, Status, StatusReason
from tests.fakes.core import NOW, Register, Vendor, make_linked, refusal
from tests.fakes.vendor import VILLAGE

WHY = StatusReason("why", "For this reason.", NOW)


@pytest.mark.parametrize(
    ("ends_at", "status", "code"),
    [
        (None, Status.ERROR, "invalid_credentials"),
        (NOW + timedelta(seconds=1), Status.ERROR, "invalid_credentials"),
        (NOW, Status.EXPIRED, "token_ended"),
        (NOW - timedelta(days=1), Status.EXPIRED, "token_ended"),
    ],
)
async def test_a_token_that_is_refused_after_its_end_has_expired_and_before_it_is_an_error(
    ends_at: datetime | None, status: Status, code: str
) -> None:
    linked = make_linked("a1")
    account = replace(linked.account, grant=replace(linked.account.grant, ends_at=ends_at))
    linked = replace(linked, account=account)
    register = Register(accounts={"a1": linked})
    checks = TokenRejections(register, Vendor(instead=lambda _: refusal(401)), lambda: NOW)
    told = await checks.explain(linked, VILLAGE)
    found = register.accounts["a1"].account
    assert (found.status, [reason.code for reason in found.status_reasons]) == (status, [code])
    assert told.message == found.status_reasons[0].description
    assert (told.code, register.marked_by) == ("AccountInvalidCredentialsError", [AT_A_CALL])
