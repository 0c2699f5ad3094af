"""What tests of linking do: a backend makes a session, a product's page calls the Hub, a browser opens the link."""

import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from deploy.sandbox.tokens import by_name
from gateway.adapters.accounts import utc_now
from gateway.core.ask import Clock
from gateway.parts import CLOCK
from tests.web.support import Site, open_site

OWNER = {"origin_owner_id": "customer-1", "origin_owner_name": "Customer Ltd"}
GOOD = by_name("all-owner").token
PRODUCT = "https://app.example.com"


@dataclass
class Time:
    """The clock of a gateway, which a test may move."""

    moved: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return utc_now() + self.moved

    @property
    def clock(self) -> Clock:
        return replace(CLOCK, now=self.now)


@pytest.fixture(name="time")
def fixture_time() -> Time:
    return Time()


@pytest.fixture(name="linking")
async def fixture_linking(environ: dict[str, str], stack: AsyncExitStack, time: Time) -> Site:
    site = await open_site({**environ, "GATEWAY_HUB_ALLOWED_ORIGINS": PRODUCT}, stack, time.clock)
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
