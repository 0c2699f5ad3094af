"""What a gateway adds to a read that no cache may answer, beside the same vendor calls made directly."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from urllib.parse import urlencode

from deploy.load.drive import Get, Line
from deploy.load.processes import Failed
from tests.bench.bars import Section
from tests.bench.contestants import Contestant, start_plain
from tests.bench.rounds import cpu_of, measure_rounds
from tests.bench.setup import LIST, Effort, Ground, drive_of, fetch

NO_CACHE = {"cache-control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a record, and the calls of the vendor that it takes."""

    contestant: Contestant
    calls: Sequence[Get]


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds, alone on the machine: of the way itself and of its vendor calls made directly."""

    own: list[float]
    direct: list[float]


def ways(ground: Ground, gateway: Contestant, nginx: Contestant | None) -> list[Way]:
    """Returns the ways to one person's record: ours whole, and what the others can do, which is to pass one call on."""
    people = json.loads(fetch(gateway.address, Get(f"{LIST}?page_size=1", ground.headers)).body)
    record = people["data"][0]
    one = Get(f"/api/people/{record['remote_id']}", ground.vendor_headers)
    ours = {**ground.headers, **NO_CACHE}
    found = []
    for name, query in (("gateway, the whole record", ""), ("gateway, fields of one call", "?fields=id,first_name")):
        get = Get(f"{LIST}/{record['id']}{query}", ours)
        found.append(Way(Contestant(name, gateway.server, gateway.address, get), vendor_calls(ground, gateway, get)))
    plain = start_plain(ground, f"http://{ground.sandbox}", Get(one.path, ours), "misses")
    found.append(Way(plain, [one]))
    if nginx is not None:
        found.append(Way(Contestant("nginx, passing on", nginx.server, nginx.address, one), [one]))
    return found


def vendor_calls(ground: Ground, gateway: Contestant, get: Get) -> list[Get]:
    """Returns the calls that the gateway makes for a request, from the sandbox's own log."""
    fetch(ground.sandbox, Get("/_sandbox/calls"), "DELETE")
    fetch(gateway.address, get)
    calls = json.loads(fetch(ground.sandbox, Get("/_sandbox/calls")).body)["calls"]
    return [
        Get(f"/api{call['path']}" + (f"?{urlencode(call['query'])}" if call["query"] else ""), ground.vendor_headers)
        for call in calls
    ]


async def time_ways(ground: Ground, all_ways: Sequence[Way], samples: int) -> list[Times]:
    """Time each way and its calls in turn, one request after the other."""
    times = [Times([], []) for _ in all_ways]
    for way, found in zip(all_ways, times, strict=True):
        line = await Line.open(way.contestant.address)
        lines = [await Line.open(ground.sandbox) for _ in way.calls]
        for _ in range(samples):
            found.direct.append(await timed(lambda: directly(lines, way.calls)))  # noqa: B023 - awaited at once
            found.own.append(await timed(lambda: asked(line, way.contestant.get)))  # noqa: B023 - as above
        for each in (line, *lines):
            each.close()
    return times


async def timed(act: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await act()
    return (time.perf_counter() - began) * 1000


async def directly(lines: Sequence[Line], calls: Sequence[Get]) -> None:
    """Returns a record's calls as the gateway does: the record, then what belongs to it, all at once."""
    await asked(lines[0], calls[0])
    if calls[1:]:
        await asyncio.gather(*(asked(line, call) for line, call in zip(lines[1:], calls[1:], strict=True)))


async def asked(line: Line, get: Get) -> None:
    status = await line.ask(get)
    if status != 200:
        raise Failed(f"{get.path} was answered with {status}")


def misses_section(ground: Ground, gateway: Contestant, nginx: Contestant | None, effort: Effort) -> Section:
    """Alone for the times, with 16 connections for the rates."""
    all_ways = ways(ground, gateway, nginx)
    times = asyncio.run(time_ways(ground, all_ways, effort.samples))
    drive = drive_of(ground.processes, effort.seconds)
    all_runs = measure_rounds(drive, [way.contestant for way in all_ways], effort.rounds)
    rows, added = [], []
    for way, found, runs in zip(all_ways, times, all_runs, strict=True):
        own, direct = (quantiles(each, n=100) for each in (found.own, found.direct))
        added.append((own[49] - direct[49], own[98] - direct[98]))
        rows.append(
            (
                way.contestant.name,
                str(len(way.calls)),
                *(f"{value:.2f}" for value in (own[49], direct[49], added[-1][0])),
                *(f"{value:.2f}" for value in (own[98], direct[98], added[-1][1])),
                f"{median(run.figures.rate for run in runs):,.0f}",
                f"{cpu_of(runs):,.0f}",
            )
        )
    head = ("", "calls", "p50 ms", "direct", "added", "p99 ms", "direct", "added", "misses/s", "CPU µs each")
    figures = {"miss/cpu": cpu_of(all_runs[0]), "miss/p50": added[0][0], "miss/p99": added[0][1]}
    note = "One record with Cache-Control: no-cache, beside the same vendor calls made directly."
    return Section("Misses", head, rows, note, figures)
