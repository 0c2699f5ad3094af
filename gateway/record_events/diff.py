"""Compares two snapshots of a list and decides which changes are reported. Pure decisions over hashes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

FEW = 20
"""In a list of up to so many records any number may vanish at once; in a longer one, not more than half."""


class Verb(StrEnum):
    """What happened to a record, in the words of the contract's events."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


class Outcome(StrEnum):
    """The result of processing a watch."""

    BASELINE = "baseline"
    """The first snapshot of its kind: there is nothing to compare with."""
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    UNCONFIRMED = "unconfirmed"
    """A mass deletion: nothing is stored until a second snapshot shows it too."""
    CLOSED = "closed"
    """The token's scopes or the operator do not allow the list."""
    REFUSED = "refused"
    """The vendor refuses the list although the scopes allow it."""
    FAILED = "failed"
    OVERTAKEN = "overtaken"
    """The account was changed, or another worker claimed the watch, meanwhile."""


@dataclass(frozen=True, slots=True)
class SnapshotVersion:
    """What a snapshot depends on besides the records: two can be compared in full only if this is equal.

    `rights` stands for the fields that the token may see, `mapping` for how records are made and hashed, and for
    joined lists that the vendor refuses. Empty before the first snapshot.
    """

    rights: str = ""
    mapping: str = ""


NO_VERSION = SnapshotVersion()


@dataclass(frozen=True, slots=True)
class Changes:
    """The vendor's ids of records that are new, different, and no longer there."""

    created: Sequence[str] = ()
    updated: Sequence[str] = ()
    deleted: Sequence[str] = ()

    def __bool__(self) -> bool:
        return any(self.by_verb().values())

    def by_verb(self) -> Mapping[Verb, Sequence[str]]:
        return {Verb.CREATED: self.created, Verb.UPDATED: self.updated, Verb.DELETED: self.deleted}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What to do with changes. `UNCONFIRMED`: store none. Else store all, and report those with a verb in `verbs`."""

    outcome: Outcome
    verbs: frozenset[Verb] = frozenset()


def compare(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> Changes:
    """Compares two snapshots: hashes by the vendor's ids."""
    return Changes(
        created=[each for each in now if each not in before],
        updated=[each for each, found in now.items() if before.get(each, found) != found],
        deleted=[each for each in before if each not in now],
    )


def conclude(
    changes: Changes, before: Collection[str], *, then: SnapshotVersion, now: SnapshotVersion, unconfirmed: bool
) -> Conclusion:
    """Decides what changes mean. `unconfirmed` says whether the last snapshot already showed a mass deletion.

    With other rights no change can be told from a change of the rights. With another mapping every record looks
    updated, but created and deleted records can still be told.
    """
    if then.rights != now.rights:
        return Conclusion(Outcome.BASELINE)
    if _is_mass_deletion(len(changes.deleted), len(before)) and not unconfirmed:
        return Conclusion(Outcome.UNCONFIRMED)
    verbs = frozenset(Verb) if then.mapping == now.mapping else frozenset({Verb.CREATED, Verb.DELETED})
    return Conclusion(Outcome.CHANGED if changes else Outcome.UNCHANGED, verbs)


def _is_mass_deletion(deleted: int, before: int) -> bool:
    """Returns whether a fault at the vendor, or a token that sees less, is as likely as so many deletions."""
    return deleted > 0 and (deleted == before or (before > FEW and deleted * 2 > before))
