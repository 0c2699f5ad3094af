"""Decides whether a client key and a vendor token may do a read, and which fields they may see.

A decision is a pure function of the key's scopes, the token's scopes, the connector's tables and the operator's list.
It is `Permission` or `Denial` with its reasons, which the log, the error body and the tests share. No vendor and no
scope is named here: their rules stand in the connector's tables.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.connector import Connector, VendorPath
from connectors.contract import Given, Operation, Resource, Spec
from connectors.hris.filters import filter_of
from connectors.spec import Absent, Endpoint, Nested, Rule, Table, joins_of
from gateway.contract.query import Query
from gateway.policy.columns import Columns, Rights, VisibleColumns, hidden_column


@dataclass(frozen=True, slots=True)
class WithheldReason:
    """Why something is closed: the scope that would open it, and who can grant that scope."""

    needs: str
    granter: str


BY_OPERATOR = WithheldReason("the operator's consent", "the operator of this gateway")
KEY_GRANTER = "the operator of this gateway, with another API key"


@dataclass(frozen=True, slots=True)
class Denial:
    """A refusal. `missing` is the missing scope, or empty where the operator closed the operation."""

    message: str
    missing: str


@dataclass(frozen=True, slots=True)
class Permission:
    """The fields to show, in the contract's order, and the withheld paths (`a`, `a.b`) with their reasons."""

    fields: tuple[str, ...]
    withheld: Mapping[str, WithheldReason]

    def fingerprint(self) -> str:
        """Returns a text that is part of the cache key, the same for the same visible fields alone."""
        return ",".join(self.fields) + "\n" + ",".join(sorted(self.withheld))


@dataclass(frozen=True, slots=True)
class Operator:
    """What the operator forbids to everyone: ids of operations, and fields as `resource.field`.

    `managed_paths` are opened to the proxy: the vendor's paths that the gateway itself manages, closed by default.
    """

    operations: frozenset[str] = field(default_factory=frozenset)
    fields: frozenset[str] = field(default_factory=frozenset)
    managed_paths: frozenset[str] = field(default_factory=frozenset)


SCOPE = re.compile(r"\*|(\*|[a-z][a-z0-9_]*)\.(\*|[a-z][a-z0-9_]*):(\*|[a-z][a-z0-9_]*)")
"""The form of a scope of a client key."""

EVERY_SCOPE = frozenset({"*"})
"""The scopes of a client key that may do everything."""


def scope_matches(pattern: str, scope: str) -> bool:
    """Returns whether a key's scope covers another: `*` alone covers all, elsewhere it stands for a whole segment."""
    if pattern in {"*", scope}:
        return True
    area, _, action = pattern.partition(":")
    wanted_area, _, wanted_action = scope.partition(":")
    segments, wanted = area.split("."), wanted_area.split(".")
    return (
        action in {"*", wanted_action}
        and len(segments) == len(wanted)
        and all(one in {"*", other} for one, other in zip(segments, wanted, strict=True))
    )


def holds(scopes: frozenset[str], needed: str) -> bool:
    """Returns whether one of the scopes covers the needed one."""
    return needed in scopes or any(scope_matches(scope, needed) for scope in scopes)


def admit(operation: Operation, key: frozenset[str], operator: Operator) -> Denial | None:
    """Returns why an operation is closed, by the operator or for lack of a client scope, or None if it is open."""
    if operation.id in operator.operations:
        return Denial(f"The operator of this gateway has closed {operation.id}.", "")
    if not holds(key, operation.scope):
        return Denial(
            f"The API key lacks the scope {operation.scope}. "
            "The operator of this gateway can create a key that has it.",
            operation.scope,
        )
    return None


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one connector and one operator.

    `twins` maps fields to a forbidden field made from the same vendor column; they are closed with it.
    """

    connector: Connector
    operator: Operator
    columns: Columns = field(init=False, repr=False, compare=False)
    twins: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", Columns(self.connector))
        object.__setattr__(self, "twins", self.columns.twins(self.operator.fields))

    def forbids(self, name: str) -> bool:
        """Returns whether the operator closes a field, named `resource.field`, itself or with a twin."""
        return name in self.operator.fields or name in self.twins

    def admit_key(self, operation: Operation, key: frozenset[str]) -> Denial | None:
        """Returns why an operation is closed to a key whatever the account, or None if it is open."""
        return admit(operation, key, self.operator)

    def admit_token(self, endpoint: Endpoint, token: frozenset[str]) -> Denial | None:
        """Returns why an endpoint is closed to the linked account's token, or None if it is open."""
        if endpoint.scope.met_by(token):
            return None
        need = str(endpoint.scope)
        return Denial(
            f"The linked account's {self.connector.name} token lacks the scope {need}. "
            f"It can be granted by {self.connector.granter}; then verify the account again.",
            need,
        )

    def decide(
        self, endpoint: Endpoint, query: Query, key: frozenset[str], token: frozenset[str]
    ) -> Permission | Denial:
        """Returns what a query may show, for a key's and a token's scopes, or why it is refused."""
        denied = self.admit_token(endpoint, token)
        if denied:
            return denied
        wanted = [name for name in endpoint.table.rows if _given(endpoint.table.resource.fields[name], name, query)]
        closed = self.closed(endpoint.table, key, token)
        for name in query.filters:
            found = filter_of(endpoint.table.resource.name, name)
            why = next((closed[each] for each in found.fields if each in closed), None) if found else None
            if why:  # A filtered answer would reveal what the field holds.
                return Denial(f"filter[{name}] needs {why.needs}, to be had from {why.granter}.", why.needs)
        probing = self._probing(endpoint, query, key, token)
        if probing:
            return probing
        hidden = self._hidden_from_raw(closed) if query.raw else ""
        if hidden:
            return Denial(f"raw shows the provider's records whole, and this key may not see {hidden}.", hidden)
        withheld = {path: why for path, why in closed.items() if path.partition(".")[0] in wanted}
        return Permission(tuple(name for name in wanted if name not in closed), withheld)

    def _probing(self, endpoint: Endpoint, query: Query, key: frozenset[str], token: frozenset[str]) -> Denial | None:
        """Refuses `proxy` parameters that filter by a hidden column, since the answer would reveal its values."""
        if not query.proxy:
            return None
        paths = {each.path for each in endpoint.collections()}
        seen = [self.visible(path, key, token) for path in sorted(paths)]
        words = self.connector.query_words
        columns = (hidden_column(name, words, seen) for name, _ in query.proxy)
        hidden = next(filter(None, columns), "")
        if not hidden:
            return None
        what = next((each.closed[hidden] for each in seen if hidden in each.closed), f"the column {hidden}")
        open_ones = ", ".join(sorted(frozenset[str]().union(*(each.columns for each in seen))))
        return Denial(
            f"proxy[{hidden}] could reveal {what}, hidden from this key or token. Open: {open_ones or 'none'}.", what
        )

    def visible(self, path: str, key: frozenset[str], token: frozenset[str]) -> VisibleColumns:
        """Returns which columns of the records at a vendor's path a key and a token may see."""
        everything = frozenset(self.connector.scopes)
        return self.columns.visible(
            path,
            Rights(
                lambda operation: self.admit_key(operation, key) is None,
                lambda endpoint: self.closed_in(endpoint, key, token),
                lambda endpoint: self.closed(endpoint.table, key, everything),
            ),
        )

    def closed_in(self, endpoint: Endpoint, key: frozenset[str], token: frozenset[str]) -> Mapping[str, WithheldReason]:
        """Returns the closed fields of an endpoint; where the token may not ask at all, those are all of them."""
        if self.admit_token(endpoint, token):
            why = WithheldReason(str(endpoint.scope), self.connector.granter)
            return dict.fromkeys(endpoint.table.rows, why)
        return self.closed(endpoint.table, key, token)

    def closed(self, table: Table, key: frozenset[str], token: frozenset[str]) -> Mapping[str, WithheldReason]:
        """Returns the paths of all closed fields, each with the reason."""
        return dict(self._closed(table, "", key, token))

    def hidden_from(self, key: frozenset[str]) -> dict[str, WithheldReason]:
        """Returns the fields that a key may not see, whatever the token may, by name, each with the reason."""
        everything = frozenset(self.connector.scopes)
        found: dict[str, WithheldReason] = {}
        for endpoint in self.connector.endpoints:
            prefix = f"{endpoint.table.resource.name}."
            found |= {prefix + path: why for path, why in self._closed(endpoint.table, "", key, everything)}
        return {path: why for path, why in found.items() if why.granter != self.connector.granter}

    def opens(self, path: VendorPath) -> bool:
        """Returns whether the operator opens a path that the gateway manages."""
        return path.records in self.operator.managed_paths

    def _hidden_from_raw(self, closed: Mapping[str, WithheldReason]) -> str:
        ours = [path for path, why in closed.items() if why.granter != self.connector.granter]
        return ", ".join(sorted(ours))

    def _closed(
        self, table: Table, prefix: str, key: frozenset[str], token: frozenset[str]
    ) -> Iterator[tuple[str, WithheldReason]]:
        """Yields every closed field of a table with the reason. A closed object stands for all fields inside it."""
        for name, rule in table.rows.items():
            path = f"{prefix}{name}"
            why = next(self.closings(table.resource, name, rule, key, token), None)
            if why:
                yield path, why
            elif isinstance(rule, Nested):
                yield from self._closed(rule.table, f"{path}.", key, token)

    def closings(
        self, resource: Resource, name: str, rule: Rule, key: frozenset[str], token: frozenset[str]
    ) -> Iterator[WithheldReason]:
        """Yields each reason why a field of a table is closed; an open field has none."""
        scope = resource.fields[name].scope
        if self.forbids(f"{resource.name}.{name}"):
            yield BY_OPERATOR
        if scope and not holds(key, scope):
            yield WithheldReason(scope, KEY_GRANTER)
        if isinstance(rule, Absent):
            return
        for need in (rule.scope, *(join.scope for join in joins_of(rule))):
            if not need.met_by(token):
                yield WithheldReason(str(need), self.connector.granter)


def _given(spec: Spec, name: str, query: Query) -> bool:
    """Returns whether a query asks for a field: `fields` selects, `expand` and `include` add costly fields."""
    match spec.given:
        case Given.ALWAYS:
            return query.fields is None or name in query.fields
        case Given.ASKED:
            return query.fields is not None and name in query.fields
        case Given.EXPAND:
            return name in query.expand
        case Given.INCLUDE:
            return name in query.include


def stricter_fields(table: Table, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yields path, client scope and vendor scopes of each field that needs more than its operation does."""
    for name, rule in table.rows.items():
        ours = table.resource.fields[name].scope or ""
        theirs = "" if isinstance(rule, Absent) or not rule.scope.any_of else str(rule.scope)
        if ours or theirs:
            yield f"{prefix}{name}", ours, theirs
        if isinstance(rule, Nested):
            yield from stricter_fields(rule.table, f"{prefix}{name}.")
