"""What all contestants of the bench share: a sandbox, a Redis, one linked account, and which core is whose."""

import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from deploy.load.drive import Get
from deploy.load.processes import Failed, Processes, Server
from deploy.load.stack import PROJECT, gateway_command, headers, link, settings, start_sandbox, wait_for
from deploy.sandbox.tokens import by_name
from gateway.cache.embedded_redis import server_programs

SERVER_CORE = 0
OTHER_CORE = 1
"""Redis, the sandbox and the load generator are here, and one server at a time is asked on the other core."""
ON_SERVER_CORE = ("taskset", "-c", str(SERVER_CORE))
ON_OTHER_CORE = ("taskset", "-c", str(OTHER_CORE))

LIST = "/unified/hris/employees"
PEOPLE = 60
KEPT_SECONDS = "3600"


@dataclass(frozen=True, slots=True)
class Ground:
    """Addresses as `host:port`, the settings of our gateway, and a key and account that it knows."""

    processes: Processes
    redis: str
    sandbox: str
    environ: dict[str, str]
    key: str
    account: str

    @property
    def headers(self) -> dict[str, str]:
        return headers(self.key, self.account)

    @property
    def vendor_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {by_name('all-owner').token}"}


@dataclass(frozen=True, slots=True)
class Answer:
    headers: list[tuple[str, str]]
    body: bytes


def fetch(address: str, get: Get, method: str = "GET") -> Answer:
    """Asks once. Anything but success is a fault of the bench."""
    connection = HTTPConnection(address, timeout=20)
    connection.request(method, get.path, headers=dict(get.headers))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status >= 300:
        raise Failed(f"{address} answers {answer.status} to {get.path}: {body[:200]!r}")
    return Answer(answer.getheaders(), body)


def lay_ground(processes: Processes) -> Ground:
    sandbox = start_sandbox(processes, PEOPLE, ON_OTHER_CORE)
    redis = _start_redis(processes)
    environ = {
        **settings(processes.directory, sandbox),
        "GATEWAY_REDIS_URL": redis,
        # A hit is to stay one for the whole of the bench.
        "GATEWAY_CACHE_FRESH_SECONDS_EMPLOYEES": KEPT_SECONDS,
        "GATEWAY_CACHE_FRESH_SECONDS_EMPLOYMENTS": KEPT_SECONDS,
    }
    key = processes.ask(gateway_command("keys", "create", "--project", PROJECT), environ)
    return Ground(processes, redis, sandbox, environ, key, link(processes, environ, "main"))


def start_gateway(ground: Ground, name: str = "gateway", **settings: str) -> tuple[Server, str]:
    command = [*ON_SERVER_CORE, *gateway_command("serve")]
    server = ground.processes.start(name, command, {**ground.environ, "GATEWAY_SERVER_WORKERS": "1", **settings})
    address = server.address().removeprefix("http://")
    wait_for(address, "/readyz", 200)
    return server, address


def start_module(ground: Ground, module: str, *words: str | Path, **environ: str) -> tuple[Server, str]:
    """Starts an ASGI app of the bench on the core of servers."""
    command = [*ON_SERVER_CORE, sys.executable, "-m", f"tests.bench.{module}", *words]
    name = f"{module}-{environ.get('BENCH_NAME', 'hits')}"
    server = ground.processes.start(name, command, environ)
    return server, server.address().removeprefix("http://")


def _start_redis(processes: Processes) -> str:
    path = processes.directory / "redis.sock"
    options: list[str | Path] = [
        "--port",
        "0",
        "--unixsocket",
        path,
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        processes.directory,
    ]
    server = processes.start("redis", [*ON_OTHER_CORE, server_programs()[0], *options])
    server.wait_for(path.exists)
    return f"unix://{path}"
