"""The operator links, checks, re-links, tests and unlinks an account in a real browser, at the dashboard.

Screenshots are left in tests/artefacts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.sandbox.tokens import by_name
from tests.e2e.browsing import Browser, product
from tests.e2e.installation import Installation
from tests.e2e.processes import Server
from tests.e2e.raw_http import ask, basic

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
PASSWORD = "correct horse battery"
GOOD, LESS, BAD = by_name("all-owner").token, by_name("only-public-read").token, "x" * 32
LOOKS = [(1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")]


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway with a dashboard, and the browser of its operator."""

    gateway: Server
    key: str
    browser: Browser

    def sign_in(self, **look: object) -> None:
        self.browser("fresh", **look)
        self.browser("goto", url=f"{self.gateway.url}/dashboard")
        self.browser("fill", label="Password", value=PASSWORD)
        self.browser("press", key="Enter")
        self.browser("sees", role="heading", name="Linked accounts")

    def open(self, path: str) -> int:
        status: int = self.browser("goto", url=f"{self.gateway.url}/dashboard{path}")
        return status

    def press(self, name: str, role: str = "button") -> None:
        self.browser("click", role=role, name=name)

    def shoot(self, name: str) -> None:
        self.browser("shoot", path=str(ARTEFACTS / f"dashboard-{name}.png"))

    def has_no_serious_fault(self) -> None:
        found = self.browser("axe")
        assert [each for each in found if each["impact"] in {"serious", "critical"}] == []

    def account_id(self) -> str:
        """Give the account whose page is shown."""
        path: str = self.browser("run", script="location.pathname")
        return path.split("/")[3]

    def status_of(self, account: str) -> int:
        headers = {"authorization": basic(f"{self.key}:"), "x-account-id": account}
        return ask(self.gateway.url, "/unified/hris/companies", headers).status

    def asked_nobody_else(self) -> bool:
        urls: list[str] = self.browser("requests")
        return bool(urls) and all(url.startswith(self.gateway.url) for url in urls)

    def broke_no_policy(self) -> bool:
        said: list[str] = self.browser("said")
        return not [line for line in said if "Content Security Policy" in line or line.startswith("error:")]


@pytest.fixture(scope="module", name="stage")
def fixture_stage(installation: Installation, chromium: Browser) -> Iterator[Stage]:
    ARTEFACTS.mkdir(exist_ok=True)
    with installation.gateway(dashboard_password=PASSWORD, accounts_cache_seconds="0") as gateway:
        yield Stage(gateway, installation.key(), chromium)


def linked(stage: Stage, owner: str, name: str, token: str = GOOD) -> str:
    """Link an account as the operator does, and give its id."""
    stage.open("/link")
    stage.browser("fill", label="Customer name", value=name)
    stage.browser("fill", label="Customer id", value=owner)
    stage.press("I do: continue")
    stage.browser("fill", label="API Token", value=token)
    stage.press("Connect")
    stage.browser("sees", text="The account is linked, and its token works.")
    return stage.account_id()


def test_an_account_lives_its_whole_life_in_the_dashboard(stage: Stage) -> None:
    browser = stage.browser
    stage.sign_in()
    stage.press("Link an account", role="link")
    browser("fill", label="Customer name", value="Northwind Traders")
    browser("fill", label="Customer id", value="northwind")
    stage.press("I do: continue")
    browser("fill", label="API Token", value=BAD)
    stage.press("Connect")
    browser("sees", text="Humaans does not accept this token")
    browser("fill", label="API Token", value=LESS)
    stage.press("Connect")
    browser("sees", text="The account is linked, and its token works.")
    account = stage.account_id()
    stage.shoot("linked")
    assert stage.status_of(account) == 200
    stage.press("Re-link", role="link")
    stage.press("I do: continue")
    browser("fill", label="API Token", value=GOOD)
    stage.press("Reconnect")
    browser("sees", text="The account is linked, and its token works.")
    assert stage.account_id() == account
    browser("sees", text="compensations:read")
    stage.press("Verify now")
    browser("sees", text="Checked just now: the token works.")
    stage.press("Suspend")
    browser("sees", text="The account is suspended")
    assert stage.status_of(account) == 412
    stage.press("Resume")
    browser("sees", text="The account is active again.")
    assert stage.status_of(account) == 200
    stage.press("Unlink…", role="link")
    browser("fill", css="#confirmation", value="no")
    stage.press("Unlink the account")
    browser("sees", text="Nothing has been deleted.")
    stage.shoot("unlink")
    browser("fill", css="#confirmation", value="unlink")
    stage.press("Unlink the account")
    browser("sees", text="The account of Northwind Traders is unlinked.")
    assert stage.status_of(account) == 404
    assert stage.open(f"/accounts/{account}") == 404
    assert stage.asked_nobody_else()
    assert stage.broke_no_policy()
    log = stage.gateway.log.read_text()
    assert '"operation":"dashboard_unlink"' in log
    for secret in (GOOD, LESS, PASSWORD, "Northwind", "northwind"):
        assert secret not in log


def test_a_link_for_the_customer_works_in_another_browser(stage: Stage) -> None:
    browser = stage.browser
    stage.sign_in()
    stage.open("/link")
    browser("fill", label="Customer name", value="Contoso GmbH")
    browser("fill", label="Customer id", value="contoso")
    stage.press("Create a link")
    url = browser("text", css="#made")
    stage.shoot("link-for-a-customer")
    browser("fresh")
    browser("goto", url=url)
    browser("fill", label="API Token", value=GOOD)
    assert "Back to the dashboard" not in browser("text")
    stage.press("Connect")
    browser("sees", role="heading", name="Humaans is connected")
    stage.sign_in()
    browser("sees", text="Contoso GmbH")


def test_a_key_is_made_with_the_scopes_that_are_chosen_and_is_revoked(stage: Stage) -> None:
    browser = stage.browser
    stage.sign_in()
    account = linked(stage, "keys", "Key Company")
    stage.open("/keys/new")
    assert not browser("run", script="document.getElementById('scope-hris.employees:read').checkVisibility()")
    browser("click", label="Only the scopes chosen here")
    browser("click", label="employees:read")
    stage.press("Create the key")
    browser("sees", role="heading", name="The key is created")
    key = browser("text", css="#made")
    stage.shoot("key-made")
    headers = {"authorization": basic(f"{key}:"), "x-account-id": account}
    assert ask(stage.gateway.url, "/unified/hris/employees", headers).status == 200
    assert ask(stage.gateway.url, "/unified/hris/companies", headers).status == 403
    stage.open("/keys")
    assert key not in browser("text")
    browser("click", css=f"[aria-label='Revoke {key[:12]}']")
    stage.press("Revoke the key")
    browser("sees", text=f"The key {key[:12]}… is revoked.")
    assert ask(stage.gateway.url, "/unified/hris/employees", headers).status == 401
    assert key not in stage.gateway.log.read_text()


def test_a_request_is_tried_and_markup_of_the_vendor_stays_text(stage: Stage) -> None:
    browser = stage.browser
    stage.sign_in()
    account = linked(stage, "tester", "<b>Tester</b> & Co", LESS)
    assert browser("run", script="document.querySelector('h1 b')") is None
    stage.press("Test a request", role="link")
    stage.press("Send the request")
    browser("sees", text="personal_email")
    # The sandbox's company has people with markup in their names.
    assert '\\"Zo\\" <b>' in browser("text", css="pre.json")
    assert browser("run", script="document.querySelector('pre.json').children.length") == 0
    assert re.search(r"hris-gateway; fwd=miss; stored", browser("text"))
    stage.shoot("tried")
    stage.press("Send the request")
    browser("sees", text="hris-gateway; hit; ttl=")
    assert f"x-account-id: {account}" in browser("text", css="#made")
    assert stage.broke_no_policy()


def test_without_scripts_all_still_works(stage: Stage) -> None:
    browser = stage.browser
    stage.sign_in(scripts=False)
    account = linked(stage, "plain", "Plain Company")
    stage.open(f"/accounts/{account}/try?operation=list_companies")
    stage.press("Send the request")
    browser("sees", text="GET /unified/hris/companies")
    browser("sees", css="pre.json")
    stage.open("/keys/new")
    browser("click", label="Only the scopes chosen here")
    browser("click", label="groups:read")
    stage.press("Create the key")
    browser("sees", role="heading", name="The key is created")
    stage.press("Sign out")
    browser("sees", text="You have signed out.")
    stage.open("")
    browser("sees", role="heading", name="Sign in")


def test_it_can_be_used_with_keys_alone(stage: Stage) -> None:
    browser = stage.browser
    stage.sign_in()
    linked(stage, "by-keys", "By Keys Ltd")
    stage.open("")
    browser("press", key="Tab")
    assert browser("run", script="document.activeElement.textContent") == "Skip to the content"
    browser("focus", label="Search")
    browser("type", text="by keys")
    browser("press", key="Enter")
    browser("until", script="location.search.includes('q=by')")
    browser("focus", role="link", name="By Keys Ltd")
    browser("press", key="Enter")
    browser("sees", role="heading", name="By Keys Ltd")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_fits_and_has_no_serious_fault_of_accessibility(stage: Stage, width: int, scheme: str) -> None:
    browser = stage.browser
    browser("fresh", width=width, height=844, scheme=scheme)
    stage.open("/login")
    look(stage, "login", width, scheme)
    browser("fill", label="Password", value="wrong password")
    browser("press", key="Enter")
    browser("sees", text="The password is not right.")
    look(stage, "login-refused", width, scheme)
    stage.sign_in(width=width, height=844, scheme=scheme)
    account = linked(stage, "looks", "A customer whose name is long, Incorporated in Delaware", LESS)
    look(stage, "account-linked", width, scheme)
    pages = {
        "accounts": "",
        "nothing-matches": "?q=zzz",
        "account": f"/accounts/{account}",
        "unlink": f"/accounts/{account}/unlink",
        "relink": f"/accounts/{account}/relink",
        "try": f"/accounts/{account}/try",
        "link": "/link",
        "keys": "/keys",
        "audit": "/audit",
        "key-new": "/keys/new",
        "lost": "/nowhere",
    }
    for name, path in pages.items():
        stage.open(path)
        look(stage, name, width, scheme)
    stage.open(f"/accounts/{account}/try")
    stage.press("Send the request")
    browser("sees", css="pre.json")
    look(stage, "tried", width, scheme)
    assert stage.broke_no_policy()


def look(stage: Stage, name: str, width: int, scheme: str) -> None:
    stage.shoot(f"{name}-{width}-{scheme}")
    stage.has_no_serious_fault()
    wide: Any = stage.browser("run", script="document.documentElement.scrollWidth")
    assert wide <= width, name


def test_no_other_origin_can_frame_it(stage: Stage) -> None:
    browser = stage.browser
    stage.sign_in()
    with product() as stranger:
        browser("goto", url=f"{stranger}/embedding.html#token=x&base={stage.gateway.url}/dashboard%23&framed=yes")
        script = (
            "(() => { const f = document.createElement('iframe'); f.id = 'stolen';"
            f" f.src = '{stage.gateway.url}/dashboard'; document.body.append(f); }})()"
        )
        browser("run", script=script)
        browser("until", script="document.getElementById('stolen').contentDocument === null")
        assert "Linked accounts" not in browser("text", frame="#stolen")
        assert [line for line in browser("said") if "frame-ancestors" in line]
