"""Answers from a cache: a list of 25 people, one record, and a 304, beside other servers with the same bytes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from deploy.load.drive import Get
from deploy.load.processes import Failed
from deploy.load.tools import find
from tests.bench.bars import Section
from tests.bench.contestants import Contestant, start_bare, start_nginx, start_plain
from tests.bench.envoy import start_envoy
from tests.bench.rounds import HEAD, Run, cpu_of, cpu_ratio, measure_rounds, row
from tests.bench.setup import LIST, Effort, Ground, ask, drive_of, fetch, start_gateway


@dataclass(frozen=True, slots=True)
class Field:
    """All contestants, started. Those that are missing could not be had."""

    gateway: Contestant
    far: Contestant
    bare: Contestant
    bare_one: Contestant
    nginx: Contestant | None
    envoy: Contestant | None
    plain: Contestant

    def on_list(self) -> list[tuple[str, Contestant]]:
        found = (
            ("", self.gateway),
            ("redis", self.far),
            ("bare", self.bare),
            ("nginx", self.nginx),
            ("envoy", self.envoy),
            ("plain", self.plain),
        )
        return [(name, each) for name, each in found if each is not None]

    def on_record(self, get: Get) -> list[tuple[str, Contestant]]:
        found = (("", self.gateway), ("bare", self.bare_one), ("nginx", self.nginx), ("envoy", self.envoy))
        return [(name, replace(each, get=replace(each.get, path=get.path))) for name, each in found if each is not None]


def line_up(ground: Ground, record: str) -> Field:
    """Starts all contestants; `record` is the path of one person's record. Raises `Failed` for one that differs."""
    get, one = Get(LIST, ground.headers), Get(record, ground.headers)
    gateway = Contestant("gateway, hit in the local cache", *start_gateway(ground), get)
    far = Contestant("gateway, hit in Redis", *start_gateway(ground, "far", GATEWAY_CACHE_LOCAL_BYTES="0"), get)
    for each in (get, one):
        fetch(gateway.address, each)
    answers = [fetch(gateway.address, each) for each in (get, one)]
    bare, bare_one = (
        start_bare(ground, answer, each, name)
        for answer, each, name in zip(answers, (get, one), ("hits", "one"), strict=True)
    )
    field = Field(
        gateway,
        far,
        bare,
        bare_one,
        start_nginx(ground, bare.address, bare_one.address, get) if find("nginx") else None,
        start_envoy(ground, answers, get),
        start_plain(ground, f"http://{bare.address}", get, "hits"),
    )
    for wanted, turn in zip(answers, (field.on_list(), field.on_record(one)), strict=True):
        for _, entry in turn:
            if json.loads(fetch(entry.address, entry.get).body) != json.loads(wanted.body):
                raise Failed(f"{entry.name} answers something else")
    return field


def list_section(ground: Ground, field: Field, effort: Effort) -> tuple[Section, dict[str, float]]:
    """Returns the section, and the CPU µs of a hit by contestant for the chart."""
    size = len(fetch(field.gateway.address, field.gateway.get).body)
    turn = field.on_list()
    runs = measure_rounds(drive_of(ground.processes, effort.seconds), [each for _, each in turn], effort.rounds)
    figures = _ratios("hit", turn, runs)
    figures["redis/cpu"] = cpu_of(runs[1])
    rows = [row(each.name, runs[0], own) for (_, each), own in zip(turn, runs, strict=True)]
    note = (
        "On each hit ours checks key, tenant, account and scopes. The plain proxy asks Redis for key and answer; the "
        "others check nothing."
    )
    section = Section(f"Hits: a list of 25 people, {size:,} bytes", HEAD, rows, note, figures)
    return section, {each.name: cpu_of(own) for (_, each), own in zip(turn, runs, strict=True)}


def record_section(ground: Ground, field: Field, record: str, effort: Effort) -> Section:
    get = Get(record, ground.headers)
    answer = fetch(field.gateway.address, get)
    turn = field.on_record(get)
    known = {"if-none-match": answer.header("etag")}
    unchanged = [
        (name, replace(each, name=f"{each.name}: 304", get=Get(record, {**each.get.headers, **known})))
        for name, each in turn
        if name in {"", "nginx"}
    ]
    for _, each in unchanged:
        status, _ = ask(each.address, each.get)
        if status != 304:
            raise Failed(f"{each.name} answers {status}")
    all_of = [each for _, each in (*turn, *unchanged)]
    runs = measure_rounds(drive_of(ground.processes, effort.seconds), all_of, effort.rounds)
    rows = [row(each.name, runs[0], own) for each, own in zip(all_of, runs, strict=True)]
    figures = _ratios("small", turn, runs[: len(turn)])
    return Section(f"Hits: one employee, {len(answer.body):,} bytes", HEAD, rows, "", figures)


def _ratios(word: str, turn: Sequence[tuple[str, Contestant]], runs: Sequence[Sequence[Run]]) -> dict[str, float]:
    pairs = zip(turn[1:], runs[1:], strict=True)
    return {f"{word}/{name}": cpu_ratio(runs[0], own) for (name, _), own in pairs}
