"""Opens SQLite or PostgreSQL, migrates its tables, and runs transactions.

Exceptions of libraries stop here: `translate_errors` raises `StoreUnavailable` instead.
"""

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.errors import StoreUnavailable

CONNECT_SECONDS = 5
COMMAND_SECONDS = 4
MIGRATION_SECONDS = 600
"""A migration may take long, and other processes wait for it."""
POOL_SIZE = 10
BUSY_MILLISECONDS = 10_000
MIGRATION_LOCK = 0x68726973
MIGRATIONS = Path(__file__).parent / "migrations"

FAULTS = (SQLAlchemyError, sqlite3.Error, OSError)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raises `StoreUnavailable` for errors of drivers, pools and sockets, without an address or a password."""
    try:
        yield
    except CommandError as error:
        raise StoreUnavailable(
            "the database was made by another version of the gateway: start that version or a newer one, or name a new "
            "database in GATEWAY_DATABASE_URL and link the accounts again"
        ) from error
    except FAULTS as error:
        raise StoreUnavailable(
            f"the database cannot be used now ({type(error).__name__}): see that it runs and that "
            "GATEWAY_DATABASE_URL is right"
        ) from error


def open_engine(url: str, command_seconds: float = COMMAND_SECONDS) -> AsyncEngine:
    """Returns an engine for `sqlite+aiosqlite://` or `postgresql+asyncpg://`. It connects on first use."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        # The cause may repeat the URL, password and all.
        raise StoreUnavailable("GATEWAY_DATABASE_URL is not a database URL") from None
    return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed, command_seconds)


async def migrate(url: str) -> None:
    """Migrates the tables. Several processes may call it at once: one migrates, the others wait."""
    engine = open_engine(url, MIGRATION_SECONDS)
    try:
        async with writing(engine) as connection:
            if engine.dialect.name == "postgresql":
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    with translate_errors():
        async with engine.connect() as connection:
            yield connection


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Opens a transaction.

    SQLite takes its write lock at the start and waits for it. A transaction that reads first and writes later would
    fail at once if another one has written in between.
    """
    afterwards: list[Callable[[], None]] = []
    with translate_errors():
        async with engine.execution_options(writes=True, afterwards=afterwards).begin() as connection:
            yield connection
    for call in afterwards:
        call()


def after_commit(connection: AsyncConnection, call: Callable[[], None]) -> None:
    """Has a function called after the transaction of `writing` is committed, and not if it is rolled back."""
    calls: list[Callable[[], None]] = connection.sync_engine.get_execution_options()["afterwards"]
    calls.append(call)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _postgresql(url: URL, command_seconds: float) -> AsyncEngine:
    return create_async_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={"timeout": CONNECT_SECONDS, "command_timeout": command_seconds},
    )


def _sqlite(url: URL) -> AsyncEngine:
    if not url.database or url.database == ":memory:" or url.query:
        raise StoreUnavailable("GATEWAY_DATABASE_URL names no SQLite file: write sqlite:///path/to/file.db")
    path = Path(url.database)
    engine = create_async_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
    )
    event.listen(engine.sync_engine, "do_connect", lambda *_: _create_private(path))
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _create_private(path: Path) -> None:
    # SQLite creates its journal files with the mode of the database, so the mode must be right from the start.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # An existing file must not be opened here: closing a descriptor drops all POSIX locks of this process on the file,
    # and another process could then delete the journal under open connections.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _prepare(connection: Any, record: object) -> None:  # noqa: ARG001 - the event's signature
    # `_begin` begins transactions, because the driver would begin them late and without a lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # Deleted rows must not stay readable in free pages.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def empty_journal(connection: Connection) -> bool:
    """Moves SQLite's write-ahead journal into the database file and truncates it. Not to be used in a transaction.

    Returns False while a reader is open: SQLite then leaves the journal as it is and raises nothing.
    """
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    row = cursor.fetchone()
    cursor.close()
    return row is not None and not row[0]
