"""A delivery: one event on its way to one endpoint, what came of each attempt, and what is done next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.model import Secret
from gateway.webhooks.events import PING

LONGEST_RETRY_AFTER = 3600.0
"""Seconds that a receiver may put us off; the schedule has longer waits of its own later."""


class State(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one try: a status, or a word for why there is none. Nothing of an answer's body is kept."""

    at: datetime
    status: int | None
    milliseconds: int
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery as the log shows it. `reason` says why a dead one is; `kept` whether it can be sent again."""

    id: str
    endpoint_id: str
    event_id: str
    event: str
    account_id: str | None
    state: State
    reason: str | None
    kept: bool
    created_at: datetime
    next_at: datetime
    ended_at: datetime | None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery that this process has taken. `token` tells it from a later claim; `tries` counts those since replay.

    `secrets` are the live ones, oldest first.
    """

    delivery_id: str
    token: str
    endpoint_id: str
    url: str = field(repr=False)
    event_id: str
    event: str
    payload: bytes = field(repr=False)
    secrets: tuple[Secret, ...]
    tries: int
    failing_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a receiver answered: its status, or None with a word for why there is none; seconds of `Retry-After`."""

    status: int | None
    error: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from a reply. A pending delivery waits so many seconds; `disable` closes its endpoint."""

    state: State
    reason: str | None = None
    wait: float = 0.0
    disable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Seconds before each further try, and how long an endpoint may fail before it is disabled."""

    waits: Sequence[float]
    disable_after: timedelta

    def decide(self, claim: Claim, reply: Reply, now: datetime, jitter: float) -> Outcome:
        """Decide on a delivery after a try. `jitter` is from 0 to 1; it moves each wait by up to a half both ways."""
        if reply.status is not None and 200 <= reply.status < 300:
            return Outcome(State.DELIVERED)
        if reply.status == 410:
            return Outcome(State.DEAD, "gone", disable="gone")
        if claim.event == PING and claim.tries >= len(claim.secrets) - 1:
            return Outcome(State.DEAD, "failed")
        if claim.tries >= len(self.waits):
            long = claim.failing_since is not None and now - claim.failing_since >= self.disable_after
            return Outcome(State.DEAD, "failed", disable="failing" if long else None)
        wait = self.waits[claim.tries] * (0.5 + jitter)
        return Outcome(State.PENDING, wait=max(wait, min(reply.retry_after or 0.0, LONGEST_RETRY_AFTER)))
