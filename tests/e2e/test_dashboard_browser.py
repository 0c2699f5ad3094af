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
class OperatorBrowser:
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
        """Returns the id of the account whose page is shown."""
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


@pytest.fixture(scope="module", name="operator")
def fixture_operator(installation: Installation, chromium: Browser) -> Iterator[OperatorBrowser]:
    ARTEFACTS.mkdir(exist_ok=True)
    with installation.gateway(dashboard_password=PASSWORD, accounts_cache_seconds="0") as gateway:
        yield OperatorBrowser(gateway, installation.key(), chromium)


def linked(operator: OperatorBrowser, owner: str, name: str, token: str = GOOD) -> str:
    """Links an account as the operator does, and returns its id."""
    operator.open("/link")
    operator.browser("fill", label="Customer name", value=name)
    operator.browser("fill", label="Customer id", value=owner)
    operator.press("I do: continue")
    operator.browser("fill", label="API Token", value=token)
    operator.press("Connect")
    operator.browser("sees", text="The account is linked, and its token works.")
    return operator.account_id()


def test_an_account_is_linked_used_and_unlinked_in_the_dashboard(operator: OperatorBrowser) -> None:
    browser = operator.browser
    operator.sign_in()
    operator.press("Link an account", role="link")
    browser("fill", label="Customer name", value="Northwind Traders")
    browser("fill", label="Customer id", value="northwind")
    operator.press("I do: continue")
    browser("fill", label="API Token", value=BAD)
    operator.press("Connect")
    browser("sees", text="Humaans does not accept this token")
    browser("fill", label="API Token", value=LESS)
    operator.press("Connect")
    browser("sees", text="The account is linked, and its token works.")
    account = operator.account_id()
    operator.shoot("linked")
    assert operator.status_of(account) == 200
    operator.press("Re-link", role="link")
    operator.press("I do: continue")
    browser("fill", label="API Token", value=GOOD)
    operator.press("Reconnect")
    browser("sees", text="The account is linked, and its token works.")
    assert operator.account_id() == account
    browser("sees", text="compensations:read")
    operator.press("Verify now")
    browser("sees", text="Checked just now: the token works.")
    operator.press("Suspend")
    browser("sees", text="The account is suspended")
    assert operator.status_of(account) == 412
    operator.press("Resume")
    browser("sees", text="The account is active again.")
    assert operator.status_of(account) == 200
    operator.press("Unlink…", role="link")
    browser("fill", css="#confirmation", value="no")
    operator.press("Unlink the account")
    browser("sees", text="Nothing has been deleted.")
    operator.shoot("unlink")
    browser("fill", css="#confirmation", value="unlink")
    operator.press("Unlink the account")
    browser("sees", text="The account of Northwind Traders is unlinked.")
    assert operator.status_of(account) == 404
    assert operator.open(f"/accounts/{account}") == 404
    assert operator.asked_nobody_else()
    assert operator.broke_no_policy()
    log = operator.gateway.log.read_text()
    assert '"operation":"dashboard_unlink"' in log
    for secret in (GOOD, LESS, PASSWORD, "Northwind", "northwind"):
        assert secret not in log


def test_a_link_for_the_customer_works_in_another_browser(operator: OperatorBrowser) -> None:
    browser = operator.browser
    operator.sign_in()
    operator.open("/link")
    browser("fill", label="Customer name", value="Contoso GmbH")
    browser("fill", label="Customer id", value="contoso")
    operator.press("Create a link")
    url = browser("text", css="#made")
    operator.shoot("link-for-a-customer")
    browser("fresh")
    browser("goto", url=url)
    browser("fill", label="API Token", value=GOOD)
    assert "Back to the dashboard" not in browser("text")
    operator.press("Connect")
    browser("sees", role="heading", name="Humaans is connected")
    operator.sign_in()
    browser("sees", text="Contoso GmbH")


def test_a_key_is_made_with_the_scopes_that_are_chosen_and_is_revoked(operator: OperatorBrowser) -> None:
    browser = operator.browser
    operator.sign_in()
    account = linked(operator, "keys", "Key Company")
    operator.open("/keys/new")
    assert not browser("run", script="document.getElementById('scope-hris.employees:read').checkVisibility()")
    browser("click", label="Only the scopes chosen here")
    browser("click", label="employees:read")
    operator.press("Create the key")
    browser("sees", role="heading", name="The key is created")
    key = browser("text", css="#made")
    operator.shoot("key-made")
    headers = {"authorization": basic(f"{key}:"), "x-account-id": account}
    assert ask(operator.gateway.url, "/unified/hris/employees", headers).status == 200
    assert ask(operator.gateway.url, "/unified/hris/companies", headers).status == 403
    operator.open("/keys")
    assert key not in browser("text")
    browser("click", css=f"[aria-label='Revoke {key[:12]}']")
    operator.press("Revoke the key")
    browser("sees", text=f"The key {key[:12]}… is revoked.")
    assert ask(operator.gateway.url, "/unified/hris/employees", headers).status == 401
    assert key not in operator.gateway.log.read_text()


def test_a_request_is_tried_and_markup_of_the_vendor_stays_text(operator: OperatorBrowser) -> None:
    browser = operator.browser
    operator.sign_in()
    account = linked(operator, "tester", "<b>Tester</b> & Co", LESS)
    assert browser("run", script="document.querySelector('h1 b')") is None
    operator.press("Test a request", role="link")
    operator.press("Send the request")
    browser("sees", text="personal_email")
    # The sandbox's company has people with markup in their names.
    assert '\\"Zo\\" <b>' in browser("text", css="pre.json")
    assert browser("run", script="document.querySelector('pre.json').children.length") == 0
    assert re.search(r"hris-gateway; fwd=miss; stored", browser("text"))
    operator.shoot("tried")
    operator.press("Send the request")
    browser("sees", text="hris-gateway; hit; ttl=")
    assert f"x-account-id: {account}" in browser("text", css="#made")
    assert operator.broke_no_policy()


def test_without_scripts_all_still_works(operator: OperatorBrowser) -> None:
    browser = operator.browser
    operator.sign_in(scripts=False)
    account = linked(operator, "plain", "Plain Company")
    operator.open(f"/accounts/{account}/try?operation=list_companies")
    operator.press("Send the request")
    browser("sees", text="GET /unified/hris/companies")
    browser("sees", css="pre.json")
    operator.open("/keys/new")
    browser("click", label="Only the scopes chosen here")
    browser("click", label="groups:read")
    operator.press("Create the key")
    browser("sees", role="heading", name="The key is created")
    operator.press("Sign out")
    browser("sees", text="You have signed out.")
    operator.open("")
    browser("sees", role="heading", name="Sign in")


def test_it_can_be_used_with_keys_alone(operator: OperatorBrowser) -> None:
    browser = operator.browser
    operator.sign_in()
    linked(operator, "by-keys", "By Keys Ltd")
    operator.open("")
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
def test_every_page_fits_and_has_no_serious_fault_of_accessibility(
    operator: OperatorBrowser, width: int, scheme: str
) -> None:
    browser = operator.browser
    browser("fresh", width=width, height=844, scheme=scheme)
    operator.open("/login")
    look(operator, "login", width, scheme)
    browser("fill", label="Password", value="wrong password")
    browser("press", key="Enter")
    browser("sees", text="The password is not right.")
    look(operator, "login-refused", width, scheme)
    operator.sign_in(width=width, height=844, scheme=scheme)
    account = linked(operator, "looks", "A customer whose name is long, Incorporated in Delaware", LESS)
    look(operator, "account-linked", width, scheme)
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
        operator.open(path)
        look(operator, name, width, scheme)
    operator.open(f"/accounts/{account}/try")
    operator.press("Send the request")
    browser("sees", css="pre.json")
    look(operator, "tried", width, scheme)
    assert operator.broke_no_policy()


def look(operator: OperatorBrowser, name: str, width: int, scheme: str) -> None:
    operator.shoot(f"{name}-{width}-{scheme}")
    operator.has_no_serious_fault()
    wide: Any = operator.browser("run", script="document.documentElement.scrollWidth")
    assert wide <= width, name


def test_no_other_origin_can_frame_it(operator: OperatorBrowser) -> None:
    browser = operator.browser
    operator.sign_in()
    with product() as stranger:
        browser("goto", url=f"{stranger}/embedding.html#token=x&base={operator.gateway.url}/dashboard%23&framed=yes")
        script = (
            "(() => { const f = document.createElement('iframe'); f.id = 'stolen';"
            f" f.src = '{operator.gateway.url}/dashboard'; document.body.append(f); }})()"
        )
        browser("run", script=script)
        browser("until", script="document.getElementById('stolen').contentDocument === null")
        assert "Linked accounts" not in browser("text", frame="#stolen")
        assert [line for line in browser("said") if "frame-ancestors" in line]
