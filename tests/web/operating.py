"""What tests of the dashboard do: an operator signs in with a browser, looks at pages and sends their forms."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from html import unescape

import httpx
import pytest

from gateway.adapters.accounts import Database
from gateway.app import assemble
from gateway.core.ask import Clock
from gateway.core.model import Account, Project
from gateway.core.password import Password
from gateway.parts import CLOCK, open_the_database, open_the_vault
from tests.web.linking import Time
from tests.web.support import Site, settings_for

PASSWORD = "correct horse battery"
# As cheap as is allowed: tests sign in often.
KEPT = Password(b"s" * 16, hashlib.scrypt(PASSWORD.encode(), salt=b"s" * 16, n=1 << 14, r=8, p=1, dklen=32), 14, 8, 1)
HEADERS = {"origin": "http://gateway", "sec-fetch-site": "same-origin"}


@dataclass
class Operator:
    """A browser at the dashboard of a gateway."""

    site: Site

    @property
    def database(self) -> Database:
        return self.site.database

    async def get(self, path: str = "", **query: str) -> httpx.Response:
        return await self.site.client.get(f"/dashboard{path}", params=query)

    async def see(self, path: str = "", **query: str) -> str:
        """Give the text of a page, which has to be there."""
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def send(
        self, path: str, form: Mapping[str, str | Sequence[str]] | None = None, **headers: str
    ) -> httpx.Response:
        """Send the form of a page, with the word that stands in it."""
        page = path.replace("/verify", "").replace("/suspend", "").replace("/resume", "").replace("/logout", "")
        shown = await self.get("/keys/new" if page == "/keys" else page)
        return await self.post(path, {**hidden(shown.text), **(form or {})}, **headers)

    async def post(self, path: str, form: Mapping[str, str | Sequence[str]], **headers: str) -> httpx.Response:
        return await self.site.client.post(f"/dashboard{path}", data=dict(form), headers={**HEADERS, **headers})

    async def follow(self, answer: httpx.Response) -> str:
        """Give the page that a form has led to."""
        assert answer.status_code == 303, answer.text
        found = await self.site.client.get(answer.headers["location"])
        assert found.status_code == 200, found.text
        return found.text

    async def sign_in(self, password: str = PASSWORD, **form: str) -> httpx.Response:
        page = await self.get("/login")
        return await self.post("/login", {**hidden(page.text), "password": password, **form})

    async def project(self, name: str = "demo") -> Project:
        return await self.database.clients.project(name)

    async def account(self) -> Account:
        found = await self.database.register.find(self.site.account)
        assert found is not None
        return found


def hidden(page: str) -> dict[str, str]:
    """Give the hidden fields of a page's forms, as a browser would send them."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


async def open_dashboard(environ: Mapping[str, str], stack: AsyncExitStack, time: Time) -> Operator:
    """Open a gateway with a dashboard, at which nobody has signed in."""
    # Tries are counted in the one Redis of all tests, under a key that is each test's own.
    own = b64encode(hashlib.sha256(environ["GATEWAY_DATABASE_URL"].encode()).digest()).decode()
    settings = settings_for({"GATEWAY_DASHBOARD_PASSWORD": str(KEPT), "GATEWAY_VAULT_MASTER_KEY": own, **environ})
    database = await open_the_database(settings, open_the_vault(settings))
    stack.push_async_callback(database.close)
    clock = Clock(now=time.now, monotonic=CLOCK.monotonic, jitter=CLOCK.jitter)
    site = Site(settings, await assemble(settings, stack, clock), database)
    stack.push_async_callback(site.client.aclose)
    return Operator(site)


@pytest.fixture(name="door")
async def fixture_door(environ: dict[str, str], stack: AsyncExitStack, time: Time) -> Operator:
    return await open_dashboard(environ, stack, time)


@pytest.fixture(name="operator")
async def fixture_operator(door: Operator) -> Operator:
    """An operator who has signed in, where one account is linked, whose token may do everything."""
    door.site.account = await door.site.link("all-owner")
    assert (await door.sign_in()).status_code == 303
    return door
