"""Sends requests to a server for some seconds and measures: by wrk if it is installed, else by this program.

The loop is closed: each connection sends its next request when it has its answer. So a slow server is asked
less, and the percentiles are those of what was asked.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from deploy.load.processes import ROOT, Failed
from deploy.load.tools import find

SCRIPT = ROOT / "deploy" / "load" / "wrk.lua"
SPARE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Get:
    """A request. The path is percent-encoded."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of it: milliseconds at the middle and at the 99th percentile; `bad` had no answer below 400."""

    requests: int
    seconds: float
    p50: float
    p99: float
    bad: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Drive:
    """How to drive: where the request file may stand, and `prefix` to pin wrk to a core."""

    directory: Path
    seconds: int = 5
    connections: int = 32
    threads: int = 1
    prefix: tuple[str, ...] = ()

    def __call__(self, address: str, requests: Sequence[Get]) -> Figures:
        found = find("wrk")
        figures = self._by_wrk(found, address, requests) if found else asyncio.run(self._by_hand(address, requests))
        if not figures.requests:
            raise Failed(f"nothing at {address} was answered")
        return figures

    def _by_wrk(self, wrk: str, address: str, requests: Sequence[Get]) -> Figures:
        file = self.directory / "requests.tsv"
        file.touch(mode=0o600)
        lines = ("\t".join([get.path, *(f"{n}: {v}" for n, v in get.headers.items())]) for get in requests)
        file.write_text("\n".join(lines) + "\n")
        options = [f"-c{self.connections}", f"-t{self.threads}", f"-d{self.seconds}s", "-s", str(SCRIPT)]
        command = [*self.prefix, wrk, *options, address if "://" in address else f"http://{address}"]
        command += ["--", str(file)]
        limit = self.seconds + SPARE_SECONDS
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        try:
            said = json.loads(done.stdout.strip().splitlines()[-1])
        except (ValueError, IndexError):
            raise Failed(f"wrk cannot be understood: {done.stdout[-300:]} {done.stderr[-300:]}") from None
        bad = said["refused"] + said["broken"]
        return Figures(said["requests"], said["seconds"], said["p50"], said["p99"], bad)

    async def _by_hand(self, address: str, requests: Sequence[Get]) -> Figures:
        times: list[float] = []
        bad = 0
        began = time.perf_counter()

        async def caller(place: int) -> None:
            nonlocal bad
            line = await Line.open(address)
            while time.perf_counter() < began + self.seconds:
                sent = time.perf_counter()
                status = await line.ask(requests[place % len(requests)])
                bad += status >= 400
                times.append(time.perf_counter() - sent)
                place += 1
            line.close()

        await asyncio.gather(*(caller(place) for place in range(self.connections)))
        seconds = time.perf_counter() - began
        cuts = quantiles(times, n=100) if len(times) > 1 else [0.0] * 99
        return Figures(len(times), seconds, cuts[49] * 1000, cuts[98] * 1000, bad)


@dataclass(frozen=True, slots=True)
class Line:
    """One kept connection to a server whose answers have a length."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, address: str) -> "Line":
        host, _, port = address.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ask(self, get: Get) -> int:
        """Send a request, read the whole answer, give its status."""
        headers = "".join(f"{name}: {value}\r\n" for name, value in {"host": "localhost", **get.headers}.items())
        self.writer.write(f"GET {get.path} HTTP/1.1\r\n{headers}\r\n".encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        await self.reader.readexactly(int(length))
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        self.writer.close()
