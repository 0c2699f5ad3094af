"""What has changed between two readings of a list, and what may be said of it. Decisions over hashes, no I/O."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

FEW = 20
"""Of so many records any part may go at once; of more, not most of them."""


class Verb(StrEnum):
    """What a record can have done, in the words of the contract's events."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


class Outcome(StrEnum):
    """What became of a watch."""

    BASELINE = "baseline"
    """It is the first of its kind: there is nothing to compare with."""
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    HELD = "held"
    """So much is gone that it has to be seen twice."""
    CLOSED = "closed"
    """The token, or the operator, does not open the list."""
    REFUSED = "refused"
    """The vendor does not give it, though the scopes cover it."""
    FAILED = "failed"
    OVERTAKEN = "overtaken"
    """The account was changed, or the watch taken by another, meanwhile."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reading depends on besides the records: comparing is fair only where it is the same.

    `rights` is what of a record the token may see, `mapping` how it was made and hashed, and without which joined
    lists. Empty before the first reading.
    """

    rights: str = ""
    mapping: str = ""


NOT_SEEN = Sight()


@dataclass(frozen=True, slots=True)
class Changes:
    """The vendor's ids of records that are new, other than before, and no longer there."""

    created: Sequence[str] = ()
    updated: Sequence[str] = ()
    deleted: Sequence[str] = ()

    def __bool__(self) -> bool:
        return any(self.by_verb().values())

    def by_verb(self) -> Mapping[Verb, Sequence[str]]:
        return {Verb.CREATED: self.created, Verb.UPDATED: self.updated, Verb.DELETED: self.deleted}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What to do with changes: none of them is kept when `HELD`, else all, and those with a verb in `told` are told."""

    outcome: Outcome
    told: frozenset[Verb] = frozenset()


def compare(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> Changes:
    """Compare two readings: hashes by the vendor's ids."""
    return Changes(
        created=[each for each in now if each not in before],
        updated=[each for each, found in now.items() if before.get(each, found) != found],
        deleted=[each for each in before if each not in now],
    )


def conclude(changes: Changes, before: Collection[str], *, then: Sight, now: Sight, held: bool) -> Conclusion:
    """Decide what changes mean. `held` says that the reading before this one was held back.

    With other rights nobody can tell whether a record has changed, come or gone; made in another way it looks changed,
    but who is there can still be told.
    """
    if then.rights != now.rights:
        return Conclusion(Outcome.BASELINE)
    if _suspicious(len(changes.deleted), len(before)) and not held:
        return Conclusion(Outcome.HELD)
    told = frozenset(Verb) if then.mapping == now.mapping else frozenset({Verb.CREATED, Verb.DELETED})
    return Conclusion(Outcome.CHANGED if changes else Outcome.UNCHANGED, told)


def _suspicious(gone: int, before: int) -> bool:
    """Tell whether so much is gone that a fault of the vendor, or a role that was cut, is as likely."""
    return gone > 0 and (gone == before or (before > FEW and gone * 2 > before))
