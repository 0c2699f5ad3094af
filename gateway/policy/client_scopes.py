"""All scopes that a client key can have, by area, for a person to choose from."""

from collections.abc import Iterable, Iterator, Mapping

from connectors.connector import Connector
from connectors.contract import ListOf, Operation, Resource, Type
from connectors.platform import PROXY_READ, PROXY_WRITE


def known_scopes(operations: Iterable[Operation], connectors: Iterable[Connector]) -> Mapping[str, tuple[str, ...]]:
    """Returns the scopes of all operations and fields, by area, sorted."""
    found = {PROXY_READ, PROXY_WRITE}
    for operation in operations:
        found.add(operation.scope)
        found.update(_of_fields(operation.body) if operation.body else ())
    for connector in connectors:
        for table in connector.tables().values():
            found.update(_of_fields(table.resource))
    areas: dict[str, list[str]] = {}
    for scope in sorted(found):
        areas.setdefault(scope.partition(".")[0], []).append(scope)
    return {area: tuple(scopes) for area, scopes in areas.items()}


def _of_fields(of: Type) -> Iterator[str]:
    if isinstance(of, ListOf):
        yield from _of_fields(of.item)
    elif isinstance(of, Resource):
        for spec in of.fields.values():
            if spec.scope:
                yield spec.scope
            yield from _of_fields(spec.type)
