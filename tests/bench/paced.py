"""Asks at a set pace, whatever the answers take: a late answer delays no question, and counts from its due time."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence

from deploy.load.drive import Get, Line
from deploy.load.processes import Failed


def pace_one(address: str, get: Get, per_second: float, goes_on: Callable[[], bool]) -> list[float]:
    """Asks over one connection while `goes_on`. Returns the milliseconds from when each was due to its answer."""
    host, _, port = address.rpartition(":")
    head = "".join(f"{name}: {value}\r\n" for name, value in {"host": "localhost", **get.headers}.items())
    question = f"GET {get.path} HTTP/1.1\r\n{head}\r\n".encode()
    times = []
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        due = time.perf_counter()
        while goes_on():
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.sendall(question)
            _read(connection)
            times.append((time.perf_counter() - due) * 1000)
            due += 1 / per_second
    return times


def _read(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise Failed(f"a paced question was answered {head[:20]!r}")
    missing = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]) - len(body)
    while missing > 0:
        missing -= len(_more(connection))


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise Failed("a paced connection was closed")
    return data


async def pace_many(addresses: Sequence[str], questions: Sequence[Sequence[Get]], per_second: float) -> list[int]:
    """Asks each server its questions in order, all servers at the same pace. Returns the failures of each."""
    return await asyncio.gather(
        *(_pace(address, own, per_second) for address, own in zip(addresses, questions, strict=True))
    )


async def _pace(address: str, questions: Sequence[Get], per_second: float) -> int:
    free: list[Line] = []
    bad = 0

    async def ask(get: Get) -> None:
        nonlocal bad
        line = free.pop() if free else await Line.open(address)
        bad += await line.ask(get) >= 400
        free.append(line)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for place, get in enumerate(questions):
            await asyncio.sleep(max(0.0, began + place / per_second - time.perf_counter()))
            group.create_task(ask(get))
    for line in free:
        line.close()
    return bad
