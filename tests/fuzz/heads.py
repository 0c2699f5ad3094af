"""Compares what a connection says to mutated requests with the fast path and without it.

The gateway is a whole one; only the transport below the connections is in memory, so that thousands a minute are tried.
"""

import asyncio
import random
from collections.abc import Sequence

import uvicorn
from uvicorn.server import ServerState

from gateway.connection import Connection
from gateway.unified.fastpath import FAST_PATH
from tests.fixtures.gateway import Site

PIECES = (
    *(b"\r\n", b"\r", b"\n", b" ", b"\t", b"\0", b"\x7f", b"\xff", b":", b",", b"GET ", b" HTTP/1.1", b" HTTP/1.0"),
    *(b"\r\n ", b"\r\nvia: x", b"\r\nx-request-id: 1", b"\r\ncontent-length: 0", b"\r\ncontent-length: 5"),
    *(b"\r\ntransfer-encoding: chunked", b"\r\nconnection: close", b"\r\nconnection: keep-alive"),
    *(b"\r\nupgrade: h2c", b"\r\nexpect: 100-continue", b"\r\nx-account-id: x", b"\r\ncache-control: no-store"),
    *(b"\r\naccept-encoding: gzip", b"\r\nif-none-match: *", b"0\r\n\r\n", b"5\r\nhello\r\n", b"\r\n\r\n"),
)


class MemoryTransport(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Is not asked for more than was sent."""

    def resume_reading(self) -> None:
        """As `pause_reading`."""


async def converse_in_memory(site: Site, chunks: Sequence[bytes], *, fast: bool) -> tuple[bytes, bool]:
    """Returns what a new connection answers to chunks, and whether it closes then."""
    config = uvicorn.Config(site.edge, lifespan="off", access_log=False, log_level="critical", proxy_headers=False)
    state = ServerState()
    config.load()
    transport = MemoryTransport()
    connection = Connection(config, state, {FAST_PATH: site.fast_path} if fast else {})
    connection.connection_made(transport)
    for chunk in chunks:
        if not transport.closed:
            connection.data_received(chunk)
        while state.tasks:
            await asyncio.wait(set(state.tasks), timeout=0.05)
            if not any(task.done() for task in state.tasks) and state.tasks:
                break  # It waits for a body that does not come.
            await asyncio.sleep(0)
    closed = transport.closed
    connection.connection_lost(None)
    if state.tasks:
        await asyncio.wait(set(state.tasks))
    return transport.sent, closed


def mutate(plain: bytes, chance: random.Random) -> list[bytes]:
    """Returns a request that was changed in a few places, in one chunk or several, perhaps with plain ones around."""
    data = plain
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((0, 0, 0, 1, 2, 8)))
        if chance.random() < 0.5:  # At the end of a line, where most of what matters stands.
            ends = [at for at in range(len(data)) if data.startswith(b"\r\n", at)] or [0]
            start = end = chance.choice(ends)
        data = data[:start] + chance.choice((*PIECES, plain, b"")) + data[end:]
    chunks = [data]
    if chance.random() < 0.3:
        middle = chance.randrange(len(data) + 1)
        chunks = [data[:middle], data[middle:]]
    if chance.random() < 0.3:
        chunks.insert(0, plain)
    if chance.random() < 0.3:
        chunks.append(plain)
    return [each for each in chunks if each]
