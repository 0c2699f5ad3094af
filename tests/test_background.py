"""Background work survives errors, keeps its interval, and ends with the stack. Time is virtual."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from gateway.background import RETRY_SECONDS, ClaimLoop, Supervisor
from gateway.errors import StoreUnavailable
from gateway.observability.logs import make_logger
from tests.simulation.virtual_clock import in_virtual_time


def now() -> float:
    return round(asyncio.get_running_loop().time(), 3)


class Work:
    """A step that notes when it is called; of `results` each is raised, or is how many seconds it takes."""

    def __init__(self, *results: float | Exception) -> None:
        self._results = iter(results)
        self.calls: list[float] = []
        self.finished = 0

    async def __call__(self) -> None:
        self.calls.append(now())
        result = next(self._results, 0.0)
        if isinstance(result, Exception):
            raise result
        await asyncio.sleep(result)
        self.finished += 1


def logged(capfd: pytest.CaptureFixture[str]) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {(line["level"], line["event"]) for line in lines} <= {("error", "background task failed")}
    return [(line["task"], line["error"], line["where"].partition(":")[0]) for line in lines]


# --- the supervisor -----------------------------------------------------------------------------------------


def jitter(seconds: Iterator[float]) -> Callable[[], float]:
    return lambda: next(seconds)


@pytest.mark.parametrize(
    ("results", "pause", "calls", "errors"),
    [
        ([], 10.0, [0, 10, 20, 30], []),
        ([3.0, 1.0], 10.0, [0, 13, 24, 34], []),
        ([], jitter(iter((1.0, 2.0, 37.0))), [0, 1, 3], []),
        ([KeyError("planted"), KeyError("planted")], 10.0, [0, 10, 20, 30], ["KeyError"]),
        ([KeyError("planted"), 30.0], 0.0, [0, RETRY_SECONDS], ["KeyError"]),
        ([StoreUnavailable("away")] * 3, 10.0, [0, 10, 20, 30], ["StoreUnavailable"]),
        ([KeyError(), 0.0, StoreUnavailable("away")], 10.0, [0, 10, 20, 30], ["KeyError", "StoreUnavailable"]),
    ],
    ids="steps slow-steps changing-pause error error-without-pause outage-logged-once next-outage-logged".split(),
)
def test_a_task_is_called_again_after_its_pause_whatever_it_raises(
    capfd: pytest.CaptureFixture[str],
    results: list[float | Exception],
    pause: float | Callable[[], float],
    calls: list[float],
    errors: list[str],
) -> None:
    work = Work(*results)

    async def main() -> None:
        async with AsyncExitStack() as stack:
            Supervisor(stack, make_logger("info")).start("planted", work, pause=pause)
            await asyncio.sleep(34.5)

    in_virtual_time(main())
    assert work.calls == calls
    assert logged(capfd) == [("planted", error, "test_background.py") for error in errors]


@pytest.mark.parametrize(
    ("takes", "grace", "finished", "ended"),
    [(60.0, 0.0, 0, 1.0), (60.0, 2.0, 0, 3.0), (1.5, 2.0, 1, 1.5), (0.0, 2.0, 1, 1.0)],
    ids="cancelled cancelled-after-its-grace finishes-within-its-grace waits".split(),
)
def test_the_end_of_the_stack_ends_a_task_and_waits_for_it(
    takes: float, grace: float, finished: int, ended: float
) -> None:
    work = Work(takes)

    async def main() -> None:
        async with AsyncExitStack() as stack:
            Supervisor(stack, make_logger("info")).start("planted", work, pause=100.0, grace=grace)
            await asyncio.sleep(1.0)
        assert (now(), work.finished, len(asyncio.all_tasks())) == (ended, finished, 1)

    in_virtual_time(main())


# --- the claim loop -----------------------------------------------------------------------------------------


class Jobs:
    """Jobs that are due, as a store gives them out; an exception is raised. Notes when each is claimed and done."""

    def __init__(self, *due: str | Exception | None, takes: float = 0.0, fails: Exception | None = None) -> None:
        self._due = list(due)
        self._takes = takes
        self._fails = fails
        self.claims: list[float] = []
        self.processed: list[str] = []
        self.running = self.most_running = 0
        self.errors: list[BaseException] = []

    async def claim(self) -> str | None:
        self.claims.append(now())
        found = self._due.pop(0) if self._due else None
        if isinstance(found, Exception):
            raise found
        return found

    async def process(self, job: str) -> None:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self._takes)
            if self._fails:
                raise self._fails
            self.processed.append(job)
        finally:
            self.running -= 1

    def run(self, seconds: float = 60.0) -> None:
        async def main() -> None:
            loop = ClaimLoop(
                self.claim,
                self.process,
                concurrency=2,
                idle_wait=lambda: 20.0,
                claim_wait=lambda: 2.0,
                log_error=self.errors.append,
            )
            task = asyncio.create_task(loop.run())
            await asyncio.sleep(seconds)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert (self.running, len(asyncio.all_tasks())) == (0, 1)

        in_virtual_time(main())


def test_it_waits_first_then_between_claims_and_long_when_nothing_is_due() -> None:
    jobs = Jobs("a", "b", None, "c")
    jobs.run()
    assert (jobs.claims, jobs.processed) == ([20, 22, 24, 44, 46], ["a", "b", "c"])


@pytest.mark.parametrize(("error", "logged"), [(StoreUnavailable("away"), 0), (ZeroDivisionError(), 1)])
def test_an_error_of_a_claim_or_a_job_ends_nothing(error: Exception, logged: int) -> None:
    claims = Jobs(error, "a")
    claims.run()
    assert (claims.processed, claims.errors) == (["a"], [error] * logged)
    jobs = Jobs("a", "b", fails=error)
    jobs.run()
    assert (jobs.claims, jobs.errors) == ([20, 22, 24, 44], [error] * logged * 2)


def test_no_more_jobs_run_side_by_side_than_allowed_and_an_end_cancels_them() -> None:
    jobs = Jobs(*"abcd", takes=15.0)
    jobs.run(seconds=40.0)
    assert (jobs.claims, jobs.most_running, jobs.processed) == ([20, 22, 35, 37], 2, ["a", "b"])
