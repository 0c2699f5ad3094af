"""Where the microseconds of a hit go: the real parts of a gateway, joined as it joins them, one stage at a time.

Processor time of one process with as many requests in flight as in the bench; Redis's own time is not in it.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

import hiredis
import uvloop
from starlette.types import Message

from connectors.registry import CONNECTORS
from gateway.app import assemble
from gateway.core.shelf import Shelf
from gateway.settings import read_settings
from gateway.web.edge import _KEY, Edge, Exchange
from gateway.web.render import page_headers, with_length
from gateway.web.site import Site
from gateway.web.unified import UnifiedApi, read_call
from tests.bench.ground import LIST, SERVER_CORE, Ground
from tests.bench.table import table

IN_FLIGHT = 16
BATCHES = 5
EACH = 2000


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    microseconds: float


def stages_table(ground: Ground, served: float, bare: float) -> str:
    """Measure the stages, beside what a hit costs as `served` and what the `bare` server costs (CPU µs)."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            stages, whole = runner.run(_Parts.measure(ground))
    finally:
        os.sched_setaffinity(0, mine)
    parts = sum(stage.microseconds for stage in stages if not stage.name.startswith(" "))
    rows = [*stages, Stage("between the stages", whole - parts), Stage("= without a server", whole)]
    rows += [Stage("uvicorn and socket, as for bare ASGI", bare), Stage("the rest of serving", served - whole - bare)]
    rows.append(Stage("= as served", served))
    head = ("where a hit goes", "CPU µs", "of all")
    return table(head, [(each.name, f"{each.microseconds:.1f}", f"{each.microseconds / served:.0%}") for each in rows])


class _Parts:
    """One request, taken through the parts of an assembled gateway; each stage can be repeated alone."""

    @classmethod
    async def measure(cls, ground: Ground) -> tuple[Sequence[Stage], float]:
        async with AsyncExitStack() as stack:
            edge = await assemble(read_settings(ground.environ, CONNECTORS.keys()), stack)
            parts = cls(edge, ground)
            await parts.prepare()
            return await parts.stages(ground.redis), await aside(parts.whole)

    def __init__(self, edge: Edge, ground: Ground) -> None:
        site = edge.app
        assert isinstance(site, Site)
        unified = site._unified
        assert isinstance(unified, UnifiedApi)
        self.edge, self.site, self.unified, self.gateway = edge, site, unified, unified._gateway
        sent = {"host": "127.0.0.1:8080", **ground.headers}
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": LIST,
            "raw_path": LIST.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
        self.status = 0

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)

    async def receive(self) -> Message:
        raise RuntimeError("a read has no body to receive")

    async def whole(self) -> None:
        await self.edge(self.scope, self.receive, self.send)

    async def prepare(self) -> None:
        """Go the way of a request once, and keep what each stage hands on."""
        await self.whole()
        assert self.status == 200
        gateway = self.gateway
        self.exchange: Exchange = self.scope[_KEY]
        self.match = self.unified._match(self.scope)
        self.call = read_call(self.scope, self.match, self.exchange)
        self.key = await gateway._who(self.call)
        self.linked, self.provider = await gateway._which(self.call, self.key)
        self.question = gateway._may(self.call, self.key, self.linked, self.provider)
        self.shelf = Shelf(gateway._cache, self.linked, gateway._limits.most_bytes)
        self.name = gateway._name(self.shelf, self.question, self.linked.account)
        [self.sealed] = await gateway._cache.read([self.name])
        page = await gateway._known(self.call, self.shelf, self.name, self.question)
        assert page is not None
        self.page = page

    async def stages(self, redis: str) -> Sequence[Stage]:
        gateway = self.gateway
        read = await aside(lambda: gateway._cache.read([self.name]))
        opened = alone(lambda: self.shelf._open(self.name, self.sealed))
        known = await aside(lambda: gateway._known(self.call, self.shelf, self.name, self.question))
        return [
            Stage("edge: id, limits", alone(self._enter)),
            Stage("path to operation", alone(lambda: self.unified._match(self.scope))),
            Stage("headers and query to a call", alone(lambda: read_call(self.scope, self.match, self.exchange))),
            Stage("client key: checksum, digest, memory", await aside(lambda: gateway._who(self.call))),
            Stage("linked account: memory", await aside(lambda: gateway._which(self.call, self.key))),
            Stage(
                "decision: memory",
                alone(lambda: gateway._may(self.call, self.key, self.linked, self.provider)),
            ),
            Stage("name in the cache", alone(self._name)),
            Stage("Redis round trip", read),
            Stage("  the same without redis-py", await _bare_redis(redis, self.name)),
            Stage("decrypt, compare the owner", opened),
            Stage("age of the kept answer", known - read - opened),
            Stage("headers of the answer", alone(self._headers)),
            Stage("edge: metrics, log", alone(self._leave)),
        ]

    def _enter(self) -> None:
        Exchange(self.edge._around.new_id())
        self.edge._check(self.scope)

    def _name(self) -> None:
        shelf = Shelf(self.gateway._cache, self.linked, self.gateway._limits.most_bytes)
        self.gateway._name(shelf, self.question, self.linked.account)

    def _headers(self) -> None:
        with_length(page_headers(self.page), self.page.body, [(b"x-request-id", self.exchange.request_id.encode())])

    def _leave(self) -> None:
        self.edge._count(self.exchange)
        self.edge._around.log(self.exchange, "GET", None)


def alone(act: Callable[[], object]) -> float:
    """Give the microseconds of a call."""
    costs = []
    for _ in range(BATCHES):
        began = time.process_time()
        for _ in range(EACH):
            act()
        costs.append(time.process_time() - began)
    return median(costs) / EACH * 1e6


async def aside(act: Callable[[], Awaitable[object]]) -> float:
    """Give the microseconds of an awaitable, with others like it in flight."""

    async def repeat() -> None:
        for _ in range(EACH // IN_FLIGHT):
            await act()

    costs = []
    for _ in range(BATCHES):
        began = time.process_time()
        await asyncio.gather(*(repeat() for _ in range(IN_FLIGHT)))
        costs.append(time.process_time() - began)
    return median(costs) / (EACH // IN_FLIGHT * IN_FLIGHT) * 1e6


class _Pipe(asyncio.Protocol):
    """The least that asks Redis: one connection, answers in the order of the questions."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[object]] = deque()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not False:
            self._waiting.popleft().set_result(answer)

    def get(self, name: str) -> asyncio.Future[object]:
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._transport.write(b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(name), name.encode()))
        return future

    def close(self) -> None:
        self._transport.close()


async def _bare_redis(redis: str, name: str) -> float:
    path = redis.removeprefix("unix://")
    _, pipe = await asyncio.get_running_loop().create_unix_connection(_Pipe, path)
    cost = await aside(lambda: pipe.get(name))
    pipe.close()
    return cost
