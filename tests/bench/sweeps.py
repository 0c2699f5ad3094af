"""A company of ten thousand people: what reading its lists costs, and what it costs everybody else."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles

from deploy.load.drive import Get, Line
from deploy.load.processes import Failed, Processes
from deploy.load.stack import PROJECT, gateway_command, headers, settings, start_sandbox
from deploy.sandbox.tokens import by_name
from tests.bench.setup import LIST, ON_OTHER_CORE, Ground, fetch, lay_ground, start_gateway
from tests.bench.table import table

PEOPLE = 10_000
PAGE = 250
SAMPLES = 40
KIND = ("nice", "-n", "19")
"""The vendor gives way to the caller whose waiting is measured, with whom it shares a core."""
KEPT = {
    f"GATEWAY_CACHE_FRESH_SECONDS_{name}": "3600"
    for name in ("EMPLOYEES", "EMPLOYMENTS", "BANK_DETAILS", "CUSTOM_FIELDS", "GROUPS")
}
EVICTED = {"GATEWAY_CACHE_LOCAL_BYTES": "65536"}
"""No list fits: each is read from Redis again."""


@dataclass(frozen=True, slots=True)
class Place:
    """A running gateway, the process id that is measured, and the headers of the large account and of another one."""

    address: str
    process: int
    large: dict[str, str]
    other: dict[str, str]


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds that another account's hits took, one after the other."""

    all: Sequence[float]

    @property
    def longest(self) -> float:
        return max(self.all)

    @property
    def p999(self) -> float:
        return quantiles(self.all, n=1000, method="inclusive")[-1]


def cpu_ms(process: int) -> float:
    """Returns the processor time of all threads of a process so far, in milliseconds."""
    files = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e6


def resident_mb(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise Failed(f"process {process} has no memory")


def sweeps_table(ground: Ground) -> str:
    """Returns the table. The sandbox of the company is started here, and ends with the processes of the ground."""
    head = (f"{PEOPLE:,} people, 1 worker", "measured", "bar")
    return table(head, sweep_rows(ground))


def sweep_rows(ground: Ground) -> list[tuple[str, str, str]]:
    """Returns rows of what was measured, with the bar that it is held to."""
    sandbox = start_sandbox(ground.processes, PEOPLE, (*ON_OTHER_CORE, *KIND))
    folder = ground.processes.directory / "sweeps"
    folder.mkdir()
    environ = {**settings(folder, sandbox), "GATEWAY_REDIS_URL": ground.redis, **KEPT}
    key = ground.processes.ask(gateway_command("keys", "create", "--project", PROJECT), environ)
    accounts = [_link(ground.processes, environ, name) for name in ("large", "other")]
    laid = replace(ground, sandbox=sandbox, environ=environ, key=key, account=accounts[0])
    place = _start(laid, accounts, "sweeps")
    idle = resident_mb(place.process)
    first, waits = asyncio.run(_sweep(place))
    held = resident_mb(place.process) - idle
    people = json.loads(fetch(place.address, Get(f"{LIST}?page_size={PAGE}", place.large)).body)["data"]
    export, later = asyncio.run(_exported(place))
    far = _start(laid, accounts, "sweeps-far", **EVICTED)
    records = [Get(f"{LIST}/{each['id']}", far.large) for each in people[-SAMPLES:]]
    emails = [Get(f"{LIST}?filter%5Bemail%5D={each['work_email']}", far.large) for each in people[-SAMPLES:]]
    return [
        ("first page, cold", f"{first:,.0f} ms CPU", "≤ 250"),
        ("another account's hits meanwhile, p99.9", f"{waits.p999:.1f} ms", "≤ 10"),
        ("  the longest of them", f"{waits.longest:.1f} ms", ""),
        (f"one of {SAMPLES} records by id, lists evicted", f"{_each(far, records):.1f} ms CPU", "≤ 5"),
        ("one by e-mail, lists evicted", f"{_each(far, emails):.1f} ms CPU", ""),
        (f"export, {PAGE} a page", f"{export:.0f} µs CPU a row", "≤ 60"),
        ("  another account's hits meanwhile, p99.9", f"{later.p999:.1f} ms", "≤ 10"),
        ("resident memory above idle, after the sweep", f"{held:.0f} MB", "≤ 60"),
        ("  after the export", f"{resident_mb(place.process) - idle:.0f} MB", ""),
    ]


def _start(ground: Ground, accounts: Sequence[str], name: str, **chosen: str) -> Place:
    """Starts a gateway that has answered the other account, so that everything is loaded and its hits are local."""
    server, address = start_gateway(ground, name, **chosen)
    large, other = (headers(ground.key, account) for account in accounts)
    for _ in range(50):
        fetch(address, Get("/unified/hris/companies", other))
    return Place(address, server.process.pid, large, other)


def _link(processes: Processes, environ: dict[str, str], name: str) -> str:
    words = ("accounts", "link", "--project", PROJECT, "--provider", "humaans", "--owner-id", name)
    return processes.ask(gateway_command(*words), environ, given=by_name("all-owner").token)


async def _sweep(place: Place) -> tuple[float, Waits]:
    """Returns the CPU time of the first page, and how long another account's hits took meanwhile."""
    cost, waits = await _beside(place, lambda: asyncio.to_thread(fetch, place.address, Get(LIST, place.large)))
    return cost, waits


async def _exported(place: Place) -> tuple[float, Waits]:
    """Returns the CPU time of a row of a whole export in microseconds, and how long others' hits took meanwhile."""

    def walk() -> None:
        query, found = f"?page_size={PAGE}", 0
        while query:
            page = json.loads(fetch(place.address, Get(LIST + query, place.large)).body)
            query = f"?page_size={PAGE}&next={page['next']}" if page["next"] else ""
            found += len(page["data"])
        if found != PEOPLE:
            raise Failed(f"the export has {found} people")

    cost, waits = await _beside(place, lambda: asyncio.to_thread(walk))
    return cost * 1000 / PEOPLE, waits


async def _beside(place: Place, work: Callable[[], Awaitable[object]]) -> tuple[float, Waits]:
    """Does some work while another account is served hits. Returns the CPU time without those, and their times."""
    get = Get("/unified/hris/companies", place.other)
    line = await Line.open(place.address)
    alone = [await _timed(line, get) for _ in range(200)]
    before = cpu_ms(place.process)
    for _ in alone:
        await _timed(line, get)
    each, before = (cpu_ms(place.process) - before) / len(alone), cpu_ms(place.process)
    task = asyncio.ensure_future(work())
    times = []
    while not task.done():
        times.append(await _timed(line, get))
        await asyncio.sleep(0.002)
    await task
    line.close()
    return cpu_ms(place.process) - before - each * len(times), Waits(times)


async def _timed(line: Line, get: Get) -> float:
    began = time.perf_counter()
    if await line.ask(get) != 200:
        raise Failed(f"{get.path} was not answered")
    return (time.perf_counter() - began) * 1000


def _each(place: Place, gets: Sequence[Get]) -> float:
    """Returns the CPU time of a request in milliseconds."""
    before = cpu_ms(place.process)
    for get in gets:
        fetch(place.address, get)
    return (cpu_ms(place.process) - before) / len(gets)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Processes(Path(name)) as processes:
        print(sweeps_table(lay_ground(processes)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
