"""A full export of 1,000 people in small pages, from two workers: what it costs the vendor, and how it fails."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import cycle
from typing import Any

import pytest

from tests.e2e.clients import Sdk
from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation
from tests.e2e.processes import Server, serving, within
from tests.e2e.raw_http import connect, send

PEOPLE = 1000
MOST_CALLS = 10
REPLACED_SECONDS = 60.0
LIST = "/unified/hris/employees?page_size=25"


@pytest.fixture(scope="module")
def running_large_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    log = tmp_path_factory.mktemp("large") / "sandbox.log"
    with serving(["deploy.sandbox", "--port", "0", "--people", str(PEOPLE)], {}, log) as server:
        yield Company(server)


@pytest.fixture(scope="module")
def large_installation(running_large_company: Company, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("large"), running_large_company)


@pytest.fixture(scope="module")
def two_workers(large_installation: Installation) -> Iterator[Server]:
    with large_installation.gateway(server_workers="2") as server:
        yield server


@pytest.fixture
def large(two_workers: Server, large_installation: Installation, running_large_company: Company) -> Caller:
    """Returns a caller whose account nobody has asked about yet."""
    account = large_installation.link("all-owner")
    running_large_company.clear()
    return Caller(two_workers.url, large_installation.key(), account)


@pytest.fixture
def company(running_large_company: Company) -> Company:
    return running_large_company


def expected(company: Company) -> list[str]:
    return sorted(row["id"] for row in company.rows("people"))


def test_an_export_in_small_pages_costs_the_vendor_at_most_ten_calls(sdk: Sdk, large: Caller, company: Company) -> None:
    outcome = sdk.call(large, "listEmployees", {"pageSize": "25"})
    assert len(outcome.pages) == PEOPLE / 25
    assert sorted(each["remoteId"] for each in outcome.records) == expected(company)
    assert len(company.calls()) <= MOST_CALLS, [(call["path"], call["query"]) for call in company.calls()]


@pytest.mark.parametrize("path", ["/people", "/job-roles"])
def test_a_vendor_that_fails_half_way_through_a_list_gives_no_page_at_all(
    sdk: Sdk, large: Caller, company: Company, path: str
) -> None:
    """A list without its second half, or people without their jobs, would look like a complete answer."""
    with company.fault("server_error", path=path, after=2):
        outcome = sdk.call(large, "listEmployees", {"pageSize": "250"})
        again = sdk.call(large, "listEmployees", {"pageSize": "250"})
    assert (outcome.pages, again.pages) == ([], [])
    assert [each.error and each.error["statusCode"] for each in (outcome, again)] == [502, 502]
    whole = sdk.call(large, "listEmployees", {"pageSize": "250"}).records
    assert sorted(each["remoteId"] for each in whole) == expected(company)
    assert sum(each["jobTitle"] is not None for each in whole) > PEOPLE * 0.9


# --- two workers ------------------------------------------------------------------------------------------


def workers(server: Server) -> list[int]:
    return [pid for pid, words in server.children().items() if "multiprocessing.spawn" in words]


@contextmanager
def connected_to_each(server: Server) -> Iterator[list[HTTPConnection]]:
    """One connection to each worker: while the others are stopped, only that one can accept it."""
    connections: list[HTTPConnection] = []
    pids = workers(server)
    try:
        for pid in pids:
            others = [other for other in pids if other != pid]
            for other in others:
                os.kill(other, signal.SIGSTOP)
            try:
                connections.append(connect(server.url))
                assert send(connections[-1], "/healthz", {}).status == 200
            finally:
                for other in others:
                    os.kill(other, signal.SIGCONT)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def walk(connections: Iterator[HTTPConnection], caller: Caller) -> Iterator[list[dict[str, Any]]]:
    """Returns the pages of a walk, each from the next connection."""
    target = LIST
    while True:
        reply = send(next(connections), target, caller.headers)
        assert reply.status == 200, reply.body
        yield reply.json["data"]
        if reply.json["next"] is None:
            return
        target = f"{LIST}&next={reply.json['next']}"


def test_a_walk_may_change_the_worker_with_every_page(large: Caller, company: Company, two_workers: Server) -> None:
    with connected_to_each(two_workers) as connections:
        assert len(connections) == 2
        pages = list(walk(cycle(connections), large))
    assert [len(page) for page in pages] == [25] * (PEOPLE // 25)
    assert sorted(each["remote_id"] for page in pages for each in page) == expected(company)
    assert len(company.calls()) <= MOST_CALLS


def test_a_walk_goes_on_when_the_worker_that_began_it_is_killed(
    large: Caller, company: Company, two_workers: Server
) -> None:
    [first, second] = workers(two_workers)
    with connected_to_each(two_workers) as connections:
        pages = walk(iter(connections), large)
        seen = next(pages)
        os.kill(first, signal.SIGKILL)
        seen += next(pages)
    assert len({each["id"] for each in seen}) == 50
    assert len(company.calls()) <= MOST_CALLS
    within(REPLACED_SECONDS, lambda: len(workers(two_workers)) == 2)
    assert second in workers(two_workers)
