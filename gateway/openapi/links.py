"""Links between reads: from a list to its next page and its records, from employees to their records."""

from collections.abc import Iterable

from connectors.contract import Operation
from gateway.openapi.schemas import Schema

_FIRST = "$response.body#/data/0/id"


def links(operation: Operation, others: Iterable[Operation]) -> Schema:
    """Returns the links of a read to itself and to other reads, by the operation's id."""
    if operation.kind != "list":
        return {}
    path = {"id": "$request.path.id"} if operation.of_employee else {}
    found = {f"next_{operation.id}": _link(operation, path | {"next": "$response.body#/next"})}
    for other in others:
        if other.kind == "get" and other.path.rpartition("/")[0] == operation.path:
            found[other.id] = _link(other, path | {"subResourceId" if path else "id": _FIRST})
        elif operation.id == "list_employees" and other.kind == "list" and other.of_employee:
            found[other.id] = _link(other, {"id": _FIRST})
    return found


def _link(operation: Operation, parameters: Schema) -> Schema:
    return {"operationId": operation.id, "parameters": parameters}
