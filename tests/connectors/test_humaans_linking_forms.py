"""Linking a Humaans account, in both forms of what is not known: the scopes found are those of the token."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.exchange import Grant
from connectors.humaans.connector import HUMAANS
from deploy.sandbox.app import create_app
from deploy.sandbox.choices import Choices
from deploy.sandbox.tokens import TOKENS, by_name
from gateway.core.actor import Actor
from gateway.core.errors import Unprocessable
from gateway.core.link import Application, Parts, link
from gateway.core.model import Account, Owner, Secret
from tests.connectors.humaans_bench import TODAY, AppVendor, humaans

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD = [token.name for token in TOKENS if token.scopes and not token.revoked]
# Scopes that reading tells, and which of them a role keeps from those who have them.
TOLD = {"public:read", "private:read", "compensations:read", "documents:read", "webhooks:manage"}
WITHOUT_WEBHOOKS = {"finance", "tech", "manager", "user"}


class Shelf:
    """A ledger that keeps nothing: what is stored is what is given back."""

    async def find_by_owner(self, project_id: str, provider: str, owner_id: str) -> Account | None:  # noqa: ARG002
        return None

    async def store(self, account: Account, *_: object, **__: object) -> Account:
        return account

    async def renew(self, account: Account, credential: Secret, by: Actor) -> Account:  # noqa: ARG002 - a Ledger
        return account

    async def confirm(self, account_id: str) -> None:
        """Nothing is kept."""

    async def erase(self, project_id: str, account_id: str, by: Actor) -> Account | None:  # noqa: ARG002 - a Ledger
        return None


async def grant(token: str, **choices: str) -> Grant:
    vendor = AppVendor(create_app(choices=Choices().changed(choices), today=TODAY))
    parts = Parts(ledger=Shelf(), upstream=vendor, clock=lambda: NOW, new_id=lambda: "a1")
    application = Application(project_id="p1", owner=Owner(id="o", name="O"), credential=Secret(by_name(token).token))
    connector = replace(HUMAANS, base_url="http://sandbox/api")
    return (await link(connector, application, parts)).grant


@pytest.mark.parametrize("token", GOOD)
async def test_humaans_own_word_is_taken(token: str) -> None:
    found = await grant(token)
    assert found.scopes == set(by_name(token).scopes)
    assert found.found_by == "token-info"


@pytest.mark.parametrize("how", ["forbidden", "not_found"])
@pytest.mark.parametrize("token", GOOD)
async def test_without_it_reading_tells_and_never_more_than_the_token_may(token: str, how: str) -> None:
    made = by_name(token)
    expected = set(made.scopes) & TOLD
    if "private:read" in expected:
        expected.discard("public:read")  # the one opens all that the other does
    if made.role in WITHOUT_WEBHOOKS:
        expected.discard("webhooks:manage")
    if not expected:
        with pytest.raises(Unprocessable, match="it may read nothing"):
            await grant(token, token_info="missing", endpoint_without_right=how)
        return
    found = await grant(token, token_info="missing", endpoint_without_right=how)
    assert found.scopes == expected
    assert found.found_by == "probe"


@pytest.mark.parametrize(
    ("choices", "taken"),
    [
        ({"field_without_right": "null"}, "private:read"),
        ({"endpoint_without_right": "empty"}, "compensations:read"),
    ],
)
async def test_what_cannot_be_told_from_emptiness_is_taken_as_granted(choices: dict[str, Any], taken: str) -> None:
    """Two unknowns would have to be unlike what is thought: then fields stay empty, and no answer is wrong."""
    assert taken in (await grant("only-public-read", token_info="missing", **choices)).scopes
    bench = humaans("only-public-read", **choices)
    bench.register.change("a1", grant=Grant(scopes=frozenset({"private:read", "compensations:read"}), found_by="probe"))
    body = await bench.body(page_size="250", expand="employments", include="withheld")
    assert {record["personal_email"] for record in body["data"]} == {None}
    # A list that is refused leaves its fields out, one that is empty leaves them empty.
    rates = {each.get("pay_rate") for record in body["data"] for each in record["employments"]}
    assert rates == {None}
    assert body["withheld"]["personal_email"][0]["reason"] in {"provider_null", "withheld_by_role"}


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("token_info", ["available", "missing"])
@pytest.mark.parametrize(("token", "words"), [("revoked", "does not accept this token"), ("no-scopes", "read nothing")])
async def test_a_token_of_no_use_is_refused_in_every_form(token: str, words: str, token_info: str, form: str) -> None:
    with pytest.raises(Unprocessable, match=words):
        await grant(token, token_info=token_info, error_body=form)
