"""A megabyte passed through from the vendor, beside the same call made directly."""

import json
import time
from collections.abc import Callable
from statistics import median

from deploy.load.drive import Get
from tests.bench.bars import Section
from tests.bench.contestants import Contestant
from tests.bench.machine import cpu_seconds
from tests.bench.setup import Effort, Ground, fetch, start_gateway, start_module

PATH = "/unified/proxy"
BYTES = 1_000_000


def passthrough_section(base: Ground, effort: Effort) -> Section:
    """The vendor is an app that answers everything with one megabyte of JSON."""
    rows = []
    body = json.dumps({"data": ["x" * 96] * (BYTES // 100)}).encode()
    file = base.processes.directory / "answer-megabyte"
    file.write_bytes(body)
    file.with_suffix(".json").write_text(json.dumps([("content-type", "application/json")]))
    _, vendor = start_module(base, "bare", file, BENCH_NAME="megabyte")
    gateway = start_passing(base, vendor)
    question = json.dumps({"method": "GET", "path": "/people"}).encode()
    headers = {**base.headers, "content-type": "application/json"}
    direct = Get("/api/people", base.vendor_headers)

    def through() -> None:
        fetch(gateway.address, Get(PATH, headers), "POST", question)

    for name, act in (("through the gateway", through), ("directly", lambda: fetch(vendor, direct))):
        before = cpu_seconds(gateway.groups)
        times = _times(act, effort.samples)
        cpu = (cpu_seconds(gateway.groups) - before) * 1e6 / effort.samples
        rows.append((name, f"{median(times):.2f}", f"{cpu:,.0f}"))
    return Section("Passthrough of 1 MB", ("", "p50 ms", "CPU µs of the gateway"), rows)


def start_passing(base: Ground, vendor: str) -> Contestant:
    """Starts a gateway whose vendor is at another address."""
    server, address = start_gateway(base, "passing", GATEWAY_HUMAANS_BASE_URL=f"http://{vendor}/api")
    return Contestant("passthrough", server, address, Get(PATH))


def _times(act: Callable[[], object], samples: int) -> list[float]:
    times = []
    for _ in range(samples):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return times
