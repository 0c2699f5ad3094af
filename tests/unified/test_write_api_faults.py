"""Writes that are refused, or fail: without a call where that is known before, and reported exactly where it is not."""

from typing import Any

import pytest

from tests.fixtures.gateway import Sandbox, Site
from tests.fixtures.writes import PAY, SOMEBODY, data, fixture_own_sandbox, hired, send, written

__all__ = ["fixture_own_sandbox"]

DENIED = [
    ("read-everything", "POST", "/employees", hired("eve"), "private:write"),
    ("read-everything", "PATCH", f"/employees/{SOMEBODY}", {"display_name": "E"}, "private:write"),
    ("read-everything", "PATCH", f"/employees/{SOMEBODY}", {"employment": {"pay_rate": "1"}}, "compensations:write"),
    ("read-everything", "PATCH", f"/employees/{SOMEBODY}/employments/x", {"pay_rate": "1"}, "compensations:write"),
    ("read-everything", "DELETE", f"/employees/{SOMEBODY}/time_off/x", None, "private:write"),
    (
        "read-everything",
        "POST",
        f"/employees/{SOMEBODY}/work_eligibility",
        {"type": {"value": "visa"}},
        "documents:write",
    ),
    ("only-private-write", "PATCH", f"/employees/{SOMEBODY}/time_off/x", {"comment": "x"}, "public:read"),
]


@pytest.mark.parametrize(("token", "method", "path", "body", "missing"), DENIED)
async def test_a_missing_scope_is_named_without_a_vendor_call(
    site: Site, sandbox: Sandbox, token: str, method: str, path: str, body: Any, missing: str
) -> None:
    account = await site.link(token)
    sandbox.reset()
    answer = await send(site, method, path, body, account=account)
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "InsufficientScopeError")
    assert any(missing in error for error in answer.json()["errors"])
    assert sandbox.calls() == []


BAD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({"content": b"{", "headers": {"content-type": "application/json"}}, "not JSON"),
    ({"content": b"", "headers": {"content-type": "application/json"}}, "missing"),
    ({"content": b"[]", "headers": {"content-type": "application/json"}}, "JSON object"),
    ({"content": b"{}", "headers": {"content-type": "text/plain"}}, "content-type: application/json"),
    ({"content": b"{}"}, "content-type: application/json"),
    ({"content": b"{}", "headers": {"content-type": "application/json", "content-encoding": "gzip"}}, "compressed"),
    ({"content": b"x" * 2_000_000, "headers": {"content-type": "application/json"}}, "larger than 1048576 bytes"),
    ({"body": {"first_name": 1, "nam": "x"}}, "first_name: must be text; nam: there is no such field; there is name"),
    ({"body": {}}, "first_name is missing; last_name is missing"),
    ({"body": hired("x"), "params": {"raw": "true"}}, "no parameters"),
    ({"body": hired("x"), "headers": {"idempotency-key": "a b"}}, "Idempotency-Key must be"),
]


@pytest.mark.parametrize(("given", "words"), BAD_BODIES)
async def test_a_faulty_request_is_a_400_without_a_vendor_call(
    site: Site, sandbox: Sandbox, given: dict[str, Any], words: str
) -> None:
    sandbox.reset()
    answer = await send(site, "POST", "/employees", **given)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "ValidationError")
    assert words in answer.json()["message"]
    assert sandbox.calls() == []


@pytest.mark.parametrize("form", ["422", "400"])
async def test_what_the_vendor_finds_wrong_is_a_422_in_our_names(site: Site, sandbox: Sandbox, form: str) -> None:
    sandbox.steer("POST", "/choices", {"create_invalid": form})
    body = hired("dora", work_location={"id": "nowhere"})
    answer = await send(site, "POST", "/employees", body)
    assert (answer.status_code, answer.json()["errorCode"]) == (422, "UnprocessableEntityError")
    assert answer.json()["errors"] == [
        "work_location.id (locationId in Humaans): is neither an id of locations nor remote"
    ]
    assert answer.json()["provider_errors"][0]["status"] == int(form)


async def test_an_address_that_is_taken_is_a_409(site: Site) -> None:
    await written(site, "/employees", hired("taken"))
    answer = await send(site, "POST", "/employees", hired("taken"))
    assert (answer.status_code, answer.json()["errors"]) == (409, ["work_email (email in Humaans): is taken"])


async def test_an_employee_who_is_not_there_is_a_404(site: Site) -> None:
    policy = (await data(site, "/time_off_policies"))[0]["id"]
    away = {"start_date": "2026-12-07", "end_date": "2026-12-07", "time_off_policy_id": policy}
    nobody = "/employees/AAAAAAAAAAAAAAAAAAAAAAAA"
    answers = [
        await send(site, "PATCH", nobody, {"display_name": "x"}),
        await send(site, "POST", f"{nobody}/time_off", away),
        await send(site, "POST", f"{nobody}/employments", {"job_title": "x", "effective_date": "2026-01-01T00:00:00Z"}),
        await send(site, "POST", f"{nobody}/work_eligibility", {"type": {"value": "passport"}}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4


async def test_a_person_whose_pay_was_refused_is_created_with_a_warning(site: Site, sandbox: Sandbox) -> None:
    sandbox.steer("POST", "/faults", {"kind": "forbidden", "path": "/compensations", "method": "POST", "times": 1})
    answer = await send(site, "POST", "/employees", hired("half", employment=PAY))
    body = answer.json()
    assert answer.status_code == 201
    assert body["unified_warnings"][0]["message"].startswith("Done: create the employee. Not done: record the pay.")
    assert [each["status"] for each in body["provider_errors"]] == [403]
    found = await data(site, f"/employees/{body['data']['id']}", expand="employments")
    assert found["employments"][0]["pay_rate"] is None


@pytest.mark.parametrize("kind", ["connection_reset", "server_error", "truncated_json", "garbage_json", "html_error"])
async def test_what_may_have_been_written_is_a_502_and_read_again(site: Site, sandbox: Sandbox, kind: str) -> None:
    before = await data(site, "/employees", page_size="250", fields="work_email")
    sandbox.steer("POST", "/faults", {"kind": kind, "path": "/people", "method": "POST", "times": 1})
    answer = await send(site, "POST", "/employees", hired(kind.replace("_", "-")))
    assert (answer.status_code, answer.json()["errorCode"]) == (502, "ProviderError")
    assert "read before trying again" in answer.json()["message"]
    posts = [call for call in sandbox.calls() if call["method"] == "POST"]
    assert len(posts) == 1
    after = await data(site, "/employees", page_size="250", fields="work_email")
    # These two faults strike when the sandbox has done what it was asked.
    assert len(after) == len(before) + (kind in {"connection_reset", "truncated_json"})


async def test_a_rate_limit_of_the_first_step_is_a_429_and_nothing_was_done(site: Site, sandbox: Sandbox) -> None:
    sandbox.steer("POST", "/faults", {"kind": "rate_limit", "method": "POST", "times": 1, "retry_after": 9})
    answer = await send(site, "POST", "/employees", hired("limited"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "9")
    assert (await send(site, "POST", "/employees", hired("limited"))).status_code == 201
