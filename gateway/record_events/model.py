"""The state of watches and its store: hashes by the vendor's ids, and nothing of a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

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
    """A watch that a worker has claimed until a moment. Its results are stored only if `lease` is the last claim's."""

    account_id: str
    project_id: str
    resource: str
    lease: int
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
