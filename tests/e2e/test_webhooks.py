"""A gateway that is killed while it tells a product of something: the next one tells it again."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.company import Company
from tests.e2e.installation import Installation
from tests.e2e.processes import Server, within
from tests.fixtures.receiver import Receiver, receiving

LOCAL = {
    "GATEWAY_WEBHOOKS_ALLOW_HTTP": "true",
    "GATEWAY_WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8",
    "GATEWAY_WEBHOOKS_TIMEOUT_SECONDS": "0.5",
    "GATEWAY_WEBHOOKS_LEASE_SECONDS": "1.5",
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@contextmanager
def killed_gateway(installation: Installation) -> Iterator[Server]:
    """A gateway that is killed at the end of the block, with all that it has started."""
    with pytest.raises(AssertionError, match="status -9"), installation.gateway(LOCAL) as server:  # noqa: PT012 - a block
        yield server
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()


def test_kill_9_loses_nothing(running_company: Company, receiver: Receiver, tmp_path: Path) -> None:
    """Not with the installation that all share: any gateway on a database sends what is in it."""
    installation = Installation(tmp_path, running_company)
    auth = (installation.key(), "")
    with killed_gateway(installation) as server:
        body = {"url": receiver.url.replace("/hook", "/slow")}
        webhook = httpx.post(f"{server.url}/webhooks", json=body, auth=auth).json()
        httpx.post(f"{server.url}/webhooks/{webhook['id']}/ping", auth=auth)
        within(5, lambda: len(receiver.received) == 1)
    receiver.let_go.set()
    with installation.gateway(LOCAL) as server:
        within(10, lambda: len(receiver.received) == 2)
        first, again = receiver.received
        assert first.headers["webhook-id"] == again.headers["webhook-id"]
        log = f"{server.url}/webhooks/{webhook['id']}/deliveries"
        within(5, lambda: httpx.get(log, auth=auth).json()[0]["state"] == "delivered")
