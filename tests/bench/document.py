"""`docs/performance.md` and its chart, from what was measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.bars import BARS_HEAD, Section, bar_rows

HEADING = """\
# Performance

Written by `make bench`; do not edit. CPU µs a request is the stable figure: a rate depends on the machine, and on what
else it does. All servers were measured in one run, in turns, one at a time on a core of its own; Redis, the vendor's
stand-in and the load generator share another core. Medians of the rounds.

{machine}

To repeat it: `make setup`, then `make bench` (about a quarter of an hour, two cores, nothing else running), or
`make bench ARGS=--quick` for three minutes. `tests/bench/` has the code, `tests/bench/bars.py` the bars.

![CPU of a hit](performance.svg)

## Bars

{bars}
"""
WIDTH, ROW, LEFT, TOP = 720, 30, 250, 44
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .ours { fill: #0969da; } .other { fill: #8c959f; }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .ours { fill: #58a6ff; } .other { fill: #6e7681; } }
"""


def write_document(directory: Path, machine: str, sections: Sequence[Section], costs: Mapping[str, float]) -> None:
    """Writes both files. `costs` are the CPU µs of a hit by server."""
    parts = [HEADING.format(machine=machine, bars=_markdown(BARS_HEAD, bar_rows(sections)))]
    parts += [
        f"## {section.title}\n\n{section.note + chr(10) * 2 if section.note else ''}"
        f"{_markdown(section.head, section.rows)}\n"
        for section in sections
    ]
    (directory / "performance.md").write_text("\n".join(parts))
    (directory / "performance.svg").write_text(chart(costs))


def chart(costs: Mapping[str, float]) -> str:
    """Returns horizontal bars, the shortest first. One that would dwarf the rest is cut off, and says so."""
    ordered = sorted(costs.items(), key=lambda each: each[1])
    # The longest that is not ten times the one before it fills the width.
    whole = max([cost for _, cost in ordered if cost <= 10 * ordered[0][1]])
    scale = (WIDTH - LEFT - 110) / whole
    height = TOP + ROW * len(ordered) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>CPU microseconds of a hit by server</title>",
        f"<style>{STYLE}</style>",
        '<text x="10" y="22" font-weight="bold">CPU µs of one hit, a list of 25 people: less is better</text>',
    ]
    for place, (name, cost) in enumerate(ordered):
        y = TOP + ROW * place
        length = min(cost, whole) * scale
        kind = "ours" if name.startswith("gateway") else "other"
        cut = " (cut off)" if cost > whole else ""
        lines += [
            f'<text x="{LEFT - 10}" y="{y + 15}" text-anchor="end">{name}</text>',
            f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length:.0f}" height="20" rx="3"/>',
            f'<text x="{LEFT + length + 8:.0f}" y="{y + 15}">{cost:,.0f}{cut}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell or " " for cell in line) + " |" for line in lines)
