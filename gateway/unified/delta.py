"""Makes a list of an older reading and the rows that have changed since. Pure functions; decision 33 has the proof.

A basis splits a reading at a moment `since`. The rows last changed before it can only become fewer: each is deleted, or
changes and is then on the other side. So if the vendor still counts as many of them as remain when those that are now
among the changed rows are taken away, none was deleted, and both sides together are the list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any

import orjson

from connectors.changes import Changes
from connectors.paging import Paging
from connectors.spec import Row
from gateway.unified.page_checks import SKEW, moment_of

MOST_TURNING = 50
"""Rows that are asked for by their ids: as many as fit into any server's limit of a URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaBasis:
    """What has to be known of a snapshot to refresh it by its changes.

    `older` is the number of rows last changed before `since`; `recent` has the others, by id, with time and digest.
    `oldest` is the time of the row that was not changed for longest, and `turning` has the digests of rows that may
    change by themselves. `whole_at` is when the list was last read whole, in
    seconds since the epoch, and `chained` whether it was refreshed since. `generation` is that of the whole account.
    """

    snapshot: str
    total: int
    generation: str
    whole_at: float
    chained: bool
    oldest: str
    since: str
    older: int
    recent: Mapping[str, tuple[str, str]]
    turning: Mapping[str, str] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """Returns `since` as a moment."""
        return datetime.fromisoformat(self.since)

    def write(self) -> bytes:
        """Returns the basis encoded for the shared cache."""
        return orjson.dumps(asdict(self))

    @classmethod
    def read(cls, value: bytes) -> "DeltaBasis | None":
        """Returns the basis that `write` has encoded; None for that of another version of the gateway."""
        found = orjson.loads(value)
        return cls(**found) if found.keys() == cls.__dataclass_fields__.keys() else None


@dataclass(frozen=True, slots=True)
class ChangeReader:
    """What the rows of a list tell of their changes."""

    paging: Paging
    changes: Changes

    def id_of(self, row: Row) -> str:
        """Returns the id of a row; empty where it has none."""
        value = row.get(self.paging.key)
        return value if isinstance(value, str) else ""

    def changed_at(self, row: Row) -> datetime | None:
        """Returns when a row was last changed, or None where it does not say."""
        return moment_of(row.get(self.paging.updated))

    def digest(self, row: Row) -> str:
        """Returns a digest of the columns of a row that something may be made from."""
        loose = self.changes.loose
        told = repr([pair for pair in row.items() if pair[0] not in loose])
        return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    def is_recent(self, row: Row, basis: DeltaBasis) -> bool:
        """Returns whether a row was last changed at the moment of a basis or later."""
        at = self.changed_at(row)
        return at is not None and at >= basis.moment

    def turns(self, row: Row, until: date) -> bool:
        """Returns whether a row may change by itself until the end of a day."""
        return self.changes.turns is not None and self.changes.turns(row, until)


def stamp(moment: datetime) -> str:
    """Returns a moment as vendors write it, in UTC. What is less than a millisecond is cut off."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make_basis(
    rows: Sequence[Row], reader: ChangeReader, *, began: datetime, until: date, **told: Any
) -> DeltaBasis | None:
    """Returns the basis of a snapshot whose reading began at a moment, or None where its rows do not allow one.

    `until` is the last day on which the basis will be used; `told` is what else a `DeltaBasis` has. The newest row is
    always on the side of the changed ones: by it the vendor shows each time that it compares moments rightly.
    """
    found = {reader.id_of(row): reader.changed_at(row) for row in rows}
    moments = [moment for moment in found.values() if moment is not None]
    shown = all(column in row for row in rows for column in reader.changes.shows)
    if not rows or "" in found or len(moments) != len(rows) or not shown or max(moments) > began + SKEW:
        return None
    since = stamp(min(began - SKEW, max(moments)))
    moment = datetime.fromisoformat(since)
    recent = {
        name: (stamp(at), reader.digest(row))
        for (name, at), row in zip(found.items(), rows, strict=True)
        if at is not None and at >= moment
    }
    turning = {reader.id_of(row): reader.digest(row) for row in rows if reader.turns(row, until)}
    # All changes must fit into one page, with room for those to come: a page is of one moment.
    if len(recent) > reader.paging.size // 2 or len(turning) > MOST_TURNING:
        return None
    older = len(rows) - len(recent)
    return DeltaBasis(oldest=stamp(min(moments)), since=since, older=older, recent=recent, turning=turning, **told)


def advance(basis: DeltaBasis, began: datetime) -> DeltaBasis:
    """Returns the basis of a list that is unchanged, for a reading that began at a moment."""
    latest = max(at for at, _ in basis.recent.values())
    since = max(basis.since, min(stamp(began - SKEW), latest))
    recent = {name: each for name, each in basis.recent.items() if each[0] >= since}
    older = basis.older + len(basis.recent) - len(recent)
    return replace(basis, chained=True, since=since, older=older, recent=recent)


def differs(basis: DeltaBasis, changed: Mapping[str, Row], turned: Mapping[str, Row], reader: ChangeReader) -> bool:
    """Returns whether the list is another than that of the basis, if none of its older rows was deleted."""
    recent = {name: digest for name, (_, digest) in basis.recent.items()}
    now = {name: reader.digest(row) for name, row in changed.items()}
    return recent != now or any(reader.digest(row) != basis.turning[name] for name, row in turned.items())


def merge(
    rows: Iterable[Row],
    basis: DeltaBasis,
    changed: Mapping[str, Row],
    turned: Mapping[str, Row],
    reader: ChangeReader,
) -> tuple[list[Row], int]:
    """Returns the list, and how many of its rows are last changed before the basis' moment.

    `rows` are those of the basis' snapshot. Recent rows that are not among the changed ones were deleted.
    """
    moment, left = basis.moment, dict(changed)
    merged: list[Row] = []
    older = 0
    for row in rows:
        name, at = reader.id_of(row), reader.changed_at(row)
        if name in changed:
            merged.append(left.pop(name, changed[name]))
        elif at is not None and at < moment:
            merged.append(turned.get(name, row))
            older += 1
    return [*merged, *left.values()], older


def changes_unseen(old: Iterable[Row], new: Mapping[str, Row], basis: DeltaBasis, reader: ChangeReader) -> bool:
    """Returns whether rows have changed since the basis though the time of their last change says otherwise."""
    until = datetime.fromtimestamp(basis.whole_at, UTC).date()
    for row in old:
        now = new.get(reader.id_of(row))
        if now is None or reader.changed_at(now) != reader.changed_at(row) or reader.id_of(row) in basis.turning:
            continue
        if reader.digest(now) != reader.digest(row) and not reader.turns(row, until):
            return True
    return False
