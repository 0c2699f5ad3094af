"""The state of watches and its store: hashes by the vendor's ids, and nothing of a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.record_events.diff import NO_VERSION, SnapshotVersion
from gateway.webhooks.events import Event


@dataclass(frozen=True, slots=True)
class WatchState:
    """What the stored hashes of a watch were made of.

    `digest` is that of the last snapshot: an equal one need not be compared. `unconfirmed` says that the last snapshot
    showed a mass deletion, which waits for a second one.
    """

    version: SnapshotVersion = NO_VERSION
    digest: str = ""
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchClaim:
    """A watch that a worker has claimed until a moment. Its results are stored only if `turn` is the last claim's."""

    account_id: str
    project_id: str
    resource: str
    turn: int
    until: datetime
    failures: int
    state: WatchState


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes and their events, which are stored together or not at all."""

    put: Mapping[str, bytes]
    drop: Sequence[str]
    events: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRun:
    """When a watch is due again, until when it rests whatever happens, and how many runs in a row failed."""

    due: datetime
    rest_until: datetime
    failures: int = 0


class WatchStore(Protocol):
    """The database of watches. Raises `StoreUnavailable`."""

    async def listening(self) -> Mapping[str, Sequence[str]]:
        """Returns by project id the events that enabled endpoints ask for, patterns too."""

    async def arrange(self, wanted: Mapping[str, frozenset[str]], now: datetime) -> None:
        """Creates the watches of these resources for the accounts of these projects, and deletes all others."""

    async def claim(self, now: datetime, until: datetime) -> WatchClaim | None:
        """Claims the watch of an active account that has been due for longest; no other worker gets it until then."""

    async def hashes(self, claim: WatchClaim) -> Mapping[str, bytes]: ...

    async def apply(self, claim: WatchClaim, revision: int, batch: Batch) -> bool:
        """Stores a batch in one transaction; False if the watch was claimed again or the account has changed."""

    async def settle(self, claim: WatchClaim, state: WatchState, then: NextRun) -> None:
        """Ends a claim. A watch that was hastened meanwhile is due at the earlier moment."""

    async def hasten(self, account_id: str, resources: frozenset[str], at: datetime) -> None:
        """Makes watches due at a moment, unless they are due before."""
