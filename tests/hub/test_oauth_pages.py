"""The way through a vendor's own page (OAuth 2.0 with PKCE), with a stand-in for such a vendor on a socket."""

import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest

from connectors.exchange import Consent, Grant, Refusal, Request, Verification
from gateway.app.hub import hub_routes
from gateway.app.routes import Site as Pages
from gateway.app.services import CLOCK, open_services, providers
from gateway.auth.api_key import new_id
from gateway.auth.authentication import Authenticator
from gateway.http.allow_list import AllowList
from gateway.http.middleware import RequestMiddleware
from gateway.http.request_observer import RequestObserver
from gateway.http.site_url import SiteUrl
from gateway.observability.metrics import make_metrics
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from gateway.settings.schema import ConnectorSettings
from tests.fakes.vendor import VILLAGE
from tests.fixtures.gateway import Site, now

CLIENT, SECRET, TOKEN = "hris gateway", "s3cret&more", "granted-token"


@dataclass
class Vendor:
    """Codes that it has given out, with what each was asked for with."""

    url: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def agree(self, address: str) -> dict[str, str]:
        """Do as a person does who agrees on the page of this address; gives what they come back with."""
        asked = dict(parse_qsl(urlsplit(address).query))
        code = secrets.token_hex(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def context(self, form: dict[str, list[str]], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form["code"][0], None)
        known = base64.b64encode(b"hris+gateway:s3cret%26more").decode()
        if asked is None or authorization != f"Basic {known}" or form["redirect_uri"] != [asked["redirect_uri"]]:
            return 400, {"error": "invalid_grant"}
        verifier = form["code_verifier"][0]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or not 43 <= len(verifier) <= 128:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}


@contextmanager
def serving(vendor: Vendor) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            vendor.calls.append(self.path)
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self.reply(*vendor.context(parse_qs(body), self.headers["authorization"]))

        def do_GET(self) -> None:
            good = self.headers["authorization"] == f"Bearer {TOKEN}"
            self.reply(200 if good else 401, {})

        def reply(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def verify() -> Verification:
    answer = yield Request("GET", "/me")
    return Grant(scopes=frozenset({"closed"}), found_by="test") if answer.status == 200 else Refusal("No such token.")


@dataclass(frozen=True)
class Journey:
    vendor: Vendor
    site: Site
    client: httpx.AsyncClient
    providers: dict[str, Provider]

    async def leave(self, **wish: object) -> str:
        """Open a new link and go on to the vendor; gives the address of the vendor's page."""
        body = {"origin_owner_id": "c", "origin_owner_name": "Customer Ltd", **wish}
        made = await self.client.post("/connect_sessions", json=body, auth=(self.site.key, ""))
        self.client.cookies.clear()
        page = await self.client.get(f"/connect/{made.json()['token']}", follow_redirects=True)
        assert 'href="/connect/oauth2/village"' in page.text, page.text
        assert "<input" not in page.text
        left = await self.client.get("/connect/oauth2/village")
        assert left.status_code == 303, left.text
        return left.headers["location"]

    async def come_back(self, returned: dict[str, str]) -> httpx.Response:
        return await self.client.get(f"/connect/oauth2/callback?{urlencode(returned)}")


@pytest.fixture(name="journey")
async def fixture_journey(site: Site) -> AsyncIterator[Journey]:
    vendor = Vendor()
    with serving(vendor):
        consent = Consent(authorize_url=f"{vendor.url}/authorize", token_base=vendor.url, token_path="/token")
        village = replace(VILLAGE, base_url=vendor.url, auth=replace(VILLAGE.auth, consent=consent), verify=verify)
        client = ConnectorSettings.model_validate({"client_id": CLIENT, "client_secret": SECRET})
        settings = site.settings.model_copy(update={"connectors": {"village": client}})
        known = {"village": Provider(village, Policy(village, Operator()))}
        authenticator = Authenticator(site.stores.accounts, known)
        async with AsyncExitStack() as stack:
            services = replace(
                await open_services(site.settings, stack, CLOCK), settings=settings, authenticator=authenticator
            )
            site_url = SiteUrl("", ())
            pages = Pages(site.edge.app, hub_routes(services, site_url, lambda _: ()), site_url, AllowList(()))
            app = RequestMiddleware(
                pages,
                RequestObserver(make_metrics(), new_id, lambda *_: None),
                now=now,
                max_query_bytes=16384,
                max_header_bytes=32768,
            )
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as asking:
                yield Journey(vendor, site, asking, known)


async def test_a_person_agrees_at_the_vendor_and_comes_back_linked(journey: Journey) -> None:
    address = await journey.leave()
    asked = dict(parse_qsl(urlsplit(address).query))
    assert address.startswith(f"{journey.vendor.url}/authorize?")
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert (asked["client_id"], asked["scope"]) == (CLIENT, "closed")
    assert asked["redirect_uri"] == "http://gateway/connect/oauth2/callback"
    back = await journey.come_back(journey.vendor.agree(address))
    assert (back.status_code, back.headers["location"]) == (303, "/connect/done"), back.text
    done = await journey.client.get("/connect/done")
    assert "Village is connected" in done.text
    project = (await journey.site.stores.keys.ensure_project("demo")).id
    linked = await journey.site.stores.accounts.find_by_owner(project, "village", "c")
    assert linked is not None
    found = await journey.site.stores.accounts.find_account(project, linked.id)
    assert found is not None
    assert found.credential.reveal == TOKEN
    end = found.account.grant.ends_at
    assert end is not None
    assert end - found.account.created_at == pytest.approx(timedelta(hours=1), abs=timedelta(seconds=5))
    [entry] = await journey.site.stores.audit.read(account_id=linked.id)
    assert (entry.by.kind, entry.by.address) == ("session", "127.0.0.1")


async def test_every_trip_has_a_state_and_a_challenge_of_its_own(journey: Journey) -> None:
    addresses = [await journey.leave(), await journey.leave()]
    addresses.append((await journey.client.get("/connect/oauth2/village")).headers["location"])
    trips = [dict(parse_qsl(urlsplit(address).query)) for address in addresses]
    assert len({trip["state"] for trip in trips}) == len({trip["code_challenge"] for trip in trips}) == 3


@pytest.mark.parametrize("forged", ["", "village", "village.nonce.mac", "other..", "²é"])
async def test_who_comes_back_with_another_state_is_refused_and_no_code_is_spent(journey: Journey, forged: str) -> None:
    returned = journey.vendor.agree(await journey.leave())
    back = await journey.come_back({**returned, "state": forged})
    assert back.status_code == 403
    assert journey.vendor.calls == []


async def test_the_code_of_somebody_else_s_trip_links_nothing(journey: Journey) -> None:
    foreign = journey.vendor.agree(await journey.leave())
    own = journey.vendor.agree(await journey.leave(origin_owner_id="victim"))
    # A foreign answer whole is of another session; its code alone was asked for with another challenge.
    assert (await journey.come_back(foreign)).status_code == 403
    mixed = await journey.come_back({"code": foreign["code"], "state": own["state"]})
    assert (mixed.status_code, "Try again" in mixed.text) == (422, True)
    assert (await journey.come_back(own)).status_code == 303


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ({"error": "access_denied"}, "You have not agreed in Village"),
        ({"error": "<script>alert(1)</script>"}, "Village did not give access"),
        ({}, "Village did not give access"),
        ({"code": "unknown"}, "did not take the answer of its own page"),
    ],
)
async def test_a_refusal_is_told_and_the_link_lives_on(journey: Journey, returned: dict[str, str], says: str) -> None:
    agreed = journey.vendor.agree(await journey.leave())
    back = await journey.come_back({**returned, "state": agreed["state"]})
    assert (back.status_code, says in back.text) == (422, True), back.text
    assert "<script>" not in back.text
    assert (await journey.come_back(agreed)).status_code == 303
    # The same answer again, as by a reload, changes nothing.
    assert (await journey.come_back(agreed)).headers["location"] == "/connect/done"


async def test_without_a_link_there_is_no_way_to_the_vendor(journey: Journey) -> None:
    agreed = journey.vendor.agree(await journey.leave())
    journey.client.cookies.clear()
    assert (await journey.client.get("/connect/oauth2/village")).status_code == 410
    assert (await journey.come_back(agreed)).status_code == 410


async def test_a_vendor_that_takes_tokens_has_no_such_page(journey: Journey) -> None:
    await journey.leave()
    assert (await journey.client.get("/connect/oauth2/humaans")).status_code == 404


async def test_where_there_are_several_providers_a_person_picks_one(journey: Journey) -> None:
    await journey.leave()
    journey.providers["humaans"] = providers(journey.site.settings)["humaans"]
    page = await journey.client.get("/connect")
    assert "Which HR system do you use?" in page.text
    assert 'href="/connect?provider=humaans"' in page.text
    assert "Continue to Village" in (await journey.client.get("/connect?provider=village")).text
    assert "Which HR system do you use?" in (await journey.client.get("/connect?provider=none")).text
