"""A mixed workload over many accounts: with no cache, with Redis alone, and with both levels."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from itertools import accumulate

from redis import Redis

from deploy.load.drive import Drive, Figures, Get
from deploy.load.processes import Failed, Processes
from deploy.load.stack import PROJECT, gateway_command, headers, settings, start_sandbox
from deploy.sandbox.tokens import by_name
from tests.bench.setup import LIST, ON_OTHER_CORE, Ground, fetch, start_gateway
from tests.bench.table import table

ACCOUNTS = 20
PEOPLE = 1000
QUESTIONS = 4000
SKEW = 1.1
"""Of Zipf: the first account is asked about ten times as often as the tenth."""
WAYS = {
    "no cache": {"GATEWAY_CACHE_ENABLED": "false"},
    "Redis only": {"GATEWAY_CACHE_LOCAL_BYTES": "0"},
    "local cache and Redis": {},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    figures: Figures
    hits: float
    calls: int


def workload_table(ground: Ground, drive: Drive) -> str:
    """Asks the same questions in the same order of each; caches begin empty, and are warm when it counts."""
    sandbox = start_sandbox(ground.processes, PEOPLE, ON_OTHER_CORE)
    folder = ground.processes.directory / "workload"
    folder.mkdir()
    environ = {**settings(folder, sandbox), "GATEWAY_REDIS_URL": ground.redis}
    key = ground.processes.ask(gateway_command("keys", "create", "--project", PROJECT), environ)
    accounts = [_link(ground.processes, environ, number) for number in range(ACCOUNTS)]
    rows = []
    for name, chosen in WAYS.items():
        with Redis.from_url(ground.redis) as redis:
            redis.flushall()
        place = replace(ground, sandbox=sandbox, environ=environ, key=key)
        _, address = start_gateway(place, f"workload-{name.replace(' ', '-')}", **chosen)
        outcome = _measure(place, address, accounts, drive)
        figures = outcome.figures
        rows.append(
            (
                name,
                f"{figures.rate:,.0f}",
                f"{outcome.hits:.1%}",
                f"{outcome.calls / figures.requests * 1000:,.0f}",
                f"{figures.p50:.2f}",
                f"{figures.p99:.2f}",
            )
        )
    head = (
        f"{ACCOUNTS} accounts of {PEOPLE:,} people",
        "requests/s",
        "hits",
        "vendor calls per 1,000",
        "p50 ms",
        "p99 ms",
    )
    return table(head, rows)


def _link(processes: Processes, environ: dict[str, str], number: int) -> str:
    """Links an account; all are of one company, and none knows of the others."""
    words = ("accounts", "link", "--project", PROJECT, "--provider", "humaans", "--owner-id", f"customer {number}")
    return processes.ask(gateway_command(*words), environ, given=by_name("all-owner").token)


def _measure(ground: Ground, address: str, accounts: Sequence[str], drive: Drive) -> Outcome:
    questions = _questions(ground, address, accounts)
    drive(address, questions)  # After that the cold cache is warm, where there is one.
    before, asked = _metrics(address), _calls(ground.sandbox)
    figures = drive(address, questions)
    if figures.bad:
        raise Failed(f"{figures.bad} questions of the workload were not answered")
    after = _metrics(address)
    served = {word: after.get(word, 0) - before.get(word, 0) for word in after}
    hits = sum(served.get(word, 0) for word in ("hit", "stale")) / max(1, sum(served.values()))
    return Outcome(figures, hits, _calls(ground.sandbox) - asked)


def _questions(ground: Ground, address: str, accounts: Sequence[str]) -> list[Get]:
    """Returns pages, records, look-ups by e-mail and roles of one person; the same ones each time."""
    chance = random.Random(7)
    people = json.loads(fetch(address, Get(f"{LIST}?page_size=250", headers(ground.key, accounts[0]))).body)["data"]
    weights = list(accumulate(1 / (place + 1) ** SKEW for place in range(len(accounts))))
    kinds = ("page", "page", "record", "record", "record", "email", "roles")
    found = []
    for _ in range(QUESTIONS):
        person, kind = chance.choice(people), chance.choice(kinds)
        path = {
            "page": f"{LIST}?page_size={chance.choice((25, 50, 100))}",
            "record": f"{LIST}/{person['id']}",
            "email": f"{LIST}?filter%5Bemail%5D={person['work_email']}",
            "roles": f"{LIST}/{person['id']}/employments",
        }[kind]
        account = chance.choices(accounts, cum_weights=weights)[0]
        found.append(Get(path, headers(ground.key, account)))
    return found


def _metrics(address: str) -> dict[str, float]:
    """Returns how many requests were answered by each word of the cache."""
    found: dict[str, float] = {}
    for line in _get(address, "/metrics").decode().splitlines():
        if line.startswith("gateway_requests_total{"):
            word = line.partition('cache="')[2].partition('"')[0]
            if word != "none":
                found[word] = found.get(word, 0) + float(line.rpartition(" ")[2])
    return found


def _calls(sandbox: str) -> int:
    return int(json.loads(_get(sandbox, "/_sandbox/calls"))["total"])


def _get(address: str, path: str) -> bytes:
    connection = HTTPConnection(address, timeout=20)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body
