"""The declaration of one vendor: its address, how it is called, and which tables answer which resource."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.columns import first_word, lookup_columns
from connectors.contract import Operation
from connectors.events import VendorEvents
from connectors.exchange import BearerToken, TokenCheck, Verification
from connectors.needs import FaultyDeclaration, Need, any_of
from connectors.paging import Paging
from connectors.spec import Absent, Collection, Endpoint, Field, Nested, Table, joins_of
from connectors.writes import Write

# --- the vendor's own paths -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VendorPath:
    """A path of the vendor's API that callers may use through the proxy, with the scopes that each method needs.

    A segment in braces stands for one id. A method that is not named is closed. `hides` names columns that are removed
    from its answers. `shows` is the list whose records it returns, where that is not the first segment of the path. A
    path for something that the gateway itself manages (`managed`) is closed unless the operator opens it.
    """

    path: str
    needs: Mapping[str, Need]
    hides: frozenset[str] = frozenset()
    shows: str = ""
    managed: bool = False

    @property
    def records(self) -> str:
        """Returns the list whose records its answers hold."""
        return self.shows or first_word(self.path)

    @property
    def kind(self) -> str:
        """Returns `list` or `get`: whether it answers with a list or with a single record."""
        return "get" if "{" in self.path or self.shows else "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryWords:
    """What may be in a query to the vendor besides the names of columns.

    `parameters` are whole names that reveal nothing of a hidden column. `operators` may follow a column in brackets.
    Other features of the vendor (sorting, alternatives, selections) are not sent on, since they could reveal the
    content of a hidden column.
    """

    parameters: frozenset[str] = frozenset()
    operators: frozenset[str] = frozenset()


# --- the connector --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """Everything that the gateway knows of one vendor.

    `unanswered` has the reason for operations without an answer, by the operation's id or its resource. `consequences`
    names the resources that a write to a list changes besides that list's own. `events` describes the vendor's
    webhooks, if it has any. `verify` finds out what a credential may do; `check_token` finds out, in as few calls as
    possible, whether it is accepted. `is_fault` returns whether a decoded body is an error of the vendor, whatever its
    status; `fault_text` returns the error's message, and `fault_issues` the columns that it blames, each with the
    reason. `lookups` are the columns by which rows of a list are looked up, by its path; they follow from the tables.
    """

    key: str
    name: str
    base_url: str
    auth: BearerToken
    paging: Paging
    scopes: Mapping[str, str]
    granter: str
    endpoints: tuple[Endpoint, ...]
    writes: tuple[Write, ...]
    unanswered: Mapping[str, str]
    paths: tuple[VendorPath, ...]
    verify: Callable[[], Verification]
    check_token: Callable[[], TokenCheck]
    never: frozenset[str]
    is_fault: Callable[[Any], bool]
    fault_text: Callable[[Any], str]
    fault_issues: Callable[[Any], Sequence[tuple[str, str]]]
    query_words: QueryWords = QueryWords()
    consequences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    events: VendorEvents | None = None
    lookups: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lookups", lookup_columns(self.endpoints))
        faults = [
            f"- {where}: no such scope {scope!r}"
            for where, need in self.needs()
            for scope in need.any_of
            if scope not in self.scopes
        ]
        names = [endpoint.table.resource.name for endpoint in self.endpoints]
        faults += [f"- {name}: two endpoints" for name in sorted(set(names)) if names.count(name) > 1]
        operations = [write.operation for write in self.writes]
        faults += [f"- {name}: two writes" for name in sorted(set(operations)) if operations.count(name) > 1]
        if faults:
            raise FaultyDeclaration(f"connector {self.key}", faults)

    def why_unanswered(self, operation: Operation) -> str:
        """Returns what the vendor lacks for an operation; empty where no reason is declared."""
        return self.unanswered.get(operation.id) or self.unanswered.get(operation.resource, "")

    def tables(self) -> dict[str, Table]:
        """Returns every table by the name of its resource, nested tables included."""
        found: dict[str, Table] = {}
        waiting = [endpoint.table for endpoint in self.endpoints]
        while waiting:
            table = waiting.pop()
            found[table.resource.name] = table
            waiting += [rule.table for rule in table.rows.values() if isinstance(rule, Nested)]
        return found

    def needs(self) -> list[tuple[str, Need]]:
        """Returns every place of the declaration that needs a vendor scope, with that need."""
        found: list[tuple[str, Need]] = []
        for endpoint in self.endpoints:
            found.append((endpoint.table.resource.name, endpoint.scope))
            found += _table_needs(endpoint.table.resource.name, endpoint.table)
            added = endpoint.completion.joins if endpoint.completion else ()
            found += [(endpoint.table.resource.name, join.scope) for join in added]
        found += [need for write in self.writes for need in write.needs()]
        found += [(f"{method} {each.path}", need) for each in self.paths for method, need in each.needs.items()]
        found += [("events", any_of(self.events.scope))] if self.events else []
        return found

    def collections(self) -> set[Collection]:
        """Returns every list that reads are made of."""
        found = {each for endpoint in self.endpoints for each in endpoint.collections()}
        rules = (rule for table in self.tables().values() for rule in table.rows.values())
        joins = [join for rule in rules if isinstance(rule, Field | Nested) for join in joins_of(rule)]
        joins += [join for each in self.endpoints if each.completion for join in each.completion.joins]
        return found | {each for join in joins for each in join.all_collections()}

    def touched(self, paths: Iterable[str]) -> frozenset[str] | None:
        """Returns the resources that writes to these paths may change, or None for all.

        A path belongs to the lists that begin with the same segment.
        """
        found: set[str] = set()
        for path in paths:
            word = first_word(path)
            own = {each.resource for each in self.collections() if first_word(each.path) == word}
            if not own:
                return None
            found |= own | set(self.consequences.get(word, ()))
        return frozenset(found)

    def write(self, operation: Operation) -> Write | None:
        """Returns how an operation is written, or None where the vendor has no way."""
        return next((write for write in self.writes if write.answers(operation)), None)

    def endpoint(self, operation: Operation) -> Endpoint | None:
        """Returns what answers a read of the contract, or None where the vendor has nothing for it."""
        for endpoint in self.endpoints:
            if endpoint.answers(operation):
                return endpoint
        return None


def _table_needs(path: str, table: Table) -> list[tuple[str, Need]]:
    found: list[tuple[str, Need]] = []
    for name, rule in table.rows.items():
        where = f"{path}.{name}"
        if isinstance(rule, Absent):
            continue
        found.append((where, rule.scope))
        found += [(where, join.scope) for join in joins_of(rule)]
        if isinstance(rule, Nested):
            found += _table_needs(where, rule.table)
    return found
