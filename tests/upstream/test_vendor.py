"""One call to a vendor: what is sent, what is read, when it is tried again, and what each refusal becomes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from connectors.exchange import Answer, Request
from gateway.errors import BadRequest, GatewayError, RateLimited, VendorFailure
from gateway.model import Clock
from gateway.upstream.retry import RetryPolicy
from gateway.upstream.vendor import RawCall, VendorClient, VendorRefusal, VendorSession
from tests.fakes.core import NOW, Time, json_answer, make_linked, refusal
from tests.fakes.vendor import VILLAGE

JSON = {"content-type": "application/json"}
PEOPLE = Request("GET", "/people", (("limit", "250"), ("skip", "0")))
LINKED = make_linked("a1", "open")
Outcome = Answer | GatewayError


@dataclass
class Script:
    """A vendor that answers by a list, whose last line stays."""

    outcomes: list[Outcome]
    asked: list[tuple[str, Request]] = field(default_factory=list)

    async def send(self, base_url: str, request: Request) -> Answer:
        self.asked.append((base_url, request))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, GatewayError):
            raise outcome
        return outcome


def session(seconds: float = 30.0, extra: Sequence[tuple[str, str]] = (), *, raw: bool = False) -> VendorSession:
    return VendorSession(VILLAGE, LINKED, NOW.timestamp() + seconds, tuple(extra), raw)


async def ask(*outcomes: Outcome, retries: int = 0, extra: Sequence[tuple[str, str]] = ()) -> Any:
    client = VendorClient(
        Script(list(outcomes)), RetryPolicy(retries, longest_wait=2.0, first_wait=0.001), Time().clock()
    )
    return await client.get(session(extra=extra), PEOPLE)


async def test_a_call_carries_the_token_and_asks_for_json() -> None:
    script = Script([json_answer({"data": []})])
    vendor_session = session()
    body = await VendorClient(script, RetryPolicy(0, 0), Time().clock()).get(vendor_session, PEOPLE)
    assert body == {"data": []}
    [(base_url, request)] = script.asked
    assert (base_url, request.method, request.path, request.query) == (
        "https://village.test",
        "GET",
        "/people",
        PEOPLE.query,
    )
    assert request.headers == {"accept": "application/json", "authorization": "Bearer token of a1"}
    assert (vendor_session.calls, vendor_session.raw) == (1, [])
    assert "token of a1" not in repr(request) + repr(vendor_session)


@pytest.mark.parametrize("status", [200, 201, 206])
@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/hal+json;x=y"]
)
async def test_json_of_any_success_is_read(status: int, kind: str) -> None:
    assert await ask(Answer(status, {"content-type": kind}, b' {"a": 1}')) == {"a": 1}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, {"content-type": "text/html"}, b"{}"), "it is text/html, not JSON"),
        (Answer(200, {"content-type": "text/plain; charset=utf-8"}, b"{}"), "it is text/plain, not JSON"),
        (Answer(200, {"content-type": "application/jsonp"}, b"{}"), "it is application/jsonp, not JSON"),
        (Answer(200, {}, b"{}"), "it is of no stated type, not JSON"),
        (Answer(200, {"content-type": "x" * 500}, b"{}"), "it is " + "x" * 60 + ", not JSON"),
        (Answer(204, {}, b""), "it is of no stated type"),
        (Answer(200, JSON, b""), "its JSON is broken or cut short"),
        (Answer(200, JSON, b'{"data": [{"na'), "its JSON is broken or cut short"),
        (Answer(200, JSON, b"<html>"), "its JSON is broken or cut short"),
        (Answer(200, JSON, b"[" * 100_000), "its JSON is broken or cut short"),
    ],
)
async def test_what_is_no_json_is_a_failure_of_the_vendor(answer: Answer, words: str) -> None:
    with pytest.raises(VendorFailure) as failed:
        await ask(answer)
    assert f"Village answered /people with something that cannot be read: {words}" in failed.value.message
    assert [(each.status, each.url) for each in failed.value.provider_errors] == [(answer.status, "/people")]


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_what_may_mean_several_things_is_left_to_who_asked(status: int) -> None:
    with pytest.raises(VendorRefusal) as refused:
        await ask(refusal(status))
    assert not isinstance(refused.value, GatewayError)
    assert (refused.value.status, refused.value.provider.status) == (status, status)
    assert refused.value.provider.message == f"no: {status}"


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"<html>planted"),
        # The vendor's own words, but not said by the vendor.
        ("text/html", b'{"code": 403, "name": "Forbidden", "message": "planted"}'),
        ("application/json", b"<html>planted"),
        ("application/json", b""),
        ("application/json", b"{}"),
        ("application/json", b"[]"),
        ("application/json", b'{"message": "planted"}'),
        ("application/json", b'{"error": "Access denied", "code": 1020, "name": "planted"}'),
        ("application/problem+json", b'{"type": "about:blank", "title": "Forbidden", "status": 403}'),
    ],
)
async def test_a_refusal_in_another_format_than_the_vendors_is_a_failure_on_the_way(
    status: int, kind: str, body: bytes
) -> None:
    with pytest.raises(VendorFailure, match=f"answered {status} to /people, but not in the form of its own err") as f:
        await ask(Answer(status, {"content-type": kind}, body))
    assert "planted" not in f.value.message


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(
    "body", [{"code": 403, "name": "Forbidden"}, {"code": "FORBIDDEN", "message": "no", "issues": []}]
)
async def test_both_forms_of_the_vendors_own_refusals_are_known(status: int, body: dict[str, Any]) -> None:
    with pytest.raises(VendorRefusal):
        await ask(json_answer(body, status))


@pytest.mark.parametrize("status", [100, 301, 302, 304, 400, 405, 409, 418, 422, 500, 501, 502, 503, 504, 599])
@pytest.mark.parametrize("body", [b"", b"<html>planted", b"[]", b'{"message": "said"}', b"null"])
async def test_every_other_status_is_a_failure_of_the_vendor(status: int, body: bytes) -> None:
    with pytest.raises(VendorFailure) as failed:
        await ask(Answer(status, JSON, body))
    assert failed.value.message == f"Village answered {status} to /people."
    [provider] = failed.value.provider_errors
    assert provider.message == ("said" if b"said" in body else "")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 60),
        ("soon", 60),
        ("0", 1),
        ("1", 1),
        ("2", 2),
        ("3", 3),
        ("90", 90),
        ("Tue, 24 Nov 2026 12:01:30 GMT", 90),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 1),
    ],
)
async def test_a_rate_limit_says_when_to_come_back(header: str | None, seconds: int) -> None:
    headers = {} if header is None else {"retry_after": header}
    with pytest.raises(RateLimited, match=f"try again in {seconds} seconds") as limited:
        await ask(refusal(429, **headers))
    assert limited.value.retry_after == seconds
    assert limited.value.provider_errors[0].status == 429


@pytest.mark.parametrize("status", [400, 422])
async def test_a_fault_in_the_callers_own_parameters_is_the_callers(status: int) -> None:
    with pytest.raises(BadRequest) as refused:
        await ask(refusal(status), extra=[("size", "1"), ("colour", "x"), ("size", "2")])
    assert refused.value.message == f"Village does not accept proxy parameters colour, size: no: {status}"
    with pytest.raises(VendorFailure):
        await ask(refusal(500), extra=[("size", "1")])


BROKEN_OFF = VendorFailure("The provider could not be reached: the connection broke off.")
GOOD = json_answer({"fine": True})


@pytest.mark.parametrize(
    ("outcomes", "calls"),
    [
        ([GOOD], 1),
        ([refusal(503), GOOD], 2),
        ([refusal(502), refusal(504), GOOD], 3),
        ([BROKEN_OFF, GOOD], 2),
        ([BROKEN_OFF, BROKEN_OFF, GOOD], 3),
        ([refusal(429, retry_after="0"), GOOD], 2),
        ([refusal(429), GOOD], 2),
    ],
)
async def test_what_may_pass_is_tried_again(outcomes: list[Outcome], calls: int) -> None:
    script = Script(outcomes)
    vendor_session = session()
    client = VendorClient(script, RetryPolicy(2, longest_wait=2.0, first_wait=0.001), Time().clock())
    assert await client.get(vendor_session, PEOPLE) == {"fine": True}
    assert len(script.asked) == vendor_session.calls == calls


@pytest.mark.parametrize(
    ("outcome", "error", "calls"),
    [
        (refusal(503), VendorFailure, 3),
        (BROKEN_OFF, VendorFailure, 3),
        (refusal(429, retry_after="0"), RateLimited, 3),
        # The vendor wants a longer wait than we make: the caller gets it at once.
        (refusal(429, retry_after="3"), RateLimited, 1),
        (refusal(503, retry_after="3"), VendorFailure, 1),
        (refusal(500), VendorFailure, 3),
        (refusal(401), VendorRefusal, 1),
        (refusal(404), VendorRefusal, 1),
        (refusal(400), VendorFailure, 1),
        # A broken answer is not asked for again: it cost the vendor a whole answer.
        (Answer(200, JSON, b"{"), VendorFailure, 1),
    ],
)
async def test_tries_come_to_an_end(outcome: Outcome, error: type[Exception], calls: int) -> None:
    script = Script([outcome])
    client = VendorClient(script, RetryPolicy(2, longest_wait=2.0, first_wait=0.001), Time().clock())
    with pytest.raises(error) as failed:
        await client.get(session(), PEOPLE)
    assert len(script.asked) == calls
    if outcome is BROKEN_OFF:
        assert failed.value is BROKEN_OFF


async def test_no_try_begins_whose_wait_does_not_fit_the_deadline() -> None:
    script = Script([refusal(503)])
    client = VendorClient(script, RetryPolicy(2, longest_wait=2.0, first_wait=0.5), Time().clock())
    with pytest.raises(VendorFailure):
        await client.get(session(seconds=0.4), PEOPLE)
    assert len(script.asked) == 1


async def test_the_wait_is_the_jittered_one() -> None:
    script = Script([refusal(503), GOOD])
    clock = Clock(now=lambda: NOW, timestamp=NOW.timestamp, monotonic=NOW.timestamp, jitter=lambda: 1.0)
    before = asyncio.get_running_loop().time()
    await VendorClient(script, RetryPolicy(1, longest_wait=2.0, first_wait=0.02), clock).get(session(), PEOPLE)
    assert 0.03 <= asyncio.get_running_loop().time() - before < 0.5


async def test_raw_notes_each_answer_and_no_refusal() -> None:
    body = {"data": [{"id": "x"}], "total": 1}
    script = Script([refusal(503), json_answer(body), refusal(404)])
    vendor_session = session(raw=True)
    client = VendorClient(script, RetryPolicy(1, longest_wait=2.0, first_wait=0.001), Time().clock())
    await client.get(vendor_session, PEOPLE)
    with pytest.raises(VendorRefusal):
        await client.get(vendor_session, Request("GET", "/x"))
    assert vendor_session.raw == [RawCall(PEOPLE, body)]
    assert vendor_session.calls == 3
