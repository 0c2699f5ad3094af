"""How soon a change at one gateway is seen at another that holds the answer in its own memory."""

import json
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from statistics import quantiles

from deploy.load.processes import Failed
from tests.bench.bars import Section
from tests.bench.setup import LIST, Ground, start_gateway

PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """One open connection, and what each request says."""

    connection: HTTPConnection
    headers: dict[str, str]

    def read(self, target: str) -> dict[str, str]:
        data: dict[str, str] = json.loads(self.ask("GET", target))["data"]
        return data

    def write(self, target: str, body: dict[str, str]) -> None:
        self.ask("PATCH", target, json.dumps(body).encode())

    def ask(self, method: str, target: str, body: bytes | None = None) -> bytes:
        headers = self.headers if body is None else {**self.headers, "content-type": "application/json"}
        self.connection.request(method, target, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise Failed(f"{method} {target} was answered {answer.status}: {content[:200]!r}")
        return content


def coherence_section(ground: Ground, writes: int) -> Section:
    """Write at one gateway and read at the other at once, each taking turns; any process is one worker."""
    lines = []
    for name in ("here", "there"):
        _, address = start_gateway(ground, name)
        host, _, port = address.partition(":")
        lines.append(Line(HTTPConnection(host, int(port), timeout=20), dict(ground.headers)))
    people = json.loads(lines[0].ask("GET", f"{LIST}?page_size=1"))["data"]
    target = f"{LIST}/{people[0]['id']}"
    delays, late = [], 0
    for number in range(writes):
        writer, reader = lines[number % 2], lines[(number + 1) % 2]
        reader.read(target)
        reader.read(target)
        writer.write(target, {"first_name": f"Name {number}"})
        announced = time.perf_counter()
        tries = 0
        while reader.read(target)["first_name"] != f"Name {number}":
            tries += 1
            if time.perf_counter() - announced > PATIENCE:
                raise Failed("a write was not seen at the other gateway")
        delays.append((time.perf_counter() - announced) * 1000)
        late += tries > 0
    points = quantiles(delays, n=100)
    head = (f"{writes:,} writes, each read at the other gateway", "answered as of before", "p50 ms", "p99 ms")
    rows = [("from the write's answer to the new one", str(late), f"{points[49]:.2f}", f"{points[98]:.2f}")]
    return Section("A write, read at another gateway", head, rows)
