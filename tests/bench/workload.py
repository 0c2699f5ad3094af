"""A mixed workload over many accounts: rate and waits beside an older commit, and calls to the vendor at a set pace."""

import asyncio
import json
import random
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import median

from deploy.load.drive import Get
from deploy.load.processes import ROOT, Failed
from deploy.load.stack import headers
from tests.bench.bars import Section
from tests.bench.contestants import Contestant
from tests.bench.machine import cpu_seconds, has_commit
from tests.bench.paced import pace_many
from tests.bench.setup import LIST, Effort, Ground, ask, drive_of, fetch, lay_ground, start_gateway

ACCOUNTS = 20
PEOPLE = 1000
QUESTIONS = 4000
SKEW = 1.1
"""Of Zipf: the first account is asked about ten times as often as the tenth."""
PER_SECOND = 150
"""About what the baseline answers, so that lists grow stale as often for each."""
WAYS: Mapping[str, Mapping[str, str]] = {
    "local cache and Redis": {},
    "Redis only": {"GATEWAY_CACHE_LOCAL_BYTES": "0"},
}
MODES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "as configured by default": ("calls/deltas", {}),
}
"""Ways to ask the vendor less: the bar that each is held to, and its settings."""


@dataclass(frozen=True, slots=True)
class Side:
    """A gateway with its companies and the questions that it is asked."""

    name: str
    ground: Ground
    gateway: Contestant
    questions: Sequence[Get]


def workload_section(base: Ground, effort: Effort, baseline: str) -> Section:
    """Asks the same questions of each, in turn; caches begin empty, and are warm when it counts."""
    sides = [_side(base, f"workload-{place}", name, ROOT, chosen) for place, (name, chosen) in enumerate(WAYS.items())]
    if has_commit(baseline):
        sides.append(_side(base, "workload-baseline", f"commit {baseline}", _checked_out(base, baseline), {}))
    drive = drive_of(base.processes, effort.seconds * 2)
    for side in sides:
        drive(side.gateway.address, side.questions)
    found: list[list[tuple[float, float, float, float, float]]] = [[] for _ in sides]
    for _ in range(effort.rounds):
        for side, own in zip(sides, found, strict=True):
            calls, hits, cpu = _calls(side), _hits(side), cpu_seconds(side.gateway.groups)
            figures = drive(side.gateway.address, side.questions)
            if figures.bad:
                raise Failed(f"{figures.bad} questions of the workload were not answered by {side.name}")
            cpu = (cpu_seconds(side.gateway.groups) - cpu) / figures.requests * 1e6
            asked = (_calls(side) - calls) / figures.requests * 1000
            part = (_hits(side) - hits) / figures.requests
            own.append((figures.rate, part, asked, cpu, figures.p99))
    rows = []
    for side, own in zip(sides, found, strict=True):
        rate, part, asked, cpu, p99 = (median(values) for values in zip(*own, strict=True))
        rows.append((side.name, f"{rate:,.0f}", f"{part:.1%}", f"{asked:,.0f}", f"{cpu:,.0f}", f"{p99:.1f}"))
    measured = {"work/p99": median(each[4] for each in found[0])}
    if len(sides) > len(WAYS):
        ratios = [mine[0] / theirs[0] for mine, theirs in zip(found[0], found[-1], strict=True)]
        measured["work/rate"] = median(ratios)
    head = ("", "requests/s", "hits", "vendor calls per 1,000", "CPU µs each", "p99 ms")
    note = "Pages, records, look-ups by e-mail and roles, by a Zipf distribution over the accounts; as fast as it goes."
    if len(sides) == len(WAYS):
        note += f" This clone has no commit {baseline}, so there is nothing to compare with."
    return Section(f"Workload: {ACCOUNTS} companies of {PEOPLE:,} people", head, rows, note, measured)


def calls_section(base: Ground, effort: Effort) -> Section:
    """Counts vendor calls with the default windows, after they have opened once; all modes run at the same time."""
    sides = [
        _side(base, f"calls-{place}", name, ROOT, chosen) for place, (name, (_, chosen)) in enumerate(MODES.items())
    ]
    length = PER_SECOND * effort.paced_seconds
    half = [[side.questions[place % QUESTIONS] for place in range(length // 2)] for side in sides]
    addresses = [side.gateway.address for side in sides]
    asyncio.run(pace_many(addresses, half, PER_SECOND))
    before = [_calls(side) for side in sides]
    bad = asyncio.run(pace_many(addresses, half, PER_SECOND))
    if any(bad):
        raise Failed(f"{sum(bad)} paced questions were not answered")
    measured, rows = {}, []
    for side, known in zip(sides, before, strict=True):
        asked = (_calls(side) - known) / (length // 2) * 1000
        measured[MODES[side.name][0]] = asked
        rows.append((side.name, f"{asked:,.1f}"))
    head = (f"{PER_SECOND} requests a second for {effort.paced_seconds} s, second half", "vendor calls per 1,000")
    return Section("Calls to the vendor", head, rows, "The same workload at a set pace, default freshness.", measured)


def _side(base: Ground, folder: str, name: str, place: Path, chosen: Mapping[str, str]) -> Side:
    ground = lay_ground(base.processes, folder, PEOPLE, accounts=ACCOUNTS, place=place, fresh={})
    server, address = start_gateway(ground, f"{folder}-gateway", **chosen)
    return Side(name, ground, Contestant(name, server, address, Get(LIST)), _questions(ground, address))


def _checked_out(base: Ground, commit: str) -> Path:
    """Returns a directory with the files of a commit, which ends with the bench. The packages are ours."""
    place = base.processes.directory / "baseline"
    place.mkdir()
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", place], input=packed.stdout, check=True)
    return place


def _questions(ground: Ground, address: str) -> list[Get]:
    """Returns pages, records, look-ups by e-mail and roles of one person; the same ones each time."""
    chance = random.Random(7)
    people = json.loads(fetch(address, Get(f"{LIST}?page_size=250", ground.headers)).body)["data"]
    weights = list(accumulate(1 / (place + 1) ** SKEW for place in range(len(ground.accounts))))
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
        account = chance.choices(ground.accounts, cum_weights=weights)[0]
        found.append(Get(path, headers(ground.key, account)))
    return found


def _hits(side: Side) -> float:
    """Returns how many requests were answered from the cache so far."""
    _, answer = ask(side.gateway.address, Get("/metrics"))
    found = 0.0
    for line in answer.body.decode().splitlines():
        if line.startswith("gateway_requests_total{"):
            word = line.partition('cache="')[2].partition('"')[0]
            found += float(line.rpartition(" ")[2]) if word in {"hit", "stale"} else 0
    return found


def _calls(side: Side) -> int:
    return int(json.loads(fetch(side.ground.sandbox, Get("/_sandbox/calls")).body)["total"])
