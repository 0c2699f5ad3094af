"""Odd and deeply nested JSON, in every field of every body: what cannot be taken is the caller's fault, never ours."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx
import orjson
import pytest

from connectors.contract import ListOf, Plain, Resource, Type, Words
from connectors.hris.operations import OPERATIONS
from gateway.app.build import describe
from gateway.contract.body import MAX_DEPTH
from gateway.contract.query import PageLimits
from gateway.openapi.examples import BODIES
from tests.fixtures.gateway import Sandbox, Site

DEPTHS = (MAX_DEPTH, 250, 300, 990, 5_000, 100_000)
READABLE = 1024
"""Levels beyond which the decoder gives up by itself, whatever is nested."""
KINDS = ("objects", "lists")
ODD = {
    "a huge integer": b"9" * 5_000,
    "a huge negative integer": b"-" + b"9" * 400,
    "a large integer": b"18446744073709551616",
    "a huge number": b"1e999",
    "not a number": b"NaN",
    "infinity": b"-Infinity",
    "a lone surrogate": rb'"\ud83d"',
    "lone surrogates in an object": rb'{"\udfff":"\ud83d"}',
    "bytes that are no text": b'"\xff\xfe"',
    "a null character": rb'"\u0000"',
}
"""Values that some JSON parser takes and some encoder does not."""

DOCUMENT = describe(PageLimits(25, 250))
# A base in which a field goes far: what surrounds it is what the operation wants.
BASES: dict[str, dict[str, Any]] = {
    **{name: dict(body) for name, body in BODIES.items()},
    "proxy_request": {"path": "/no-such-path"},
    "create_connect_session": {"origin_owner_id": "o1", "origin_owner_name": "Owner"},
    "create_webhook": {"url": "https://example.com/hook"},
    "hub_link": {"integration_id": "humaans", "credentials": {"api_key": "nobody"}},
}
PATHS = {"{id}": "nobody", "{subResourceId}": "nobody", "{provider}": "humaans", "{account_id}": "nobody"}


def fields_of(schema: dict[str, Any], depth: int = 0) -> Iterator[tuple[str, ...]]:
    """Returns the paths of all fields of a body, through the objects and lists in it."""
    reference = str(schema.get("$ref", "")).rpartition("/")[2]
    if reference:
        schema = DOCUMENT["components"]["schemas"][reference]
    if depth > 3:
        return
    for each in schema.get("anyOf", ()):
        yield from fields_of(each, depth)
    if "items" in schema:
        yield from fields_of(schema["items"], depth)
    for name, each in schema.get("properties", {}).items():
        yield (name,)
        yield from ((name, *path) for path in fields_of(each, depth + 1))


BODIED = [
    (method, path, item)
    for path, methods in DOCUMENT["paths"].items()
    for method, item in methods.items()
    if "application/json" in item.get("requestBody", {}).get("content", {})
]
FIELDS = [
    (method, path, item["operationId"], field)
    for method, path, item in BODIED
    for field in dict.fromkeys(fields_of(item["requestBody"]["content"]["application/json"]["schema"]))
]


def nested(depth: int, kind: str) -> bytes:
    """Returns a value of so many levels."""
    if kind == "lists":
        return b"[" * depth + b"]" * depth
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


def with_field(base: dict[str, Any], field: tuple[str, ...], value: bytes) -> bytes:
    """Returns a body in which a field holds this value, in objects and in none: `value` is JSON already, or none."""
    rest = {name: each for name, each in base.items() if name != field[0]}
    inner = value
    for name in reversed(field[1:]):
        inner = b"{" + orjson.dumps(name) + b":" + inner + b"}"
    head = orjson.dumps(rest)[:-1]
    return head + (b"," if rest else b"") + orjson.dumps(field[0]) + b":" + inner + b"}"


async def send(site: Site, method: str, path: str, body: bytes, session: str) -> httpx.Response:
    for name, word in PATHS.items():
        path = path.replace(name, site.account if path == "/accounts/{id}" else word)
    return await site.client.request(
        method,
        path,
        content=body,
        auth=(site.key, ""),
        headers={
            "x-account-id": site.account,
            "content-type": "application/json",
            "x-hub-session-token": session,
        },
    )


async def session_of(site: Site) -> str:
    fields = {"origin_owner_id": "o1", "origin_owner_name": "Owner"}
    made = await site.client.post("/connect_sessions", json=fields, auth=(site.key, ""))
    return str(made.json()["token"])


def depth_of(of: Type | None) -> int:
    """Tell how many levels a body of the contract has, at the deepest."""
    match of:
        case Resource():
            return 1 + max((depth_of(each.type) for each in of.fields.values()), default=0)
        case ListOf():
            return 1 + depth_of(of.item)
        case Words() | Plain.MAP:
            return 1
        case _:
            return 0


UNDONE = {item["operationId"] for _, _, item in BODIED if item.get("x-unanswered")}
"""What some provider offers no way to do, whatever the body."""


def is_undone(operation: str, answer: httpx.Response) -> bool:
    return answer.status_code == 501 and operation in UNDONE


def test_the_limit_is_far_above_what_the_contract_nests() -> None:
    assert max(depth_of(each.body) for each in OPERATIONS) <= MAX_DEPTH / 8


def test_every_operation_that_takes_a_body_is_tried() -> None:
    assert {item["operationId"] for _, _, item in BODIED} >= {
        "proxy_request",
        "update_account",
        "create_connect_session",
        "authenticate_connect_session",
        "create_webhook",
        "update_webhook",
        "hub_link",
        "hub_relink",
        *(each.id for each in OPERATIONS if each.body),
    }
    # Of a vendor's webhook the body is the vendor's own.
    assert {operation for _, _, operation, _ in FIELDS} == {item["operationId"] for _, _, item in BODIED} - {
        "vendor_webhook"
    }


async def test_no_depth_in_any_field_of_any_body_is_a_fault_of_ours(site: Site, sandbox: Sandbox) -> None:
    session = await session_of(site)
    sandbox.reset()
    faults = []
    for (method, path, operation, field), depth in product(FIELDS, DEPTHS):
        for kind in KINDS if depth <= READABLE else KINDS[:1]:
            body = with_field(BASES.get(operation, {}), field, nested(depth, kind))
            answer = await send(site, method, path, body, session)
            if not 400 <= answer.status_code < 500 and not is_undone(operation, answer):
                faults.append((operation, field, depth, kind, answer.status_code))
            assert len(answer.content) < 20_000
    assert faults == []
    assert sandbox.calls() == []


@pytest.mark.parametrize("name", ODD)
async def test_no_odd_value_in_any_field_of_any_body_is_a_fault_of_ours(
    site: Site, sandbox: Sandbox, name: str
) -> None:
    session = await session_of(site)
    sandbox.reset()
    faults = []
    for method, path, operation, field in FIELDS:
        body = with_field(BASES.get(operation, {}), field, ODD[name])
        answer = await send(site, method, path, body, session)
        if answer.status_code >= 500 and not is_undone(operation, answer):
            faults.append((operation, field, answer.text))
    assert faults == []
    assert not [call for call in sandbox.calls() if call["method"] != "GET"]


WHOLE = {
    **ODD,
    **{f"{depth} levels": nested(depth, "lists") for depth in DEPTHS},
    "nothing": b"",
    "the begin of a list": b"[",
    "the begin of an object": b"{",
}


@pytest.mark.parametrize("name", WHOLE)
async def test_no_whole_body_is_a_fault_of_ours(site: Site, name: str) -> None:
    session = await session_of(site)
    faults = []
    for method, path, item in BODIED:
        answer = await send(site, method, path, WHOLE[name], session)
        if answer.status_code >= 500 and not is_undone(item["operationId"], answer):
            faults.append((item["operationId"], answer.text))
    hook = await send(site, "POST", f"/hooks/humaans/{site.account}", WHOLE[name], session)
    assert (faults, hook.status_code) == ([], 401)


async def test_the_refusal_says_how_deep_json_may_be(site: Site) -> None:
    path = ("metadata",)
    base = BASES["create_connect_session"]
    good = await send(site, "POST", "/connect_sessions", with_field(base, path, nested(MAX_DEPTH - 1, "objects")), "")
    assert good.status_code == 201, good.text
    deep = await send(site, "POST", "/connect_sessions", with_field(base, path, nested(MAX_DEPTH, "objects")), "")
    assert deep.status_code == 400
    assert deep.json()["message"] == f"The body is nested deeper than {MAX_DEPTH} levels."
