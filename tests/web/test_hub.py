"""Linking over HTTP: sessions for backends, the Hub component's routes, our own page, and who may do what with them."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from markupsafe import escape

from connectors.exchange import Grant
from deploy.sandbox.tokens import by_name
from gateway.adapters.accounts import utc_now
from gateway.app import CLOCK, assemble, open_the_database, open_the_vault
from gateway.core.ask import Clock
from gateway.core.link import unlink
from gateway.core.model import Choice
from gateway.core.sessions import MOST_TRIES
from tests.web.support import Sandbox, Site, open_site, settings_for

OWNER = {"origin_owner_id": "customer-1", "origin_owner_name": "Customer Ltd"}
GOOD = by_name("all-owner").token
PRODUCT = "https://app.example.com"


@dataclass
class Time:
    """The clock of a gateway, which a test may move."""

    moved: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return utc_now() + self.moved


@pytest.fixture(name="time")
def fixture_time() -> Time:
    return Time()


@pytest.fixture(name="site")
async def fixture_site(environ: dict[str, str], stack: AsyncExitStack, time: Time) -> Site:
    settings = settings_for({**environ, "GATEWAY_HUB_ALLOWED_ORIGINS": PRODUCT})
    database = await open_the_database(settings, open_the_vault(settings))
    stack.push_async_callback(database.close)
    clock = Clock(now=time.now, monotonic=CLOCK.monotonic, jitter=CLOCK.jitter)
    site = Site(settings, await assemble(settings, stack, clock), database)
    stack.push_async_callback(site.client.aclose)
    site.key = await site.make_key()
    return site


async def post(site: Site, path: str, body: Any, *, key: str = "", agent: str = "") -> httpx.Response:
    headers = {"user-agent": agent} if agent else {}
    return await site.client.post(path, json=body, auth=(key or site.key, ""), headers=headers)


async def made(site: Site, **wish: Any) -> dict[str, Any]:
    answer = await post(site, "/connect_sessions", {**OWNER, **wish})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def hub(site: Site, token: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    return await site.client.request(
        method, f"/hub{path}", json=body, headers={"x-hub-session-token": token, **headers}
    )


def order(token: str = GOOD) -> dict[str, Any]:
    return {"integration_id": "humaans", "credentials": {"apiToken": token}}


async def enter(site: Site, token: str) -> httpx.Response:
    """Open the link of a session and follow it, as a browser does."""
    site.client.cookies.clear()
    return await site.client.get(f"/connect/{token}", follow_redirects=True)


def word(page: httpx.Response) -> str:
    found = re.search(r'name="form" value="([0-9a-f]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def send(site: Site, form: Mapping[str, str], **headers: str) -> httpx.Response:
    return await site.client.post("/connect", data=form, headers=headers)


# --- sessions -----------------------------------------------------------------------------------------------


async def test_a_session_has_the_form_of_the_contract(site: Site) -> None:
    wish = {"provider": "humaans", "categories": ["hris"], "label": "main", "metadata": {"a": [1]}, "type": "test"}
    found = await made(site, **wish, origin_username="ann")
    assert isinstance(found["id"], int)
    assert found["organization_id"] == 1
    assert {name: found[name] for name in wish} == wish
    assert found["origin_username"] == "ann"
    assert found["auth_link_url"] == f"http://gateway/connect/{found['token']}"
    answer = await post(site, "/connect_sessions/authenticate", {"token": found.pop("token")})
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
    site: Site, agent: str, number: object
) -> None:
    assert (await post(site, "/connect_sessions", OWNER, agent=agent)).json()["organization_id"] == number


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"origin_owner_id": None}, "origin_owner_id is missing"),
        ({"origin_owner_name": ""}, "origin_owner_name must be 1 to 200"),
        ({"origin_owner_name": "a\nb"}, "printable"),
        ({"provider": "other"}, "provider must be one of: humaans"),
        ({"provider": "humaans", "categories": ["ats"]}, "not among categories"),
        ({"categories": ["payroll"]}, "categories must be a list of"),
        ({"expires_in": 59}, "from 60 to 2592000"),
        ({"expires_in": 2592001}, "from 60 to 2592000"),
        ({"expires_in": 90.5}, "whole number"),
        ({"expires_in": True}, "whole number"),
        ({"multiple": "yes"}, "multiple must be true or false"),
        ({"multiple": True, "account_id": "x"}, "choose"),
        ({"account_id": "nobody"}, "no linked account"),
        ({"metadata": {"a": "x" * 9000}}, "at most 8192 bytes"),
        ({"type": "demo"}, "type must be production or test"),
        ({"shared": True}, "shared is not possible"),
        ({"colour": "red"}, "unknown field 'colour'"),
    ],
)
async def test_a_wish_that_cannot_be_granted_says_why(site: Site, wish: dict[str, Any], says: str) -> None:
    answer = await post(site, "/connect_sessions", {**OWNER, **wish})
    assert (answer.status_code, says in answer.json()["message"]) == (400, True), answer.text


async def test_every_fault_of_a_wish_is_named_at_once(site: Site) -> None:
    answer = await post(site, "/connect_sessions", {"provider": 1, "expires_in": "x", "type": []})
    assert len(answer.json()["errors"]) == 5


async def test_a_session_takes_a_key_with_its_scope(site: Site) -> None:
    for path in ("/connect_sessions", "/connect_sessions/authenticate"):
        answer = await post(site, path, OWNER, key=await site.make_key("platform.accounts:write"))
        assert answer.status_code == 403
        assert "platform.connect_sessions:write" in answer.json()["message"]


async def test_an_account_of_another_owner_cannot_be_edited(site: Site) -> None:
    account = await site.link("all-owner")
    answer = await post(site, "/connect_sessions", {**OWNER, "account_id": account})
    assert "another origin_owner_id" in answer.json()["message"]


async def test_only_the_digest_of_a_token_is_kept(site: Site, environ: dict[str, str]) -> None:
    token = (await made(site))["token"]
    await hub(site, token, "POST", "/accounts", order())
    path = Path(environ["GATEWAY_DATABASE_URL"].removeprefix("sqlite:///"))
    kept = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    assert b"Customer Ltd" in kept
    assert token.encode() not in kept
    assert token.removeprefix("hcs_").encode() not in kept
    assert GOOD.encode() not in kept


async def test_a_token_is_unknown_to_another_project(site: Site) -> None:
    token = (await made(site))["token"]
    answer = await post(
        site, "/connect_sessions/authenticate", {"token": token}, key=await site.make_key(project="stranger")
    )
    assert answer.status_code == 404


# --- the routes of the component ----------------------------------------------------------------------------


async def test_the_component_finds_one_connector_and_its_form(site: Site) -> None:
    token = (await made(site))["token"]
    assert (await hub(site, token, "GET", "/settings")).json() == {"enabled_features": []}
    [found] = (await hub(site, token, "GET", "/connectors")).json()["integrations"]
    assert (found["active"], found["name"], found["provider"], found["type"]) == (True, "Humaans", "humaans", "hris")
    logo = await site.client.get(found["logo_url"])
    assert (logo.status_code, logo.headers["content-type"]) == (200, "image/svg+xml; charset=utf-8")
    config = (await hub(site, token, "GET", f"/connectors/{found['integration_id']}")).json()["config"]
    [only] = config["configFields"]
    assert (only["key"], only["label"], only["type"]) == ("apiToken", "API Token", "password")
    assert "compensations:read" in config["configNotices"][0]["description"]
    assert "webhooks:manage" not in config["configNotices"][0]["description"]


@pytest.mark.parametrize(
    ("wish", "found"),
    [({}, 1), ({"provider": "humaans"}, 1), ({"categories": ["hris", "ats"]}, 1), ({"categories": ["ats"]}, 0)],
)
async def test_a_session_narrows_the_choice(site: Site, wish: dict[str, Any], found: int) -> None:
    token = (await made(site, **wish))["token"]
    assert len((await hub(site, token, "GET", "/connectors")).json()["integrations"]) == found
    assert len((await hub(site, token, "GET", "/connectors?provider=other")).json()["integrations"]) == 0
    answer = await hub(site, token, "GET", "/connectors/humaans")
    assert answer.status_code == (200 if found else 404)


async def test_a_good_token_links_once(site: Site) -> None:
    token = (await made(site, label="main", type="test"))["token"]
    answer = await hub(site, token, "POST", "/accounts", order())
    assert answer.status_code == 201, answer.text
    account = answer.json()["id"]
    assert answer.json() == {"id": account, "provider": "humaans"}
    found = (await site.client.get(f"/accounts/{account}", auth=(site.key, ""))).json()
    assert (found["origin_owner_name"], found["label"], found["type"]) == ("Customer Ltd", "main", "test")
    for method, path, body in (
        ("POST", "/accounts", order()),
        ("PATCH", f"/accounts/{account}", order()),
        ("GET", f"/accounts/{account}", None),
        ("GET", "/connectors", None),
    ):
        again = await hub(site, token, method, path, body)
        assert (again.status_code, again.json()["message"][:24]) == (400, "This link has been used."), path
    assert (await post(site, "/connect_sessions/authenticate", {"token": token})).status_code == 400


async def test_of_two_at_once_one_links(site: Site) -> None:
    token = (await made(site, multiple=True))["token"]
    answers = await asyncio.gather(*(hub(site, token, "POST", "/accounts", order()) for _ in range(5)))
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
        ({"integration_id": "humaans", "credentials": {"apiToken": 1}}, 400, "must be a text"),
        ({"integration_id": "humaans", "credentials": [], "colour": 1}, 400, "unknown field 'colour'"),
        ({"credentials": {}}, 400, "integration_id must be a text"),
    ],
)
async def test_a_bad_credential_is_refused_with_the_reason_and_the_session_lives_on(
    site: Site, body: dict[str, Any], status: int, says: str
) -> None:
    token = (await made(site))["token"]
    answer = await hub(site, token, "POST", "/accounts", body)
    assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
    assert says in answer.json()["message"]
    sent = str(body.get("credentials", {}))
    assert not any(each in answer.text for each in re.findall(r"[A-Za-z0-9]{32}", sent))
    assert (await hub(site, token, "POST", "/accounts", order())).status_code == 201


async def test_a_vendor_that_is_ill_says_nothing_about_a_token(site: Site, sandbox: Sandbox) -> None:
    token = (await made(site))["token"]
    sandbox.steer("POST", "/faults", {"kind": "server_error"})
    answer = await hub(site, token, "POST", "/accounts", order())
    assert answer.status_code == 502, answer.text
    sandbox.reset()
    assert (await hub(site, token, "POST", "/accounts", order())).status_code == 201


async def test_a_session_cannot_be_used_to_search_for_a_token(site: Site) -> None:
    token = (await made(site))["token"]
    found = [(await hub(site, token, "POST", "/accounts", order("no token"))).status_code for _ in range(MOST_TRIES)]
    assert set(found) == {422}
    assert (await hub(site, token, "POST", "/accounts", order())).status_code == 400


async def test_a_session_expires_by_the_clock(site: Site, time: Time) -> None:
    token = (await made(site, expires_in=60))["token"]
    page = await enter(site, token)
    time.moved = timedelta(seconds=59)
    assert (await hub(site, token, "GET", "/settings")).status_code == 200
    time.moved = timedelta(seconds=61)
    answer = await hub(site, token, "POST", "/accounts", order())
    assert (answer.status_code, answer.json()["message"][:21]) == (400, "This link has expired")
    assert (await send(site, {"form": word(page), "provider": "humaans", "credential": GOOD})).status_code == 410
    assert (await enter(site, token)).status_code == 410
    assert (await post(site, "/connect_sessions/authenticate", {"token": token})).status_code == 400


@pytest.mark.parametrize("token", ["", "hcs_unknown", "x" * 500])
async def test_without_a_session_nothing_is_told(site: Site, token: str) -> None:
    answer = await hub(site, token, "GET", "/connectors")
    assert answer.status_code == 400
    assert answer.json()["statusCode"] == 400


async def test_the_owner_s_account_is_linked_again_unless_a_further_one_is_wanted(site: Site) -> None:
    async def linked(**wish: Any) -> str:
        token = (await made(site, **wish))["token"]
        found: str = (await hub(site, token, "POST", "/accounts", order())).json()["id"]
        return found

    first = await linked()
    assert await linked() == first
    assert await linked(multiple=True) != first
    assert await linked(origin_owner_id="customer-2") != first


async def test_an_account_is_edited_by_its_session_alone(site: Site) -> None:
    token = (await made(site))["token"]
    account = (await hub(site, token, "POST", "/accounts", order())).json()["id"]
    other = await site.link("all-owner")
    stranger = await site.link("all-owner", project="stranger")
    editing = (await made(site, account_id=account))["token"]
    assert (await hub(site, editing, "GET", "/settings")).json()["existing_account_id"] == account
    shown = await hub(site, editing, "GET", f"/accounts/{account}")
    assert (shown.json()["secureId"], shown.json()["integrationId"]) == (account, "humaans")
    assert GOOD not in shown.text
    for each in (other, stranger, "nobody"):
        assert (await hub(site, editing, "GET", f"/accounts/{each}")).status_code == 404
        assert (await hub(site, editing, "PATCH", f"/accounts/{each}", order())).status_code == 404
    fewer = order(by_name("public-private").token)
    assert (await hub(site, editing, "PATCH", f"/accounts/{account}", fewer)).json()["id"] == account
    granted = (await site.client.get(f"/accounts/{account}/permissions", auth=(site.key, ""))).json()["granted"]
    assert granted["scopes"] == ["private:read", "public:read"]
    assert (await hub(site, editing, "PATCH", f"/accounts/{account}", order())).status_code == 400


async def test_an_untouched_secret_is_checked_again_and_kept(site: Site) -> None:
    token = (await made(site))["token"]
    account = (await hub(site, token, "POST", "/accounts", order())).json()["id"]
    editing = (await made(site, account_id=account))["token"]
    answer = await hub(site, editing, "PATCH", f"/accounts/{account}", {"integration_id": "humaans", "credentials": {}})
    assert answer.status_code == 200, answer.text
    assert (await site.get(account=account)).status_code == 200


async def test_unlinking_ends_and_erases_the_sessions_of_an_account(site: Site) -> None:
    token = (await made(site))["token"]
    account = (await hub(site, token, "POST", "/accounts", order())).json()["id"]
    editing = await made(site, account_id=account)

    async def forget(account_id: str) -> None:
        assert account_id == account

    project = (await site.database.clients.project("demo")).id
    await unlink(project, account, site.database, forget)
    assert await site.database.sessions.find_number(editing["id"]) is None
    answer = await hub(site, editing["token"], "GET", "/settings")
    assert "not valid" in answer.json()["message"]


# --- other origins ------------------------------------------------------------------------------------------


async def test_the_hub_is_open_to_the_allowed_origins_alone(site: Site) -> None:
    token = (await made(site))["token"]
    for method, path in (("OPTIONS", "/accounts/x"), ("GET", "/settings"), ("GET", "/accounts/nobody")):
        answer = await hub(site, token, method, path, origin=PRODUCT)
        assert answer.headers["access-control-allow-origin"] == PRODUCT, path
        assert answer.headers["vary"] == "origin"
        assert "access-control-allow-credentials" not in answer.headers
        refused = await hub(site, token, method, path, origin="https://evil.example")
        assert (refused.status_code, refused.json()["errorCode"]) == (403, "OriginNotAllowedError")
        assert "access-control-allow-origin" not in refused.headers
    preflight = await hub(site, token, "OPTIONS", "/accounts", origin=PRODUCT)
    assert preflight.status_code == 204
    assert "x-hub-session-token" in preflight.headers["access-control-allow-headers"]
    for other in ("null", f"{PRODUCT}.evil.example", "http://app.example.com", "https://app.example.com:8443"):
        assert (await hub(site, token, "GET", "/settings", origin=other)).status_code == 403


async def test_the_page_is_framed_by_the_allowed_origins_alone(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    page = await enter(site, (await made(site))["token"])
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


# --- the page -----------------------------------------------------------------------------------------------


async def test_the_link_becomes_a_cookie_and_leaves_the_address(site: Site) -> None:
    token = (await made(site))["token"]
    answer = await site.client.get(f"/connect/{token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/connect")
    cookie = answer.headers["set-cookie"]
    assert token not in cookie
    assert all(each in cookie for each in ("HttpOnly", "SameSite=Lax", "Path=/connect", "Max-Age=1800"))
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


async def test_over_tls_the_cookie_is_secure_and_goes_into_frames_of_products(
    environ: dict[str, str], stack: AsyncExitStack
) -> None:
    tls = environ | {"GATEWAY_SERVER_PUBLIC_URL": "https://hr.example.com/base"}
    for origins, policy in (("", "SameSite=Lax; Secure"), (PRODUCT, "SameSite=None; Secure; Partitioned")):
        site = await open_site(tls | {"GATEWAY_HUB_ALLOWED_ORIGINS": origins}, stack)
        site.key = await site.make_key()
        found = await made(site)
        assert found["auth_link_url"] == f"https://hr.example.com/base/connect/{found['token']}"
        answer = await site.client.get(f"/connect/{found['token']}", headers={"host": "evil.example"})
        assert answer.headers["location"] == "/base/connect"
        assert answer.headers["set-cookie"].endswith(f"HttpOnly; {policy}")


async def test_the_page_asks_for_the_scopes_that_the_project_needs(
    environ: dict[str, str], stack: AsyncExitStack
) -> None:
    operations = "list_employees,list_department_groups"
    site = await open_site(environ | {"GATEWAY_HUB_OPERATIONS": operations, "GATEWAY_HUB_PRODUCT_NAME": "Rota"}, stack)
    site.key = await site.make_key()
    page = await enter(site, (await made(site))["token"])
    assert page.status_code == 200
    scopes = re.findall(r"<code>([a-z]+:[a-z]+)</code>", page.text)
    assert scopes == ["private:read", "compensations:read"]
    assert "Connect Humaans to Rota" in page.text
    assert "Owner or Admin" in page.text
    assert "Generate new token" in page.text
    assert "once" in page.text


async def test_a_token_that_is_pasted_in_the_page_links(site: Site) -> None:
    page = await enter(site, (await made(site))["token"])
    form = {"form": word(page), "provider": "humaans"}
    bad = await send(site, form | {"credential": "y" * 32})
    assert bad.status_code == 422
    assert "Humaans does not accept this token" in bad.text
    assert "y" * 32 not in bad.text
    good = await send(site, form | {"credential": f" {by_name('only-public-read').token}\n"})
    assert (good.status_code, good.headers["location"]) == (303, "/connect/done")
    done = await site.client.get("/connect/done")
    assert done.status_code == 200
    assert "Humaans is connected" in done.text
    assert "new hires and leavers are hidden" in done.text
    assert "compensations:read" in done.text
    assert "script-src 'self'" in done.headers["content-security-policy"]
    assert f'data-origins="{PRODUCT}"' in done.text
    # Sent again, as by a reload: nothing is linked twice.
    assert (await send(site, form | {"credential": GOOD})).headers["location"] == "/connect/done"
    assert (await site.client.get("/connect")).headers["location"] == "/connect/done"


async def test_after_success_the_link_itself_is_dead(site: Site) -> None:
    token = (await made(site))["token"]
    page = await enter(site, token)
    await send(site, {"form": word(page), "provider": "humaans", "credential": GOOD})
    again = await enter(site, token)
    assert again.status_code == 410
    assert "This link has been used" in again.text
    assert (await site.client.get("/connect/done")).status_code == 410


# Each is a way to make somebody's browser send the form of another page; the last one is the page's own.
FORGERIES: list[tuple[dict[str, str], str, int]] = [
    ({"origin": "https://evil.example"}, "right", 403),
    ({"origin": PRODUCT}, "right", 403),
    ({"origin": "null", "sec-fetch-site": "cross-site"}, "right", 403),
    ({"sec-fetch-site": "same-site"}, "right", 403),
    ({"sec-fetch-site": "none"}, "right", 403),
    ({"origin": "http://gateway"}, "none", 403),
    ({"origin": "http://gateway"}, "of another session", 403),
    ({"content-type": "text/plain"}, "right", 400),
    ({"origin": "null", "sec-fetch-site": "same-origin"}, "right", 303),
]


@pytest.mark.parametrize(("headers", "which", "status"), FORGERIES)
async def test_only_the_page_itself_can_send_its_form(
    site: Site, headers: dict[str, str], which: str, status: int
) -> None:
    foreign = word(await enter(site, (await made(site))["token"]))
    own = word(await enter(site, (await made(site))["token"]))
    form = {"right": {"form": own}, "none": {}, "of another session": {"form": foreign}}[which]
    answer = await send(site, {**form, "provider": "humaans", "credential": GOOD}, **headers)
    assert answer.status_code == status, answer.text
    listed = (await site.client.get("/accounts", auth=(site.key, ""))).json()
    assert len(listed) == (status == 303)


@pytest.mark.parametrize("change", ["mac", "number", "none", "odd"])
async def test_a_cookie_that_is_not_ours_opens_nothing(site: Site, change: str) -> None:
    token = (await made(site))["token"]
    other = await made(site)
    cookie = (await site.client.get(f"/connect/{token}")).headers["set-cookie"].partition(";")[0].partition("=")[2]
    number, _, mac = cookie.partition(".")
    forged = {"mac": f"{number}.{'0' * 64}", "number": f"{other['id']}.{mac}", "none": "", "odd": "²é.x"}[change]
    site.client.cookies.clear()
    answer = await site.client.get("/connect", headers={b"cookie": f"hub_session={forged}".encode()})
    assert answer.status_code == 410
    site.client.cookies.clear()
    assert (await site.client.get("/connect", headers={"cookie": f"hub_session={cookie}"})).status_code == 200


MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.mark.parametrize("name", ["origin_owner_name", "origin_username", "label", "origin_owner_id"])
async def test_what_a_customer_writes_is_never_markup(site: Site, name: str) -> None:
    page = await enter(site, (await made(site, **{name: MARKUP}))["token"])
    form = {"form": word(page), "provider": "humaans", "credential": GOOD}
    await send(site, form)
    done = await site.client.get("/connect/done")
    for text in (page.text, done.text):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert ("&lt;script&gt;" in page.text) == (name == "origin_owner_name")


async def test_what_the_vendor_says_is_never_markup(site: Site) -> None:
    page = await enter(site, (await made(site))["token"])
    await send(site, {"form": word(page), "provider": "humaans", "credential": GOOD})
    project = (await site.database.clients.project("demo")).id
    [account] = await site.database.choose(project, Choice())
    said = Grant(scopes=frozenset({MARKUP, "public:read"}), found_by="token-info", role=MARKUP, warnings=(MARKUP,))
    await site.database.amend(replace(account, grant=said))
    done = await site.client.get("/connect/done")
    assert done.text.count("&lt;script&gt;") == 2 + done.text.count(f"Not used here: {escape(MARKUP)}")
    assert "<script>alert" not in done.text
    assert "<img src=x" not in done.text


@pytest.mark.parametrize(
    "path", ["/connect?provider=//evil.example", "/connect?next=//evil.example", "/connect/done?to=x"]
)
async def test_nothing_in_an_address_sends_a_browser_elsewhere(site: Site, path: str) -> None:
    await enter(site, (await made(site))["token"])
    answer = await site.client.get(path)
    assert answer.headers.get("location", "/connect") == "/connect"
    assert "evil.example" not in answer.text


async def test_scripts_are_of_ours_alone(site: Site) -> None:
    for name in ("embed.js", "connected.js"):
        answer = await site.client.get(f"/connect/{name}")
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await site.client.get("/hub/logos/other")).status_code == 404
