"""The parameters of a unified operation, as `gateway.contract.query` and `gateway.unified.api` read them."""

from collections.abc import Iterable, Sequence
from typing import Any

from connectors.contract import Operation, Resource, Words
from connectors.hris.filters import filter_of
from connectors.hris.operations import BASE
from gateway.contract.query import MOST_PAGES, VENDOR_NAME, WITHHELD, PageLimits
from gateway.openapi.schemas import Schema

_EITHER_ID = "Our id or the provider's own."


def account_header() -> Schema:
    return {
        "name": "x-account-id",
        "in": "header",
        "required": True,
        "description": "The linked account that is asked about.",
        "schema": {"type": "string", "minLength": 1},
    }


def idempotency_header() -> Schema:
    return {
        "name": "idempotency-key",
        "in": "header",
        "description": "The same key within 24 hours gives the first answer, and nothing is done again.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    }


def path_parameters(path: str) -> list[Schema]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _EITHER_ID if path.startswith(BASE) else "",
            "schema": {"type": "string", "minLength": 1},
        }
        for name in names
    ]


def read_parameters(operation: Operation, resource: Resource, limits: PageLimits) -> list[Schema]:
    """Give the query of a read and its `Cache-Control`."""
    found = [
        _names("fields", "Give only these fields; without it, all but those of `expand`, `include`.", resource.fields),
        _names("include", "Add what is costly or sensitive, or say why fields are empty.", _includes(operation)),
        query(
            "raw",
            (
                "Ask the provider anew, and show the calls that were made for these records: of the lists that the key "
                "and the token open, the rows of this page and their open columns."
            ),
            {"type": "boolean"},
        ),
        _proxy(),
        {
            "name": "cache-control",
            "in": "header",
            "description": "`no-cache`, `max-age=N` and `min-fresh=N` ask for a fresher answer, `max-stale` takes an "
            "older one, `no-store` keeps nothing, `only-if-cached` asks nobody (RFC 9111).",
            "schema": {"type": "string"},
            "example": "max-age=60",
        },
        {
            "name": "if-none-match",
            "in": "header",
            "description": "The `ETag` of an answer that the caller has.",
            "schema": {"type": "string"},
        },
    ]
    if operation.expand:
        found.insert(1, _names("expand", "Put related objects in where there would be none.", operation.expand))
    if operation.kind == "list":
        found += _list_parameters(operation, resource, limits)
    return found


def _includes(operation: Operation) -> Sequence[str]:
    return (*operation.include, WITHHELD)


def _list_parameters(operation: Operation, resource: Resource, limits: PageLimits) -> list[Schema]:
    count = {"type": "integer", "minimum": 1, "maximum": limits.most, "default": limits.default}
    found = [
        query("page_size", "Records on a page; keep it the same while following `next`.", count),
        query("next", "The cursor of the answer before.", {"type": "string"}),
        {
            **query(
                "page",
                "Excludes `next`; follow that instead.",
                {"type": "integer", "minimum": 1, "maximum": MOST_PAGES},
            ),
            "deprecated": True,
        },
    ]
    filters = {name: _filter(name, resource) for name in operation.filters if is_answerable(name, resource)}
    if filters:
        schema = {"type": "object", "properties": filters, "additionalProperties": False}
        found.append(
            {**query("filter", "Conditions that all have to hold.", schema), "style": "deepObject", "explode": True}
        )
    if "updated_after" in filters:
        old = query("updated_after", "As `filter[updated_after]`.", {"type": "string", "format": "date-time"})
        found.append({**old, "deprecated": True})
    return found


def is_answerable(name: str, resource: Resource) -> bool:
    """Tell whether a filter of the contract has something to compare with."""
    found = filter_of(resource.name, name)
    return found is not None and set(found.fields) <= resource.fields.keys()


def _filter(name: str, resource: Resource) -> Schema:
    found = filter_of(resource.name, name)
    if found is None:
        raise ValueError(f"{resource.name} has no filter {name}")
    fields = " or ".join(f"`{field}`" for field in found.fields)
    match found.test:
        case "equals":
            wanted = resource.fields[found.fields[0]].type
            text = {"type": "string", "minLength": 1}
            known = {"anyOf": [{"enum": sorted(wanted.words)}, text]} if isinstance(wanted, Words) else text
            return {"description": f"{fields} is this.", **known}
        case "any of":
            return {
                "type": "string",
                "minLength": 1,
                "description": f"{fields} is one of these: separated by commas, or the parameter given several times.",
            }
        case "after" | "from" | "to" | "from day" | "to day":
            how = {"after": "later than", "from": "at or after", "to": "at or before"}.get(found.test, "")
            how = how or {"from day": "on or after the day of", "to day": "on or before the day of"}[found.test]
            return {"type": "string", "format": "date-time", "description": f"{fields} is {how} this."}


def query(name: str, description: str, schema: Schema) -> Schema:
    # An empty value is as good as none.
    return {"name": name, "in": "query", "description": description, "allowEmptyValue": True, "schema": schema}


def _names(name: str, description: str, known: Iterable[str]) -> Schema:
    schema = {"type": "array", "items": {"type": "string", "enum": list(known)}}
    return {**query(name, description, schema), "style": "form", "explode": False}


def _proxy() -> Schema:
    schema: dict[str, Any] = {
        "type": "object",
        "propertyNames": {"pattern": f"^{VENDOR_NAME.pattern}$"},
        "additionalProperties": {"type": "string"},
    }
    text = "Further parameters of the provider's own list call; those of its paging are refused."
    return {**query("proxy", text, schema), "style": "deepObject", "explode": True}
