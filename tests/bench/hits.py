"""Requests per second of answers from a cache, one server after the other on the same core, in rounds."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from deploy.load.drive import Drive, Figures
from deploy.load.processes import Failed
from tests.bench.contestants import Contestant
from tests.bench.table import table

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """One contestant in one round: what the load generator saw, and the processor time that the server used."""

    figures: Figures
    cpu_seconds: float

    @property
    def microseconds(self) -> float:
        return self.cpu_seconds / self.figures.requests * 1e6


def cpu_seconds(group: int) -> float:
    """Returns the processor time of a process group so far."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has just ended.
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


def measure(drive: Drive, contestant: Contestant) -> Run:
    before = cpu_seconds(contestant.server.process.pid)
    figures = drive(contestant.address, [contestant.get])
    if figures.bad:
        raise Failed(f"{contestant.name} gave {figures.bad} bad answers")
    return Run(figures, cpu_seconds(contestant.server.process.pid) - before)


def measure_rounds(drive: Drive, contestants: Sequence[Contestant], rounds: int) -> list[list[Run]]:
    """Returns a row of runs for each contestant. They take turns, so that a slow moment meets all of them."""
    turns = [[measure(drive, each) for each in contestants] for _ in range(rounds)]
    return [list(runs) for runs in zip(*turns, strict=True)]


def hits_table(contestants: Sequence[Contestant], runs: Sequence[Sequence[Run]]) -> str:
    """Compare all with the first, which is ours."""
    head = ("hits", "requests/s", "ours is", "CPU µs each", "ours is", "p50 ms", "p99 ms")
    rows = []
    for contestant, own in zip(contestants, runs, strict=True):
        rates = [mine.figures.rate / run.figures.rate for mine, run in zip(runs[0], own, strict=True)]
        # By processor time a busy neighbour on the machine hardly shows.
        costs = [run.microseconds / mine.microseconds for mine, run in zip(runs[0], own, strict=True)]
        rows.append(
            (
                contestant.name,
                f"{median(run.figures.rate for run in own):,.0f}",
                f"{median(rates):.3g}x",
                f"{median(run.microseconds for run in own):,.0f}",
                f"{median(costs):.3g}x",
                f"{median(run.figures.p50 for run in own):.2f}",
                f"{median(run.figures.p99 for run in own):.2f}",
            )
        )
    return table(head, rows)
