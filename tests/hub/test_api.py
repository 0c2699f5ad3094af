"""The routes of the Hub component: what a session's token may do, once, and from which origins."""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from deploy.sandbox.tokens import by_name
from gateway.accounts.unlink import unlink
from gateway.audit.events import AuditEvent
from gateway.hub.sessions import MOST_TRIES
from tests.fixtures.gateway import Sandbox, Site, open_site
from tests.fixtures.linking import GOOD, PRODUCT, Time, csrf_token, enter, hub, made, order, post, send


async def test_the_component_finds_one_connector_and_its_form(linking: Site) -> None:
    token = (await made(linking))["token"]
    assert (await hub(linking, token, "GET", "/settings")).json() == {"enabled_features": []}
    [found] = (await hub(linking, token, "GET", "/connectors")).json()["integrations"]
    assert (found["active"], found["name"], found["provider"], found["type"]) == (True, "Humaans", "humaans", "hris")
    logo = await linking.client.get(found["logo_url"])
    assert (logo.status_code, logo.headers["content-type"]) == (200, "image/svg+xml; charset=utf-8")
    config = (await hub(linking, token, "GET", f"/connectors/{found['integration_id']}")).json()["config"]
    [only] = config["configFields"]
    assert (only["key"], only["label"], only["type"]) == ("apiToken", "API Token", "password")
    assert "compensations:read" in config["configNotices"][0]["description"]
    assert "webhooks:manage" not in config["configNotices"][0]["description"]


@pytest.mark.parametrize(
    ("wish", "found"),
    [({}, 1), ({"provider": "humaans"}, 1), ({"categories": ["hris", "ats"]}, 1), ({"categories": ["ats"]}, 0)],
)
async def test_a_session_narrows_the_choice(linking: Site, wish: dict[str, Any], found: int) -> None:
    token = (await made(linking, **wish))["token"]
    assert len((await hub(linking, token, "GET", "/connectors")).json()["integrations"]) == found
    assert len((await hub(linking, token, "GET", "/connectors?provider=other")).json()["integrations"]) == 0
    answer = await hub(linking, token, "GET", "/connectors/humaans")
    assert answer.status_code == (200 if found else 404)


async def test_a_good_token_links_once(linking: Site) -> None:
    token = (await made(linking, label="main", type="test"))["token"]
    answer = await hub(linking, token, "POST", "/accounts", order())
    assert answer.status_code == 201, answer.text
    account = answer.json()["id"]
    assert answer.json() == {"id": account, "provider": "humaans"}
    found = (await linking.client.get(f"/accounts/{account}", auth=(linking.key, ""))).json()
    assert (found["origin_owner_name"], found["label"], found["type"]) == ("Customer Ltd", "main", "test")
    for method, path, body in (
        ("POST", "/accounts", order()),
        ("PATCH", f"/accounts/{account}", order()),
        ("GET", f"/accounts/{account}", None),
        ("GET", "/connectors", None),
    ):
        again = await hub(linking, token, method, path, body)
        assert (again.status_code, again.json()["message"][:24]) == (400, "This link has been used."), path
    assert (await post(linking, "/connect_sessions/authenticate", {"token": token})).status_code == 400


@pytest.mark.parametrize("by", ["owner", "account"])
async def test_a_session_that_links_again_leaves_the_settings_of_the_account(linking: Site, by: str) -> None:
    """Who agreed to nothing being kept is not kept from the next token on."""
    token = (await made(linking, origin_username="ann"))["token"]
    path = f"/accounts/{(await hub(linking, token, 'POST', '/accounts', order())).json()['id']}"
    chosen = {"cache": {"enabled": False}, "setup_information": {"region": "eu"}, "type": "test", "label": "Payroll"}
    before = (await linking.client.patch(path, json=chosen, auth=(linking.key, ""))).json()
    again = await made(linking, **({"account_id": before["id"]} if by == "account" else {}))
    answer = await hub(linking, again["token"], "POST", "/accounts", order(by_name("read-everything").token))
    assert answer.json()["id"] == before["id"]
    after = (await linking.client.get(path, auth=(linking.key, ""))).json()
    assert {name for name in before if before[name] != after[name]} == {"updated_at"}


async def of_another_company(site: Site, account_id: str) -> None:
    """Make an account be one of a company that the sandbox is not."""
    account = await site.stores.accounts.find(account_id)
    assert account is not None
    assert account.grant.company
    await site.stores.accounts.update(replace(account, grant=replace(account.grant, company="another")))


WAYS = ["session by owner", "session by account", "patch"]


async def give_token(site: Site, way: str, account: str, **wish: Any) -> httpx.Response:
    if way == "patch":
        body = {"credentials": {"apiToken": GOOD}, **wish}
        return await site.client.patch(f"/accounts/{account}", json=body, auth=(site.key, ""))
    token = (await made(site, **wish, **({"account_id": account} if way == "session by account" else {})))["token"]
    return await hub(site, token, "POST", "/accounts", order())


@pytest.mark.parametrize("way", WAYS)
async def test_a_token_of_another_company_takes_an_account_over_only_if_that_is_asked_for(
    linking: Site, way: str
) -> None:
    token = (await made(linking))["token"]
    account = (await hub(linking, token, "POST", "/accounts", order())).json()["id"]
    await of_another_company(linking, account)
    refused = await give_token(linking, way, account)
    assert (refused.status_code, refused.json()["errorCode"]) == (409, "OtherCompanyError")
    assert "Use a token of the same company" in refused.json()["message"]
    assert GOOD not in refused.text
    taken = await give_token(linking, way, account, replace_company=True)
    assert taken.status_code in {200, 201}, taken.text
    assert taken.json()["id"] == account
    # A company that was known is another now: what was cached of it is erased.
    [_, fact, *_] = await linking.stores.audit.read(account_id=account)
    assert (fact.what, "company" in fact.details["fields"]) == (AuditEvent.RELINKED, True)


async def test_the_last_page_says_that_an_account_was_there_before(linking: Site) -> None:
    for again in (False, True):
        page = await enter(linking, (await made(linking))["token"])
        await send(linking, {"form": csrf_token(page), "provider": "humaans", "credential": GOOD})
        done = await linking.client.get("/connect/done")
        assert ("Humaans is connected again" in done.text) is again
        assert ("this token replaces its old one" in done.text) is again


async def test_of_two_at_once_one_links(linking: Site) -> None:
    token = (await made(linking, multiple=True))["token"]
    answers = await asyncio.gather(*(hub(linking, token, "POST", "/accounts", order()) for _ in range(5)))
    assert sorted(each.status_code for each in answers) == [201, 400, 400, 400, 400]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (order("x" * 32), 422, "Humaans does not accept this token"),
        (order("has space"), 422, "paste the token alone"),
        (order(by_name("revoked").token), 422, "does not accept"),
        (order(by_name("no-scopes").token), 422, "may read nothing"),
        ({"integration_id": "humaans", "credentials": {}}, 422, "Paste the API Token"),
        ({"integration_id": "other", "credentials": {}}, 404, "not for that provider"),
        ({"integration_id": "humaans", "credentials": {"token": "x"}}, 400, "known: apiToken"),
        ({"integration_id": "humaans", "credentials": {"apiToken": 1}}, 400, "credentials.apiToken: must be text"),
        ({"integration_id": "humaans", "credentials": [], "colour": 1}, 400, "colour: there is no such field"),
        ({"credentials": {}}, 400, "integration_id: is missing"),
    ],
)
async def test_a_bad_credential_is_refused_with_the_reason_and_the_session_lives_on(
    linking: Site, body: dict[str, Any], status: int, says: str
) -> None:
    token = (await made(linking))["token"]
    answer = await hub(linking, token, "POST", "/accounts", body)
    assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
    assert says in answer.json()["message"]
    sent = str(body.get("credentials", {}))
    assert not any(each in answer.text for each in re.findall(r"[A-Za-z0-9]{32}", sent))
    assert (await hub(linking, token, "POST", "/accounts", order())).status_code == 201


async def test_a_vendor_that_is_ill_says_nothing_about_a_token(linking: Site, sandbox: Sandbox) -> None:
    token = (await made(linking))["token"]
    sandbox.steer("POST", "/faults", {"kind": "server_error"})
    answer = await hub(linking, token, "POST", "/accounts", order())
    assert answer.status_code == 502, answer.text
    sandbox.reset()
    assert (await hub(linking, token, "POST", "/accounts", order())).status_code == 201


async def test_a_session_cannot_be_used_to_search_for_a_token(linking: Site) -> None:
    token = (await made(linking))["token"]
    found = [(await hub(linking, token, "POST", "/accounts", order("no token"))).status_code for _ in range(MOST_TRIES)]
    assert set(found) == {422}
    assert (await hub(linking, token, "POST", "/accounts", order())).status_code == 400


async def test_a_session_expires_by_the_clock(linking: Site, clock: Time) -> None:
    token = (await made(linking, expires_in=60))["token"]
    page = await enter(linking, token)
    clock.moved = timedelta(seconds=59)
    assert (await hub(linking, token, "GET", "/settings")).status_code == 200
    clock.moved = timedelta(seconds=61)
    answer = await hub(linking, token, "POST", "/accounts", order())
    assert (answer.status_code, answer.json()["message"][:21]) == (400, "This link has expired")
    assert (
        await send(linking, {"form": csrf_token(page), "provider": "humaans", "credential": GOOD})
    ).status_code == 410
    assert (await enter(linking, token)).status_code == 410
    assert (await post(linking, "/connect_sessions/authenticate", {"token": token})).status_code == 400


@pytest.mark.parametrize("token", ["", "hcs_unknown", "x" * 500])
async def test_without_a_session_nothing_is_told(linking: Site, token: str) -> None:
    answer = await hub(linking, token, "GET", "/connectors")
    assert answer.status_code == 400
    assert answer.json()["statusCode"] == 400


async def test_the_owner_s_account_is_linked_again_unless_a_further_one_is_wanted(linking: Site) -> None:
    async def linked(**wish: Any) -> str:
        token = (await made(linking, **wish))["token"]
        found: str = (await hub(linking, token, "POST", "/accounts", order())).json()["id"]
        return found

    first = await linked()
    assert await linked() == first
    assert await linked(multiple=True) != first
    assert await linked(origin_owner_id="customer-2") != first


async def test_an_account_is_edited_by_its_session_alone(linking: Site) -> None:
    token = (await made(linking))["token"]
    account = (await hub(linking, token, "POST", "/accounts", order())).json()["id"]
    other = await linking.link("all-owner")
    stranger = await linking.link("all-owner", project="stranger")
    editing = (await made(linking, account_id=account))["token"]
    assert (await hub(linking, editing, "GET", "/settings")).json()["existing_account_id"] == account
    shown = await hub(linking, editing, "GET", f"/accounts/{account}")
    assert (shown.json()["secureId"], shown.json()["integrationId"]) == (account, "humaans")
    assert GOOD not in shown.text
    for each in (other, stranger, "nobody"):
        assert (await hub(linking, editing, "GET", f"/accounts/{each}")).status_code == 404
        assert (await hub(linking, editing, "PATCH", f"/accounts/{each}", order())).status_code == 404
    fewer = order(by_name("public-private").token)
    assert (await hub(linking, editing, "PATCH", f"/accounts/{account}", fewer)).json()["id"] == account
    granted = (await linking.client.get(f"/accounts/{account}/permissions", auth=(linking.key, ""))).json()["granted"]
    assert granted["scopes"] == ["private:read", "public:read"]
    assert (await hub(linking, editing, "PATCH", f"/accounts/{account}", order())).status_code == 400


async def test_an_untouched_secret_is_checked_again_and_kept(linking: Site) -> None:
    token = (await made(linking))["token"]
    account = (await hub(linking, token, "POST", "/accounts", order())).json()["id"]
    editing = (await made(linking, account_id=account))["token"]
    answer = await hub(
        linking, editing, "PATCH", f"/accounts/{account}", {"integration_id": "humaans", "credentials": {}}
    )
    assert answer.status_code == 200, answer.text
    assert (await linking.get(account=account)).status_code == 200


async def test_unlinking_ends_and_erases_the_sessions_of_an_account(linking: Site) -> None:
    token = (await made(linking))["token"]
    account = (await hub(linking, token, "POST", "/accounts", order())).json()["id"]
    editing = await made(linking, account_id=account)

    project = (await linking.stores.keys.ensure_project("demo")).id
    await unlink(project, account, linking.stores.accounts)
    assert await linking.stores.sessions.find_number(editing["id"]) is None
    answer = await hub(linking, editing["token"], "GET", "/settings")
    assert "not valid" in answer.json()["message"]


# --- other origins ------------------------------------------------------------------------------------------


async def test_the_hub_is_open_to_the_allowed_origins_alone(linking: Site) -> None:
    token = (await made(linking))["token"]
    for method, path in (("OPTIONS", "/accounts/x"), ("GET", "/settings"), ("GET", "/accounts/nobody")):
        answer = await hub(linking, token, method, path, origin=PRODUCT)
        assert answer.headers["access-control-allow-origin"] == PRODUCT, path
        assert answer.headers["vary"] == "origin"
        assert "access-control-allow-credentials" not in answer.headers
        refused = await hub(linking, token, method, path, origin="https://evil.example")
        assert (refused.status_code, refused.json()["errorCode"]) == (403, "OriginNotAllowedError")
        assert "access-control-allow-origin" not in refused.headers
    preflight = await hub(linking, token, "OPTIONS", "/accounts", origin=PRODUCT)
    assert preflight.status_code == 204
    assert "x-hub-session-token" in preflight.headers["access-control-allow-headers"]
    for other in ("null", f"{PRODUCT}.evil.example", "http://app.example.com", "https://app.example.com:8443"):
        assert (await hub(linking, token, "GET", "/settings", origin=other)).status_code == 403


async def test_the_page_is_framed_by_the_allowed_origins_alone(
    linking: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    page = await enter(linking, (await made(linking))["token"])
    policy = dict(each.split(" ", 1) for each in page.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": PRODUCT,
    }
    alone = await open_site(environ | {"GATEWAY_DATABASE_URL": environ["GATEWAY_DATABASE_URL"]}, stack)
    refused = await alone.client.get("/connect")
    assert "frame-ancestors 'none'" in refused.headers["content-security-policy"]
