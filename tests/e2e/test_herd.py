"""Many callers with one question that nobody has asked yet: one reading, and another only if its worker dies."""

import asyncio
import os
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation
from tests.e2e.processes import Server, within
from tests.e2e.raw_http import send
from tests.e2e.test_export import connected_to_each, workers

CALLERS = 1000
ROUNDS = 200
LIST = "/unified/hris/employees"


@pytest.fixture(name="pair", scope="module")
def fixture_pair(installation: Installation) -> Iterator[Server]:
    """Two workers, of whom one is soon taken for dead."""
    with installation.gateway(server_workers="2", cache_lease_seconds="1") as server:
        yield server


@pytest.fixture(name="cold")
def fixture_cold(pair: Server, installation: Installation, company: Company) -> Caller:
    account = installation.link("all-owner")
    company.clear()
    return Caller(pair.url, installation.key(), account)


async def ask_at_once(caller: Caller, count: int) -> list[tuple[int, bytes, bytes]]:
    """Opens all connections, then ask on all; give status, `Cache-Status` and body of each."""
    parts = urlsplit(caller.url)
    lines = [f"GET {LIST} HTTP/1.1", "host: gateway", "connection: close"]
    question = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in caller.headers.items()), "", ""]).encode()
    streams = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(count)]
    for _, writer in streams:
        writer.write(question)
    answers = await asyncio.gather(*(reader.read() for reader, _ in streams))
    for _, writer in streams:
        writer.close()
    found = []
    for answer in answers:
        head, _, body = answer.partition(b"\r\n\r\n")
        status = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"cache-status"))
        found.append((int(head.split()[1]), status.partition(b": ")[2], body))
    return found


def test_a_thousand_callers_with_a_cold_question_cost_one_reading(cold: Caller, company: Company) -> None:
    with company.fault("latency", path="/people", seconds=1):
        found = asyncio.run(ask_at_once(cold, CALLERS))
    assert {status for status, _, _ in found} == {200}
    assert len({body for _, _, body in found}) == 1
    calls = [(call["path"], call["query"]) for call in company.calls()]
    assert len(company.calls("/people")) == 1, calls
    assert len(calls) == len({str(call) for call in calls}), "no list was read twice"
    told = {status.split(b"; ttl")[0] for _, status, _ in found}
    assert b"hris-gateway; fwd=miss; stored; collapsed" in told


def test_when_the_worker_that_reads_for_all_is_killed_another_takes_over(
    pair: Server, cold: Caller, company: Company
) -> None:
    [first, _] = workers(pair)
    with connected_to_each(pair) as [connection, _], company.fault("latency", path="/people", seconds=2):
        connection.request("GET", LIST, headers=dict(cold.headers))
        within(30, lambda: len(company.calls("/people")) == 1)
        # So that all others reach the worker that waits.
        os.kill(first, signal.SIGSTOP)
        waiting = asyncio.run(ask_and_kill(cold, first))
    assert {status for status, _, _ in waiting} == {200}
    assert len(company.calls("/people")) == 2
    within(60, lambda: len(workers(pair)) == 2)


async def ask_and_kill(caller: Caller, worker: int) -> list[tuple[int, bytes, bytes]]:
    asking = asyncio.ensure_future(ask_at_once(caller, 200))
    await asyncio.sleep(0.5)
    os.kill(worker, signal.SIGKILL)
    return await asking


def test_a_write_at_one_worker_is_read_at_the_other(pair: Server, cold: Caller) -> None:
    """Though the other has the answer in its own memory, and is asked as soon as the write is answered."""
    with connected_to_each(pair) as connections:
        person = send(connections[0], f"{LIST}?page_size=1", cold.headers).json["data"][0]
        target = f"{LIST}/{person['id']}"
        writing = {**cold.headers, "content-type": "application/json"}
        late = 0
        for number in range(ROUNDS):
            here, there = connections[number % 2], connections[(number + 1) % 2]
            for _ in range(2):
                assert send(there, target, cold.headers).status == 200
            body = {"first_name": f"Name {number}"}
            assert send(here, target, writing, method="PATCH", body=body).status == 200
            for attempt in range(100):
                if send(there, target, cold.headers).json["data"]["first_name"] == f"Name {number}":
                    late += attempt > 0
                    break
            else:
                pytest.fail("the write was not read")
    assert late <= 3
