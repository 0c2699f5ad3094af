"""May this client key and this vendor token ask this, and see which fields?

A decision is a pure function of data: the key's scopes, the token's scopes, the tables and the operator's list. It
answers `Allowed` or `Denied`, each with its reasons; the log, the error body and the tests read the same ones.
Vendor rules stand in the vendor's tables, and no vendor's or scope's name stands here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.connector import Connector, VendorPath
from connectors.contract import Given, Operation, Resource, Spec
from connectors.hris.filters import filter_of
from connectors.spec import Absent, Endpoint, Nested, Rule, Table, joins_of
from gateway.contract.query import Query
from gateway.policy.columns import Columns, Rights, Visible, hidden_column


@dataclass(frozen=True, slots=True)
class Withheld:
    """A field that is left out: which scope would open it, and who can grant that."""

    needs: str
    granter: str


BY_OPERATOR = Withheld("the operator's consent", "the operator of this gateway")
KEY_GRANTER = "the operator of this gateway, with another API key"


@dataclass(frozen=True, slots=True)
class Denied:
    """`missing` is the scope that is lacking, or empty where the operator closed the operation."""

    message: str
    missing: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be shown: top-level names in the contract's order, and the paths (`a`, `a.b`) left out."""

    fields: tuple[str, ...]
    withheld: Mapping[str, Withheld]

    def fingerprint(self) -> str:
        """Give the same text for the same visible fields: no two of them share a cached answer."""
        return ",".join(self.fields) + "\n" + ",".join(sorted(self.withheld))


@dataclass(frozen=True, slots=True)
class Operator:
    """What the operator forbids to everyone: ids of operations, and fields as `resource.field`.

    `managed_paths` are opened: the vendor's paths that the gateway manages, which the passthrough does not reach else.
    """

    operations: frozenset[str] = field(default_factory=frozenset)
    fields: frozenset[str] = field(default_factory=frozenset)
    managed_paths: frozenset[str] = field(default_factory=frozenset)


SCOPE = re.compile(r"\*|(\*|[a-z][a-z0-9_]*)\.(\*|[a-z][a-z0-9_]*):(\*|[a-z][a-z0-9_]*)")
"""What a scope of a client key looks like."""

EVERY_SCOPE = frozenset({"*"})
"""What a client key holds that may ask everything."""


def scope_matches(pattern: str, scope: str) -> bool:
    """Tell whether a key's scope covers one: `*` alone covers all, and stands for whole segments elsewhere."""
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
    return needed in scopes or any(scope_matches(scope, needed) for scope in scopes)


def admit(operation: Operation, key: frozenset[str], operator: Operator) -> Denied | None:
    """Decide what takes no account: the operator's word and the client key's scopes."""
    if operation.id in operator.operations:
        return Denied(f"The operator of this gateway has closed {operation.id}.", "")
    if not holds(key, operation.scope):
        return Denied(
            f"The API key lacks the scope {operation.scope}. "
            "The operator of this gateway can create a key that has it.",
            operation.scope,
        )
    return None


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one connector and one operator, asked for a key's and a token's scopes.

    `twins` are the fields that are closed with a forbidden one, since they are made from the same column of the
    vendor's; each with the forbidden field.
    """

    connector: Connector
    operator: Operator
    columns: Columns = field(init=False, repr=False, compare=False)
    twins: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", Columns(self.connector))
        object.__setattr__(self, "twins", self.columns.twins(self.operator.fields))

    def forbids(self, name: str) -> bool:
        """Tells whether the operator closes a field, named `resource.field`, by itself or with a twin."""
        return name in self.operator.fields or name in self.twins

    def admit_key(self, operation: Operation, key: frozenset[str]) -> Denied | None:
        """Decide what can be decided without the account: the operator's word and the client key's scopes."""
        return admit(operation, key, self.operator)

    def admit_token(self, endpoint: Endpoint, token: frozenset[str]) -> Denied | None:
        """Decide whether the linked account's token may ask at all."""
        if endpoint.scope.met_by(token):
            return None
        need = str(endpoint.scope)
        return Denied(
            f"The linked account's {self.connector.name} token lacks the scope {need}. "
            f"It can be granted by {self.connector.granter}; then verify the account again.",
            need,
        )

    def decide(self, endpoint: Endpoint, query: Query, key: frozenset[str], token: frozenset[str]) -> Allowed | Denied:
        """Decide what a query may see, for a key's and a token's scopes."""
        denied = self.admit_token(endpoint, token)
        if denied:
            return denied
        wanted = [name for name in endpoint.table.rows if _given(endpoint.table.resource.fields[name], name, query)]
        closed = self.closed(endpoint.table, key, token)
        for name in query.filters:
            found = filter_of(endpoint.table.resource.name, name)
            why = next((closed[each] for each in found.fields if each in closed), None) if found else None
            if why:  # The answer would tell what the field holds.
                return Denied(f"filter[{name}] needs {why.needs}, to be had from {why.granter}.", why.needs)
        probing = self._probing(endpoint, query, key, token)
        if probing:
            return probing
        hidden = self._hidden_from_raw(closed) if query.raw else ""
        if hidden:
            return Denied(f"raw shows the provider's records whole, and this key may not see {hidden}.", hidden)
        withheld = {path: why for path, why in closed.items() if path.partition(".")[0] in wanted}
        return Allowed(tuple(name for name in wanted if name not in closed), withheld)

    def _probing(self, endpoint: Endpoint, query: Query, key: frozenset[str], token: frozenset[str]) -> Denied | None:
        """Refuse `proxy` parameters that could ask the vendor about a column that we would not show."""
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
        return Denied(
            f"proxy[{hidden}] could tell {what}, hidden from this key or token. Open: {open_ones or 'none'}.", what
        )

    def visible(self, path: str, key: frozenset[str], token: frozenset[str]) -> Visible:
        """Decides which columns of the records at a vendor's path a key and a token open."""
        everything = frozenset(self.connector.scopes)
        return self.columns.visible(
            path,
            Rights(
                lambda operation: self.admit_key(operation, key) is None,
                lambda endpoint: self.closed_in(endpoint, key, token),
                lambda endpoint: self.closed(endpoint.table, key, everything),
            ),
        )

    def closed_in(self, endpoint: Endpoint, key: frozenset[str], token: frozenset[str]) -> Mapping[str, Withheld]:
        """Returns the closed fields of an endpoint; where the token may not ask at all, those are all of them."""
        if self.admit_token(endpoint, token):
            why = Withheld(str(endpoint.scope), self.connector.granter)
            return dict.fromkeys(endpoint.table.rows, why)
        return self.closed(endpoint.table, key, token)

    def closed(self, table: Table, key: frozenset[str], token: frozenset[str]) -> Mapping[str, Withheld]:
        """Give the paths of all fields that are closed, each with why."""
        return dict(self._closed(table, "", key, token))

    def hidden_from(self, key: frozenset[str]) -> dict[str, Withheld]:
        """Returns the fields that a key may not see, whatever the token may, as `resource.field`, each with why."""
        everything = frozenset(self.connector.scopes)
        found: dict[str, Withheld] = {}
        for endpoint in self.connector.endpoints:
            prefix = f"{endpoint.table.resource.name}."
            found |= {prefix + path: why for path, why in self._closed(endpoint.table, "", key, everything)}
        return {path: why for path, why in found.items() if why.granter != self.connector.granter}

    def opens(self, path: VendorPath) -> bool:
        """Tells whether the operator opens a path that the gateway manages."""
        return path.records in self.operator.managed_paths

    def _hidden_from_raw(self, closed: Mapping[str, Withheld]) -> str:
        ours = [path for path, why in closed.items() if why.granter != self.connector.granter]
        return ", ".join(sorted(ours))

    def _closed(
        self, table: Table, prefix: str, key: frozenset[str], token: frozenset[str]
    ) -> Iterator[tuple[str, Withheld]]:
        """Give every field of a table that is closed, with why; a closed object stands for all within it."""
        for name, rule in table.rows.items():
            path = f"{prefix}{name}"
            why = next(self.closings(table.resource, name, rule, key, token), None)
            if why:
                yield path, why
            elif isinstance(rule, Nested):
                yield from self._closed(rule.table, f"{path}.", key, token)

    def closings(
        self, resource: Resource, name: str, rule: Rule, key: frozenset[str], token: frozenset[str]
    ) -> Iterator[Withheld]:
        """Give each thing that closes a field of a table: with none, it is open."""
        scope = resource.fields[name].scope
        if self.forbids(f"{resource.name}.{name}"):
            yield BY_OPERATOR
        if scope and not holds(key, scope):
            yield Withheld(scope, KEY_GRANTER)
        if isinstance(rule, Absent):
            return
        for need in (rule.scope, *(join.scope for join in joins_of(rule))):
            if not need.met_by(token):
                yield Withheld(str(need), self.connector.granter)


def _given(spec: Spec, name: str, query: Query) -> bool:
    """Tell whether a query asks for a field: `fields` narrows, `expand` and `include` add what is costly."""
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
    """Give (path, client scope, vendor scopes) of each field that needs more than its operation does."""
    for name, rule in table.rows.items():
        ours = table.resource.fields[name].scope or ""
        theirs = "" if isinstance(rule, Absent) or not rule.scope.any_of else str(rule.scope)
        if ours or theirs:
            yield f"{prefix}{name}", ours, theirs
        if isinstance(rule, Nested):
            yield from stricter_fields(rule.table, f"{prefix}{name}.")
