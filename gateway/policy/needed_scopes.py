"""Which vendor scopes a project needs and what each is used for, and what a given token opens and leaves closed.

Nothing is declared here: the rules are asked with and without each scope, so the Hub asks for what the tables need.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from connectors.contract import Operation
from connectors.writes import PASSTHROUGH
from gateway.policy.access import AccessReport, OperationAccess
from gateway.policy.policy import EVERY_SCOPE, Policy, Withheld

VERBS = {"list": "read", "get": "read", "update": "change"}
MOST_FIELDS = 6
"""Of a write with more closed fields than these it is said that it is closed."""

_VERBS = frozenset({"read", "create", "change", "cancel", "delete", "upload"})
_VAGUE = frozenset({"id", "name", "type", "value", "code"})

Place = tuple[Operation, str]
"""An operation, and a field of it or nothing for the whole."""


@dataclass(frozen=True, slots=True)
class ScopeUse:
    """A thing of the contract, and what is done with it or which of its fields are meant."""

    subject: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeededScope:
    """A scope to ask for: what the vendor says it grants, and what it is used for here."""

    scope: str
    grants: str
    uses: tuple[ScopeUse, ...]


@dataclass(frozen=True, slots=True)
class ScopeCoverage:
    """What a token opens, what stays closed for want of which scopes, and scopes that nothing here uses."""

    works: tuple[ScopeUse, ...]
    closed: tuple[NeededScope, ...]
    unused: tuple[str, ...]


class NeededScopes:
    """The needs of these operations of the unified API, under one connector's and the operator's rules.

    `beside` are scopes for what is no operation.
    """

    def __init__(self, policy: Policy, operations: Iterable[Operation], beside: Sequence[NeededScope] = ()) -> None:
        self._policy = policy
        self._beside = tuple(beside)
        everything = self._abilities(frozenset(policy.connector.scopes))
        found = ((each, everything.of(each)) for each in operations)
        self._operations = tuple(each for each, ability in found if ability and not ability.closings)

    @cached_property
    def scopes(self) -> tuple[NeededScope, ...]:
        """Give the scopes to ask for: without any one of them something would be closed."""
        kept = list(self._policy.connector.scopes)
        for scope in self._policy.connector.scopes:
            fewer = frozenset(kept) - {scope}
            if not self._closed(fewer):
                kept.remove(scope)
        wanted = (self._wanted(scope, self._closed(frozenset(kept) - {scope})) for scope in kept)
        return (*wanted, *(each for each in self._beside if each.scope not in kept))

    def outlook(self, granted: frozenset[str]) -> ScopeCoverage:
        closed = self._closed(granted)
        by_need: dict[str, dict[Place, Withheld]] = {}
        for place, why in closed.items():
            by_need.setdefault(why.needs, {})[place] = why
        whole = {operation.id for operation, name in closed if not name}
        works = [(operation, "") for operation in self._operations if operation.id not in whole]
        return ScopeCoverage(
            _uses(works),
            (
                *(self._wanted(need, places) for need, places in by_need.items()),
                *(each for each in self._beside if each.scope not in granted),
            ),
            tuple(scope for scope in sorted(granted) if self._is_unused(scope)),
        )

    def _is_unused(self, scope: str) -> bool:
        if any(each.scope == scope for each in self._beside):
            return False
        every = frozenset(self._policy.connector.scopes)
        opens_something = self._closed(frozenset({scope})).keys() != self._closed(frozenset()).keys()
        return not opens_something and not self._closed(every - {scope})

    def _wanted(self, need: str, places: Iterable[Place]) -> NeededScope:
        return NeededScope(need, self._policy.connector.scopes.get(need, ""), _uses(list(places)))

    def _closed(self, token: frozenset[str]) -> dict[Place, Withheld]:
        """Give what a token leaves closed; a closed operation stands for all its fields."""
        abilities = self._abilities(token)
        found: dict[Place, Withheld] = {}
        for operation in self._operations:
            ability = abilities.of(operation)
            if ability:
                found.update(((operation, name), why) for name, why in self._closings(ability))
        return found

    def _closings(self, ability: OperationAccess) -> list[tuple[str, Withheld]]:
        whole = self._of_token(ability.closings)
        if whole:
            return [("", whole[0])]
        fields = ((each.path, self._of_token(each.closings)) for each in ability.fields if not each.lacking)
        return [(path, why[0]) for path, why in fields if why]

    def _of_token(self, closings: Sequence[Withheld]) -> Sequence[Withheld]:
        """What the operator has closed is no matter of the token."""
        granter = self._policy.connector.granter
        return closings if all(each.granter == granter for each in closings) else ()

    def _abilities(self, token: frozenset[str]) -> AccessReport:
        return AccessReport(self._policy, EVERY_SCOPE, token)


def _uses(places: Sequence[Place]) -> tuple[ScopeUse, ...]:
    """Put places into words, by what they are of: what is done as a whole, else the fields."""
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
    """Give a field's own word; one that says nothing by itself keeps what it is of."""
    outer, _, leaf = name.replace("_", " ").rpartition(".")
    return f"{outer.replace('.', ' ')} {leaf}" if outer and leaf in _VAGUE else leaf


def _without_details(words: Sequence[str]) -> Sequence[str]:
    """Where a thing cannot be read at all, its fields need not be named."""
    return [word for word in words if word in _VERBS] if "read" in words else words
