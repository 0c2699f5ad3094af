"""A customer links an account in a real browser: StackOne's Hub component, unmodified, and our own page.

The product's pages are of another origin than the gateway. Screenshots are left in tests/artefacts.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from deploy.sandbox.tokens import by_name
from tests.e2e.browsing import Browser, product
from tests.e2e.installation import Installation
from tests.e2e.processes import Server
from tests.e2e.raw_http import ask, basic

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
GOOD = by_name("all-owner").token
BAD = "x" * 32


@dataclass(frozen=True, slots=True)
class CustomerBrowser:
    """A product, the gateway that it uses, and the browser of its customer."""

    product: str
    gateway: Server
    key: str
    browser: Browser

    def session(self, **fields: object) -> dict[str, Any]:
        body = {"origin_owner_id": "customer", "origin_owner_name": "Example Customer Ltd", **fields}
        return self._ask("/connect_sessions", "POST", body)

    def account(self, account: str) -> dict[str, Any]:
        return self._ask(f"/accounts/{account}", "GET")

    def embed(self, page: str, token: str, **more: str) -> None:
        """Opens a page of the product."""
        words = urlencode({"token": token, "base": self.gateway.url, **more})
        self.browser("goto", url=f"{self.product}/{page}#{words}")

    def shoot(self, name: str) -> None:
        self.browser("shoot", path=str(ARTEFACTS / f"hub-{name}.png"))

    def event(self, name: str) -> Any:
        """Waits until the product's page has received this event, and returns its detail."""
        return self.browser("until", script=f"window.events.find((each) => each.name === {name!r})")["detail"]

    def has_no_serious_fault(self) -> None:
        found = self.browser("axe")
        assert [each for each in found if each["impact"] in {"serious", "critical"}] == []

    def asked_nobody_else(self) -> bool:
        urls = self.browser("requests")
        return all(url.startswith((self.product, self.gateway.url, "data:")) for url in urls) and bool(urls)

    def _ask(self, path: str, method: str, body: object = None) -> dict[str, Any]:
        headers = {"authorization": basic(f"{self.key}:"), "content-type": "application/json"}
        reply = ask(self.gateway.url, path, headers, method=method, body=body)
        assert reply.status < 300, reply.body
        found: dict[str, Any] = reply.json
        return found


@pytest.fixture(scope="module", name="running")
def fixture_running(installation: Installation, chromium: Browser) -> Iterator[CustomerBrowser]:
    ARTEFACTS.mkdir(exist_ok=True)
    key = installation.key()
    with (
        product() as origin,
        installation.gateway(hub_allowed_origins=origin, hub_product_name="Rota") as gateway,
    ):
        yield CustomerBrowser(origin, gateway, key, chromium)


@pytest.fixture(scope="module", name="database")
def fixture_database(installation: Installation) -> Path:
    return installation.folder / "gateway.db"


@pytest.fixture(name="customer")
def fixture_customer(running: CustomerBrowser) -> CustomerBrowser:
    running.browser("fresh")
    return running


# --- StackOne's component -----------------------------------------------------------------------------------


def test_the_component_refuses_a_bad_token_and_links_a_good_one(customer: CustomerBrowser) -> None:
    browser = customer.browser
    customer.embed("component.html", customer.session()["token"])
    browser("sees", text="API Token")
    customer.shoot("component-form")
    browser("fill", css="stackone-hub input", value=BAD)
    browser("click", role="button", name="Connect")
    browser("sees", text="Humaans does not accept this token")
    customer.shoot("component-refused")
    assert browser("run", script="window.events") == []
    browser("fill", css="stackone-hub input", value=GOOD)
    browser("click", role="button", name="Connect")
    found = customer.event("success")
    assert found["provider"] == "humaans"
    assert customer.account(found["id"])["origin_owner_name"] == "Example Customer Ltd"
    browser("sees", text="Connection Successful")
    customer.shoot("component-success")
    assert customer.asked_nobody_else()


def test_the_component_edits_an_account(customer: CustomerBrowser, installation: Installation) -> None:
    browser = customer.browser
    account = installation.link("public-private")
    owner = customer.account(account)["origin_owner_id"]
    customer.embed("component.html", customer.session(account_id=account, origin_owner_id=owner)["token"])
    browser("sees", text="API Token")
    browser("sees", role="button", name="Edit")
    customer.shoot("component-edit")
    browser("click", role="button", name="Edit")
    browser("fill", css="stackone-hub input", value=GOOD)
    browser("click", role="button", name="Connect")
    assert customer.event("success")["id"] == account
    assert customer.asked_nobody_else()


def expire(database: Path, session: dict[str, Any]) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE connect_sessions SET expires_at = '2026-01-01 00:00:00.000000' WHERE id = ?", (session["id"],)
        )


def test_an_expired_session_is_shown_in_the_component_and_in_the_page(
    customer: CustomerBrowser, database: Path
) -> None:
    session = customer.session()
    expire(database, session)
    assert customer.browser("goto", url=session["auth_link_url"]) == 410
    customer.browser("sees", text="This link has expired")
    customer.has_no_serious_fault()
    customer.shoot("page-expired")
    customer.embed("component.html", session["token"])
    customer.browser("sees", text="This link has expired")
    customer.shoot("component-expired")


# --- our own page -------------------------------------------------------------------------------------------

LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_a_link_works_with_keys_alone_and_without_scripts(
    customer: CustomerBrowser, width: int, scheme: str
) -> None:
    browser = customer.browser
    # axe is a script itself.
    browser("fresh", width=width, height=844, scheme=scheme, scripts=width > 390)
    session = customer.session(provider="humaans", multiple=True)
    assert browser("goto", url=session["auth_link_url"]) == 200
    customer.shoot(f"page-form-{width}-{scheme}")
    browser("focus", label="API Token")
    browser("type", text=BAD)
    browser("press", key="Enter")
    browser("sees", text="Humaans does not accept this token")
    customer.shoot(f"page-refused-{width}-{scheme}")
    # The focus is in the field that is wrong.
    browser("type", text=by_name("only-public-read").token)
    browser("press", key="Tab")
    browser("press", key="Enter")
    browser("sees", role="heading", name="Humaans is connected")
    browser("sees", text="new hires and leavers are hidden")
    customer.shoot(f"page-done-{width}-{scheme}")
    assert customer.asked_nobody_else()
    assert not [url for url in browser("requests")[1:] if session["token"] in url]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_has_no_serious_fault_of_accessibility(customer: CustomerBrowser, width: int, scheme: str) -> None:
    browser = customer.browser
    browser("fresh", width=width, height=844, scheme=scheme)
    browser("goto", url=customer.session(multiple=True)["auth_link_url"])
    customer.has_no_serious_fault()
    for token, seen in ((BAD, "does not accept"), (by_name("public-user").token, "is connected")):
        browser("fill", label="API Token", value=token)
        browser("click", role="button", name="Connect")
        browser("sees", text=seen)
        customer.has_no_serious_fault()
    wide = browser("run", script="document.documentElement.scrollWidth")
    assert wide <= width
    assert not [line for line in browser("said") if "Content Security Policy" in line]


def test_a_product_shows_the_page_in_a_frame_and_gets_the_success_event(customer: CustomerBrowser) -> None:
    browser = customer.browser
    customer.embed("embedding.html", customer.session(multiple=True)["token"], framed="yes")
    browser("fill", frame="iframe", label="API Token", value=GOOD)
    customer.shoot("frame-form")
    browser("click", frame="iframe", role="button", name="Connect")
    found = customer.event("success")
    assert (found["provider"], customer.account(found["id"])["status"]) == ("humaans", "active")
    browser("sees", frame="iframe", text="Humaans is connected")
    customer.shoot("frame-done")
    assert customer.asked_nobody_else()


def test_a_product_opens_the_page_in_a_popup_and_gets_the_success_event(customer: CustomerBrowser) -> None:
    browser = customer.browser
    customer.embed("embedding.html", customer.session(multiple=True)["token"])
    browser("until", script="document.getElementById('popup').onclick !== null")
    browser("click", css="#popup", popup=True)
    browser("fill", label="API Token", value=GOOD)
    browser("click", role="button", name="Connect")
    browser("sees", text="Humaans is connected")
    # The page's script, which tells the product, runs after the page is to be seen.
    browser("until", script="document.readyState === 'complete'")
    browser("close")
    assert customer.event("success")["provider"] == "humaans"
    customer.event("close")


def test_a_page_of_another_origin_can_neither_frame_nor_call_the_hub(customer: CustomerBrowser) -> None:
    browser = customer.browser
    token = customer.session()["token"]
    with product() as stranger:
        words = urlencode({"token": token, "base": customer.gateway.url, "framed": "yes"})
        browser("goto", url=f"{stranger}/embedding.html#{words}")
        browser("sees", css="iframe")
        browser("until", script="document.querySelector('iframe').contentDocument === null")
        assert "API Token" not in browser("text", frame="iframe")
        assert [line for line in browser("said") if "frame-ancestors" in line]
        call = f"fetch('{customer.gateway.url}/hub/settings', {{headers: {{'x-hub-session-token': '{token}'}}}})"
        assert browser("run", script=f"{call}.then(() => 'read', () => 'refused')") == "refused"


def test_neither_token_is_in_the_log_of_the_gateway(customer: CustomerBrowser) -> None:
    session = customer.session(origin_owner_name="Unwritten Ltd", multiple=True)
    customer.browser("goto", url=session["auth_link_url"])
    customer.browser("fill", label="API Token", value=GOOD)
    customer.browser("click", role="button", name="Connect")
    customer.browser("sees", text="Humaans is connected")
    customer.browser("goto", url=session["auth_link_url"])
    log = customer.gateway.log.read_text()
    assert '"operation":"connect_link"' in log
    assert session["token"] not in log
    assert GOOD not in log
    assert "Unwritten" not in log
