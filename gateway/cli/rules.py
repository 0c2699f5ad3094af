"""The scope-to-endpoint table, as text: what each operation takes of the client key and of the vendor token."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from connectors.registry import CONNECTORS
from connectors.spec import Absent, Collection, Connector, Endpoint, Join, Nested, Table, joins_of
from gateway.core.policy import stricter_fields
from gateway.web.site import OPEN_ROUTES

HEADS = ("Method", "Path", "Client scope", "Vendor calls", "Vendor scopes", "Stricter fields")


def rows(
    operations: Iterable[Operation], connectors: Iterable[Connector], open_routes: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, ...]]:
    """Give the table's rows: every route there is, those of the contract for each connector."""
    for connector in connectors:
        for operation in operations:
            endpoint = connector.endpoint(operation)
            what = ("501", "", "") if endpoint is None else _endpoint_cells(operation, endpoint)
            yield (operation.method, operation.path, operation.scope, *what)
    for method, path in open_routes:
        yield (method, path, "none", "none", "", "")


def as_markdown(table: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(HEADS) + " |", "|" + " --- |" * len(HEADS)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
    return "\n".join(lines)


def _endpoint_cells(operation: Operation, endpoint: Endpoint) -> tuple[str, str, str]:
    one = operation.kind == "get"
    calls = [f"GET {endpoint.record}" if one else endpoint.listing.label()]
    for join, names in _joins(endpoint.table).items():
        lists: list[Collection] = [join.narrow] if one and join.narrow else list(join.collections)
        lists += [join.embed.collection] if join.embed else []
        calls += [f"{each.label()} (for {', '.join(names)})" for each in lists]
    stricter = [
        f"{path}: {' and '.join(filter(None, (ours, theirs)))}"
        for path, ours, theirs in stricter_fields(endpoint.table)
    ]
    return "; ".join(calls), str(endpoint.scope), "; ".join(stricter)


def _joins(table: Table) -> dict[Join, list[str]]:
    """Give the joins of a table with the top-level fields that take them."""
    found: dict[Join, list[str]] = {}
    for name, rule in table.rows.items():
        if isinstance(rule, Absent):
            continue
        inner = list(_joins(rule.table)) if isinstance(rule, Nested) else []
        for join in (*joins_of(rule), *inner):
            names = found.setdefault(join, [])
            if name not in names:
                names.append(name)
    return found


def print_rules() -> None:
    """Print the whole table as Markdown."""
    print(as_markdown(rows(OPERATIONS, CONNECTORS.values(), OPEN_ROUTES)))
