"""A write: decided before anything is sent, sent once, and reported exactly."""

import asyncio
from typing import Any

import orjson
import pytest

from connectors.exchange import Answer, Request
from connectors.humaans.connector import HUMAANS
from gateway.errors import (
    AccountUnavailable,
    BadRequest,
    Conflict,
    Forbidden,
    GatewayError,
    NotFound,
    NotImplementedHere,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unprocessable,
    VendorFailure,
)
from gateway.model import IdempotencyState, Status
from gateway.policy.policy import Operator
from tests.fakes.core import json_answer, refusal
from tests.fakes.writes import AWAY, HIRED, PAID, SIZED, Script, WriteBench

BROKEN_OFF = VendorFailure(
    "The provider could not be reached: it stopped answering.", provider_errors=[ProviderError(0, "/")]
)
HTML = Answer(200, {"content-type": "text/html"}, b"<html>")


def body_of(receipt: Any) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(receipt.body)
    return body


async def test_a_created_record_is_answered_with_both_its_ids() -> None:
    bench = WriteBench()
    receipt = await bench.hire()
    assert receipt.status == 201
    assert body_of(receipt) == {
        "statusCode": 201,
        "message": "The employee was created.",
        "timestamp": "2026-11-24T12:00:00.000Z",
        "data": {"id": "aGcxIWVtcGxveWVlOm5ldy1wZW9wbGU", "remote_id": "new-people"},
    }
    assert (receipt.upstream_calls, receipt.replayed) == (1, False)
    [request] = bench.vendor.asked
    assert request.headers == {
        "accept": "application/json",
        "content-type": "application/json",
        "authorization": "Bearer token of a1",
    }
    assert bench.invalidated == ["a1 request 1"]


@pytest.mark.parametrize(
    ("operation", "body", "status", "keys"),
    [
        ("create_employee_time_off_request", AWAY, 201, {"data"}),
        ("update_employee_time_off_request", {"comment": "x"}, 200, {"data"}),
        ("cancel_employee_time_off_request", None, 200, set()),
        ("update_employee", {"display_name": "A"}, 200, set()),
        ("update_employee_employment", {"job_title": "A"}, 200, set()),
        ("update_employee_work_eligibility_request", {"number": "1"}, 200, set()),
    ],
)
async def test_each_answer_has_the_form_of_the_contract(operation: str, body: Any, status: int, keys: set[str]) -> None:
    bench = WriteBench()
    receipt = await bench.ask(operation, body)
    found = body_of(receipt)
    assert (receipt.status, found["statusCode"]) == (status, status)
    assert found.keys() == {"statusCode", "message", "timestamp"} | keys


@pytest.mark.parametrize("status", [200, 204, 404])
async def test_a_deletion_is_done_when_the_vendor_confirms_it(status: int) -> None:
    deleted = Answer(status, {}, b"") if status == 204 else json_answer({"id": "x", "deleted": True}, status)
    bench = WriteBench(Script({"DELETE /time-away/x": deleted}))
    assert (await bench.ask("cancel_employee_time_off_request")).status == 200


DENIED: list[tuple[str, Any, str, str]] = [
    ("create_employee", HIRED, "private:write", "create_employee needs private:write"),
    ("create_employee", {**HIRED, **PAID}, "compensations:write", "employment.pay_rate, employment.pay_"),
    ("create_employee", {**HIRED, **PAID}, "compensations:read", "employment.pay_rate, employment.pay_"),
    ("create_employee", {**HIRED, **SIZED}, "private:read", "custom_fields needs private:read"),
    ("update_employee", {"display_name": "A"}, "private:write", "display_name needs private:write"),
    ("update_employee", {"passthrough": {"bio": "A"}}, "private:write", "passthrough.bio needs private:write"),
    ("update_employee", {"passthrough": {"bio": "A"}, **PAID}, "compensations:write", "employment.pay_rate"),
    ("create_employee_employment", {"job_title": "A", "effective_date": "2026-12-01T00:00:00Z"}, "private:write", ""),
    ("update_employee_employment", {"pay_rate": "1"}, "compensations:write", "pay_rate needs compensations:write"),
    ("create_employee_time_off_request", AWAY, "private:write", "create_employee_time_off_request needs"),
    ("update_employee_time_off_request", {"comment": "x"}, "private:write", "update_employee_time_off_request needs"),
    ("cancel_employee_time_off_request", None, "private:write", "cancel_employee_time_off_request needs"),
    ("create_employee_work_eligibility_request", {"type": {"value": "visa"}}, "documents:write", ""),
    (
        "update_employee_work_eligibility_request",
        {"number": "1"},
        "documents:write",
        "update_employee_work_eligibility_request needs",
    ),
    (
        "update_employee_work_eligibility_request",
        {"number": "1"},
        "documents:read",
        "update_employee_work_eligibility_request needs",
    ),
]


@pytest.mark.parametrize(("operation", "body", "missing", "words"), DENIED)
async def test_a_missing_scope_of_the_token_is_named_before_anything_is_sent(
    operation: str, body: Any, missing: str, words: str
) -> None:
    bench = WriteBench(scopes=tuple(scope for scope in HUMAANS.scopes if scope != missing))
    with pytest.raises(Forbidden) as refused:
        await bench.ask(operation, body)
    assert refused.value.errors == (f"missing scope: {missing}",)
    assert words in refused.value.message
    assert (bench.vendor.asked, bench.invalidated) == ([], [])


async def test_only_what_is_touched_is_needed() -> None:
    bench = WriteBench(scopes=("public:read", "compensations:read", "compensations:write"))
    assert (await bench.ask("update_employee", PAID)).status == 200
    assert bench.vendor.written() == ["POST /compensations"]


KEYS: list[tuple[tuple[str, ...], str, Any, str]] = [
    (("hris.employees:read",), "create_employee", HIRED, "hris.employees:write"),
    (("hris.employees:write",), "create_employee", {**HIRED, **PAID}, "hris.compensation:write"),
    (("hris.employees:write",), "update_employee", {"national_identity_number": {"value": "1"}}, "hris.national_ids:"),
    (("hris.employments:write",), "update_employee_employment", {"pay_rate": "1"}, "hris.compensation:write"),
]


@pytest.mark.parametrize(("key", "operation", "body", "missing"), KEYS)
async def test_a_missing_scope_of_the_key_is_named_before_anything_is_sent(
    key: tuple[str, ...], operation: str, body: Any, missing: str
) -> None:
    bench = WriteBench(key=key)
    with pytest.raises(Forbidden, match=missing):
        await bench.ask(operation, body)
    assert bench.vendor.asked == []


@pytest.mark.parametrize(
    ("operator", "body"),
    [
        (Operator(operations=frozenset({"create_employee"})), HIRED),
        (Operator(fields=frozenset({"employees.gender"})), {**HIRED, "gender": {"value": "female"}}),
        (Operator(fields=frozenset({"employments.pay_rate"})), {**HIRED, **PAID}),
        (Operator(fields=frozenset({"locations.city"})), {**HIRED, "home_location": {"city": "Bath"}}),
    ],
)
async def test_what_the_operator_closes_is_not_written_either(operator: Operator, body: Any) -> None:
    bench = WriteBench(operator=operator)
    with pytest.raises(Forbidden, match="operator"):
        await bench.ask("create_employee", body)
    assert bench.vendor.asked == []


REFUSED_FIRST: list[tuple[dict[str, Any], Any, type[GatewayError]]] = [
    ({"secret": None}, HIRED, Unauthenticated),
    ({"account_id": "a2"}, HIRED, NotFound),
    ({"account_id": None}, HIRED, BadRequest),
    ({"parameters": True}, HIRED, BadRequest),
    ({}, b"{", BadRequest),
    ({}, [], BadRequest),
    ({}, {"first_name": 1}, BadRequest),
    ({}, {**HIRED, "ethnicity": {"value": "asian"}}, BadRequest),
    ({"once": "with space"}, HIRED, BadRequest),
    ({"once": ""}, HIRED, BadRequest),
    ({"once": "x" * 256}, HIRED, BadRequest),
]


@pytest.mark.parametrize(("values", "body", "error"), REFUSED_FIRST)
async def test_whatever_is_wrong_is_said_before_anything_is_sent(
    values: dict[str, Any], body: Any, error: type[GatewayError]
) -> None:
    bench = WriteBench()
    with pytest.raises(error):
        await bench.ask("create_employee", body, **values)
    assert (bench.vendor.asked, bench.invalidated, bench.idempotency.records) == ([], [], {})


@pytest.mark.parametrize("operation", ["invite_employee", "create_employee_skill", "update_employee_task"])
async def test_what_the_vendor_has_no_way_for_is_said(operation: str) -> None:
    with pytest.raises(NotImplementedHere, match="Humaans"):
        await WriteBench().ask(operation, {})


async def test_an_account_that_is_not_active_is_not_asked() -> None:
    bench = WriteBench()
    bench.register.change("a1", status=Status.SUSPENDED)
    with pytest.raises(AccountUnavailable):
        await bench.hire()
    assert bench.vendor.asked == []


@pytest.mark.parametrize("key", ["a/b", "aGcxIWxvY2F0aW9uOng", "a b", ".."])
async def test_an_id_that_can_be_none_is_not_asked_for(key: str) -> None:
    bench = WriteBench()
    with pytest.raises(NotFound):
        await bench.ask("update_employee", {"display_name": "A"}, key=key)
    assert bench.vendor.asked == []


ISSUES = {
    "code": 422,
    "name": "Unprocessable",
    "message": "The data is not valid",
    "issues": [{"name": "email", "reason": "is taken"}, {"name": "jobRole.jobTitle", "reason": "is too long"}],
}
OTHER_FORM = {
    "code": "bad_request",
    "message": "no",
    "issues": [{"path": "email", "message": "is taken"}, {"path": "what", "message": "is odd"}],
}
REFUSALS: list[tuple[Answer, type[GatewayError], str]] = [
    (json_answer(ISSUES, 422), Unprocessable, "work_email (email in Humaans): is taken"),
    (json_answer(ISSUES, 400), Unprocessable, "job_title (jobRole.jobTitle in Humaans): is too long"),
    (json_answer(OTHER_FORM, 400), Unprocessable, "what: is odd"),
    (refusal(422), Unprocessable, "no: 422"),
    (Answer(400, {}, b"<html>"), Unprocessable, "it does not say why"),
    (json_answer(ISSUES, 409), Conflict, "work_email (email in Humaans): is taken"),
    (refusal(403), Forbidden, "the role of the person who made the token"),
    (refusal(404), NotFound, "There is no such record"),
    (refusal(429, retry_after="7"), RateLimited, "did not create the employee; try again in 7 seconds"),
    (refusal(405), VendorFailure, "answered 405 when asked to create the employee. It was not done."),
]


@pytest.mark.parametrize(("answer", "error", "words"), REFUSALS)
async def test_a_refusal_of_the_first_step_is_reported_and_nothing_was_done(
    answer: Answer, error: type[GatewayError], words: str
) -> None:
    bench = WriteBench(Script({"POST /people": answer}))
    with pytest.raises(error) as refused:
        await bench.hire(once="k1", **PAID)
    assert words in f"{refused.value.message} {refused.value.errors}"
    assert bench.vendor.written() == ["POST /people"]
    assert refused.value.provider_errors[0].status == answer.status
    # Nothing was done, so the key may be used again.
    assert bench.idempotency.records == {}


UNCERTAIN: list[Answer | GatewayError] = [
    BROKEN_OFF,
    refusal(500),
    refusal(502),
    refusal(503),
    refusal(504),
    refusal(408),
    Answer(302, {"location": "/elsewhere"}, b""),
    HTML,
    json_answer([1]),
    json_answer({"name": "no id"}),
    Answer(204, {}, b""),
]


@pytest.mark.parametrize("outcome", UNCERTAIN)
async def test_what_may_have_been_done_is_never_sent_again_and_said_to_be_so(outcome: Answer | GatewayError) -> None:
    bench = WriteBench(Script({"POST /people": outcome}))
    with pytest.raises(VendorFailure, match="read before trying again"):
        await bench.hire(once="k1", **PAID)
    assert bench.vendor.written() == ["POST /people"]
    assert len(bench.invalidated) == 1
    assert [each.state for each in bench.idempotency.records.values()] == [IdempotencyState.UNKNOWN]
    with pytest.raises(Conflict, match="not known"):
        await bench.hire(once="k1", **PAID)
    assert bench.vendor.written() == ["POST /people"]


async def test_a_token_that_is_refused_marks_the_account() -> None:
    bench = WriteBench(Script({"POST /people": refusal(401), "GET /token-info": refusal(401)}))
    with pytest.raises(AccountUnavailable):
        await bench.hire()
    assert bench.register.accounts["a1"].account.status is Status.ERROR


LATER: list[tuple[Answer | GatewayError, str, int]] = [
    (refusal(403), "refuses to record the pay", 403),
    (refusal(422), "refuses to record the pay", 422),
    (refusal(429), "limits how often", 429),
    (refusal(401), "refused this call (401) although it accepts the token", 401),
    (refusal(500), "It may have been done all the same", 500),
    (BROKEN_OFF, "It may have been done all the same", 0),
]


@pytest.mark.parametrize(("outcome", "words", "status"), LATER)
async def test_what_fails_after_something_was_done_stands_beside_it(
    outcome: Answer | GatewayError, words: str, status: int
) -> None:
    bench = WriteBench(Script({"POST /compensations": outcome}))
    receipt = await bench.hire(**PAID, **SIZED)
    body = body_of(receipt)
    assert (receipt.status, body["data"]["remote_id"]) == (201, "new-people")
    [warning] = body["unified_warnings"]
    assert warning["message"].startswith(
        "Done: create the employee; set the custom field f1; set the custom field f2. Not done: record the pay."
    )
    assert words in warning["message"]
    assert [error["status"] for error in body["provider_errors"]] == [status]
    assert bench.vendor.written().count("POST /compensations") == 1


async def test_reads_before_the_write_may_be_tried_again_and_their_faults_are_harmless() -> None:
    bench = WriteBench(Script({"GET /compensation-types": refusal(503)}))
    with pytest.raises(VendorFailure):
        await bench.hire(**PAID)
    assert bench.vendor.sent() == ["GET /compensation-types"] * 3
    assert bench.invalidated == []
    limited = WriteBench(Script({"GET /compensation-types": refusal(429, retry_after="9")}))
    with pytest.raises(RateLimited):
        await limited.hire(**PAID)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(404), NotFound),
        (refusal(403), NotFound),
        (json_answer({"id": "x", "personId": "bob"}), NotFound),
        (json_answer([]), NotFound),
    ],
)
async def test_a_record_that_is_not_the_employees_is_not_changed(answer: Answer, error: type[GatewayError]) -> None:
    bench = WriteBench(Script({"GET /time-away/x": answer}))
    with pytest.raises(error, match="no such time off"):
        await bench.ask("update_employee_time_off_request", {"comment": "x"})
    assert bench.vendor.written() == []


async def test_an_employee_who_is_not_there_is_not_found() -> None:
    blamed = json_answer({"message": "no", "issues": [{"name": "personId", "reason": "is not an id of people"}]}, 422)
    bench = WriteBench(Script({"POST /time-away": blamed}))
    with pytest.raises(NotFound, match="no such employee"):
        await bench.ask("create_employee_time_off_request", AWAY)


async def test_a_write_that_could_not_invalidate_the_cache_has_a_warning() -> None:
    bench = WriteBench(announces=False)
    [warning] = body_of(await bench.hire())["unified_warnings"]
    assert "cache could not be told" in warning["message"]


async def test_a_caller_who_hangs_up_does_not_stop_what_has_begun() -> None:
    begun = asyncio.Event()

    class Slow(Script):
        async def send(self, base_url: str, request: Request) -> Answer:
            begun.set()
            await asyncio.sleep(0.01)
            return await super().send(base_url, request)

    bench = WriteBench(Slow())
    asking = asyncio.ensure_future(bench.hire(once="k1", **PAID))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await bench.writes.close()
    assert bench.vendor.written() == ["POST /people", "POST /compensations"]
    assert (await bench.hire(once="k1", **PAID)).replayed
