"""What grows with the linked accounts, measured at two sizes with real servers, and whether it grows in proportion.

`python -m tests.bench.scaling` starts a Redis, a company and a gateway. `--postgresql URL` names an empty database to
measure as well; it is left filled.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from redis import Redis

from deploy.load.drive import Get
from deploy.load.processes import Failed, Processes
from deploy.load.stack import PROJECT, gateway_command, headers
from tests.bench.machine import resident_mb
from tests.bench.setup import LIST, Ground, fetch, lay_ground, start_gateway
from tests.bench.table import table

STORED = (2_000, 8_000)
"""Accounts in the database."""
CACHED = (25, 100)
"""Accounts with answers and lists in Redis and in the worker."""
TARGET = 1_000_000
TOLERANCE = 0.15
SEED_SECONDS = 300.0
HEAD = ("per account", "at the smaller size", "at the larger", "in proportion", f"for {TARGET:,}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.scaling", description=__doc__)
    parser.add_argument("--postgresql", default="", help="URL of an empty database, such as postgresql://host/name")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scaling-") as name, Processes(Path(name)) as processes:
        ground = lay_ground(processes)
        rows = [_database_row("database, SQLite", ground, ground.account, _sqlite_bytes(ground))]
        if wanted.postgresql:
            rows.append(_postgresql_row(ground, wanted.postgresql))
        rows += _cached_rows(processes)
        print(table(HEAD, rows), flush=True)
    return 0 if all(row[3] == "yes" for row in rows) else 1


def _database_row(name: str, ground: Ground, account: str, size: Callable[[], int]) -> tuple[str, ...]:
    sizes, known = [size()], 0
    for count in STORED:
        _copy(ground, account, count - known)
        known = count
        sizes.append(size())
    return _row(name, STORED, sizes)


def _copy(ground: Ground, account: str, count: int) -> None:
    command = [sys.executable, "-m", "tests.bench.seed", account, str(count)]
    if ground.processes.start(f"seed-{count}", command, ground.environ).process.wait(SEED_SECONDS):
        raise Failed("the accounts cannot be copied")


def _sqlite_bytes(ground: Ground) -> Callable[[], int]:
    file = Path(ground.environ["GATEWAY_DATABASE_URL"].removeprefix("sqlite:///"))
    return lambda: sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*") if "-shm" not in each.name)


def _postgresql_row(ground: Ground, url: str) -> tuple[str, ...]:
    there = replace(ground, environ={**ground.environ, "GATEWAY_DATABASE_URL": url})
    ground.processes.ask(gateway_command("keys", "create", "--project", PROJECT), there.environ)
    words = ("accounts", "link", "--project", PROJECT, "--provider", "humaans", "--owner-id", "first")
    token = ground.vendor_headers["authorization"].removeprefix("Bearer ")
    account = ground.processes.ask(gateway_command(*words), there.environ, token)

    # The driver of the gateway is asynchronous; the size is asked of psql.
    def size() -> int:
        return int(ground.processes.ask(["psql", url, "-tAc", "SELECT pg_database_size(current_database())"]))

    return _database_row("database, PostgreSQL", there, account, size)


def _cached_rows(processes: Processes) -> list[tuple[str, ...]]:
    """Reads two pages of each account of a company of 60, through a gateway and into a real Redis."""
    ground = lay_ground(processes, "cached", accounts=CACHED[-1] + 1)
    server, address = start_gateway(ground, "scaling")
    asked, redis, resident = 0, [], []
    _ask(ground, address, ground.accounts[-1])
    for count in (0, *CACHED):
        for account in ground.accounts[asked:count]:
            _ask(ground, address, account)
        asked = count
        redis.append(_redis_bytes(ground))
        resident.append(int(resident_mb({server.process.pid}) * 1e6))
    return [
        _row("Redis, two pages and their lists", CACHED, redis),
        # The local cache has a limit, so this does not go on.
        (*_row("resident memory of the worker, the same", CACHED, resident)[:-1], "cache.local_bytes"),
    ]


def _ask(ground: Ground, address: str, account: str) -> None:
    for path in (LIST, f"{LIST}?page_size=1"):
        fetch(address, Get(path, headers(ground.key, account)))


def _redis_bytes(ground: Ground) -> int:
    with Redis.from_url(ground.redis) as redis:
        return int(redis.info("memory")["used_memory_dataset"])


def _row(name: str, counts: Sequence[int], sizes: Sequence[int]) -> tuple[str, ...]:
    """`sizes` are the bytes with none, with the first and with the second count."""
    first, second = ((size - sizes[0]) / count for size, count in zip(sizes[1:], counts, strict=True))
    if not first or not second:
        raise Failed(f"{name} does not grow")
    even = "yes" if abs(second / first - 1) <= TOLERANCE else "NO"
    return (name, f"{first:,.0f} B", f"{second:,.0f} B", even, f"{second * TARGET / 1e9:.1f} GB")


if __name__ == "__main__":
    sys.exit(main())
