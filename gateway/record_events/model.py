"""What is kept of watches, and the door to where it is kept: hashes by the vendor's ids, and nothing of a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.record_events.diff import NOT_SEEN, Sight
from gateway.webhooks.events import Event


@dataclass(frozen=True, slots=True)
class WatchState:
    """Where a watch stands: what its hashes were made of.

    `reading` is the digest of the last reading, so that an equal one need not be compared; `held` says that the last
    one was held back.
    """

    sight: Sight = NOT_SEEN
    reading: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchClaim:
    """A watch that one worker has taken, until a moment. What it finds counts only while its turn is the last one."""

    account_id: str
    project_id: str
    resource: str
    turn: int
    until: datetime
    failures: int
    place: WatchState


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that are kept together with what is told of them, or not at all."""

    put: Mapping[str, bytes]
    drop: Sequence[str]
    events: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """When a watch is due again, before which moment it is not taken whatever happens, and its failures in a row."""

    due: datetime
    rest_until: datetime
    failures: int = 0


class WatchStore(Protocol):
    """The database, as watching needs it. Raises `StoreUnavailable` when it cannot be reached."""

    async def listening(self) -> Mapping[str, Sequence[str]]:
        """Give the events that the enabled endpoints of each project ask for, patterns too."""

    async def arrange(self, wanted: Mapping[str, frozenset[str]], now: datetime) -> None:
        """Have the accounts of these projects watched for these resources, and no others."""

    async def claim(self, now: datetime, until: datetime) -> WatchClaim | None:
        """Take the watch of an active account that has been due for longest; nobody else gets it before `until`."""

    async def hashes(self, claim: WatchClaim) -> Mapping[str, bytes]: ...

    async def apply(self, claim: WatchClaim, revision: int, batch: Batch) -> bool:
        """Keep a batch in one transaction; false where the watch was overtaken or the account has changed."""

    async def settle(self, claim: WatchClaim, place: WatchState, then: Next) -> None:
        """End a watch. One that was hastened meanwhile is due when that was wanted."""

    async def hasten(self, account_id: str, resources: frozenset[str], at: datetime) -> None:
        """Have watches done at a moment, where they are not due before."""
