"""A gateway that the sandbox can reach, so that its webhooks are heard."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvicorn

from deploy.sandbox.tokens import by_name
from tests.web.linking import hub, made, order
from tests.web.support import Sandbox, Site, open_site


@asynccontextmanager
async def hearing(environ: Mapping[str, str], stack: AsyncExitStack, sandbox: Sandbox) -> AsyncIterator[Site]:
    """Open a gateway at its public address. No account is linked."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    site = await open_site({**environ, "GATEWAY_SERVER_PUBLIC_URL": address}, stack)
    site.key = await site.make_key()
    server = uvicorn.Server(uvicorn.Config(site.edge, lifespan="off", access_log=False, log_level="error"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield site
    server.should_exit = True
    await serving
    sandbox.steer("DELETE", "/choices")
    for row in endpoints(sandbox):
        sandbox.steer("DELETE", f"/rows/webhooks/{row['id']}")


def endpoints(sandbox: Sandbox) -> list[dict[str, Any]]:
    rows = sandbox.steer("GET", "/rows/webhooks")["rows"]
    return [row for row in rows if "/hooks/humaans/" in row["url"]]


async def link(site: Site, token: str = "all-owner") -> str:
    """Link an account as a customer does."""
    session = await made(site)
    answer = await hub(site, session["token"], "POST", "/accounts", order(by_name(token).token))
    assert answer.status_code == 201, answer.text
    site.account = answer.json()["id"]
    return site.account
