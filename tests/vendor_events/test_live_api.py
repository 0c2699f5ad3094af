"""While the sandbox's webhook is live, answers stay fresh for longer, and say so; at the first doubt they do not."""

import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from gateway.app.services import CLOCK
from gateway.model import Clock
from tests.fixtures.gateway import Sandbox, Site
from tests.fixtures.public_gateway import endpoints, link, open_public_site
from tests.vendor_events.test_api import sends

FAST = {"GATEWAY_CACHE_LOCAL_SECONDS": "0", "GATEWAY_CACHE_STALE_WHILE_REVALIDATE_SECONDS_EMPLOYEES": "0"}


@dataclass
class Later:
    """The real clock, put forward."""

    seconds: float = 0.0

    def clock(self) -> Clock:
        now = CLOCK.now
        return replace(
            CLOCK,
            now=lambda: now() + timedelta(seconds=self.seconds),
            monotonic=lambda: CLOCK.monotonic() + self.seconds,
            jitter=lambda: 0.0,
        )


@dataclass
class Stage:
    site: Site
    later: Later
    sandbox: Sandbox

    async def status(self, seconds: float = 0) -> tuple[str, str, int]:
        """Returns whether the answer is from the cache, the detail, and its age in minutes, so many seconds later."""
        self.later.seconds += seconds
        answer = await self.site.get(page_size="5", fields="id,first_name")
        assert answer.status_code == 200, answer.text
        parts = answer.headers["cache-status"].split("; ")
        detail = next((part.removeprefix("detail=") for part in parts if part.startswith("detail=")), "")
        return parts[1], detail, int(answer.headers["age"]) // 60

    async def prove(self) -> None:
        """Lets the first event come."""
        assert (await self.status())[0] == "fwd=miss"
        assert await sends(self.sandbox, "person.updated", id="anybody") == [200]
        assert (await self.status())[0] == "fwd=miss"


@pytest.fixture(name="stage")
async def fixture_stage(environ: dict[str, str], stack: AsyncExitStack, sandbox: Sandbox) -> AsyncIterator[Stage]:
    later = Later()
    async with open_public_site({**environ, **FAST}, stack, sandbox, later.clock()) as site:
        await link(site)
        yield Stage(site, later, sandbox)


async def test_before_the_first_event_nothing_is_fresh_for_longer(stage: Stage) -> None:
    assert (await stage.status())[0] == "fwd=miss"
    assert await stage.status(50) == ("hit", "shared", 0)
    assert (await stage.status(20))[0] == "fwd=miss"


async def test_then_answers_are_fresh_for_longer_and_say_why_and_how_old_they_are(stage: Stage) -> None:
    await stage.prove()
    assert await stage.status(50) == ("hit", "shared", 0)
    assert await stage.status(20) == ("hit", "webhook", 1)
    assert await stage.status(700) == ("hit", "webhook", 12)
    assert (await stage.status(200))[0] == "fwd=miss"
    assert await stage.status(400) == ("hit", "webhook", 6)
    # An event makes it unusable at once.
    assert await sends(stage.sandbox, "person.updated", id="anybody") == [200]
    assert (await stage.status())[0] == "fwd=miss"


@pytest.mark.parametrize("doubt", ["wrong signature", "unreadable", "silence"])
async def test_at_the_first_doubt_they_are_no_longer_fresh(stage: Stage, doubt: str) -> None:
    await stage.prove()
    assert await stage.status(300) == ("hit", "webhook", 5)
    path = httpx.URL(endpoints(stage.sandbox)[0]["url"]).path
    match doubt:
        case "wrong signature":
            answer = await stage.site.client.post(path, content=b"{}", headers={"x-humaans-signature": "00"})
            assert answer.status_code == 401
        case "silence":
            stage.later.seconds += 90_000
        case "unreadable":
            secret = endpoints(stage.sandbox)[0]["secret"]
            answer = await stage.site.client.post(path, content=b"no json", headers=signed(secret, b"no json"))
            assert answer.status_code == 200
    assert (await stage.status())[0] == "fwd=miss"
    assert (await stage.status(70))[0] == "fwd=miss"


def signed(secret: str, body: bytes) -> dict[str, str]:
    return {"x-humaans-signature": hmac.new(secret.encode(), body, "sha256").hexdigest()}
