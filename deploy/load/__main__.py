"""Starts everything, checks that the proxy changes nothing, drives load through it and past it, stops everything."""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from deploy.load import nginx, same
from deploy.load.drive import Drive, Figures, Get
from deploy.load.processes import Failed, Processes
from deploy.load.stack import Stack, start_stack
from deploy.load.tools import find, missing

EMPLOYEES = "/unified/hris/employees"
WORKERS = 2
ASKED_ANEW = 50
"""One request of so many goes past the cache."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="of each of the four runs")
    parser.add_argument("--connections", type=int, default=32, help="requests in flight")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if "nginx" in missing({"nginx": "nginx", "wrk": "wrk"}):
        print("load: there is no nginx: apt-get install nginx", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="load-") as name, Processes(Path(name)) as processes:
            stack = start_stack(processes, workers=WORKERS)
            _, proxy = nginx.start_shipped(processes, [stack.gateway])
            return check(stack, proxy) or load(stack, proxy, Drive(Path(name), wanted.seconds, wanted.connections))
    except Failed as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def check(stack: Stack, proxy: str) -> int:
    """Compare answers and errors; print what differs."""
    print(f"Through nginx and from the gateway itself, byte for byte ({WORKERS} workers):")
    status = 0
    for case in same.CASES:
        faults = same.faults(case, stack, proxy)
        print(f"  {case.status}  {case.name:<26} {'; '.join(faults) or 'the same'}", flush=True)
        status = status or int(bool(faults))
    return status


def load(stack: Stack, proxy: str, drive: Drive) -> int:
    """Drive hits, then hits and misses mixed, past the proxy and through it; any answer of 400 or more is a failure."""
    hits = [Get(EMPLOYEES, stack.headers())]
    by = "wrk" if find("wrk") else "a Python driver: no wrk here, so the driver may be the limit"
    print(f"\n{drive.connections} connections for {drive.seconds} s each, by {by}; one machine for all of it:")
    print(f"  {'':<42}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'bad':>6}")
    runs = []
    for what, requests in (("hits", hits), (f"mixed, one in {ASKED_ANEW} past the cache", mixed(stack))):
        for way, address in (("direct", stack.gateway), ("nginx", proxy)):
            runs.append(drive(address, requests))
            print(row(f"{what}, {way}", runs[-1]), flush=True)
    return int(any(run.bad for run in runs))


def row(name: str, run: Figures) -> str:
    return f"  {name:<42}{run.rate:>11,.0f}{run.p50:>9.2f}{run.p99:>9.2f}{run.bad:>6}"


def mixed(stack: Stack) -> Sequence[Get]:
    """Returns requests for pages, filters, chosen fields and single records; the last one bypasses the cache."""
    headers = stack.headers()
    first = _read(stack, f"{EMPLOYEES}?page_size=10")
    pages = [f"{EMPLOYEES}?page_size={size}" for size in (5, 10, 25, 60)]
    pages.append(f"{EMPLOYEES}?page_size=10&next={first['next']}")
    pages.append(f"{EMPLOYEES}?fields=id,name,work_email")
    pages += [f"{EMPLOYEES}?filter%5Bemployee_number%5D={number}" for number in range(3)]
    records = [f"{EMPLOYEES}/{person['id']}" for person in first["data"]]
    paths = [path for pair in zip(records, pages * 2, strict=False) for path in pair]
    kept = [Get(paths[number % len(paths)], headers) for number in range(ASKED_ANEW - 1)]
    return [*kept, Get(records[0], {**headers, **same.NO_CACHE})]


def _read(stack: Stack, path: str) -> Any:
    connection = HTTPConnection(stack.gateway, timeout=10)
    connection.request("GET", path, headers=stack.headers())
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise Failed(f"the gateway answers {answer.status} to {path}")
    return json.loads(body)


if __name__ == "__main__":
    sys.exit(main())
