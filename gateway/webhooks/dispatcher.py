"""Sends what is due, in the background of each worker: at least once, in no promised order.

A delivery is claimed for a time. Whoever claims it and dies loses it to the next when that time is over, so what is
in the database is sent whatever happens to processes.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.errors import StoreUnavailable
from gateway.model import Clock
from gateway.webhooks.deliveries import Attempt, Claim, Outcome, Reply, Schedule, State
from gateway.webhooks.events import body_of
from gateway.webhooks.signature import Message, signature_headers

TIDY_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a worker can take: `most` in all, `each` of one endpoint with those `busy` there, until the lease ends.

    `spare` of them are not for endpoints that fail, as each of those may take its whole time.
    """

    now: datetime
    until: datetime
    token: str
    most: int
    spare: int
    each: int
    busy: Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what has ended can be sent again, and how long the log tells of it."""

    replay: timedelta
    log: timedelta


class Outbox(Protocol):
    """The database, as sending needs it. Raises `StoreUnavailable`."""

    async def take(self, room: Room) -> Sequence[Claim]:
        """Claim what is due of endpoints that are enabled; of one that fails, one at a time."""

    async def settle(self, claim: Claim, attempt: Attempt, outcome: Outcome) -> bool:
        """Note an attempt and what follows; False when the claim had been lost meanwhile."""

    async def release(self, claim: Claim, now: datetime) -> None:
        """Give a claim back: nothing was tried, or nobody knows how it ended."""

    async def tidy(self, now: datetime, keeping: Retention) -> None:
        """Forget what has been kept for long enough."""


class Receivers(Protocol):
    """The way to the endpoints. What goes wrong there is a word in the reply."""

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Reply: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Deliveries at a time, in all and to one endpoint; and seconds.

    Of a claim, between looks at the database, and for what is under way when the worker ends.
    """

    together: int
    each: int
    lease: float
    poll: float
    grace: float


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears of it: `count` an outcome, `disabled` an endpoint and why, `fault` what went wrong in here."""

    count: Callable[[str], None]
    disabled: Callable[[str, str], None]
    fault: Callable[[BaseException], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    pace: Pace
    schedule: Schedule
    keeping: Retention


class Dispatcher:
    """One for each worker. `run` goes on until it is cancelled; `wake` says that there may be something to send."""

    def __init__(
        self, outbox: Outbox, receivers: Receivers, rules: Rules, around: tuple[Clock, Callable[[], str]], ears: Ears
    ) -> None:
        """`around` is the time with its chance, and where the tokens of claims come from."""
        self._outbox = outbox
        self._receivers = receivers
        self._rules = rules
        self._clock, self._new_token = around
        self._ears = ears
        self._woken = asyncio.Event()
        self._busy: Counter[str] = Counter()
        self._running: dict[asyncio.Task[None], Claim] = {}
        # By chance, so that workers that start together do not all do it.
        self._tidy_at = self._clock.now() + TIDY_EVERY * self._clock.jitter()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        ill = False
        while True:
            self._woken.clear()
            try:
                await self.start()
                await self._tidy()
                ill = False
            except Exception as error:  # noqa: BLE001 - the background goes on whatever happens
                if not ill:  # While a database is away, that is said once.
                    self._ears.fault(error)
                ill = True
                await asyncio.sleep(self._rules.pace.poll)
            try:
                async with asyncio.timeout(self._rules.pace.poll):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def start(self) -> int:
        """Claim what is due and begin to send it; tell how many that is."""
        pace, now = self._rules.pace, self._clock.now()
        most = pace.together - len(self._running)
        if most <= 0:
            return 0
        room = Room(
            now=now,
            until=now + timedelta(seconds=pace.lease),
            token=self._new_token(),
            most=most,
            spare=pace.together // 4,
            each=pace.each,
            busy=self._busy.copy(),
        )
        claims = await self._outbox.take(room)
        for claim in claims:
            task = asyncio.create_task(self._deliver(claim))
            self._busy[claim.endpoint_id] += 1
            self._running[task] = claim
            task.add_done_callback(self._ended)
        return len(claims)

    async def finish(self) -> None:
        """Wait until nothing is under way."""
        while self._running:
            await asyncio.wait(self._running)

    async def close(self) -> None:
        """End what is under way, soon; what does not end is given back, to be sent again."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=self._rules.pace.grace)
        claims = [self._running[task] for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for claim in claims:
            try:
                await self._outbox.release(claim, self._clock.now())
            except StoreUnavailable as error:
                self._ears.fault(error)  # The lease ends by itself.

    def _ended(self, task: asyncio.Task[None]) -> None:
        claim = self._running.pop(task)
        self._busy[claim.endpoint_id] -= 1
        self._busy += Counter()  # Drops what is at nought.
        self.wake()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._ears.fault(error)

    async def _deliver(self, claim: Claim) -> None:
        began, at = self._clock.monotonic(), self._clock.now()
        body = body_of(claim.payload, at)
        headers = signature_headers(Message(claim.event_id, at, body), claim.secrets, claim.tries)
        reply = await self._post(claim.url, {"content-type": "application/json", **headers}, body)
        attempt = Attempt(
            at=at,
            status=reply.status,
            milliseconds=round((self._clock.monotonic() - began) * 1000),
            error=reply.error,
        )
        outcome = self._rules.schedule.decide(claim, reply, self._clock.now(), self._clock.jitter())
        if not await self._outbox.settle(claim, attempt, outcome):
            return
        self._ears.count("retried" if outcome.state is State.PENDING else outcome.state.value)
        if outcome.disable:
            self._ears.disabled(claim.endpoint_id, outcome.disable)

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> Reply:
        try:
            return await self._receivers.post(url, headers, body)
        except Exception as error:  # noqa: BLE001 - else it would be tried for ever, and not be counted
            self._ears.fault(error)
            return Reply(status=None, error="fault")

    async def _tidy(self) -> None:
        now = self._clock.now()
        if now >= self._tidy_at:
            self._tidy_at = now + TIDY_EVERY
            await self._outbox.tidy(now, self._rules.keeping)
