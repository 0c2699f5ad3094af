"""A PostgreSQL cluster of its own for the tests of the database, thrown away at the end."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from gateway.adapters.accounts import Database, migrate
from tests.adapters.databases import Time, open_database

ACCOUNT_OF_SERVER = "postgres"


def _find(program: str) -> str | None:
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)
    return str(debian[0]) if debian else shutil.which(program)


def _as_server(*words: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", ACCOUNT_OF_SERVER, "--", *words] if os.geteuid() == 0 else list(words)


def _run(*words: str) -> None:
    subprocess.run(_as_server(*words), check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """Give the directory of the socket that a PostgreSQL listens on."""
    initdb, pg_ctl = _find("initdb"), _find("pg_ctl")
    if initdb is None or pg_ctl is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no PostgreSQL to test with: install it")
        pytest.skip("there is no PostgreSQL here")
    # Not pytest's directory, which other users cannot enter, and a path short enough for a socket.
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    if os.geteuid() == 0:
        shutil.chown(home, ACCOUNT_OF_SERVER)
    data = str(home / "data")
    try:
        _run(initdb, "-D", data, "-U", "gateway", "--auth=trust", "--no-sync", "-E", "UTF8")
        options = f"-k {home} -c listen_addresses= -c fsync=off -c max_connections=60"
        _run(pg_ctl, "-D", data, "-w", "-l", str(home / "log"), "-o", options, "start")
        try:
            yield home
        finally:
            _run(pg_ctl, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home)


async def make_empty_postgresql(cluster: Path) -> str:
    name = f"t{secrets.token_hex(8)}"
    connection = await asyncpg.connect(host=str(cluster), user="gateway", database="postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"postgresql+asyncpg://gateway@/{name}?host={cluster}"


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database without tables, once for each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'data' / 'gateway.db'}"
    return await make_empty_postgresql(request.getfixturevalue("cluster"))


@pytest.fixture
async def url(empty_url: str) -> str:
    await migrate(empty_url)
    return empty_url


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def database(url: str, time: Time) -> AsyncIterator[Database]:
    database = open_database(url, time)
    yield database
    await database.close()
