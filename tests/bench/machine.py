"""What the kernel says of processes and of this machine."""

import os
import platform
import subprocess
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from deploy.load.processes import ROOT


def cpu_seconds(groups: Collection[int]) -> float:
    """Returns the processor time of process groups so far, of all threads that live."""
    nanoseconds = 0
    for process in _members(groups):
        for file in process.glob("task/*/schedstat"):
            try:
                nanoseconds += int(file.read_text().split()[0])
            except (OSError, IndexError):
                continue  # It has just ended.
    return nanoseconds / 1e9


def resident_mb(groups: Collection[int]) -> float:
    """Returns the resident memory of process groups, in MB of 10^6 bytes."""
    pages = 0
    for process in _members(groups):
        try:
            pages += int((process / "statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _members(groups: Collection[int]) -> Iterator[Path]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) in groups:
            yield process


def describe(now: datetime) -> str:
    """Returns a sentence with the machine, the day and the commit."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    commit = _git("rev-parse", "--short", "HEAD") + (", with changes" if _git("status", "--porcelain", "-uno") else "")
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; {now.astimezone(UTC):%Y-%m-%d}, commit {commit or 'unknown'}."
    )


def has_commit(commit: str) -> bool:
    """Returns whether this clone has a commit; a shallow one may not."""
    return bool(_git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"))


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
