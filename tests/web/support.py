"""The gateway on real parts: the sandbox on a socket, a private Redis, SQLite, and our ASGI app in this process."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.registry import CONNECTORS
from deploy.sandbox.tokens import by_name
from gateway.adapters.accounts import Database, new_id, utc_now
from gateway.adapters.embedded import embedded_server
from gateway.app import assemble
from gateway.core.ask import Clock
from gateway.core.link import Application, Parts, link
from gateway.core.model import Owner, Secret
from gateway.metrics import make_metrics
from gateway.parts import CLOCK, open_the_database, open_the_vault, open_upstream, providers
from gateway.settings import Settings, read_settings
from gateway.web.edge import Edge
from tests.e2e.wire import ask

PATIENT = {"GATEWAY_REDIS_TIMEOUT_SECONDS": "30", "GATEWAY_REDIS_CONNECT_TIMEOUT_SECONDS": "30"}
"""A Redis on a busy machine is not a dead one."""

MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TODAY = "2026-11-24"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The stand-in for Humaans, and the way to steer it."""

    url: str

    @property
    def admin(self) -> str:
        return self.url.removesuffix("/api") + "/_sandbox"

    def steer(self, method: str, path: str, body: Any = None) -> Any:
        answer = ask(self.url, f"/_sandbox{path}", method=method, body=body)
        assert answer.status < 300, answer.body
        return answer.json if answer.body else None

    def calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.steer("GET", "/calls")["calls"]
        return found

    def reset(self) -> None:
        self.steer("DELETE", "/calls")
        self.steer("DELETE", "/faults")


def start_sandbox(people: int) -> tuple[subprocess.Popen[str], Sandbox]:
    words = [sys.executable, "-m", "deploy.sandbox", "--port", "0", "--people", str(people), "--today", TODAY]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    return process, Sandbox(line.split()[-1])


@pytest.fixture(name="sandbox_server", scope="session")
def fixture_sandbox_server() -> Iterator[Sandbox]:
    process, sandbox = start_sandbox(60)
    yield sandbox
    process.terminate()
    process.communicate()


@pytest.fixture(name="sandbox")
def fixture_sandbox(sandbox_server: Sandbox) -> Sandbox:
    sandbox_server.reset()
    return sandbox_server


@pytest.fixture(name="redis_url", scope="session")
def fixture_redis_url() -> Iterator[str]:
    with embedded_server() as url:
        yield url


@pytest.fixture(name="empty_database", scope="session")
def fixture_empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without rows, to copy: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("database") / "empty.db"

    async def make() -> None:
        settings = settings_for({"GATEWAY_DATABASE_URL": f"sqlite:///{path}"})
        await (await open_the_database(settings, open_the_vault(settings))).close()

    asyncio.run(make())
    return path


def settings_for(environ: Mapping[str, str]) -> Settings:
    return read_settings({"GATEWAY_VAULT_MASTER_KEY": MASTER_KEY, **environ}, CONNECTORS)


class Site:
    """A running gateway, with what a test does to it: link accounts, make keys, ask."""

    def __init__(self, settings: Settings, edge: Edge, database: Database) -> None:
        self.settings = settings
        self.edge = edge
        self.database = database
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(edge, raise_app_exceptions=True), base_url="http://gateway"
        )
        self.key = ""
        self.account = ""

    async def link(self, token: str, project: str = "demo") -> str:
        """Link an account with a sandbox token, by its name."""
        found = await self.database.clients.project(project)
        secret = by_name(token).token
        application = Application(
            project_id=found.id, owner=Owner(id=new_id(), name="Customer"), credential=Secret(secret)
        )
        provider = providers(self.settings)["humaans"]
        async with open_upstream(self.settings, make_metrics()) as upstream:
            parts = Parts(ledger=self.database, upstream=upstream, clock=utc_now, new_id=new_id)
            return (await link(provider.connector, application, parts)).id

    async def make_key(self, *scopes: str, project: str = "demo") -> str:
        found = await self.database.clients.project(project)
        _, secret = await self.database.clients.create_key(found.id, list(scopes) or ["*"])
        return secret.reveal

    async def get(
        self,
        path: str = "/employees",
        *,
        key: str | None = None,
        account: str | None = None,
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> httpx.Response:
        """Ask the unified API; `filter__email` stands for `filter[email]`."""
        params = {name.replace("__", "[") + "]" if "__" in name else name: value for name, value in query.items()}
        return await self.client.get(
            f"/unified/hris{path}",
            params=params,
            auth=(self.key if key is None else key, ""),
            headers={"x-account-id": account or self.account, **(headers or {})},
        )


@pytest.fixture(name="environ")
def fixture_environ(sandbox: Sandbox, redis_url: str, empty_database: Path, tmp_path: Path) -> dict[str, str]:
    """The settings of a test's gateway; a test may change them through `make_site`."""
    path = tmp_path / "gateway.db"
    shutil.copy(empty_database, path)
    return {
        "GATEWAY_DATABASE_URL": f"sqlite:///{path}",
        "GATEWAY_REDIS_URL": redis_url,
        **PATIENT,
        "GATEWAY_HUMAANS_BASE_URL": sandbox.url,
        "GATEWAY_LOG_LEVEL": "error",
        "GATEWAY_ACCOUNTS_MEMO_SECONDS": "0",
    }


@pytest.fixture(name="stack")
async def fixture_stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def open_site(environ: Mapping[str, str], stack: AsyncExitStack, clock: Clock = CLOCK) -> Site:
    settings = settings_for(environ)
    database = await open_the_database(settings, open_the_vault(settings))
    stack.push_async_callback(database.close)
    site = Site(settings, await assemble(settings, stack, clock), database)
    stack.push_async_callback(site.client.aclose)
    return site


@pytest.fixture(name="site")
async def fixture_site(environ: dict[str, str], stack: AsyncExitStack) -> Site:
    """A gateway with one account whose token may do everything, and one key that may ask everything."""
    site = await open_site(environ, stack)
    site.key = await site.make_key()
    site.account = await site.link("all-owner")
    return site


def now() -> datetime:
    return datetime.now(UTC)
