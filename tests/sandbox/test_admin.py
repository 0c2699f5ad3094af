"""The sandbox's own paths: tokens, calls, rows, webhooks; and faults as far as they need no socket."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from deploy.sandbox.choices import Choices
from deploy.sandbox.faults import KINDS
from deploy.sandbox.tokens import TOKENS, by_name
from deploy.sandbox.webhooks import signed_headers
from tests.sandbox.calling import Caller, sandbox


async def test_tokens_are_listed_with_their_person() -> None:
    caller = sandbox()
    listed = (await caller.steer("GET", "/tokens")).json()["tokens"]
    assert [each["name"] for each in listed] == [token.name for token in TOKENS]
    assert listed[0]["personId"] == await caller.person_of("all-owner")


async def test_calls_are_logged_by_token_name_and_counted_by_path() -> None:
    caller = sandbox()
    await caller.get("/people", query="status=all&%24limit=5&teams[$in]=a&teams[$in]=b")
    await caller.get("/people/nobody", "all-admin")
    await caller.get("/time-away-types", None)
    log = (await caller.steer("GET", "/calls")).json()
    assert log["total"] == 3
    assert log["calls"] == [
        {
            "method": "GET",
            "path": "/people",
            "query": {"status": "all", "$limit": "5", "teams[$in]": ["a", "b"]},
            "status": 200,
            "token": "all-owner",
        },
        {"method": "GET", "path": "/people/nobody", "query": {}, "status": 404, "token": "all-admin"},
        {"method": "GET", "path": "/time-away-types", "query": {}, "status": 401, "token": None},
    ]
    assert not [token for token in TOKENS if token.token in json.dumps(log)]
    counts = [
        (await caller.steer("GET", f"/calls/count?path={path}")).json()["count"]
        for path in ("/people", "/time-away", "", "/people/nobody")
    ]
    assert counts == [2, 0, 3, 1]


async def test_the_call_log_can_be_reset() -> None:
    caller = sandbox()
    await caller.get("/people")
    assert (await caller.steer("DELETE", "/calls")).status_code == 204
    assert (await caller.steer("GET", "/calls")).json() == {"total": 0, "calls": []}


async def test_rows_can_be_changed_without_a_token() -> None:
    caller = sandbox()
    total = (await caller.steer("GET", "/rows/people")).json()["total"]
    assert total == 60
    body = {"firstName": "A", "lastName": "B", "email": "a@example.com", "locationId": "remote"}
    body |= {"remoteCity": "Lyon", "remoteCountryCode": "FR", "employmentStartDate": "2026-01-01"}
    new = (await caller.steer("POST", "/rows/people", body)).json()
    assert (await caller.page("/people"))["total"] == 57
    changed = (await caller.steer("PATCH", f"/rows/people/{new['id']}", {"lastName": "C"})).json()
    assert changed["updatedAt"] > new["updatedAt"]
    assert (await caller.get(f"/people/{new['id']}")).json()["lastName"] == "C"
    assert (await caller.steer("GET", f"/rows/people/{new['id']}")).json() == changed
    assert (await caller.steer("DELETE", f"/rows/people/{new['id']}")).status_code == 204
    assert (await caller.page("/people"))["total"] == 56
    assert (await caller.steer("GET", "/calls/count?path=/rows")).json()["count"] == 0


async def test_computed_fields_can_be_set_that_way() -> None:
    caller = sandbox()
    me = await caller.person_of("all-owner")
    body = {"updatedAt": "2020-01-01T00:00:00.000Z", "status": "offboarded"}
    await caller.steer("PATCH", f"/rows/people/{me}", body)
    assert body.items() <= (await caller.get(f"/people/{me}")).json().items()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("GET", "/rows/unicorns", None, 404),
        ("PATCH", "/rows/people/nobody", {}, 404),
        ("POST", "/rows/people", {}, 422),
        ("POST", "/faults", [], 400),
        ("POST", "/faults", {}, 400),
        ("POST", "/faults", {"kind": "earthquake"}, 400),
        ("POST", "/faults", {"kind": "latency", "megabytes": 3}, 400),
        ("POST", "/faults", {"kind": "latency", "seconds": "long"}, 400),
        ("POST", "/faults", {"kind": "latency", "times": -1}, 400),
        ("POST", "/faults", {"kind": "latency", "path": 3}, 400),
    ],
)
async def test_orders_that_make_no_sense(method: str, path: str, body: object, status: int) -> None:
    answer = await sandbox().steer(method, path, body)
    assert answer.status_code == status
    assert answer.json()["message"]


async def fault(caller: Caller, **wanted: Any) -> None:
    assert (await caller.steer("POST", "/faults", wanted)).status_code == 201


async def test_a_fault_hits_so_many_calls_after_so_many() -> None:
    caller = sandbox()
    await fault(caller, kind="server_error", status=503, path="/people", after=1, times=2)
    statuses = [(await caller.get(path)).status_code for path in ("/people", "/locations", *["/people"] * 3)]
    assert statuses == [200, 200, 503, 503, 200]
    assert (await caller.steer("GET", "/faults")).json()["faults"][0]["hits"] == 2


async def test_a_fault_without_a_number_of_times_lasts_until_it_is_cleared() -> None:
    caller = sandbox()
    await fault(caller, kind="forbidden")
    assert {(await caller.get("/people")).status_code for _ in range(5)} == {403}
    await caller.steer("DELETE", "/faults")
    assert (await caller.get("/people")).status_code == 200


@pytest.mark.parametrize(("field", "value"), [("token", "all-admin"), ("method", "POST")])
async def test_a_fault_can_be_for_one_token_or_method(field: str, value: str) -> None:
    caller = sandbox()
    await fault(caller, kind="unauthorized", **{field: value})
    assert (await caller.get("/people")).status_code == 200
    hit = await caller.send("POST" if field == "method" else "GET", "/people", "all-admin", {})
    assert hit.status_code == 401


@pytest.mark.parametrize(
    ("wanted", "status", "content_type"),
    [
        ({"kind": "rate_limit"}, 429, "application/json"),
        ({"kind": "server_error"}, 500, "application/json"),
        ({"kind": "server_error", "status": 502}, 502, "application/json"),
        ({"kind": "unauthorized"}, 401, "application/json"),
        ({"kind": "forbidden"}, 403, "application/json"),
        ({"kind": "html_error"}, 502, "text/html"),
        ({"kind": "html_error", "status": 200}, 200, "text/html"),
        ({"kind": "truncated_json"}, 200, "application/json"),
        ({"kind": "garbage_json"}, 200, "application/json"),
        ({"kind": "wrong_content_type"}, 200, "text/plain"),
        ({"kind": "empty_body"}, 200, "application/json"),
        ({"kind": "oversized", "megabytes": 2}, 200, "application/json"),
        ({"kind": "redirect", "location": "http://elsewhere/"}, 302, "text/html"),
        ({"kind": "wrong_envelope"}, 200, "application/json"),
        ({"kind": "deep_json"}, 200, "application/json"),
        ({"kind": "latency", "seconds": 0.01}, 200, "application/json"),
        ({"kind": "slow_drip", "seconds_per_chunk": 0.001}, 200, "application/json"),
    ],
)
async def test_how_a_fault_answers(wanted: dict[str, Any], status: int, content_type: str) -> None:
    caller = sandbox()
    await fault(caller, **wanted)
    answer = await caller.get("/people")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, content_type)
    assert (await caller.steer("GET", "/calls")).json()["calls"][0]["status"] == status


@pytest.mark.parametrize("kind", ["truncated_json", "garbage_json", "empty_body", "html_error"])
async def test_some_faults_are_no_json(kind: str) -> None:
    caller = sandbox()
    await fault(caller, kind=kind)
    with pytest.raises(ValueError, match=r"line|utf-8|codec"):
        (await caller.get("/people")).json()


async def test_the_bodies_of_faults() -> None:
    caller = sandbox()
    whole = (await caller.get("/people")).content
    for kind in ("truncated_json", "wrong_content_type", "slow_drip", "wrong_envelope", "oversized", "deep_json"):
        quick = {"seconds_per_chunk": 0} if kind == "slow_drip" else {}
        small = {"megabytes": 3} if kind == "oversized" else {}
        await fault(caller, kind=kind, times=1, **quick, **small)
    bodies = [(await caller.get("/people")).content for _ in range(6)]
    assert bodies[0] == whole[: len(whole) // 2]
    assert bodies[1] == bodies[2] == whole
    assert json.loads(bodies[3])["data"] is None
    assert len(bodies[4]) > 3 << 20
    assert len(json.loads(bodies[4])["data"]) == 1
    assert bodies[5].count(b"[") == 50_000


@pytest.mark.parametrize(("given", "header"), [({}, "1"), ({"retry_after": 7}, "7"), ({"retry_after": None}, None)])
async def test_retry_after_of_a_rate_limit(given: dict[str, Any], header: str | None) -> None:
    caller = sandbox()
    await fault(caller, kind="rate_limit", **given)
    assert (await caller.get("/people")).headers.get("retry-after") == header


async def test_latency_waits() -> None:
    caller = sandbox()
    await fault(caller, kind="latency", seconds=600)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await caller.get("/people")


async def test_a_drip_comes_bit_by_bit() -> None:
    caller = sandbox()
    whole = (await caller.get("/people")).content
    await fault(caller, kind="slow_drip", seconds_per_chunk=0.001, chunks=5)
    pieces: list[bytes] = []

    async def receive() -> Any:
        await asyncio.Event().wait()  # A client that stays.

    async def send(message: Any) -> None:
        pieces.append(message.get("body", b""))

    token = by_name("all-owner").token
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/people",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
    }
    await caller.app(scope, receive, send)
    assert b"".join(pieces) == whole
    assert len([piece for piece in pieces if piece]) == 5


async def test_a_reset_needs_a_connection() -> None:
    caller = sandbox()
    await fault(caller, kind="connection_reset")
    with pytest.raises(ConnectionResetError):
        await caller.get("/people")


def test_every_kind_of_fault_is_tested() -> None:
    tests = Path(__file__).read_text()
    assert not [kind for kind in KINDS if f'"{kind}"' not in tests]


@pytest.mark.parametrize(("header", "prefix"), [("x-humaans-signature", ""), ("x-signature", "sha256="), ("", "")])
def test_webhooks_are_signed_as_chosen(header: str, prefix: str) -> None:
    choices = Choices(webhook_header=header, webhook_prefix=prefix)
    digest = hmac.new(b"secret", b"{}", hashlib.sha256).hexdigest()
    expected = {header: f"{prefix}{digest}"} if header else {}
    assert signed_headers("secret", b"{}", choices) == {"content-type": "application/json"} | expected
