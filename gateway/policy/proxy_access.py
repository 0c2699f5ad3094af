"""The client scopes that a proxied call needs: all that the same columns need through the unified API.

The vendor answers with whole records, to writes too. So no field may be hidden from the key, and it must have the scope
of each operation that reads the list, and for a write also those of each operation and field that writes it. The rules
of the operator hold here as well.
"""

from collections.abc import Iterable, Iterator, Sequence

from connectors.columns import first_word
from connectors.connector import VendorPath
from connectors.contract import ListOf, Operation, Resource
from connectors.hris.operations import OPERATIONS
from connectors.platform import PROXY, PROXY_READ, PROXY_WRITE
from connectors.writes import Part, Write
from gateway.policy.policy import BY_OPERATOR, KEY_GRANTER, Policy, WithheldReason, holds


def closings(policy: Policy, rule: VendorPath, method: str, key: frozenset[str]) -> tuple[WithheldReason, ...]:
    """Returns all reasons why a method of a vendor's path is closed to a key; an open one has none."""
    found = [*_of_proxy(policy, rule, method, key), *policy.hidden_from(key).values(), *_of_reading(policy, rule, key)]
    if method != "GET":
        found += _of_writing(policy, rule, method, key)
    return tuple(dict.fromkeys(found))


def _of_proxy(policy: Policy, rule: VendorPath, method: str, key: frozenset[str]) -> Iterator[WithheldReason]:
    if PROXY.id in policy.operator.operations or (rule.managed and not policy.opens(rule)):
        yield BY_OPERATOR
    yield from _missing([PROXY_READ if method == "GET" else PROXY_WRITE], key)


def _of_reading(policy: Policy, rule: VendorPath, key: frozenset[str]) -> Iterator[WithheldReason]:
    """Yields the reasons why the records of a path are closed. For a list that is only joined, one reader is enough."""
    columns, of = policy.columns, rule.records
    owners = columns.owners(of)
    for endpoint in owners:
        yield from _of_operations(policy, columns.operations_of(endpoint, rule.kind), key)
    if owners:
        return
    ways = [
        list(_of_operations(policy, [operation], key))
        for endpoint in columns.joining(of)
        for operation in columns.operations_of(endpoint)
    ]
    if ways and all(ways):
        yield from ways[0]


def _of_writing(policy: Policy, rule: VendorPath, method: str, key: frozenset[str]) -> Iterator[WithheldReason]:
    """Yields the reasons why a write is closed: from the operations that make this call, or else write this list."""
    operations = {each.id: each for each in OPERATIONS}
    writes = [
        each for each in policy.connector.writes if any(_calls_of(each, part, rule.records) for part in each.parts)
    ]
    same_call = [
        each for each in writes if any(_is_call(call, rule, method) for part in each.parts for call in part.calls)
    ]
    yield from _of_operations(policy, [operations[each.operation] for each in same_call or writes], key)
    for write in writes:
        yield from _missing([operations[write.operation].scope, *_field_scopes(write, rule.records)], key)


def _of_operations(policy: Policy, operations: Sequence[Operation], key: frozenset[str]) -> Iterator[WithheldReason]:
    for operation in operations:
        if operation.id in policy.operator.operations:
            yield BY_OPERATOR
        yield from _missing([operation.scope], key)


def _missing(scopes: Iterable[str], key: frozenset[str]) -> Iterator[WithheldReason]:
    return (WithheldReason(scope, KEY_GRANTER) for scope in scopes if not holds(key, scope))


def _calls_of(write: Write, part: Part, of: str) -> list[str]:
    """Returns the writing calls of a part to a list. A part without calls of its own goes with the main part."""
    writing = [call for call in part.calls if not call.startswith("GET ")]
    if not writing:
        writing = [call for call in write.main.calls if not call.startswith("GET ")]
    return [call for call in writing if first_word(call.partition(" ")[2]) == of]


def _is_call(call: str, rule: VendorPath, method: str) -> bool:
    verb, _, path = call.partition(" ")
    of_one = path.strip("/").count("/") > 0
    return verb == method and first_word(path) == rule.records and of_one == (rule.kind == "get")


def _field_scopes(write: Write, of: str) -> Iterator[str]:
    """Yields the scopes of the fields that are written to a list."""
    for path, to in write.targets():
        if write.body is not None and _calls_of(write, write.part(to.part), of):
            yield from _scopes_on(write.body, path.split("."))


def _scopes_on(resource: Resource, words: Sequence[str]) -> Iterator[str]:
    spec = resource.fields[words[0]]
    if spec.scope:
        yield spec.scope
    inner = spec.type.item if isinstance(spec.type, ListOf) else spec.type
    if len(words) > 1 and isinstance(inner, Resource):
        yield from _scopes_on(inner, words[1:])
