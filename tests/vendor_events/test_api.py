"""Webhooks of a vendor from end to end: the sandbox is given an endpoint, sends to it, and loses it again."""

import asyncio
import hashlib
import hmac
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from deploy.sandbox.tokens import by_name
from tests.fixtures.gateway import MASTER_KEY, Sandbox, Site, open_site
from tests.fixtures.linking import csrf_token, enter, made, send
from tests.fixtures.public_gateway import endpoints, link, open_public_site

HEADER = "x-humaans-signature"


@pytest.fixture(name="heard")
async def fixture_heard(environ: dict[str, str], stack: AsyncExitStack, sandbox: Sandbox) -> AsyncIterator[Site]:
    async with open_public_site(environ, stack, sandbox) as site:
        yield site


async def health(site: Site) -> dict[str, Any]:
    answer = await site.client.get(f"/accounts/{site.account}/permissions", auth=(site.key, ""))
    found: dict[str, Any] = answer.json()["webhooks"]
    return found


async def sends(sandbox: Sandbox, event: str, **data: str) -> list[int | None]:
    """Lets the sandbox send an event; returns the statuses of the answers."""
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{sandbox.admin}/webhooks/deliver", json={"event": event, "data": data})
    return [each["status"] for each in answer.json()["deliveries"] if "/hooks/humaans/" in each["url"]]


async def cached(site: Site) -> bool:
    """Reads employees; returns whether the answer came from the cache."""
    answer = await site.get(page_size="1")
    assert answer.status_code == 200
    return "; hit" in answer.headers["cache-status"]


async def test_an_event_has_what_is_kept_fetched_anew_until_the_account_is_unlinked(
    heard: Site, sandbox: Sandbox
) -> None:
    account = await link(heard)
    [endpoint] = endpoints(sandbox)
    assert endpoint["url"].endswith(f"/hooks/humaans/{account}")
    assert (await health(heard))["state"] == "active"
    assert [await cached(heard), await cached(heard)] == [False, True]
    assert await sends(sandbox, "person.updated", id="anybody") == [200]
    assert [await cached(heard), await cached(heard)] == [False, True]
    assert (await health(heard))["last_event_at"]
    assert await sends(sandbox, "person.waved") == []
    gone = await heard.client.delete(f"/accounts/{account}", auth=(heard.key, ""))
    assert gone.status_code == 200
    assert endpoints(sandbox) == []


async def test_what_changes_at_the_vendor_is_read_at_once_whatever_form_its_webhooks_have(
    heard: Site, sandbox: Sandbox
) -> None:
    """The forms that nobody has documented, all at once: our secret, a prefix, and no events but those of people."""
    sandbox.steer(
        "POST",
        "/choices",
        {
            "webhook_secret": "given",
            "webhook_prefix": "sha256=",
            "webhook_events": "people_only",
            "webhook_sending": "on_change",
        },
    )
    await link(heard)
    assert (await health(heard))["state"] == "active"
    [endpoint] = endpoints(sandbox)
    assert set(endpoint["events"]) == {"person.created", "person.updated"}
    [person] = (await heard.get(page_size="1")).json()["data"]
    assert await cached(heard)
    sandbox.steer("PATCH", f"/rows/people/{person['remote_id']}", {"firstName": "Planted"})
    assert await comes(heard, "Planted")
    sandbox.steer("PATCH", f"/rows/people/{person['remote_id']}", {"firstName": person["first_name"]})
    assert await comes(heard, person["first_name"])


async def comes(site: Site, first_name: str) -> bool:
    """Reads until the first employee has this name, for ten seconds at most; answers are fresh for a minute."""
    for _ in range(200):
        if (await site.get(page_size="1")).json()["data"][0]["first_name"] == first_name:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_only_the_vendor_is_heard_and_copies_and_disorder_do_no_harm(heard: Site, sandbox: Sandbox) -> None:
    account = await link(heard)
    [endpoint] = endpoints(sandbox)
    own = f"/hooks/humaans/{account}"

    async def post(body: bytes, path: str = own, secret: str = endpoint["secret"], **headers: str) -> httpx.Response:
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return await heard.client.post(path, content=body, headers={HEADER: signature} | headers)

    def event(name: str, second: int) -> bytes:
        told = {"id": f"e{second}", "event": name, "data": {"id": "p"}, "timestamp": f"2026-11-24T10:00:{second:02}Z"}
        return json.dumps(told).encode()

    await cached(heard)
    good = event("person.updated", 2)
    refused = [
        await post(good, secret="another"),
        await post(good, **{HEADER: ""}),
        await post(good, **{HEADER: hmac.new(endpoint["secret"].encode(), b"other", hashlib.sha256).hexdigest()}),
        await post(good, f"/hooks/humaans/{'A' * 22}"),
        await post(good, "/hooks/humaans/%00"),
        await post(good, f"/hooks/other/{account}"),
    ]
    told = {json.dumps(each.json() | {"timestamp": ""}) for each in refused}
    assert ([each.status_code for each in refused], len(told)) == ([401] * 6, 1)
    assert (await post(b" " * (1 << 20) + good)).status_code == 400
    assert await cached(heard), "what nobody has signed had an effect"

    # What cannot be read may have been about anything; after that, the webhook has to prove itself first.
    for body, kept in ((event("survey.created", 1), True), (b"not json", False), (b"[]", True)):
        assert (await post(body)).status_code == 200
        assert [await cached(heard), await cached(heard)] == [kept, True]
    assert (await post(good)).status_code == 200
    assert [await cached(heard), await cached(heard)] == [False, True]
    assert (await post(good)).status_code == 200
    assert await cached(heard), "a copy was taken for a new event"
    assert (await post(event("jobRole.updated", 1))).status_code == 200
    assert [await cached(heard), await cached(heard)] == [False, True]


async def test_without_the_scope_nothing_is_registered_until_a_better_token_comes(
    heard: Site, sandbox: Sandbox
) -> None:
    await link(heard, "all-but-webhooks")
    assert [call["path"] for call in sandbox.calls() if call["path"].startswith("/webhooks")] == []
    told = await health(heard)
    assert (told["state"], told["needs"]) == ("not_allowed", "webhooks:manage")
    body = {"credentials": {"apiToken": by_name("all-owner").token}}
    changed = await heard.client.patch(f"/accounts/{heard.account}", json=body, auth=(heard.key, ""))
    assert changed.status_code == 200
    assert (await health(heard))["state"] == "active"
    assert len(endpoints(sandbox)) == 1


async def test_a_vendor_that_registers_nothing_does_not_keep_an_account_from_being_linked(
    heard: Site, sandbox: Sandbox
) -> None:
    sandbox.steer("POST", "/faults", {"kind": "server_error", "path": "/webhooks", "method": "POST"})
    await link(heard)
    told = await health(heard)
    assert (told["state"], told["failures"]) == ("not_registered", 1)
    assert "answered 500" in told["reason"]
    assert (await heard.get(page_size="1")).status_code == 200


async def test_without_a_public_address_the_health_says_what_to_set(site: Site) -> None:
    told = await health(site)
    assert (told["state"], "server.public_url" in told["reason"]) == ("not_registered", True)


async def test_of_workers_that_start_together_one_registers_what_the_command_line_has_linked(
    heard: Site, sandbox: Sandbox, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    heard.account = await heard.link("all-owner")
    assert (await health(heard))["reason"] == "it has not been tried yet"
    address = {"GATEWAY_SERVER_PUBLIC_URL": heard.settings.server.public_url}
    await asyncio.gather(*(open_site({**environ, **address}, stack) for _ in range(3)))
    for _ in range(100):
        if (await health(heard))["state"] == "active":
            break
        await asyncio.sleep(0.05)
    assert (await health(heard))["state"] == "active"
    assert len(endpoints(sandbox)) == 1
    assert await sends(sandbox, "person.updated") == [200]


async def test_the_command_line_tells_of_the_webhook_and_takes_it_away(
    heard: Site, sandbox: Sandbox, environ: dict[str, str]
) -> None:
    account = await link(heard)

    async def say(*words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "accounts", *words, account),
            env={**environ, "GATEWAY_VAULT_MASTER_KEY": MASTER_KEY},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0
        return printed.decode()

    assert re.search(r"^webhook +active$", await say("show"), re.MULTILINE)
    await say("unlink")
    assert endpoints(sandbox) == []


async def test_the_hub_asks_for_the_scope_where_there_can_be_a_webhook_and_nowhere_else(
    heard: Site, linking: Site
) -> None:
    for site, asks in ((heard, True), (linking, False)):
        for token, has in (("all-owner", True), ("all-but-webhooks", False)):
            page = await enter(site, (await made(site, origin_owner_id=token))["token"])
            assert ("webhooks:manage" in page.text) == asks
            form = {"form": csrf_token(page), "provider": "humaans", "credential": by_name(token).token}
            assert (await send(site, form)).headers["location"] == "/connect/done"
            done = (await site.client.get("/connect/done")).text
            assert ("Changes in Humaans" in done) == (asks and not has)
            assert ("Not used here: webhooks:manage" in done) == (has and not asks)
