"""A gateway on the sandbox, by the public commands only, with the keys and accounts that the checks need."""

import base64
import json
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from types import MappingProxyType

from deploy.load.processes import Failed, Processes, Server
from deploy.sandbox.tokens import by_name

PROJECT = "load"
WAIT_SECONDS = 20.0
KEYS: Mapping[str, Sequence[str]] = {"all": (), "companies only": ("--scope", "hris.companies:read")}
ACCOUNTS: Mapping[str, str] = {"main": "all-owner", "narrow": "only-public-read", "suspended": "all-admin"}
"""Accounts by the sandbox token that each is linked with."""

FAULTS: Sequence[Mapping[str, object]] = (
    {"kind": "rate_limit", "retry_after": 30, "path": "/people/limited"},
    {"kind": "server_error", "status": 500, "path": "/people/broken"},
)
"""What the sandbox does to whoever asks for these two, who do not exist."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Addresses as `host:port`, keys and account ids by the names above, and the gateway's own process."""

    gateway: str
    sandbox: str
    keys: Mapping[str, str]
    accounts: Mapping[str, str]
    server: Server

    def headers(self, key: str = "all", account: str | None = "main") -> dict[str, str]:
        """Returns the headers of a request; an unknown name is sent unchanged."""
        return headers(self.keys.get(key, key), None if account is None else self.accounts.get(account, account))


def headers(secret: str, account: str | None) -> dict[str, str]:
    """Returns the headers of a request with a key for an account."""
    found = {"authorization": "Basic " + base64.b64encode(f"{secret}:".encode()).decode()}
    return found if account is None else {**found, "x-account-id": account}


def gateway_command(*words: str) -> list[str | Path]:
    return [sys.executable, "-m", "gateway", *words]


def settings(directory: Path, sandbox: str) -> dict[str, str]:
    """Returns the settings of a gateway. Without a Redis URL, `serve` starts a private server."""
    return {
        "GATEWAY_SERVER_PORT": "0",
        "GATEWAY_DATABASE_URL": f"sqlite:///{directory / 'gateway.db'}",
        "GATEWAY_VAULT_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "GATEWAY_HUMAANS_BASE_URL": f"http://{sandbox}/api",
        # Faults here are on purpose; no wait for them.
        "GATEWAY_UPSTREAM_RETRY_WAIT_MAX_SECONDS": "0.01",
        "GATEWAY_LOG_REQUESTS": "false",
        # Redis may be slow on a busy machine.
        "GATEWAY_REDIS_TIMEOUT_SECONDS": "30",
        "GATEWAY_REDIS_CONNECT_TIMEOUT_SECONDS": "30",
    }


def start_sandbox(processes: Processes, people: int, prefix: Sequence[str] = ()) -> str:
    """Start the stand-in for the vendor; give its `host:port`. `prefix` may pin it to a core."""
    command = [*prefix, sys.executable, "-m", "deploy.sandbox", "--port", "0", "--people", str(people)]
    return processes.start("sandbox", command).address().removeprefix("http://").partition("/")[0]


def start_stack(processes: Processes, *, people: int = 60, workers: int = 2) -> Stack:
    sandbox = start_sandbox(processes, people)
    environ = settings(processes.directory, sandbox)
    names = list(KEYS)
    # The first key creates the database and the project; the rest may run concurrently.
    keys = {names[0]: processes.ask(gateway_command("keys", "create", "--project", PROJECT, *KEYS[names[0]]), environ)}
    serve = {**environ, "GATEWAY_SERVER_WORKERS": str(workers)}
    server = processes.start("gateway", gateway_command("serve"), serve)
    with ThreadPoolExecutor(max_workers=4) as pool:
        create = gateway_command("keys", "create", "--project", PROJECT, *KEYS[names[1]])
        other = pool.submit(processes.ask, create, environ)
        linking = {name: pool.submit(link, processes, environ, name) for name in ACCOUNTS}
        accounts = {name: future.result() for name, future in linking.items()}
        keys[names[1]] = other.result()
    gateway = server.address().removeprefix("http://")
    wait_for(gateway, "/readyz", 200)
    # A worker may have looked the account up between link and suspend, and then uses that for `accounts.cache_seconds`.
    suspended = headers(keys[names[0]], accounts["suspended"])
    for _ in range(workers * 4):
        wait_for(gateway, "/unified/hris/employees?page_size=1", 412, suspended)
    make_trouble(sandbox)
    return Stack(gateway, sandbox, keys, accounts, server)


def link(processes: Processes, environ: Mapping[str, str], name: str) -> str:
    words = ("accounts", "link", "--project", PROJECT, "--provider", "humaans", "--owner-id", name)
    account = processes.ask(gateway_command(*words), environ, given=by_name(ACCOUNTS[name]).token)
    if name == "suspended":
        processes.ask(gateway_command("accounts", "suspend", account), environ)
    return account


def wait_for(gateway: str, path: str, status: int, headers: Mapping[str, str] = MappingProxyType({})) -> None:
    """Asks until the answer has a status. The port is open from the start: the answer waits for a worker."""
    ends = time.monotonic() + WAIT_SECONDS
    while True:
        connection = HTTPConnection(gateway, timeout=20)
        connection.request("GET", path, headers=dict(headers))
        found = connection.getresponse().status
        connection.close()
        if found == status:
            return
        if time.monotonic() > ends:
            raise Failed(f"the gateway is not ready: {path} answers {found}, not {status}")
        time.sleep(0.1)


def make_trouble(sandbox: str) -> None:
    """Configures the faults of the sandbox."""
    connection = HTTPConnection(sandbox, timeout=5)
    for fault in FAULTS:
        connection.request("POST", "/_sandbox/faults", json.dumps(fault))
        answer = connection.getresponse()
        if answer.status != 201:
            raise Failed(f"the sandbox does not take a fault: {answer.read().decode()}")
        answer.read()
    connection.close()
