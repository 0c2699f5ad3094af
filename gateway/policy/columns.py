"""Which columns of a vendor's records may be seen in raw answers and filters, beside the unified fields.

A pure function of the connector's tables and of the closed fields. A column is shown if every field made from it is
open. A column that no field is made from may hold anything, so it is shown only if nothing of that list is closed.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.columns import Column, Reader, first_word, own_lists, readers
from connectors.connector import Connector, QueryWords
from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from connectors.spec import Endpoint

_CONDITION = re.compile(r"([A-Za-z][A-Za-z0-9_]*)((?:\[[^\[\]]*\])*)")
"""A parameter that is a condition: a column, and in brackets how it is compared."""


@dataclass(frozen=True, slots=True)
class VisibleColumns:
    """The columns of one list that may be shown: `columns`, or with `whole` all but those in `closed` and `never`.

    `closed` maps a column to a closed field that is made from it.
    """

    columns: frozenset[str] = frozenset()
    closed: Mapping[str, str] = field(default_factory=dict)
    never: frozenset[str] = frozenset()
    whole: bool = False

    def __bool__(self) -> bool:
        return self.whole or bool(self.columns)

    def shows(self, name: str) -> bool:
        """Returns whether a column may be shown."""
        if name in self.never or name in self.closed:
            return False
        return self.whole or name in self.columns

    def of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a record without the columns that are not shown."""
        return {name: value for name, value in row.items() if self.shows(name)}


@dataclass(frozen=True, slots=True)
class Rights:
    """Three questions to the policy: is an operation open, and which paths of an endpoint's fields are closed.

    `closed_to_key` has those that the key's scopes or the operator close, whatever the vendor token.
    """

    admits: Callable[[Operation], bool]
    closed: Callable[[Endpoint], Collection[str]]
    closed_to_key: Callable[[Endpoint], Collection[str]]


def condition_fault(name: str, words: QueryWords) -> str:
    """Returns why a query parameter is not one that the vendor may be sent, or nothing where it is."""
    if name in words.parameters:
        return ""
    found = _CONDITION.fullmatch(name)
    brackets = found[2][1:-1].split("][") if found and found[2] else []
    if found and all(each in words.operators or each.isdecimal() or not each for each in brackets):
        return ""
    known = ", ".join(sorted(words.operators)) or "none"
    return f"{name[:64]!r} is no condition on a column; comparisons are: {known}"


def hidden_column(name: str, words: QueryWords, seen: Iterable[VisibleColumns]) -> str:
    """Returns the hidden column that a condition would reveal, or an empty text."""
    column = name.partition("[")[0]
    if name in words.parameters or all(each.shows(column) for each in seen):
        return ""
    return column


def is_closed(path: str, closed: Collection[str]) -> bool:
    """Returns whether a field is closed, itself or with an object around it."""
    words = path.split(".")
    return any(".".join(words[:end]) in closed for end in range(1, len(words) + 1))


class Columns:
    """The columns of one connector's tables."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._readers = readers(connector.endpoints)

    def operations_of(self, endpoint: Endpoint, kind: str = "") -> list[Operation]:
        """Returns the reads that an endpoint answers: those of a kind, or all where there is none of it."""
        found = [each for each in OPERATIONS if endpoint.answers(each)]
        return [each for each in found if each.kind == kind] or found

    def owners(self, of: str) -> list[Endpoint]:
        """Returns the endpoints whose own records a vendor's list holds."""
        return [each for each in self._connector.endpoints if of in own_lists(each)]

    def joining(self, of: str) -> list[Endpoint]:
        """Returns the endpoints with a field that is made from a column of a vendor's list."""
        return [each for each in self._connector.endpoints if self._reading([each], of)]

    def visible(self, path: str, rights: Rights) -> VisibleColumns:
        """Returns what may be shown of the records at a vendor's path.

        The records belong to the resource that reads this list, and all its reads of that kind, list or single record,
        must be open. A list that is only joined belongs to each resource that joins it. A list that no field is made
        from is shown if nothing at all is hidden.
        """
        of = first_word(path)
        kind = "get" if path.strip("/").count("/") else "list"
        if not self.owners(of) and not self.joining(of):
            hidden = any(map(rights.closed_to_key, self._connector.endpoints))
            return VisibleColumns(never=self._connector.never, whole=not hidden)
        admitted = [each for each in self.owners(of) if all(map(rights.admits, self.operations_of(each, kind)))]
        if not self.owners(of):
            admitted = [each for each in self.joining(of) if any(map(rights.admits, self.operations_of(each)))]
        shown, closed = _sorted(self._reading(admitted, of), of, rights.closed)
        if not shown:
            return VisibleColumns()
        _, closed_to_key = _sorted(self._reading(self._connector.endpoints, of), of, rights.closed_to_key)
        closed = {**closed, **closed_to_key}
        return VisibleColumns(shown - closed.keys(), closed, self._connector.never, whole=not closed_to_key)

    def twins(self, forbidden: frozenset[str]) -> Mapping[str, str]:
        """Returns the fields that are made from a column of a forbidden one, each with the forbidden field.

        Fields are named as the operator names them, `resource.field`. An object that holds rows of a join has no
        columns of its own: forbidding it leaves those rows open where they are records by themselves.
        """
        sources: dict[Column, str] = {}
        for reader in self._readers:
            if reader.name in forbidden:
                sources.update(dict.fromkeys(reader.columns, reader.name))
        found: dict[str, str] = {}
        for reader in self._readers:
            shared = min((sources[column] for column in reader.columns if column in sources), default="")
            if shared and not reader.is_object and reader.name not in forbidden:
                found[reader.name] = shared
        return found

    def _reading(self, endpoints: Iterable[Endpoint], of: str) -> list[Reader]:
        wanted = {id(each) for each in endpoints}
        return [
            each
            for each in self._readers
            if id(each.endpoint) in wanted and not each.is_object and any(column.list == of for column in each.columns)
        ]


def _sorted(
    found: Iterable[Reader], of: str, closed_in: Callable[[Endpoint], Collection[str]]
) -> tuple[frozenset[str], Mapping[str, str]]:
    """Returns the columns of a list that open fields are made from, and those of closed ones, each with the field."""
    shown: set[str] = set()
    closed: dict[str, str] = {}
    for reader in found:
        names = [column.name for column in reader.columns if column.list == of]
        if is_closed(reader.path, closed_in(reader.endpoint)):
            closed.update(dict.fromkeys(names, reader.path))
        else:
            shown.update(names)
    return frozenset(shown), closed
