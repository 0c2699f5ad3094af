"""Sends the webhook deliveries that are due: at least once each, in no promised order.

Every worker process has a dispatcher. It claims deliveries in the database for the time of a lease. If it dies, the
lease ends and another worker claims them, so whatever is in the database is sent in the end.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeAlias

from gateway.errors import StoreUnavailable
from gateway.model import Clock
from gateway.observability.logs import Logger, where
from gateway.observability.metrics import Metrics
from gateway.webhooks.deliveries import Attempt, Capacity, Claim, Reply, Schedule, State
from gateway.webhooks.events import body_of
from gateway.webhooks.outbox_store import OutboxStore
from gateway.webhooks.signature import Message, signature_headers

Post: TypeAlias = Callable[[str, dict[str, str], bytes], Awaitable[Reply]]
"""Sends a body with headers to a URL. Network errors are words in the reply, not exceptions."""


class Dispatcher:
    """Claims and sends up to `concurrency` deliveries at a time, `endpoint_concurrency` of them to one endpoint."""

    def __init__(
        self,
        outbox: OutboxStore,
        post: Post,
        *,
        schedule: Schedule,
        concurrency: int,
        endpoint_concurrency: int,
        clock: Clock,
        metrics: Metrics,
        logger: Logger,
    ) -> None:
        self._outbox = outbox
        self._post = post
        self._schedule = schedule
        self._concurrency = concurrency
        self._endpoint_concurrency = endpoint_concurrency
        self._clock = clock
        self._attempts = metrics.webhook_attempts
        self._logger = logger
        self._woken = asyncio.Event()
        self._busy: Counter[str] = Counter()
        self._running: dict[asyncio.Task[None], Claim] = {}

    def wake(self) -> None:
        """Ends the wait of `step`: a delivery may be due."""
        self._woken.set()

    async def step(self, poll_seconds: float) -> None:
        """Starts what is due; then waits until woken or the poll interval is over. Raises `StoreUnavailable`."""
        # Cleared before the claim: a delivery that is written during the claim must end the wait.
        self._woken.clear()
        await self.start()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), poll_seconds)

    async def start(self) -> int:
        """Claims what is due and starts to send it; returns how many deliveries that is."""
        now, free = self._clock.now(), self._concurrency - len(self._running)
        if free <= 0:
            return 0
        capacity = Capacity(
            now=now,
            until=now + timedelta(seconds=self._schedule.lease),
            # A token for each claim: a worker whose lease has ended must not settle the claim of the next one.
            token=secrets.token_hex(12),
            most=free,
            # A failing endpoint takes its whole timeout, so that many of them would hold every slot.
            spare=self._concurrency // 4,
            each=self._endpoint_concurrency,
            busy=self._busy.copy(),
        )
        claims = await self._outbox.take(capacity)
        for claim in claims:
            task = asyncio.create_task(self._deliver(claim))
            self._busy[claim.endpoint_id] += 1
            self._running[task] = claim
            task.add_done_callback(self._end)
        return len(claims)

    async def finish(self) -> None:
        """Waits until no delivery is being sent."""
        while self._running:
            await asyncio.wait(self._running)

    async def close(self, grace_seconds: float) -> None:
        """Waits for the running attempts, but not longer than this; releases the other claims to be sent again."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=grace_seconds)
        claims = [self._running[task] for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for claim in claims:
            # If the database is away, the lease ends by itself.
            with suppress(StoreUnavailable):
                await self._outbox.release(claim, self._clock.now())

    def _end(self, task: asyncio.Task[None]) -> None:
        claim = self._running.pop(task)
        self._busy[claim.endpoint_id] -= 1
        self._busy += Counter()  # Removes endpoints whose count is zero.
        # A slot is free: the next delivery need not wait for the poll.
        self.wake()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._log_error(error)

    async def _deliver(self, claim: Claim) -> None:
        started, at = self._clock.monotonic(), self._clock.now()
        body = body_of(claim.payload, at)
        headers = signature_headers(Message(claim.event_id, at, body), claim.secrets, claim.tries)
        try:
            reply = await self._post(claim.url, {"content-type": "application/json", **headers}, body)
        except Exception as error:  # noqa: BLE001 - an attempt that is not counted would be made again for ever
            self._log_error(error)
            reply = Reply(status=None, error="fault")
        attempt = Attempt(
            at=at,
            status=reply.status,
            milliseconds=round((self._clock.monotonic() - started) * 1000),
            error=reply.error,
        )
        outcome = self._schedule.decide(claim, reply, self._clock.now(), self._clock.jitter())
        # False where the lease had ended: the worker that has the claim now counts its own attempt.
        if not await self._outbox.settle(claim, attempt, outcome):
            return
        self._attempts.labels("retried" if outcome.state is State.PENDING else outcome.state.value).inc()
        if outcome.disable:
            self._logger.warning("webhook disabled", detail=f"{claim.endpoint_id}: {outcome.disable}")

    def _log_error(self, error: BaseException) -> None:
        self._logger.error("webhook not sent", error=type(error).__name__, where=where(error))
