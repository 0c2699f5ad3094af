"""Explains why a field has no value or is left out. Pure functions over records, their rows and refusals."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from connectors.connector import Connector
from connectors.convert import UNREADABLE, is_there
from connectors.spec import TODAY, Absent, Field, Join, Nested, Ref, Source
from gateway.unified.mapping import JoinIndex, Plan, Record, Refusal, getter, is_key_lost, is_lost, joined_getter


def why_refused(name: str, path: str) -> str:
    """Explains a vendor's refusal of a list that the token's scopes cover."""
    return (
        f"{name} refuses {path} to this account's token though its scopes cover it: the role of the person who made "
        "the token may not see it."
    )


def not_offered(name: str, path: str) -> str:
    """Explains that a vendor has no such list."""
    return f"{name} does not offer {path} to this account: it answers 404 to the whole list."


def refused_lines(connector: Connector, refused: Mapping[str, Refusal]) -> dict[str, list[dict[str, Any]]]:
    """Returns for each field that is left out because of a refused list the reason, and who can help."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, refusal in refused.items():
        if refusal.not_offered:
            found[path] = [{"reason": "unmapped", "detail": not_offered(connector.name, refusal.path)}]
        else:
            detail = why_refused(connector.name, refusal.path)
            found[path] = [{"reason": "withheld_by_role", "detail": detail, "granted_by": connector.granter}]
    return found


def refused_paths(plan: Plan, joins: Mapping[Join, JoinIndex], prefix: str = "") -> dict[str, Refusal]:
    """Returns the paths of all fields that would be read from a list which the vendor refuses, each with that list.

    A field of several sources is among them when one is refused: the others alone would make a wrong value.
    """
    found: dict[str, Refusal] = {}
    if not any(each.refusal for each in joins.values()):
        return found
    for name, rule in plan.rules.items():
        sources = [] if isinstance(rule, Absent) else own_sources(rule)
        refusals = (joins[source.join].refusal for source in sources if isinstance(source, Ref))
        refusal = next(filter(None, refusals), None)
        if refusal is not None:
            found[prefix + name] = refusal
        elif name in plan.nested:
            found |= refused_paths(plan.nested[name], joins, f"{prefix}{name}.")
    return found


def unreadable(plan: Plan, record: Record, values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yields the path of each field that is null though the vendor has a value there."""
    for name, rule in plan.rules.items():
        if isinstance(rule, Field):
            if values[name] is None and _is_unreadable(rule, record):
                yield prefix + name
        elif isinstance(rule, Nested) and values[name] is None:
            if rule.source is not None and is_key_lost(rule.source.join, record.row):
                yield prefix + name
        elif name in plan.nested and values[name]:
            inner = values[name] if rule.many else [values[name]]
            for each, row in zip(inner, _nested_records(rule, record), strict=True):
                yield from unreadable(plan.nested[name], row, each, f"{prefix}{name}.")


def _nested_records(rule: Nested, record: Record) -> list[Record]:
    if rule.source is None:
        return [record]
    found = joined_getter(rule.source)(record)
    return [record.nested(row) for row in (found if rule.many else [found])]


def _is_unreadable(rule: Field, record: Record) -> bool:
    """Returns whether a field is null though its sources have values."""
    if isinstance(rule.source, str) and rule.source != TODAY:  # Nearly all fields: asked for each null of each record.
        return is_there(record.row.get(rule.source)) or is_lost(rule.source, record)
    if any(is_lost(source, record) for source in rule.sources):
        return True
    found = [getter(source)(record) for source in rule.sources]
    if len(found) > 1 and rule.convert is not None and rule.convert(*found) is UNREADABLE:
        return True
    return all(map(is_there, found))


def reasons(
    plan: Plan, records: Sequence[Record], unified: Sequence[Mapping[str, Any]], lost: Sequence[Collection[str]]
) -> dict[str, list[dict[str, Any]]]:
    """Returns for each visible field that is null in some records the reasons, with the number of records.

    `unmapped`: the vendor has nothing for it; `withheld_by_role`: the vendor left the column out though the scopes
    cover it, so the role of the token's owner may not see it; `unreadable`: the vendor has something that is no such
    value; `provider_null`: the vendor has no value. `lost` are the paths of what is unreadable, record by record.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for name, rule in plan.rules.items():
        if isinstance(rule, Absent):
            found[name] = [{"reason": "unmapped", "detail": rule.reason}]
            continue
        counts = {"withheld_by_role": 0, "unreadable": 0, "provider_null": 0}
        for record, values, paths in zip(records, unified, lost, strict=True):
            if values[name] is None:
                counts[_reason(rule, record, unreadable=name in paths)] += 1
        lines = [{"reason": reason, "records": count} for reason, count in counts.items() if count]
        if lines:
            found[name] = lines
    within = Counter(path for paths in lost for path in paths if "." in path)
    return found | {path: [{"reason": "unreadable", "records": count}] for path, count in within.items()}


def _reason(rule: Field | Nested, record: Record, *, unreadable: bool) -> str:
    if unreadable:
        return "unreadable"
    return "withheld_by_role" if _left_out(rule, record) else "provider_null"


def _left_out(rule: Field | Nested, record: Record) -> bool:
    """Returns whether the vendor has left out a column that a rule reads."""
    return any(_column_left_out(source, record) for source in _sources(rule))


def own_sources(rule: Field | Nested) -> Sequence[Source]:
    """Returns the sources of a rule itself, without those of a nested table."""
    if isinstance(rule, Field):
        return rule.sources
    return (rule.source,) if rule.source is not None else ()


def _sources(rule: Field | Nested) -> Iterator[Source]:
    yield from own_sources(rule)
    if isinstance(rule, Nested) and rule.source is None:
        for inner in rule.table.rows.values():
            if isinstance(inner, Field):
                yield from inner.sources


def _column_left_out(source: Source, record: Record) -> bool:
    if isinstance(source, Ref):
        picked = record.pick(source.join)
        return bool(picked) and source.column is not None and source.column not in picked
    return source != TODAY and source not in record.row
