"""The dashboard is closed: to everybody where no password is set, and else to everybody who does not know it."""

import re
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import product

from gateway.app.routes import OPEN_ROUTES, OPERATOR_ROUTES, SIGNING_IN
from tests.fixtures.dashboard_browser import HEADERS, PASSWORD, Operator, hidden, open_dashboard
from tests.fixtures.gateway import Site, open_site
from tests.fixtures.linking import Time
from tests.openapi.test_document import routes_of


def filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "x1", path)


async def test_without_a_password_there_is_no_dashboard_at_all(site: Site) -> None:
    methods = ("GET", "POST", "PUT", "DELETE", "OPTIONS")
    for path in sorted({path for _, path in (*SIGNING_IN, *OPERATOR_ROUTES)}):
        for method in methods:
            answer = await site.client.request(method, filled(path))
            assert answer.status_code == 404, (method, path)
            assert answer.json()["message"].startswith("There is no such path.")


async def test_with_one_there_are_its_routes_and_no_others(
    environ: dict[str, str], stack: AsyncExitStack, visitor: Operator
) -> None:
    site = await open_site(environ, stack)

    def known(of: Site) -> set[tuple[str, str]]:
        return {(method, route.path) for route in routes_of(of) for method in route.methods or () if method != "HEAD"}

    assert known(visitor.site) - known(site) == {*SIGNING_IN, *OPERATOR_ROUTES}
    assert not set(OPEN_ROUTES) & {*SIGNING_IN, *OPERATOR_ROUTES}


async def test_who_has_not_signed_in_is_sent_to_the_form_from_every_page(visitor: Operator) -> None:
    visitor.site.account = await visitor.site.link("all-owner")
    cookies = ["", "dashboard=", "dashboard=a.1.99999999999.0000", "dashboard=%00"]
    for (method, path), cookie in product(OPERATOR_ROUTES, cookies):
        headers = {**HEADERS, "cookie": cookie}
        place = path.replace("{id}", visitor.site.account).replace("{path:path}", "x1")
        answer = await visitor.site.client.request(method, place, headers=headers, data={"confirmation": "unlink"})
        assert answer.status_code == 303, (method, path)
        assert answer.headers["location"].startswith("/dashboard/login"), (method, path)
        assert answer.content == b""
    assert (await visitor.account()).status == "active"


async def test_the_right_password_opens_it_and_a_wrong_one_does_not(visitor: Operator) -> None:
    for wrong in ("", "correct horse batter", "CORRECT HORSE BATTERY"):
        answer = await visitor.sign_in(wrong)
        assert answer.status_code == 403
        assert "The password is not right." in answer.text
        assert not wrong or wrong not in answer.text
        assert (await visitor.get()).status_code == 303
    answer = await visitor.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    [cookie] = [each for each in answer.headers.get_list("set-cookie") if each.startswith("dashboard=")]
    assert cookie.endswith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax")
    assert PASSWORD not in cookie
    assert "No account is linked yet" in await visitor.see()
    assert (await visitor.get("/login")).headers["location"] == "/dashboard"


async def test_over_tls_the_cookie_is_bound_to_this_host(
    environ: dict[str, str], stack: AsyncExitStack, clock: Time
) -> None:
    tls = {**environ, "GATEWAY_SERVER_PUBLIC_URL": "https://hr.example.com/base"}
    visitor = await open_dashboard(tls, stack, clock)
    visitor.site.client.base_url = "https://hr.example.com"
    answer = await visitor.post(
        "/login",
        {**hidden((await visitor.get("/login")).text), "password": PASSWORD},
        origin="https://hr.example.com",
    )
    assert answer.headers["location"] == "/base/dashboard"
    [cookie] = [each for each in answer.headers.get_list("set-cookie") if each.startswith("__Host-dashboard=")]
    assert cookie.endswith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure")
    assert 'href="/base/dashboard/keys"' in await visitor.see()


async def test_a_sign_in_ends_unused_at_last_and_with_another_password(
    environ: dict[str, str], stack: AsyncExitStack, clock: Time
) -> None:
    visitor = await open_dashboard(environ, stack, clock)
    await visitor.sign_in()
    clock.moved += timedelta(minutes=59)
    assert (await visitor.get()).status_code == 200
    clock.moved += timedelta(minutes=59)
    assert (await visitor.get()).status_code == 200, "the first look has renewed it"
    clock.moved += timedelta(minutes=61)
    assert (await visitor.get()).status_code == 303
    clock.moved = timedelta()
    await visitor.sign_in()
    kept = visitor.site.client.cookies
    other = await open_dashboard({**environ, "GATEWAY_DASHBOARD_PASSWORD": "another password"}, stack, clock)
    other.site.client.cookies = kept
    assert (await other.get()).status_code == 303
    same = await open_dashboard(environ, stack, clock)
    same.site.client.cookies = kept
    assert (await same.get()).status_code == 200, "another worker knows it"


async def test_signing_out_ends_it_for_every_copy_of_the_cookie(
    operator: Operator, environ: dict[str, str], stack: AsyncExitStack, clock: Time
) -> None:
    copy = operator.site.client.cookies["dashboard"]
    assert "You have signed out." in await operator.follow(await operator.send("/logout"))
    assert (await operator.get()).status_code == 303
    other = await open_dashboard(environ, stack, clock)
    for each in (operator, other):
        each.site.client.cookies.set("dashboard", copy)
        assert (await each.get()).status_code == 303


async def test_tries_are_few_and_the_wait_is_told(visitor: Operator) -> None:
    assert [(await visitor.sign_in("wrong password")).status_code for _ in range(6)] == [403] * 5 + [429]
    answer = await visitor.sign_in()
    assert answer.status_code == 429
    wait = int(answer.headers["retry-after"])
    assert 200 < wait <= 300
    assert re.search(r"Too many attempts. Try again in [45] minutes\.", answer.text)


async def test_workers_count_tries_together(
    environ: dict[str, str], stack: AsyncExitStack, clock: Time, visitor: Operator
) -> None:
    other = await open_dashboard(environ, stack, clock)
    said = [(await (visitor, other)[number % 2].sign_in("wrong password")).status_code for number in range(6)]
    assert said == [403] * 5 + [429]


async def test_tries_are_counted_without_redis_and_with_a_dead_one(
    environ: dict[str, str], stack: AsyncExitStack, clock: Time
) -> None:
    for change in ({"GATEWAY_REDIS_URL": ""}, {"GATEWAY_REDIS_URL": "redis://127.0.0.1:1"}):
        visitor = await open_dashboard({**environ, **change}, stack, clock)
        assert [(await visitor.sign_in("wrong password")).status_code for _ in range(6)] == [403] * 5 + [429]


async def test_behind_a_proxy_its_header_tells_clients_apart(
    environ: dict[str, str], stack: AsyncExitStack, clock: Time
) -> None:
    visitor = await open_dashboard({**environ, "GATEWAY_SERVER_ADDRESS_HEADER": "x-forwarded-for"}, stack, clock)

    async def status(address: str) -> int:
        form = {**hidden((await visitor.get("/login")).text), "password": "wrong password"}
        return (await visitor.post("/login", form, **{"x-forwarded-for": address})).status_code

    # What a client puts before the proxy's own word does not make it another client.
    assert [await status(f"10.9.9.{number}, 198.51.100.1") for number in range(6)] == [403] * 5 + [429]
    assert await status("198.51.100.2") == 403


# Each is a way to make the operator's browser send the form of another page.
FORGERIES = [
    {"origin": "https://evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
]


async def test_another_page_can_neither_sign_in_nor_act(operator: Operator) -> None:
    path = f"/accounts/{operator.site.account}"
    form = hidden(await operator.see(path))
    for headers in FORGERIES:
        assert (await operator.post(f"{path}/suspend", form, **headers)).status_code == 403
        assert (await operator.post("/logout", form, **headers)).status_code == 403
    assert (await operator.account()).status == "active"
    operator.site.client.cookies.delete("dashboard")
    entry = hidden((await operator.get("/login")).text)
    for headers in FORGERIES:
        assert (await operator.post("/login", {**entry, "password": PASSWORD}, **headers)).status_code == 403
    assert (await operator.get()).status_code == 303


async def test_every_form_needs_the_word_of_its_page(operator: Operator) -> None:
    account = operator.site.account
    before = await operator.account()
    keys = len(await operator.stores.keys.all())
    other = "0" * 64
    for method, path in OPERATOR_ROUTES:
        if method == "POST":
            place = path.replace("{id}", account).removeprefix("/dashboard")
            for form in ({}, {"form": other}, {"form": ""}):
                full = {"confirmation": "unlink", "kind": "all", "project": before.project_id, **form}
                assert (await operator.post(place, full)).status_code == 403, path
    assert await operator.account() == before
    assert len(await operator.stores.keys.all()) == keys
    assert (await operator.get()).status_code == 200


async def test_the_form_for_signing_in_needs_its_cookie(visitor: Operator) -> None:
    form = {**hidden((await visitor.get("/login")).text), "password": PASSWORD}
    visitor.site.client.cookies.clear()
    assert (await visitor.post("/login", form)).status_code == 403
    assert (await visitor.post("/login", {"password": PASSWORD})).status_code == 403


# Where the form is asked to lead, and where it does.
WAYS = [
    ("/dashboard/keys", "/dashboard/keys"),
    ("/dashboard?q=a&status=error", "/dashboard?q=a&status=error"),
    ("https://evil.example/", "/dashboard"),
    ("//evil.example/dashboard", "/dashboard"),
    ("/dashboard//evil.example", "/dashboard"),
    ("/dashboard/..//evil.example", "/dashboard"),
    ("/dashboard\\@evil.example", "/dashboard"),
    ("/dashboard/keys\r\nset-cookie: x=y", "/dashboard"),
    ("/connect", "/dashboard"),
    ("/dashboard/login", "/dashboard"),
    ("/dashboardx", "/dashboard"),
    ("javascript:alert(1)", "/dashboard"),
    ("/dashboard/" + "x" * 600, "/dashboard"),
]


async def test_signing_in_leads_to_our_own_pages_alone(visitor: Operator) -> None:
    for asked, led in WAYS:
        visitor.site.client.cookies.clear()
        page = await visitor.get("/login", next=asked)
        assert hidden(page.text)["next"] == led
        answer = await visitor.sign_in(next=asked)
        assert answer.headers["location"] == led
        assert (await visitor.get("/login", next=asked)).headers["location"] == led


async def test_from_a_deep_link_the_form_leads_back_to_it(visitor: Operator) -> None:
    answer = await visitor.get("/keys/new")
    assert answer.headers["location"] == "/dashboard/login?next=%2Fdashboard%2Fkeys%2Fnew"
    answer = await visitor.get("", q="a", status="error")
    assert answer.headers["location"] == "/dashboard/login?next=%2Fdashboard%3Fq%3Da%26status%3Derror"
    assert (await visitor.get()).headers["location"] == "/dashboard/login"


async def test_no_page_can_be_framed_kept_or_made_to_load_anything_foreign(operator: Operator) -> None:
    account = operator.site.account
    for method, path in (*OPERATOR_ROUTES, ("GET", "/dashboard/login")):
        if method == "GET":
            place = path.replace("{id}", account).replace("{path:path}", "x1").removeprefix("/dashboard")
            answer = await operator.get(place)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["x-frame-options"] == "DENY"
            assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", answer.text), path
            assert "access-control-allow-origin" not in answer.headers


async def test_the_form_does_not_say_who_runs_what(visitor: Operator) -> None:
    visitor.site.account = await visitor.site.link("all-owner")
    page = (await visitor.get("/login")).text
    assert "Accounts" not in page
    assert "Sign out" not in page
