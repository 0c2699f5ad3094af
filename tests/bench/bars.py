"""The bars that the gateway is held to: one list, and a table of what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench.table import table

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Bar:
    """A limit: at least so much, or at most. `unit` follows the figure."""

    name: str
    limit: float
    unit: str
    at_least: bool = False

    def meets(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Section:
    """What one part of the bench has measured: a table, a sentence about it, and the figures that bars are about."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    def as_text(self) -> str:
        return f"\n## {self.title}\n\n{self.note}\n\n{table(self.head, self.rows)}".replace("\n\n\n\n", "\n\n")


BARS = {
    "hit/bare": Bar("hit, 42 KB: CPU of bare ASGI / ours", 1.5, "x", at_least=True),
    "hit/envoy": Bar("hit, 42 KB: CPU of Envoy / ours", 1.3, "x", at_least=True),
    "hit/nginx": Bar("hit, 42 KB: CPU of nginx / ours", 0.8, "x", at_least=True),
    "hit/plain": Bar("hit, 42 KB: CPU of plain FastAPI / ours", 40, "x", at_least=True),
    "small/bare": Bar("hit, one employee: CPU of bare ASGI / ours", 2, "x", at_least=True),
    "proxied/rate": Bar("behind nginx: rate / that of a static upstream", 0.85, "x", at_least=True),
    "proxied/cpu": Bar("behind nginx: CPU / that of a static upstream", 1.15, "x"),
    "redis/cpu": Bar("hit in Redis: CPU", 250, "µs"),
    "miss/cpu": Bar("miss, one record, 3 calls: CPU", 1800, "µs"),
    "miss/p50": Bar("miss, one record: added p50", 1.5, "ms"),
    "miss/p99": Bar("miss, one record: added p99", 6, "ms"),
    "large/first": Bar("10,000 people: first page, CPU", 250, "ms"),
    "large/record": Bar("10,000 people: get by id, lists evicted, CPU", 5, "ms"),
    "large/export": Bar("10,000 people: export, CPU a row", 60, "µs"),
    "large/memory": Bar("10,000 people: memory above idle", 60, "MB"),
    "large/waits": Bar("10,000 people: others' hits meanwhile, p99.9", 10, "ms"),
    "work/rate": Bar("workload: rate / that of the baseline", 4, "x", at_least=True),
    "work/p99": Bar("workload: p99", 100, "ms"),
    "calls/deltas": Bar("workload: vendor calls per 1,000, deltas", 25, ""),
    "calls/webhooks": Bar("workload: vendor calls per 1,000, live webhooks", 10, ""),
    "accounts/rate": Bar("hit with most accounts linked: rate / with 1", 0.9, "x", at_least=True),
}


def bar_rows(sections: Sequence[Section]) -> list[tuple[str, str, str, str]]:
    """Returns a row for each bar, whether it was measured or not."""
    found = {name: value for section in sections for name, value in section.figures.items()}
    rows = []
    for name, bar in BARS.items():
        value = found.get(name)
        sign = "≥" if bar.at_least else "≤"
        limit = f"{sign} {bar.limit:g} {bar.unit}".strip()
        if value is None:
            rows.append((bar.name, "", limit, NOT_MEASURED))
        else:
            rows.append((bar.name, f"{value:.3g} {bar.unit}".strip(), limit, "met" if bar.meets(value) else "NOT MET"))
    return rows


BARS_HEAD = ("bar", "measured", "limit", "")
