"""Writes under an idempotency key: done once, however often they are repeated and however they ended."""

import pytest

from gateway.errors import Conflict, Unprocessable
from gateway.model import IdempotencyRecord, IdempotencyState
from gateway.unified.idempotency import LONGEST_WRITE, REMEMBERED
from tests.fakes.core import make_linked, refusal
from tests.fakes.writes import AWAY, HIRED, Script, WriteBench


async def test_a_repeat_gets_the_first_answer_without_a_vendor_call() -> None:
    bench = WriteBench()
    first = await bench.hire(once="k1")
    again = await bench.hire(once="k1")
    assert (again.status, again.body) == (first.status, first.body)
    assert (first.replayed, again.replayed, again.upstream_calls) == (False, True, 0)
    assert bench.vendor.written() == ["POST /people"]
    assert bench.invalidated == ["a1 request 1"]


async def test_the_order_of_names_and_spaces_makes_no_other_request() -> None:
    bench = WriteBench()
    first = b'{"start_date":"2026-12-07","end_date":"2026-12-07","time_off_policy_id":"t1"}'
    await bench.ask("create_employee_time_off_request", first, once="k1")
    again = b'{ "time_off_policy_id": "t1", "end_date": "2026-12-07", "start_date": "2026-12-07" }'
    assert (await bench.ask("create_employee_time_off_request", again, once="k1")).replayed


@pytest.mark.parametrize(
    ("operation", "body", "employee"),
    [
        ("create_employee_time_off_request", {**AWAY, "comment": "x"}, "ann"),
        ("create_employee_time_off_request", AWAY, "bob"),
        ("create_employee", HIRED, ""),
    ],
)
async def test_another_request_under_the_same_key_is_refused(operation: str, body: object, employee: str) -> None:
    bench = WriteBench()
    await bench.ask("create_employee_time_off_request", AWAY, once="k1")
    with pytest.raises(Unprocessable, match="another request"):
        await bench.ask(operation, body, once="k1", employee=employee)
    assert bench.vendor.written() == ["POST /time-away"]


async def test_other_keys_other_accounts_and_changes_are_done_each_time() -> None:
    bench = WriteBench()
    bench.register.accounts["a2"] = make_linked("a2", *bench.scopes, provider="humaans")
    await bench.hire(once="k1")
    await bench.hire(once="k2")
    await bench.ask("create_employee", HIRED, once="k1", account_id="a2")
    await bench.hire()
    await bench.hire()
    assert bench.vendor.written() == ["POST /people"] * 5
    await bench.ask("update_employee", {"display_name": "A"}, once="k1")
    await bench.ask("update_employee", {"display_name": "A"}, once="k1")
    assert bench.vendor.written() == ["POST /people"] * 5 + ["PATCH /people/x"] * 2


async def test_a_key_is_free_again_where_nothing_was_done_and_after_a_day() -> None:
    bench = WriteBench(Script({"POST /people": refusal(422)}))
    with pytest.raises(Unprocessable):
        await bench.hire(once="k1")
    bench.vendor.instead.clear()
    assert not (await bench.hire(once="k1")).replayed
    bench.time.forward(REMEMBERED.total_seconds())
    assert (await bench.hire(once="k1")).replayed
    bench.time.forward(1)
    assert not (await bench.hire(once="k1")).replayed


async def test_a_write_in_progress_is_a_conflict_and_an_interrupted_one_has_an_unknown_outcome() -> None:
    bench = WriteBench()
    await bench.hire(once="k1")
    [(place, done)] = bench.idempotency.records.items()
    bench.idempotency.records[place] = IdempotencyRecord(
        done.request, IdempotencyState.STARTED, 0, b"", done.created_at
    )
    with pytest.raises(Conflict) as busy:
        await bench.hire(once="k1")
    assert busy.value.code == "IdempotencyInProgressError"
    bench.time.forward(LONGEST_WRITE.total_seconds())
    with pytest.raises(Conflict) as unknown:
        await bench.hire(once="k1")
    assert unknown.value.code == "IdempotencyOutcomeUnknownError"
    assert bench.vendor.written() == ["POST /people"]


async def test_an_answer_that_can_no_longer_be_opened_is_a_conflict_and_no_second_write() -> None:
    bench = WriteBench()
    await bench.hire(once="k1")
    [(place, done)] = bench.idempotency.records.items()
    bench.idempotency.records[place] = IdempotencyRecord(
        done.request, IdempotencyState.DONE, 201, b"sealed by an older key", done.created_at
    )
    with pytest.raises(Conflict, match="can no longer be read"):
        await bench.hire(once="k1")
    assert bench.vendor.written() == ["POST /people"]


async def test_neither_key_nor_body_is_stored() -> None:
    bench = WriteBench()
    await bench.hire(once="planted-key")
    assert "planted-key" not in repr(bench.idempotency.records)
    assert "ada@example.com" not in repr(bench.idempotency.records)
