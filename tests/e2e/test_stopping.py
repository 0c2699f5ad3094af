"""A gateway that is asked to end: the request under way gets its answer, and nothing of it stays behind."""

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation
from tests.e2e.processes import IN_GOOD_ORDER, STOP_SECONDS, command_line_of, within


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Returns a directory whose path is short enough for the socket of a private Redis."""
    with TemporaryDirectory(prefix="e2e-") as directory:
        yield Path(directory)


@pytest.mark.parametrize(
    ("workers", "number", "codes"),
    [("1", signal.SIGTERM, [0]), ("2", signal.SIGTERM, [0]), ("1", signal.SIGINT, IN_GOOD_ORDER)],
)
def test_a_signal_ends_it_after_the_request_under_way(
    caller: Caller,
    company: Company,
    installation: Installation,
    scratch: Path,
    workers: str,
    number: signal.Signals,
    codes: Sequence[int],
) -> None:
    with installation.gateway({"TMPDIR": str(scratch)}, server_workers=workers) as server, ThreadPoolExecutor() as pool:
        there = replace(caller, url=server.url)
        assert there.get("/employees?page_size=1").status == 200
        started = server.children()
        with company.fault("latency", path="/people", seconds=0.5):
            company.clear_calls()
            answer = pool.submit(there.get, "/employees", cache_control="no-cache")
            within(STOP_SECONDS, lambda: bool(company.calls("/people")))
            server.process.send_signal(number)
            assert len(answer.result().json["data"]) == 25
        assert server.process.wait(STOP_SECONDS) in codes
        assert any("redis" in words or "valkey" in words for words in started.values())
        within(STOP_SECONDS, lambda: not any(command_line_of(pid) for pid in started))
    assert list(scratch.iterdir()) == []
