"""A delivery: one event for one endpoint. The result of each attempt, and the decision what is done next."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.model import Secret
from gateway.webhooks.events import PING

LONGEST_RETRY_AFTER = 3600.0
"""The longest `Retry-After` that is followed, in seconds; later waits of the schedule are longer anyway."""


class State(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The result of one attempt: a status, or a word for why there is none. The body of an answer is not stored."""

    at: datetime
    status: int | None
    milliseconds: int
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery as the log shows it. `reason` says why a dead one is dead; `kept`: its payload is still stored."""

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
    """A delivery that this process has claimed, with what is needed to send it.

    `token` tells it from a later claim of the same delivery; `tries` counts the attempts since it was last replayed.
    `secrets` are those that are valid now, oldest first.
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
class Capacity:
    """What a worker can claim: `most` in all, and `each` for one endpoint, including those that are `busy` there.

    The lease ends at `until`. `spare` of them are not for failing endpoints, each of which may take its whole timeout.
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
    """How long the payload of an ended delivery can be sent again, and how long the log shows the delivery."""

    replay: timedelta
    log: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A receiver's answer: its status, or None with a word for why there is none; `Retry-After` in seconds."""

    status: int | None
    error: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decision on a reply. A pending delivery waits `wait` seconds; `disable` is why the endpoint is disabled."""

    state: State
    reason: str | None = None
    wait: float = 0.0
    disable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Seconds before each further attempt, how long an endpoint may fail until it is disabled, seconds of a lease."""

    waits: Sequence[float]
    disable_after: timedelta
    lease: float

    def decide(self, claim: Claim, reply: Reply, now: datetime, jitter: float) -> Outcome:
        """Decides what is done after an attempt. `jitter`, from 0 to 1, makes a wait up to half longer or shorter."""
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
