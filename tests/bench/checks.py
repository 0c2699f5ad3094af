"""What no speed may cost: these checks fail the bench."""

import json
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any

from deploy.load.drive import Get
from deploy.load.processes import Failed
from deploy.load.stack import PROJECT, gateway_command, headers
from tests.bench.bars import Section
from tests.bench.setup import LIST, Ground, ask, fetch, start_gateway

REVOKED_SECONDS = 2.0
"""accounts.cache_seconds: a revocation takes effect that late."""
SPARE_SECONDS = 0.5
HOT = 20


def checks_section(ground: Ground, address: str, record: str) -> Section:
    """Raises `Failed` for an answer that is wrong, or given to one who may not have it."""
    rows = [
        ("a key without rights is refused, also after hits on the same connection", _no_rights(ground, address)),
        ("an account that the key does not know is not found", _foreign(ground, address)),
        (f"a revoked key is refused within {REVOKED_SECONDS:g} s", _revoked(ground, address)),
        ("bodies are those of a gateway that caches nothing", _same_bodies(ground, address, record)),
    ]
    return Section("Checks", ("", "seen"), rows, "The bench fails if one of these does.")


def _no_rights(ground: Ground, address: str) -> str:
    words = ("keys", "create", "--project", PROJECT, "--scope", "hris.companies:read")
    narrow = ground.processes.ask(gateway_command(*words), ground.environ)
    connection = HTTPConnection(address, timeout=20)
    for _ in range(HOT):
        for key, wanted in ((ground.key, 200), (narrow, 403)):
            connection.request("GET", LIST, headers=headers(key, ground.account))
            answer = connection.getresponse()
            answer.read()
            if answer.status != wanted:
                raise Failed(f"{LIST} is answered {answer.status}, not {wanted}")
    connection.close()
    return f"{HOT} of {HOT} are 403"


def _foreign(ground: Ground, address: str) -> str:
    words = ("keys", "create", "--project", "another")
    key = ground.processes.ask(gateway_command(*words), ground.environ)
    fetch(address, Get(LIST, ground.headers))
    _must(address, Get(LIST, headers(key, ground.account)), 404)
    return "404"


def _revoked(ground: Ground, address: str) -> str:
    key = ground.processes.ask(gateway_command("keys", "create", "--project", PROJECT), ground.environ)
    listed = ground.processes.ask(gateway_command("keys", "list"), ground.environ)
    key_id = listed.splitlines()[-1].split()[0]
    get = Get(LIST, headers(key, ground.account))
    for _ in range(HOT):
        fetch(address, get)
    ground.processes.ask(gateway_command("keys", "revoke", key_id), ground.environ)
    began = time.monotonic()
    while ask(address, get)[0] != 401:
        if time.monotonic() - began > REVOKED_SECONDS + SPARE_SECONDS:
            raise Failed("a revoked key is still answered")
        time.sleep(0.02)
    return f"401 after {time.monotonic() - began:.1f} s"


def _same_bodies(ground: Ground, address: str, record: str) -> str:
    _, fresh = start_gateway(ground, "fresh", GATEWAY_CACHE_ENABLED="false")
    paths = (
        LIST,
        f"{LIST}?page_size=7",
        f"{LIST}?page_size=60&fields=id,first_name",
        f"{LIST}?expand=company,manager",
        record,
        f"{record}?include=withheld",
        f"{record}/employments",
        "/unified/hris/companies",
    )
    done = 0
    for path in paths:
        get = Get(path, ground.headers)
        status, first = ask(address, get)
        if status != 200:
            continue  # This version of the contract has no such parameter.
        again, anew = fetch(address, get), fetch(fresh, get)
        if not _data(first.body) == _data(again.body) == _data(anew.body):
            raise Failed(f"{path} is answered otherwise from the cache")
        done += 1
    return f"{done} requests, each three times"


def _data(body: bytes) -> Mapping[str, Any]:
    """Returns a body without its cursor, which is sealed anew in each."""
    value: dict[str, Any] = json.loads(body)
    return {name: each for name, each in value.items() if name != "next"}


def _must(address: str, get: Get, wanted: int) -> None:
    status, _ = ask(address, get)
    if status != wanted:
        raise Failed(f"{get.path} is answered {status}, not {wanted}")
