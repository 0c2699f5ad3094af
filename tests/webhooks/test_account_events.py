"""What happens to an account is heard by the product, whoever does it: over HTTP, by command, or by the vendor's no."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.sandbox.tokens import by_name
from tests.cli.test_cli import as_process
from tests.fixtures.gateway import MASTER_KEY, Site
from tests.fixtures.receiver import Receiver
from tests.fixtures.webhooks import LOCAL, ask, log_of, open_local, within


@pytest.fixture(name="site")
async def fixture_site(environ: dict[str, str], stack: AsyncExitStack) -> Site:
    return await open_local(environ, stack)


async def test_a_life_of_an_account_is_heard_in_full(
    site: Site, receiver: Receiver, environ: dict[str, str], tmp_path: Path
) -> None:
    webhook = await ask(site, "POST", "/webhooks", {"url": receiver.url}, status=201)
    account = await site.link("all-owner")
    await ask(site, "PATCH", f"/accounts/{account}", {"label": "new"})
    settings = environ | LOCAL | {"GATEWAY_VAULT_MASTER_KEY": MASTER_KEY}
    words = ("accounts", "suspend", account)
    suspended = await asyncio.to_thread(lambda: as_process(*words, cwd=tmp_path, environ=settings))
    assert suspended.returncode == 0, suspended.stderr
    await ask(site, "DELETE", f"/accounts/{account}")
    await within(lambda: len(receiver.received) == 4)
    told = sorted(receiver.events)
    assert told == ["account.created", "account.deleted", "account.updated", "account.updated"]
    assert {each.json["account_id"] for each in receiver.received} == {account}
    for _ in range(100):
        lines = await log_of(site, webhook)
        if {line["state"] for line in lines} == {"delivered"}:
            break
    assert [line["replayable"] for line in lines] == [False] * 4
    assert by_name("all-owner").token not in str([each.body for each in receiver.received])
