"""`make bench`: our gateway beside other servers, in one run, as ratios. Nothing else should run meanwhile."""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from deploy.load.drive import Drive, Get
from deploy.load.processes import Failed, Processes
from deploy.load.tools import find, missing
from tests.bench.coherence import coherence_table
from tests.bench.contestants import Contestant, start_bare, start_nginx, start_plain
from tests.bench.envoy import start_envoy
from tests.bench.hits import hits_table, measure_rounds
from tests.bench.misses import misses_table, time_ways, ways
from tests.bench.redis_floor import redis_floor
from tests.bench.setup import LIST, ON_OTHER_CORE, OTHER_CORE, SERVER_CORE, Ground, fetch, lay_ground, start_gateway
from tests.bench.stages import stages_table, start_sampled
from tests.bench.workload import workload_table

CONNECTIONS = 16


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each run of hits")
    parser.add_argument("--envoy", action="store_true", help="install Envoy for the time of the bench, and compare")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(os.sched_getaffinity(0)) < 2:
        print("bench: two cores are needed, one for the server and one for all else", file=sys.stderr)
        return 1
    for program in missing({"wrk": "wrk", "nginx": "nginx"}):
        print(
            f"bench: there is no {program}: what needs it is left out or measured by Python (apt-get install {program})"
        )
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
    get = Get(LIST, ground.headers)
    gateway = Contestant("gateway, 1 worker, hit in the local cache", *start_gateway(ground), get)
    far = Contestant(
        "gateway, 1 worker, hit in Redis", *start_gateway(ground, "far", GATEWAY_CACHE_LOCAL_BYTES="0"), get
    )
    fetch(gateway.address, get)
    answer = fetch(gateway.address, get)
    bare = start_bare(ground, answer, get)
    plain = start_plain(ground, f"http://{bare.address}", get, "hits")
    proxy = start_nginx(ground, bare.address, get) if find("nginx") else None
    envoy = start_envoy(ground, answer, get) if wanted.envoy else None
    contestants = [each for each in (gateway, far, bare, proxy, envoy, plain) if each is not None]
    for each in contestants:
        if json.loads(fetch(each.address, each.get).body) != json.loads(answer.body):
            raise Failed(f"{each.name} answers something else")
    drive = Drive(ground.processes.directory, wanted.seconds, CONNECTIONS, prefix=ON_OTHER_CORE)

    print(preamble(len(answer.body), wanted.rounds))
    runs = measure_rounds(drive, contestants, wanted.rounds)
    print(hits_table(contestants, runs), flush=True)
    print(f"\nOne record, Cache-Control: no-cache; alone for the times, {CONNECTIONS} connections for the rates.\n")
    all_ways = ways(ground, gateway, proxy)
    times = asyncio.run(time_ways(ground, all_ways, wanted.rounds))
    drive = replace(drive, seconds=max(1, wanted.seconds * 2 // 3))
    print(misses_table(drive, all_ways, times, wanted.rounds), flush=True)
    print(f"\n{coherence_table(ground)}", flush=True)
    print(f"\n{workload_table(ground, replace(drive, seconds=wanted.seconds * 4))}", flush=True)
    served = median(each.microseconds for each in runs[0])
    looking = replace(drive, seconds=max(2, wanted.seconds * 3))
    print(f"\n{stages_table(ground, looking, start_sampled(ground, gateway), served)}")
    floor = redis_floor(ground.redis, len(answer.body))
    print(f"For comparison, Redis with the parser alone, without redis-py: {floor:.0f} µs.", flush=True)


def preamble(size: int, rounds: int) -> str:
    by = "wrk" if find("wrk") else "Python, which is then the limit"
    return f"""\
A list of 25 employees, {size:,} bytes; {CONNECTIONS} connections, driven by {by}; medians of {rounds} rounds.
One server at a time is asked, on core {SERVER_CORE}; Redis, the sandbox and the load are on core {OTHER_CORE}.
Request logging is off (GATEWAY_LOG_REQUESTS=false). On each hit ours checks key, tenant, account and scopes; far
from the local cache it asks Redis once and decrypts. The plain proxy asks Redis for key and answer; the others check
nothing.
"""


if __name__ == "__main__":
    sys.exit(main())
