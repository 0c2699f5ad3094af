"""A company of ten thousand people: what reading its lists costs, and what it costs everybody else."""

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median, quantiles

from deploy.load.drive import Get
from deploy.load.processes import Failed
from deploy.load.stack import headers
from tests.bench.bars import Section
from tests.bench.machine import cpu_seconds, resident_mb
from tests.bench.paced import pace_one
from tests.bench.setup import LIST, Effort, Ground, fetch, lay_ground, start_gateway

PEOPLE = 10_000
PAGE = 250
PER_SECOND = 200
EVICTED = {"GATEWAY_CACHE_LOCAL_BYTES": "65536"}
"""No list fits: each is read from Redis again."""
ANEW = {"cache-control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Place:
    """A running gateway, its process group, and the headers of the large account and of another one."""

    address: str
    group: int
    large: dict[str, str]
    other: dict[str, str]

    @property
    def hit(self) -> Get:
        return Get("/unified/hris/companies", self.other)


def sweeps_section(base: Ground, effort: Effort, people: int = PEOPLE) -> Section:
    """Starts the company, which ends with the processes of the ground."""
    ground = lay_ground(base.processes, "large", people, accounts=2, yielding=True)
    place = _start(ground, "large-first")
    idle = resident_mb({place.group})
    first = _cpu(place, lambda: fetch(place.address, Get(LIST, place.large))) * 1000
    swept = resident_mb({place.group}) - idle
    rows = json.loads(fetch(place.address, Get(f"{LIST}?page_size={PAGE}", place.large)).body)["data"]
    walked = _start(ground, "large-export")
    fetch(walked.address, Get(f"{LIST}?page_size=1", {**walked.large, **ANEW}))
    export = _cpu(walked, lambda: _walk(walked, people)) * 1e6 / people
    held = resident_mb({walked.group}) - idle
    far = _start(ground, "large-evicted", **EVICTED)
    samples = max(10, effort.samples // 15)
    records = [Get(f"{LIST}/{each['id']}", far.large) for each in rows[-samples:]]
    emails = [Get(f"{LIST}?filter%5Bemail%5D={each['work_email']}", far.large) for each in rows[-samples:]]
    by_id, by_email = _each(far, records), _each(far, emails)
    alone = _meanwhile(place, lambda: threading.Event().wait(2))
    directly = _meanwhile(place, lambda: _read_vendor(ground, people))
    waits = [wait for _ in range(2 * effort.rounds) for wait in _meanwhile(place, lambda: _sweep(place))]
    figures = {
        "large/first": first,
        "large/record": by_id,
        "large/export": export,
        "large/memory": max(swept, held),
        "large/waits": _p999(waits),
    }
    table = [
        ("first page, cold", f"{first:,.0f} ms CPU"),
        ("get by id, lists evicted", f"{by_id:.1f} ms CPU"),
        ("look-up by e-mail, lists evicted", f"{by_email:.1f} ms CPU"),
        (f"export at {PAGE} a page, after the first page", f"{export:.0f} µs CPU a row"),
        ("resident memory above idle, after the sweep", f"{swept:.0f} MB"),
        ("the same after the export", f"{held:.0f} MB"),
        *_wait_rows("another account's hits meanwhile", waits),
        *_wait_rows("the same while nothing else happens", alone),
        *_wait_rows("the same while the vendor is read past the gateway", directly),
    ]
    note = f"Another account's hits come {PER_SECOND} a second, and count from when each was due."
    return Section(f"A company of {people:,} people", ("one worker", ""), table, note, figures)


def _wait_rows(name: str, waits: Sequence[float]) -> list[tuple[str, str]]:
    text = f"p50 {median(waits):.2f}, p99.9 {_p999(waits):.1f}, longest {max(waits):.1f} ms of {len(waits):,}"
    return [(name, text)]


def _p999(waits: Sequence[float]) -> float:
    return quantiles(waits, n=1000, method="inclusive")[-1]


def _start(ground: Ground, name: str, **chosen: str) -> Place:
    """Starts a gateway that has answered the other account, so that everything is loaded and its hits are local."""
    with_own = {**chosen, "GATEWAY_REDIS_URL": f"{ground.redis}?db={len(name)}"}
    server, address = start_gateway(ground, name, **with_own)
    large, other = (headers(ground.key, account) for account in ground.accounts)
    place = Place(address, server.process.pid, large, other)
    for _ in range(50):
        fetch(address, place.hit)
    return place


def _cpu(place: Place, act: Callable[[], object]) -> float:
    before = cpu_seconds({place.group})
    act()
    return cpu_seconds({place.group}) - before


def _each(place: Place, gets: Sequence[Get]) -> float:
    """Returns the CPU time of a request in milliseconds. The first one sweeps, and does not count."""
    fetch(place.address, Get(f"{LIST}?page_size=1", place.large))
    return _cpu(place, lambda: [fetch(place.address, get) for get in gets]) * 1000 / len(gets)


def _walk(place: Place, people: int) -> None:
    query, found = f"?page_size={PAGE}", 0
    while query:
        page = json.loads(fetch(place.address, Get(LIST + query, place.large)).body)
        query = f"?page_size={PAGE}&next={page['next']}" if page["next"] else ""
        found += len(page["data"])
    if found != people:
        raise Failed(f"the export has {found} people")


def _sweep(place: Place) -> None:
    fetch(place.address, Get(LIST, {**place.large, **ANEW}))


def _read_vendor(ground: Ground, people: int) -> None:
    for skip in range(0, people, PAGE):
        fetch(ground.sandbox, Get(f"/api/people?$limit={PAGE}&$skip={skip}", ground.vendor_headers))


def _meanwhile(place: Place, act: Callable[[], object]) -> list[float]:
    """Returns the milliseconds that another account's hits took while something was done, and shortly after."""
    done = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as pool:
        waits = pool.submit(pace_one, place.address, place.hit, PER_SECOND, lambda: not done.wait(0))
        try:
            act()
        finally:
            done.set()
        return waits.result()
