"""What all parts of the bench share: a sandbox, a Redis, linked accounts, and which core is whose."""

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

from deploy.load.drive import Drive, Get
from deploy.load.processes import ROOT, Failed, Processes, Server
from deploy.load.stack import PROJECT, gateway_command, headers, settings, start_sandbox, wait_for
from deploy.sandbox.tokens import by_name
from gateway.cache.embedded_redis import server_programs

SERVER_CORE = 0
OTHER_CORE = 1
"""Redis, the sandbox and the load generator are here, and one server at a time is asked on the other core."""
ON_SERVER_CORE = ("taskset", "-c", str(SERVER_CORE))
ON_OTHER_CORE = ("taskset", "-c", str(OTHER_CORE))

LIST = "/unified/hris/employees"
PEOPLE = 60
TOKEN = "all-owner"
KEPT = {
    f"GATEWAY_CACHE_FRESH_SECONDS_{name}": "3600"
    for name in ("EMPLOYEES", "EMPLOYMENTS", "BANK_DETAILS", "CUSTOM_FIELDS", "GROUPS")
}
"""Settings with which a hit stays one for the whole of the bench."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure: rounds, seconds of one run of hits, samples of single requests, linked accounts."""

    rounds: int
    seconds: int
    samples: int
    accounts: int
    paced_seconds: int


@dataclass(frozen=True, slots=True)
class Ground:
    """Addresses as `host:port`, the settings of our gateway, and a key and accounts that it knows."""

    processes: Processes
    redis: str
    sandbox: str
    environ: dict[str, str]
    key: str
    accounts: tuple[str, ...]
    place: Path = field(default=ROOT)

    @property
    def account(self) -> str:
        return self.accounts[0]

    @property
    def headers(self) -> dict[str, str]:
        return headers(self.key, self.account)

    @property
    def vendor_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {by_name(TOKEN).token}"}


@dataclass(frozen=True, slots=True)
class Answer:
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for known, value in self.headers if known.lower() == name), "")


def ask(address: str, get: Get, method: str = "GET", body: bytes | None = None) -> tuple[int, Answer]:
    """Asks once, on a connection of its own. Returns the status and the answer."""
    connection = HTTPConnection(address, timeout=60)
    try:
        connection.request(method, get.path, body, headers=dict(get.headers))
        answer = connection.getresponse()
        return answer.status, Answer(answer.getheaders(), answer.read())
    finally:
        connection.close()


def fetch(address: str, get: Get, method: str = "GET", body: bytes | None = None) -> Answer:
    """As `ask`. Anything but success is a fault of the bench."""
    status, answer = ask(address, get, method, body)
    if status >= 300:
        raise Failed(f"{address} answers {status} to {get.path}: {answer.body[:200]!r}")
    return answer


def lay_ground(
    processes: Processes,
    name: str = "main",
    people: int = PEOPLE,
    *,
    accounts: int = 1,
    place: Path = ROOT,
    fresh: Mapping[str, str] = KEPT,
    yielding: bool = False,
) -> Ground:
    """Starts a Redis and a company, and links accounts to it; `place` is the directory of the gateway's code.

    A `yielding` company gives way to whoever measures on its core.
    """
    folder = processes.directory / name
    folder.mkdir()
    sandbox = start_sandbox(processes, people, (*ON_OTHER_CORE, *(("nice", "-n", "19") if yielding else ())))
    redis = _start_redis(processes, folder)
    environ = {**settings(folder, sandbox), "GATEWAY_REDIS_URL": redis, **fresh}
    key = processes.ask(gateway_command("keys", "create", "--project", PROJECT), environ, place=place)

    def link(number: int) -> str:
        words = ("accounts", "link", "--project", PROJECT, "--provider", "humaans", "--owner-id", f"customer {number}")
        return processes.ask(gateway_command(*words), environ, by_name(TOKEN).token, place=place)

    if place == ROOT:
        first = link(0)
        copies = [sys.executable, "-m", "tests.bench.seed", first, str(accounts - 1)]
        linked = (first, *processes.ask(copies, environ).split())
    else:  # Another commit has its own tables, so that its own command line must fill them.
        with ThreadPoolExecutor(max_workers=2) as pool:
            linked = tuple(pool.map(link, range(accounts)))
    return Ground(processes, redis, sandbox, environ, key, linked, place)


def start_gateway(ground: Ground, name: str = "gateway", **settings: str) -> tuple[Server, str]:
    """Starts a gateway with one worker on the core of servers, or several on all cores."""
    environ = {**ground.environ, "GATEWAY_SERVER_WORKERS": "1", **settings}
    pinned = ON_SERVER_CORE if environ["GATEWAY_SERVER_WORKERS"] == "1" else ()
    command = [*pinned, *gateway_command("serve")]
    server = ground.processes.start(name, command, environ, place=ground.place)
    address = server.address().removeprefix("http://")
    wait_for(address, "/readyz", 200)
    return server, address


def start_module(ground: Ground, module: str, *words: str | Path, **environ: str) -> tuple[Server, str]:
    """Starts an ASGI app of the bench on the core of servers."""
    command = [*ON_SERVER_CORE, sys.executable, "-m", f"tests.bench.{module}", *words]
    name = f"{module}-{environ.get('BENCH_NAME', 'hits')}"
    server = ground.processes.start(name, command, environ)
    return server, server.address().removeprefix("http://")


def drive_of(processes: Processes, seconds: int, connections: int = 16) -> Drive:
    return Drive(processes.directory, max(1, seconds), connections, prefix=ON_OTHER_CORE)


def _start_redis(processes: Processes, folder: Path) -> str:
    path = folder / "redis.sock"
    options: list[str | Path] = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"]
    command = [*ON_OTHER_CORE, server_programs()[0], *options, "--dir", folder]
    processes.start(f"redis-{folder.name}", command).wait_for(path.exists)
    return f"unix://{path}"
