"""Where the microseconds of a hit go: by looks at a gateway that serves them, each at the part that is at work."""

import json
import os
import signal

from deploy.load.drive import Drive
from tests.bench.bars import Section
from tests.bench.contestants import Contestant
from tests.bench.rounds import measure
from tests.bench.setup import Ground, start_module


def start_sampled(ground: Ground, like: Contestant) -> Contestant:
    """Starts another gateway, which can be looked at."""
    file = ground.processes.directory / "looks.json"
    environ = {**ground.environ, "GATEWAY_SERVER_WORKERS": "1"}
    return Contestant("gateway, looked at", *start_module(ground, "sampled", file, **environ), like.get)


def stages_section(ground: Ground, drive: Drive, sampled: Contestant, served: float) -> Section:
    """Returns each part's share of `served`, which is what a hit costs when nobody looks (µs of processor time)."""
    file = ground.processes.directory / "looks.json"
    os.kill(sampled.server.process.pid, signal.SIGUSR1)
    measure(drive, sampled)
    os.kill(sampled.server.process.pid, signal.SIGUSR1)
    sampled.server.wait_for(file.exists)
    looks: dict[str, int] = json.loads(file.read_text())
    total = sum(looks.values())
    rows = [
        (name, f"{count / total * served:.0f}", f"{count / total:.0%}")
        for name, count in sorted(looks.items(), key=lambda each: -each[1])
    ]
    head = (f"by {total:,} looks", "CPU µs", "of all")
    return Section("Where a hit goes", head, [*rows, ("all", f"{served:.0f}", "")])
