"""Background work of a worker process: named tasks that survive errors, and loops that claim jobs one at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from typing import Generic, TypeVar
from zlib import crc32

from gateway.errors import StoreUnavailable
from gateway.observability.logs import Logger, where

J = TypeVar("J")

RETRY_SECONDS = 5.0
"""The pause after a failure of a task that has no pause of its own."""


def spread(name: str, latest: datetime, interval: float) -> datetime:
    """Returns when a job that is done every `interval` seconds is due: at `latest`, or up to half of that before it.

    The moment lies in each half interval at a place that only the name of the job decides. So jobs that became due
    together, after a long pause or because they are new, are spread from then on; and a job that is done at its place
    is due there again, one whole interval later.
    """
    half = max(1, int(interval / 2))
    moment = int(latest.timestamp())
    early = (moment - crc32(name.encode())) % half
    return datetime.fromtimestamp(moment - early, latest.tzinfo)


class Supervisor:
    """Runs named tasks until the stack ends. An unexpected error is logged, and the task runs again after a pause."""

    def __init__(self, stack: AsyncExitStack, logger: Logger) -> None:
        self._stack = stack
        self._logger = logger

    def start(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        *,
        pause: float | Callable[[], float] = 0.0,
        grace: float = 0,
    ) -> None:
        """Calls `work` again and again, `pause` seconds apart; a function gives a new pause each time.

        The stack ends the tasks in the reverse order of their start, and waits for each to be gone. A task that waits
        ends at once. One that works is cancelled after `grace` seconds.
        """
        stopping = asyncio.Event()
        task = asyncio.create_task(self._repeat(name, work, pause, stopping), name=name)

        async def stop() -> None:
            stopping.set()
            if grace:
                await asyncio.wait([task], timeout=grace)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(stop)

    def log_error(self, name: str, error: BaseException) -> None:
        """Logs the kind of an error and where it arose; its text may hold customer data."""
        self._logger.error("background task failed", task=name, error=type(error).__name__, where=where(error))

    async def _repeat(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        pause: float | Callable[[], float],
        stopping: asyncio.Event,
    ) -> None:
        failing = False
        while not stopping.is_set():
            seconds = pause() if callable(pause) else pause
            try:
                await work()
                failing = False
            except Exception as error:  # noqa: BLE001 - no error may end background work
                seconds = seconds or RETRY_SECONDS
                # Once for each outage: a database that is away for an hour would fill the log.
                if not failing:
                    self.log_error(name, error)
                failing = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), seconds)


class ClaimLoop(Generic[J]):
    """Claims jobs that are due from a store that all workers share, and processes several side by side.

    A claim is a lease: a job whose worker dies, or whose database is away at its end, is claimed again by somebody
    else once the lease ends. So no error needs more care here than to be logged.
    """

    def __init__(
        self,
        claim: Callable[[], Awaitable[J | None]],
        process: Callable[[J], Awaitable[None]],
        *,
        concurrency: int,
        idle_wait: Callable[[], float],
        claim_wait: Callable[[], float] = lambda: 0.0,
        log_error: Callable[[BaseException], None],
    ) -> None:
        """`claim` returns None when nothing is due; then the loop waits `idle_wait()` seconds.

        Between two claims it waits `claim_wait()` seconds, and never has more than `concurrency` jobs in process.
        """
        self._claim = claim
        self._process = process
        self._slots = asyncio.Semaphore(concurrency)
        self._idle_wait = idle_wait
        self._claim_wait = claim_wait
        self._log_error = log_error
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Runs until cancelled; then cancels the jobs in process and waits for them."""
        try:
            # The wait comes first: a worker that crashes at every start must not call a vendor each time.
            wait = self._idle_wait
            while True:
                await asyncio.sleep(wait())
                wait = self._claim_wait if await self._start_one() else self._idle_wait
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def claim(self) -> J | None:
        """Returns a claimed job; None where there is none or the claim failed."""
        try:
            return await self._claim()
        except StoreUnavailable:
            """Every request and the health check report it already."""
        except Exception as error:  # noqa: BLE001 - the loop goes on
            self._log_error(error)
        return None

    async def process(self, job: J) -> None:
        """Processes a job. Errors are logged, except that the database is away."""
        try:
            await self._process(job)
        except StoreUnavailable:
            """The lease ends, and the job is claimed again."""
        except Exception as error:  # noqa: BLE001 - the other jobs go on
            self._log_error(error)

    async def _start_one(self) -> bool:
        await self._slots.acquire()
        job = None
        try:
            job = await self.claim()
        finally:
            if job is None:
                self._slots.release()
        if job is None:
            return False
        task = asyncio.create_task(self.process(job))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: self._slots.release())
        return True
