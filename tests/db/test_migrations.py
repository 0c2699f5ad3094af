"""The tables come out the same however often and by however many processes they are made."""

import asyncio
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from gateway.db.engine import migrate, open_engine, reading, writing
from gateway.db.schema import metadata
from gateway.errors import StoreUnavailable

ROOT = Path(__file__).parents[2]
MIGRATE = "import asyncio, sys; from gateway.db.engine import migrate; asyncio.run(migrate(sys.argv[1]))"


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_the_migrated_tables_are_those_that_the_code_declares(url: str) -> None:
    engine = open_engine(url)
    async with reading(engine) as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_migrating_again_changes_nothing(url: str) -> None:
    engine = open_engine(url)
    async with writing(engine) as connection:
        await connection.execute(text("INSERT INTO projects VALUES ('p', 'kept', '2026-01-01')"))
    await migrate(url)
    async with reading(engine) as connection:
        assert (await connection.execute(text("SELECT name FROM projects"))).scalar_one() == "kept"
    await engine.dispose()


async def test_processes_that_start_together_take_turns(empty_url: str) -> None:
    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", MIGRATE, empty_url], cwd=ROOT, stderr=subprocess.PIPE)

    ends = [(each.communicate()[1], each.returncode) for each in [start() for _ in range(4)]]
    assert ends == [(b"", 0)] * 4
    engine = open_engine(empty_url)
    async with reading(engine) as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    engine = open_engine(empty_url)
    async with writing(engine) as connection:
        # In the way of the last table of the first revision.
        await connection.execute(text("CREATE TABLE pending_purges (id INTEGER)"))
    with pytest.raises(StoreUnavailable):
        await migrate(empty_url)
    async with writing(engine) as connection:
        await connection.execute(text("DROP TABLE pending_purges"))
    await migrate(empty_url)
    async with reading(engine) as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


@pytest.mark.parametrize("revision", ["9999", "0011", "0001"])
async def test_a_database_of_another_version_is_refused_with_what_to_do(url: str, revision: str) -> None:
    """Newer ones, and those of the revisions before the first release, which began with 0001."""
    engine = open_engine(url)
    async with writing(engine) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    advice = "start that version or a newer one, or name a new database in GATEWAY_DATABASE_URL"
    with pytest.raises(StoreUnavailable, match=advice):
        await migrate(url)
    await engine.dispose()


async def test_the_files_of_sqlite_are_for_their_owner_alone(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'data' / 'gateway.db'}"
    await migrate(url)
    engine = open_engine(url)
    async with writing(engine) as connection:
        await connection.execute(text("INSERT INTO projects VALUES ('p', 'name', '2026-01-01')"))
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "data").iterdir()}
    await engine.dispose()
    assert modes == dict.fromkeys(("gateway.db", "gateway.db-wal", "gateway.db-shm"), 0o600)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:", "no url at all"])
async def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="GATEWAY_DATABASE_URL"):
        await migrate(url)


async def test_migrating_does_not_speak_or_change_how_others_log(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    await asyncio.gather(migrate(url), migrate(url))
    assert capfd.readouterr() == ("", "")
