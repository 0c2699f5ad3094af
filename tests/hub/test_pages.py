"""The page behind a link: what it asks for and says, and that nobody else can use it."""

import re
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from markupsafe import escape

from connectors.exchange import Grant
from deploy.sandbox.tokens import by_name
from gateway.model import AccountFilter
from tests.fixtures.gateway import Sandbox, Site, open_site
from tests.fixtures.linking import GOOD, PRODUCT, csrf_token, enter, made, send

# --- the page -----------------------------------------------------------------------------------------------


async def test_the_link_becomes_a_cookie_and_leaves_the_address(linking: Site) -> None:
    token = (await made(linking))["token"]
    answer = await linking.client.get(f"/connect/{token}")
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


async def test_a_token_that_is_pasted_in_the_page_links(linking: Site) -> None:
    page = await enter(linking, (await made(linking))["token"])
    form = {"form": csrf_token(page), "provider": "humaans"}
    bad = await send(linking, form | {"credential": "y" * 32})
    assert bad.status_code == 422
    assert "Humaans does not accept this token" in bad.text
    assert "y" * 32 not in bad.text
    good = await send(linking, form | {"credential": f" {by_name('only-public-read').token}\n"})
    assert (good.status_code, good.headers["location"]) == (303, "/connect/done")
    done = await linking.client.get("/connect/done")
    assert done.status_code == 200
    assert "Humaans is connected" in done.text
    assert "new hires and leavers are hidden" in done.text
    assert "compensations:read" in done.text
    assert "script-src 'self'" in done.headers["content-security-policy"]
    assert f'data-origins="{PRODUCT}"' in done.text
    # Sent again, as by a reload: nothing is linked twice.
    assert (await send(linking, form | {"credential": GOOD})).headers["location"] == "/connect/done"
    assert (await linking.client.get("/connect")).headers["location"] == "/connect/done"


@pytest.mark.parametrize("chosen", [(), ("private:write",), ("private:write", "documents:write")])
async def test_what_humaans_does_not_say_of_a_token_is_asked_of_who_pasted_it(
    linking: Site, sandbox: Sandbox, chosen: tuple[str, ...]
) -> None:
    sandbox.steer("POST", "/faults", {"kind": "html_error", "status": 200, "path": "/token-info"})
    page = await enter(linking, (await made(linking))["token"])
    await send(linking, {"form": csrf_token(page), "provider": "humaans", "credential": GOOD})
    done = await linking.client.get("/connect/done")
    assert "Which of these did you tick?" in done.text
    [account] = await linking.stores.accounts.all()
    unknown = {"private:write", "compensations:write", "documents:write"}
    assert account.grant.unknown == account.grant.opens & unknown == unknown
    foreign = await linking.client.post("/connect/scopes", data={"form": "x", "scope compensations:write": "yes"})
    assert foreign.status_code == 403
    # Only what was asked can be answered.
    ticked = {f"scope {each}": "yes" for each in (*chosen, "everything")}
    said = await linking.client.post("/connect/scopes", data={"form": csrf_token(done), **ticked})
    assert (said.status_code, said.headers["location"]) == (303, "/connect/done")
    again = await linking.client.get("/connect/done")
    assert "Which of these did you tick?" not in again.text
    [stated] = await linking.stores.accounts.all()
    assert stated.grant.opens == account.grant.scopes | set(chosen)
    assert stated.grant.found_by == ("probe+stated" if chosen else "probe")
    linked = await linking.stores.accounts.find_account(stated.project_id, stated.id)
    assert linked is not None
    assert linked.account == stated


async def test_after_success_the_link_itself_is_dead(linking: Site) -> None:
    token = (await made(linking))["token"]
    page = await enter(linking, token)
    await send(linking, {"form": csrf_token(page), "provider": "humaans", "credential": GOOD})
    again = await enter(linking, token)
    assert again.status_code == 410
    assert "This link has been used" in again.text
    assert (await linking.client.get("/connect/done")).status_code == 410


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
    linking: Site, headers: dict[str, str], which: str, status: int
) -> None:
    foreign = csrf_token(await enter(linking, (await made(linking))["token"]))
    own = csrf_token(await enter(linking, (await made(linking))["token"]))
    form = {"right": {"form": own}, "none": {}, "of another session": {"form": foreign}}[which]
    answer = await send(linking, {**form, "provider": "humaans", "credential": GOOD}, **headers)
    assert answer.status_code == status, answer.text
    listed = (await linking.client.get("/accounts", auth=(linking.key, ""))).json()
    assert len(listed) == (status == 303)


@pytest.mark.parametrize("change", ["mac", "number", "none", "odd"])
async def test_a_cookie_that_is_not_ours_opens_nothing(linking: Site, change: str) -> None:
    token = (await made(linking))["token"]
    other = await made(linking)
    cookie = (await linking.client.get(f"/connect/{token}")).headers["set-cookie"].partition(";")[0].partition("=")[2]
    number, _, mac = cookie.partition(".")
    forged = {"mac": f"{number}.{'0' * 64}", "number": f"{other['id']}.{mac}", "none": "", "odd": "²é.x"}[change]
    linking.client.cookies.clear()
    answer = await linking.client.get("/connect", headers={b"cookie": f"hub_session={forged}".encode()})
    assert answer.status_code == 410
    linking.client.cookies.clear()
    assert (await linking.client.get("/connect", headers={"cookie": f"hub_session={cookie}"})).status_code == 200


MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.mark.parametrize("name", ["origin_owner_name", "origin_username", "label", "origin_owner_id"])
async def test_what_a_customer_writes_is_never_markup(linking: Site, name: str) -> None:
    page = await enter(linking, (await made(linking, **{name: MARKUP}))["token"])
    form = {"form": csrf_token(page), "provider": "humaans", "credential": GOOD}
    await send(linking, form)
    done = await linking.client.get("/connect/done")
    for text in (page.text, done.text):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert ("&lt;script&gt;" in page.text) == (name == "origin_owner_name")


async def test_what_the_vendor_says_is_never_markup(linking: Site) -> None:
    page = await enter(linking, (await made(linking))["token"])
    await send(linking, {"form": csrf_token(page), "provider": "humaans", "credential": GOOD})
    project = (await linking.stores.keys.ensure_project("demo")).id
    [account] = await linking.stores.accounts.select(project, AccountFilter())
    said = Grant(scopes=frozenset({MARKUP, "public:read"}), found_by="token-info", role=MARKUP, warnings=(MARKUP,))
    await linking.stores.accounts.update(replace(account, grant=said))
    done = await linking.client.get("/connect/done")
    assert done.text.count("&lt;script&gt;") == 2 + done.text.count(f"Not used here: {escape(MARKUP)}")
    assert "<script>alert" not in done.text
    assert "<img src=x" not in done.text


@pytest.mark.parametrize(
    "path", ["/connect?provider=//evil.example", "/connect?next=//evil.example", "/connect/done?to=x"]
)
async def test_nothing_in_an_address_sends_a_browser_elsewhere(linking: Site, path: str) -> None:
    await enter(linking, (await made(linking))["token"])
    answer = await linking.client.get(path)
    assert answer.headers.get("location", "/connect") == "/connect"
    assert "evil.example" not in answer.text


async def test_scripts_are_of_ours_alone(linking: Site) -> None:
    for name in ("embed.js", "connected.js"):
        answer = await linking.client.get(f"/connect/{name}")
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await linking.client.get("/hub/logos/other")).status_code == 404
