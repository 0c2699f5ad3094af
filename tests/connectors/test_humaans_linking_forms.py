"""Linking a Humaans account, in both forms of what is not known: the scopes found are those of the token."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.exchange import Answer, Grant, Request
from connectors.humaans.connector import HUMAANS
from deploy.sandbox.app import Sandbox, create_app
from deploy.sandbox.choices import Choices
from deploy.sandbox.tokens import SCOPES, TOKENS, by_name
from gateway.accounts.link import Linker, LinkRequest
from gateway.accounts.store import AccountStore
from gateway.errors import Unprocessable
from gateway.model import GATEWAY, Account, Actor, LinkedAccount, Owner, Secret
from tests.connectors.humaans_bench import TODAY, AppVendor, humaans
from tests.fakes.core import Seal, json_answer

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD = [token.name for token in TOKENS if token.scopes and not token.revoked]
# Scopes that reading finds out, and which of them a role takes from those who have them.
PROBED = {"public:read", "private:read", "compensations:read", "documents:read", "webhooks:manage"}
WITHOUT_WEBHOOKS = {"finance", "tech", "manager", "user"}
SEES_OTHERS = {"owner", "admin", "finance", "manager"}
UNKNOWN = {"private:write", "compensations:write", "documents:write"}
FORMS: Mapping[str, Answer | None] = {
    "present": None,
    "missing": json_answer({"code": 404, "name": "NotFound"}, 404),
    "html": Answer(200, {"content-type": "text/html"}, b"<html>sign in</html>"),
    "empty": Answer(200, {"content-type": "application/json"}, b""),
}
"""What `/token-info` may answer: in all forms but the first Humaans does not say what the token may do."""


@dataclass
class FormVendor(AppVendor):
    """A way to the sandbox, with a form of `/token-info` of its own."""

    token_info: Answer | None = None

    async def send(self, base_url: str, request: Request) -> Answer:
        own = self.token_info if request.path == "/token-info" else None
        return own or await super().send(base_url, request)


class StatelessAccounts(AccountStore):
    """Stores nothing: `store` returns what it gets."""

    def __init__(self) -> None:
        """Needs no database."""

    async def find_by_owner(self, project_id: str, provider: str, owner_id: str) -> Account | None:  # noqa: ARG002
        return None

    async def store(self, account: Account, *_: object, **__: object) -> Account:
        return account

    async def renew(self, account: Account, credential: Secret, by: Actor = GATEWAY) -> Account:  # noqa: ARG002 - an AccountStore
        return account

    async def note_verified(self, account_id: str) -> None:
        """Nothing to store."""

    async def unlink(self, project_id: str, account_id: str, by: Actor = GATEWAY) -> Account | None:  # noqa: ARG002 - an AccountStore
        return None


async def grant(token: str, **choices: str) -> Grant:
    vendor = AppVendor(create_app(choices=Choices().changed(choices), today=TODAY))
    linker = Linker(accounts=StatelessAccounts(), upstream=vendor, clock=lambda: NOW, new_id=lambda: "a1")
    application = LinkRequest(project_id="p1", owner=Owner(id="o", name="O"), credential=Secret(by_name(token).token))
    connector = replace(HUMAANS, base_url="http://sandbox/api")
    return (await linker.link(connector, application)).grant


@pytest.mark.parametrize("token", GOOD)
async def test_scopes_that_humaans_states_are_used(token: str) -> None:
    found = await grant(token)
    assert found.scopes == set(by_name(token).scopes)
    assert found.found_by == "token-info"


@pytest.mark.parametrize("how", ["forbidden", "not_found"])
@pytest.mark.parametrize("token", GOOD)
async def test_without_token_info_reading_finds_the_scopes_and_never_more_than_the_token_has(
    token: str, how: str
) -> None:
    made = by_name(token)
    expected = set(made.scopes) & PROBED
    if "private:read" in expected and made.role in SEES_OTHERS:
        expected.discard("public:read")  # the one opens all that the other does
    elif "private:read" in expected:  # one's own row alone proves nothing
        expected = (expected - {"private:read"}) | {"public:read"}
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
        ({"endpoint_without_right": "empty"}, "compensations:read"),
    ],
)
async def test_a_scope_that_cannot_be_told_from_emptiness_is_taken_as_granted(
    choices: dict[str, Any], taken: str
) -> None:
    """A list may be empty: were it taken as closed, its first record would never show. No answer is wrong."""
    assert taken in (await grant("only-public-read", token_info="missing", **choices)).scopes
    bench = humaans("only-public-read", **choices)
    bench.register.change("a1", grant=Grant(scopes=frozenset({"private:read", "compensations:read"}), found_by="probe"))
    body = await bench.body(page_size="250", expand="employments", include="withheld")
    assert {record["personal_email"] for record in body["data"]} == {None}
    # A list that is refused leaves its fields out, one that is empty leaves them empty.
    rates = {each.get("pay_rate") for record in body["data"] for each in record["employments"]}
    assert rates == {None}
    assert body["withheld"]["personal_email"][0]["reason"] in {"provider_null", "withheld_by_role"}


@pytest.fixture(name="apps", scope="module")
def fixture_apps() -> Mapping[str, Sandbox]:
    hides = ("omit", "null")
    return {hide: create_app(choices=Choices().changed({"field_without_right": hide}), today=TODAY) for hide in hides}


async def tried(app: Sandbox, token: str, form: str, stated: frozenset[str]) -> tuple[Grant, Grant]:
    """Link, and check in the background afterwards, which states nothing."""
    linker = Linker(
        accounts=StatelessAccounts(), upstream=FormVendor(app, token_info=FORMS[form]), clock=lambda: NOW, new_id=str
    )
    secret = Secret(by_name(token).token)
    application = LinkRequest(project_id="p1", owner=Owner(id="o", name="O"), credential=secret, stated=stated)
    connector = replace(HUMAANS, base_url="http://sandbox/api")
    account = await linker.link(connector, application)
    checked = await linker.verify(connector, LinkedAccount(account, secret, Seal("a1")))
    return account.grant, checked.account.grant


@pytest.mark.parametrize("hide", ["omit", "null"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scope", SCOPES)
async def test_each_single_scope_is_found_in_every_form_and_never_another(
    apps: Mapping[str, Sandbox], scope: str, form: str, hide: str
) -> None:
    token = f"only-{scope.replace(':', '-')}"
    stated = form == "present"
    if not stated and scope in UNKNOWN:
        with pytest.raises(Unprocessable, match="it may read nothing"):
            await tried(apps[hide], token, form, frozenset())
        return
    found, later = await tried(apps[hide], token, form, frozenset())
    assert found == later
    assert (set(found.scopes), found.found_by) == ({scope}, "token-info" if stated else "probe")
    assert found.unknown == (set() if stated else UNKNOWN)
    in_doubt = scope == "public:read" and not stated and hide == "null"
    assert found.doubtful == ({"private:read"} if in_doubt else set())
    assert found.opens == ({scope} if stated else {scope} | UNKNOWN)


@pytest.mark.parametrize("hide", ["omit", "null"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stated", SCOPES)
async def test_stated_scopes_count_where_they_cannot_be_checked_and_outlive_a_verification(
    apps: Mapping[str, Sandbox], stated: str, form: str, hide: str
) -> None:
    """The vendor's word goes before it, and so does what was seen to be closed. What is not stated is not tried."""
    found, later = await tried(apps[hide], "only-public-read", form, frozenset({stated}))
    assert found == later
    believed = form != "present" and (stated in UNKNOWN or (stated == "private:read" and hide == "null"))
    assert found.scopes == found.opens == {"public:read"} | ({stated} if believed else set())
    assert found.found_by == {True: "probe+stated", False: "token-info" if form == "present" else "probe"}[believed]
    assert not found.unknown | found.doubtful


async def test_a_scope_that_humaans_has_not_cannot_be_stated(apps: Mapping[str, Sandbox]) -> None:
    with pytest.raises(Unprocessable, match="Humaans has no scope all; its scopes: public:read, private:read"):
        await tried(apps["omit"], "only-public-read", "missing", frozenset({"all"}))


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("token_info", ["available", "missing"])
@pytest.mark.parametrize(("token", "words"), [("revoked", "does not accept this token"), ("no-scopes", "read nothing")])
async def test_a_token_of_no_use_is_refused_in_every_form(token: str, words: str, token_info: str, form: str) -> None:
    with pytest.raises(Unprocessable, match=words):
        await grant(token, token_info=token_info, error_body=form)
