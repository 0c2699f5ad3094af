"""`rules`: the table of client scopes, vendor calls and vendor scopes of every operation, as text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from connectors.connector import Connector
from connectors.contract import Given, Operation, Resource, Type
from connectors.hris.operations import OPERATIONS
from connectors.needs import Need
from connectors.platform import CONNECT_OPERATIONS, PLATFORM_OPERATIONS, WEBHOOK_OPERATIONS
from connectors.registry import CONNECTORS
from connectors.spec import Absent, Collection, Derived, Endpoint, Join, Nested, Rule, Table, joins_of
from connectors.writes import Write
from gateway.app.routes import OPEN_ROUTES
from gateway.policy.policy import stricter_fields
from gateway.webhooks.event_scopes import LISTS, SENDING

RELINKS = frozenset({"update_account"})
"""Platform operations that check a new credential with the vendor."""

LINKS = frozenset(
    {
        ("POST", "/connect"),
        ("GET", "/connect/oauth2/callback"),
        ("POST", "/hub/accounts"),
        ("PATCH", "/hub/accounts/{id}"),
    }
)
"""Routes of the Hub that do so."""

_NOTHING = ("501", "", "")
HEADS = ("Method", "Path", "Client scope", "Vendor calls", "Vendor scopes", "Stricter fields")


def rows(
    operations: Iterable[Operation], connectors: Iterable[Connector], open_routes: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, ...]]:
    """Returns the table's rows: every route, those of the contract once per connector."""
    for connector in connectors:
        for operation in operations:
            endpoint, write = connector.endpoint(operation), connector.write(operation)
            what = _endpoint_cells(operation, endpoint) if endpoint else _write_cells(write) if write else _NOTHING
            yield (operation.method, operation.path, operation.scope, *what)
    for operation in (*PLATFORM_OPERATIONS, *CONNECT_OPERATIONS, *WEBHOOK_OPERATIONS):
        calls = "on request what checks a token" if operation.id in RELINKS else "none"
        events = _event_cell() if operation.id in SENDING else ""
        yield (operation.method, operation.path, operation.scope, calls, "", events)
    for method, path in open_routes:
        calls = "what checks a token" if (method, path) in LINKS else "none"
        yield (method, path, "none", calls, "", "")


def _event_cell() -> str:
    """Returns the scopes that events about records need, where they are requested or replayed."""
    return "; ".join(f"{operation.scope}: events hris_{resource}.*" for resource, operation in LISTS.items())


def as_markdown(table: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(HEADS) + " |", "|" + " --- |" * len(HEADS)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
    return "\n".join(lines)


def _endpoint_cells(operation: Operation, endpoint: Endpoint) -> tuple[str, str, str]:
    one = operation.kind == "get"
    main = (
        [f"GET {endpoint.record}"] if one and endpoint.record else [each.label() for each in _main(operation, endpoint)]
    )
    always, on_request = _calls(endpoint.table, one=one)
    calls = "; ".join([*main, *always]) + (f"; on request {'; '.join(on_request)}" if on_request else "")
    by_need: dict[str, list[str]] = {}
    for path, ours, theirs in stricter_fields(endpoint.table):
        by_need.setdefault(" and ".join(filter(None, (ours, theirs))), []).append(path)
    stricter = "; ".join(f"{need}: {', '.join(paths)}" for need, paths in by_need.items())
    return calls, str(endpoint.scope), stricter


def _write_cells(write: Write) -> tuple[str, str, str]:
    """Returns the calls of a write with those of its optional parts, its scopes, and the fields that need more."""
    others = [part for part in write.parts[1:] if part.calls]
    calls = [*write.main.calls, *(f"for {part.name.replace('_', ' ')} {', '.join(part.calls)}" for part in others)]
    always = list(dict.fromkeys([*write.always, *write.main.needs]))
    by_need: dict[str, list[str]] = {}
    for path, to in write.targets():
        theirs = [str(need) for need in write.part(to.part).needs if need not in always]
        ours = _scope_of(write.body, path)
        if theirs or ours:
            by_need.setdefault(" and ".join([*ours, *theirs]), []).append(path)
    stricter = "; ".join(f"{need}: {', '.join(paths)}" for need, paths in by_need.items())
    return "; ".join(calls), " and ".join(map(_bracketed, always)), stricter


def _scope_of(body: Type | None, path: str) -> list[str]:
    """Returns the client scopes that a field of a body needs, with those of the objects that contain it."""
    if not isinstance(body, Resource) or not path:
        return []
    name, _, rest = path.partition(".")
    spec = body.fields[name]
    return [*([spec.scope] if spec.scope else []), *_scope_of(spec.type, rest)]


def _bracketed(need: Need) -> str:
    return f"({need})" if len(need.any_of) > 1 else str(need)


def _main(operation: Operation, endpoint: Endpoint) -> tuple[Collection, ...]:
    if operation.of_employee and endpoint.of_employee:
        return (endpoint.of_employee.listing,)
    if isinstance(endpoint.listing, Derived):
        return endpoint.listing.collections
    return (endpoint.listing,) if endpoint.listing else ()


def _calls(table: Table, *, one: bool) -> tuple[list[str], list[str]]:
    """Returns the further calls of a table's fields: of those that are always returned, and of those on request."""
    found: dict[str, bool] = {}
    for name, rule in table.rows.items():
        always = table.resource.fields[name].given is Given.ALWAYS
        for join in _joins(rule):
            lists: list[Collection] = [join.narrow] if one and join.narrow else list(join.collections)
            for each in [*lists, *([join.embed.collection] if join.embed else [])]:
                found[each.label()] = found.get(each.label(), False) or always
    return [call for call, always in found.items() if always], [call for call, always in found.items() if not always]


def _joins(rule: Rule) -> list[Join]:
    if isinstance(rule, Absent):
        return []
    inner = [join for each in rule.table.rows.values() for join in _joins(each)] if isinstance(rule, Nested) else []
    return [*joins_of(rule), *inner]


def print_rules() -> None:
    """Prints the whole table as Markdown."""
    print(as_markdown(rows(OPERATIONS, CONNECTORS.values(), OPEN_ROUTES)))
