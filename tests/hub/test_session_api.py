"""Connect sessions over HTTP, as a product's backend makes and looks at them."""

from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.gateway import Site
from tests.fixtures.linking import GOOD, OWNER, hub, made, order, post


async def test_a_session_has_the_form_of_the_contract(linking: Site) -> None:
    wish = {"provider": "humaans", "categories": ["hris"], "label": "main", "metadata": {"a": [1]}, "type": "test"}
    found = await made(linking, **wish, origin_username="ann")
    assert isinstance(found["id"], int)
    assert found["organization_id"] == 1
    assert {name: found[name] for name in wish} == wish
    assert found["origin_username"] == "ann"
    assert found["auth_link_url"] == f"http://gateway/connect/{found['token']}"
    answer = await post(linking, "/connect_sessions/authenticate", {"token": found.pop("token")})
    del found["auth_link_url"]
    assert (answer.status_code, answer.json()) == (201, found)


@pytest.mark.parametrize(
    ("agent", "number"),
    [
        ("", 1),
        ("speakeasy-sdk/typescript 4.28.0 2.770.0 1.0.0 @stackone/stackone-client-ts", 1),
        ("speakeasy-sdk/typescript 4.33.1 2.770.0 1.0.0 @stackone/stackone-client-ts", 1),
        ("speakeasy-sdk/typescript 4.34.0 2.770.0 1.0.0 @stackone/stackone-client-ts", "1"),
        ("speakeasy-sdk/typescript 5.0.0 2.770.0 1.0.0 @stackone/stackone-client-ts", "1"),
        ("speakeasy-sdk/ruby 0.40.1 2.770.0 1.0.0 stackone_client", "1"),
        ("speakeasy-sdk/java 0.19.2 2.770.0 1.0.0 com.stackone", "1"),
        ("speakeasy-sdk/csharp 1.0.0 2.770.0 1.0.0 StackOne", 1),
    ],
)
async def test_the_organisation_s_number_is_what_the_version_of_the_sdk_takes(
    linking: Site, agent: str, number: object
) -> None:
    assert (await post(linking, "/connect_sessions", OWNER, agent=agent)).json()["organization_id"] == number


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"origin_owner_id": None}, "origin_owner_id: is missing"),
        ({"origin_owner_name": ""}, "origin_owner_name: must be 1 to 200"),
        ({"origin_owner_name": "a\nb"}, "printable"),
        ({"provider": "other"}, "provider: must be one of: humaans"),
        ({"provider": "humaans", "categories": ["ats"]}, "categories: lack hris"),
        ({"categories": ["payroll"]}, "categories[0]: must be one of: ats"),
        ({"expires_in": 59}, "from 60 to 2592000"),
        ({"expires_in": 2592001}, "from 60 to 2592000"),
        ({"expires_in": 90.5}, "whole number"),
        ({"expires_in": True}, "whole number"),
        ({"multiple": "yes"}, "multiple: must be true or false"),
        ({"multiple": True, "account_id": "x"}, "choose"),
        ({"account_id": "nobody"}, "no linked account"),
        ({"metadata": {"a": "x" * 9000}}, "at most 8192 bytes"),
        ({"type": "demo"}, "type: must be one of: production, test"),
        ({"shared": True}, "shared: is not possible"),
        ({"colour": "red"}, "colour: there is no such field"),
    ],
)
async def test_a_wish_that_cannot_be_granted_says_why(linking: Site, wish: dict[str, Any], says: str) -> None:
    answer = await post(linking, "/connect_sessions", {**OWNER, **wish})
    assert (answer.status_code, says in answer.json()["message"]) == (400, True), answer.text


async def test_every_fault_of_a_wish_is_named_at_once(linking: Site) -> None:
    answer = await post(linking, "/connect_sessions", {"provider": 1, "expires_in": "x", "type": []})
    assert len(answer.json()["errors"]) == 5


async def test_a_session_takes_a_key_with_its_scope(linking: Site) -> None:
    for path in ("/connect_sessions", "/connect_sessions/authenticate"):
        answer = await post(linking, path, OWNER, key=await linking.make_key("platform.accounts:write"))
        assert answer.status_code == 403
        assert "platform.connect_sessions:write" in answer.json()["message"]


async def test_an_account_of_another_owner_cannot_be_edited(linking: Site) -> None:
    account = await linking.link("all-owner")
    answer = await post(linking, "/connect_sessions", {**OWNER, "account_id": account})
    assert "another origin_owner_id" in answer.json()["message"]


async def test_only_the_digest_of_a_token_is_kept(linking: Site, environ: dict[str, str]) -> None:
    token = (await made(linking))["token"]
    await hub(linking, token, "POST", "/accounts", order())
    path = Path(environ["GATEWAY_DATABASE_URL"].removeprefix("sqlite:///"))
    kept = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    assert b"Customer Ltd" in kept
    assert token.encode() not in kept
    assert token.removeprefix("hcs_").encode() not in kept
    assert GOOD.encode() not in kept


async def test_a_token_is_unknown_to_another_project(linking: Site) -> None:
    token = (await made(linking))["token"]
    answer = await post(
        linking, "/connect_sessions/authenticate", {"token": token}, key=await linking.make_key(project="stranger")
    )
    assert answer.status_code == 404
