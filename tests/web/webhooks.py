"""Calls about webhooks, of a gateway that may send to this machine, and the wait for what comes of them."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.receiver import Receiver, receiving
from tests.web.support import Site, open_site

LOCAL = {
    "GATEWAY_WEBHOOKS_ALLOW_HTTP": "true",
    "GATEWAY_WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8",
    "GATEWAY_WEBHOOKS_RETRY_SECONDS": "0.02,0.02",
}


@pytest.fixture(name="receiver")
def fixture_receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


async def open_local(environ: Mapping[str, str], stack: AsyncExitStack) -> Site:
    """Open a gateway that may send to this machine, with a key and no account."""
    site = await open_site({**environ, **LOCAL}, stack)
    site.key = await site.make_key()
    return site


async def ask(site: Site, method: str, path: str, body: Any = None, *, key: str = "", status: int = 200) -> Any:
    answer = await site.client.request(method, path, json=body, auth=(key or site.key, ""))
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def within(happens: Callable[[], bool]) -> None:
    for _ in range(500):
        if happens():
            return
        await asyncio.sleep(0.01)
    pytest.fail("not within 5 seconds")


async def log_of(site: Site, webhook: Mapping[str, Any], query: str = "") -> Any:
    return await ask(site, "GET", f"/webhooks/{webhook['id']}/deliveries{query}")


async def settled(site: Site, webhook: Mapping[str, Any], state: str) -> Any:
    for _ in range(250):
        if found := await log_of(site, webhook, f"?state={state}"):
            return found
        await asyncio.sleep(0.02)
    return pytest.fail("not within 5 seconds")
