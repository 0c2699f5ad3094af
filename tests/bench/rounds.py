"""Runs of servers in turn: what the load generator saw, and the processor time that each server used."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from deploy.load.drive import Drive, Figures
from deploy.load.processes import Failed
from tests.bench.contestants import Contestant
from tests.bench.machine import cpu_seconds

HEAD = ("", "requests/s", "ours is", "CPU µs each", "of theirs / ours", "p50 ms", "p99 ms")


@dataclass(frozen=True, slots=True)
class Run:
    """One contestant in one round."""

    figures: Figures
    cpu_seconds: float

    @property
    def microseconds(self) -> float:
        return self.cpu_seconds / self.figures.requests * 1e6


def measure(drive: Drive, contestant: Contestant) -> Run:
    before = cpu_seconds(contestant.groups)
    figures = drive(contestant.address, [contestant.get])
    if figures.bad:
        raise Failed(f"{contestant.name} gave {figures.bad} bad answers")
    return Run(figures, cpu_seconds(contestant.groups) - before)


def measure_rounds(drive: Drive, contestants: Sequence[Contestant], rounds: int) -> list[list[Run]]:
    """Returns a row of runs for each contestant. They take turns, so that a slow moment meets all of them."""
    turns = [[measure(drive, each) for each in contestants] for _ in range(rounds)]
    return [list(runs) for runs in zip(*turns, strict=True)]


def rate_ratio(ours: Sequence[Run], theirs: Sequence[Run]) -> float:
    """Returns our rate as a multiple of theirs: the median of the rounds."""
    return median(mine.figures.rate / run.figures.rate for mine, run in zip(ours, theirs, strict=True))


def cpu_ratio(ours: Sequence[Run], theirs: Sequence[Run]) -> float:
    """Returns their processor time as a multiple of ours. A busy neighbour on the machine hardly shows in it."""
    return median(run.microseconds / mine.microseconds for mine, run in zip(ours, theirs, strict=True))


def cpu_of(runs: Sequence[Run]) -> float:
    return median(run.microseconds for run in runs)


def row(name: str, ours: Sequence[Run], own: Sequence[Run]) -> tuple[str, ...]:
    """Returns the columns of `HEAD`."""
    return (
        name,
        f"{median(run.figures.rate for run in own):,.0f}",
        f"{rate_ratio(ours, own):.3g}x",
        f"{cpu_of(own):,.0f}",
        f"{cpu_ratio(ours, own):.3g}x",
        f"{median(run.figures.p50 for run in own):.2f}",
        f"{median(run.figures.p99 for run in own):.2f}",
    )
