"""The parameters of a unified operation, as `gateway.contract.query` and `gateway.unified.api` read them."""

from collections.abc import Iterable, Sequence
from typing import Any

from connectors.contract import Operation, Resource, Words
from connectors.hris.filters import filter_of
from connectors.hris.operations import BASE
from gateway.contract.query import MOST_PAGES, VENDOR_NAME, WITHHELD, PageLimits
from gateway.openapi.schemas import Schema

# The first beginning of a path that fits decides.
_PATH_PARAMETERS = (
    (f"{BASE}/", "{", "The record's id, either the gateway's or the provider's own."),
    ("", "{provider}", "The key of the provider, such as `humaans`."),
    ("", "{token}", "The token of the connect session."),
    ("", "{account_id}", "The id of the linked account."),
    ("/hub/connectors/", "{id}", "The key of the provider, such as `humaans`."),
    ("/webhooks/deliveries/", "{id}", "The id of the delivery."),
    ("/webhooks/", "{id}", "The id of the webhook."),
    ("", "{id}", "The id of the linked account."),
)


def account_header() -> Schema:
    return {
        "name": "x-account-id",
        "in": "header",
        "required": True,
        "description": "The id of the linked account.",
        "schema": {"type": "string", "minLength": 1},
    }


def idempotency_header() -> Schema:
    return {
        "name": "idempotency-key",
        "in": "header",
        "description": "A second request with the same key within 24 hours gets the first answer and changes nothing.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    }


def path_parameters(path: str) -> list[Schema]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": next(
                text
                for start, part, text in _PATH_PARAMETERS
                if path.startswith(start) and f"{{{name}}}".startswith(part)
            ),
            "schema": {"type": "string", "minLength": 1},
        }
        for name in names
    ]


def read_parameters(operation: Operation, resource: Resource, limits: PageLimits) -> list[Schema]:
    """Returns the parameters of a read: its query, and the headers that caching takes."""
    found = [
        _names("fields", "Fields to return; by default all but those of `expand` and `include`.", resource.fields),
        _names(
            "include",
            "Costly or sensitive fields to add, or `withheld` for the reasons why fields are empty.",
            _includes(operation),
        ),
        query(
            "raw",
            (
                "`true` asks the provider and adds its own records: of the lists that the key and the token open, the "
                "rows of this page with the open columns."
            ),
            {"type": "boolean"},
        ),
        _proxy(),
        {
            "name": "cache-control",
            "in": "header",
            "description": "`no-cache`, `max-age=N` and `min-fresh=N` ask for a fresher answer, `max-stale` accepts an "
            "older one, `no-store` stores nothing and `only-if-cached` never asks the provider (RFC 9111).",
            "schema": {"type": "string"},
            "example": "max-age=60",
        },
        {
            "name": "if-none-match",
            "in": "header",
            "description": "The `ETag` of an answer that the caller already has.",
            "schema": {"type": "string"},
        },
    ]
    if operation.expand:
        found.insert(1, _names("expand", "Related objects to add.", operation.expand))
    if operation.kind == "list":
        found += _list_parameters(operation, resource, limits)
    return found


def _includes(operation: Operation) -> Sequence[str]:
    return (*operation.include, WITHHELD)


def _list_parameters(operation: Operation, resource: Resource, limits: PageLimits) -> list[Schema]:
    count = {"type": "integer", "minimum": 1, "maximum": limits.most, "default": limits.default}
    found = [
        query("page_size", "Records on a page. It must stay the same while following `next`.", count),
        query("next", "The cursor from the previous page.", {"type": "string"}),
        {
            **query(
                "page",
                "The number of the page, from 1. Use `next` instead, which excludes it.",
                {"type": "integer", "minimum": 1, "maximum": MOST_PAGES},
            ),
            "deprecated": True,
        },
    ]
    filters = {name: _filter(name, resource) for name in operation.filters if is_answerable(name, resource)}
    if filters:
        schema = {"type": "object", "properties": filters, "additionalProperties": False}
        found.append(
            {
                **query("filter", "Conditions on the records, all of which must hold.", schema),
                "style": "deepObject",
                "explode": True,
            }
        )
    if "updated_after" in filters:
        old = query(
            "updated_after", "Another name for `filter[updated_after]`.", {"type": "string", "format": "date-time"}
        )
        found.append({**old, "deprecated": True})
    return found


def is_answerable(name: str, resource: Resource) -> bool:
    """Returns whether the resource has the fields that a filter compares."""
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
            return {"description": f"{fields} equals this value.", **known}
        case "any of":
            return {
                "type": "string",
                "minLength": 1,
                "description": f"{fields} equals one of these values, separated by commas or in repeated parameters.",
            }
        case "after" | "from" | "to" | "from day" | "to day":
            how = {"after": "after", "from": "at or after", "to": "at or before"}.get(found.test, "")
            how = how or {"from day": "on or after the day of", "to day": "on or before the day of"}[found.test]
            return {"type": "string", "format": "date-time", "description": f"{fields} is {how} this moment."}


def page_parameters(description: str, limits: PageLimits) -> dict[str, Schema]:
    """Returns `page` and `page_size` of a list outside the unified API; the description is of the latter."""
    pages: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_PAGES}
    sizes: Schema = {"type": "integer", "minimum": 1, "maximum": limits.most, "default": limits.default}
    return {
        "page": query("page", "The number of the page, from 1.", pages),
        "page_size": query("page_size", description, sizes),
    }


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
    text = "More parameters for the provider's own list call; those for paging are refused."
    return {**query("proxy", text, schema), "style": "deepObject", "explode": True}
