"""A gateway with one, with some and with very many linked accounts: hits, memory, start."""

import sys
import time
from dataclasses import replace
from statistics import median

from deploy.load.drive import Get
from deploy.load.processes import Failed
from tests.bench.bars import Section
from tests.bench.contestants import Contestant
from tests.bench.machine import resident_mb
from tests.bench.rounds import cpu_of, measure_rounds, rate_ratio
from tests.bench.setup import LIST, Effort, Ground, drive_of, fetch, lay_ground, start_gateway

SOME = 100
SEED_SECONDS = 300.0


def accounts_section(base: Ground, effort: Effort) -> Section:
    """Measures one account's hits while others are linked. The copies have keys and sealed tokens of their own."""
    started = []
    for count in (1, SOME, effort.accounts):
        ground = lay_ground(base.processes, f"accounts-{count}")
        command = [sys.executable, "-m", "tests.bench.seed", ground.account, str(count - 1)]
        if ground.processes.start(f"seed-{count}", command, ground.environ).process.wait(SEED_SECONDS):
            raise Failed("the accounts cannot be copied")
        began = time.perf_counter()
        server, address = start_gateway(ground, f"gateway-{count}")
        took = time.perf_counter() - began
        each = Contestant(f"{count:,} linked", server, address, Get(LIST, ground.headers))
        fetch(address, each.get)
        started.append((each, took, resident_mb(each.groups)))
    runs = measure_rounds(drive_of(base.processes, effort.seconds), [each for each, _, _ in started], effort.rounds)
    rows = [
        (
            each.name,
            f"{median(run.figures.rate for run in own):,.0f}",
            f"{cpu_of(own):,.0f}",
            f"{memory:.0f}",
            f"{took:.1f}",
        )
        for (each, took, memory), own in zip(started, runs, strict=True)
    ]
    head = ("accounts", "hits/s", "CPU µs each", "resident MB at start", "start, s")
    figures = {"accounts/rate": rate_ratio(runs[-1], runs[0])}
    return Section("Linked accounts", head, rows, "Hits of one of them; SQLite.", figures)


def workers_section(base: Ground, gateway: Contestant, effort: Effort) -> Section:
    """Measures two workers, which share both cores with the load."""
    server, address = start_gateway(base, "two-workers", GATEWAY_SERVER_WORKERS="2")
    two = replace(gateway, name="2 workers", server=server, address=address)
    one = replace(gateway, name="1 worker")
    for _ in range(20):
        fetch(address, two.get)
    runs = measure_rounds(drive_of(base.processes, effort.seconds), [one, two], effort.rounds)
    rows = [
        (each.name, f"{median(run.figures.rate for run in own):,.0f}", f"{cpu_of(own):,.0f}")
        for each, own in zip((one, two), runs, strict=True)
    ]
    head = ("hits", "requests/s", "CPU µs each")
    return Section("Workers", head, rows, "Two workers share both cores with the load, so the CPU is what to compare.")
