"""The vendor scopes that a project needs, what each is used for, and what a given token opens.

Nothing is declared here: the policy is asked with and without each scope, so the answer always fits the tables.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from connectors.contract import Operation
from connectors.writes import PASSTHROUGH
from gateway.policy.access import AccessReport, OperationAccess
from gateway.policy.policy import EVERY_SCOPE, Policy, WithheldReason

VERBS = {"list": "read", "get": "read", "update": "change"}
MOST_FIELDS = 6
"""A write with more closed fields than these is shown as closed as a whole."""

_VERBS = frozenset({"read", "create", "change", "cancel", "delete", "upload"})
_VAGUE = frozenset({"id", "name", "type", "value", "code"})

OperationField = tuple[Operation, str]
"""An operation, and the path of a field or an empty text for the whole operation."""


@dataclass(frozen=True, slots=True)
class ScopeUse:
    """A resource, and the verbs or the fields that a scope is used for."""

    subject: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeededScope:
    """A scope to ask for: what the vendor says that it grants, and its uses here."""

    scope: str
    grants: str
    uses: tuple[ScopeUse, ...]


@dataclass(frozen=True, slots=True)
class ScopeCoverage:
    """What a token opens, which scopes it lacks for the rest, and which of its scopes have no use here."""

    works: tuple[ScopeUse, ...]
    closed: tuple[NeededScope, ...]
    unused: tuple[str, ...]


class NeededScopes:
    """The scopes that some operations of the unified API need, under the rules of one connector and the operator.

    `further` are scopes for other purposes, such as webhooks.
    """

    def __init__(self, policy: Policy, operations: Iterable[Operation], further: Sequence[NeededScope] = ()) -> None:
        self._policy = policy
        self._further = tuple(further)
        everything = self._abilities(frozenset(policy.connector.scopes))
        found = ((each, everything.of(each)) for each in operations)
        self._operations = tuple(each for each, ability in found if ability and not ability.closings)

    @cached_property
    def scopes(self) -> tuple[NeededScope, ...]:
        """Returns the scopes to ask for: without any one of them something would be closed."""
        needed = list(self._policy.connector.scopes)
        for scope in self._policy.connector.scopes:
            fewer = frozenset(needed) - {scope}
            if not self._closed(fewer):
                needed.remove(scope)
        found = (self._needed(scope, self._closed(frozenset(needed) - {scope})) for scope in needed)
        return (*found, *(each for each in self._further if each.scope not in needed))

    def coverage(self, granted: frozenset[str]) -> ScopeCoverage:
        """Returns what the granted scopes open, and what each missing scope would open."""
        closed = self._closed(granted)
        by_need: dict[str, dict[OperationField, WithheldReason]] = {}
        for place, why in closed.items():
            by_need.setdefault(why.needs, {})[place] = why
        whole = {operation.id for operation, name in closed if not name}
        works = [(operation, "") for operation in self._operations if operation.id not in whole]
        return ScopeCoverage(
            _uses(works),
            (
                *(self._needed(need, places) for need, places in by_need.items()),
                *(each for each in self._further if each.scope not in granted),
            ),
            tuple(scope for scope in sorted(granted) if self._is_unused(scope)),
        )

    def _is_unused(self, scope: str) -> bool:
        if any(each.scope == scope for each in self._further):
            return False
        every = frozenset(self._policy.connector.scopes)
        opens_something = self._closed(frozenset({scope})).keys() != self._closed(frozenset()).keys()
        return not opens_something and not self._closed(every - {scope})

    def _needed(self, need: str, places: Iterable[OperationField]) -> NeededScope:
        return NeededScope(need, self._policy.connector.scopes.get(need, ""), _uses(list(places)))

    def _closed(self, token: frozenset[str]) -> dict[OperationField, WithheldReason]:
        """Returns what a token leaves closed, with the reasons. A closed operation stands for all its fields."""
        abilities = self._abilities(token)
        found: dict[OperationField, WithheldReason] = {}
        for operation in self._operations:
            ability = abilities.of(operation)
            if ability:
                found.update(((operation, name), why) for name, why in self._closings(ability))
        return found

    def _closings(self, ability: OperationAccess) -> list[tuple[str, WithheldReason]]:
        whole = self._of_token(ability.closings)
        if whole:
            return [("", whole[0])]
        fields = ((each.path, self._of_token(each.closings)) for each in ability.fields if not each.lacking)
        return [(path, why[0]) for path, why in fields if why]

    def _of_token(self, closings: Sequence[WithheldReason]) -> Sequence[WithheldReason]:
        """Returns the reasons if all are for the token to change, and none if the operator closed it anyway."""
        granter = self._policy.connector.granter
        return closings if all(each.granter == granter for each in closings) else ()

    def _abilities(self, token: frozenset[str]) -> AccessReport:
        return AccessReport(self._policy, EVERY_SCOPE, token)


def _uses(places: Sequence[OperationField]) -> tuple[ScopeUse, ...]:
    """Groups operations and fields by resource: verbs for whole operations, else the names of fields."""
    words: dict[str, list[str]] = {}
    for operation in dict.fromkeys(operation for operation, _ in places):
        names = [name for each, name in places if each is operation]
        words.setdefault(operation.resource, []).extend(_words(operation, names))
    return tuple(
        ScopeUse(resource.replace("_", " ").capitalize(), tuple(dict.fromkeys(_without_details(found))))
        for resource, found in words.items()
    )


def _words(operation: Operation, names: Sequence[str]) -> list[str]:
    if "" in names or (not operation.reads and len(names) > MOST_FIELDS):
        return [VERBS.get(operation.kind, operation.kind)]
    return [_leaf(name) for name in names if name.rpartition(".")[0] not in names and name != PASSTHROUGH]


def _leaf(name: str) -> str:
    """Returns a field's own name; a vague one such as `id` has the name of its object before it."""
    outer, _, leaf = name.replace("_", " ").rpartition(".")
    return f"{outer.replace('.', ' ')} {leaf}" if outer and leaf in _VAGUE else leaf


def _without_details(words: Sequence[str]) -> Sequence[str]:
    """Leaves out the fields of a resource that cannot be read at all."""
    return [word for word in words if word in _VERBS] if "read" in words else words
