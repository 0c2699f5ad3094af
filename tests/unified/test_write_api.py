"""Writes on real parts: written and read back with the cache on, never stale, and done once."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.fixtures.gateway import Sandbox, Site, open_site
from tests.fixtures.writes import PAY, data, employee_of, fixture_own_sandbox, hired, send, written

__all__ = ["fixture_own_sandbox"]


async def test_an_employee_is_created_read_updated_and_terminated_and_never_stale(site: Site) -> None:
    before = {each["id"] for each in await data(site, "/employees", page_size="250", fields="id")}
    manager = await employee_of(site)
    employee = await written(
        site,
        "/employees",
        hired(
            "ada",
            manager_id=manager,
            gender={"value": "female"},
            citizenships=[{"value": "GB"}],
            home_location={"street_1": "1 Road", "city": "Bath", "country": {"value": "GB"}},
            employment=PAY,
            custom_fields=[{"name": "T-shirt size", "value": "L"}],
        ),
    )
    assert {each["id"] for each in await data(site, "/employees", page_size="250", fields="id")} == before | {employee}
    path = f"/employees/{employee}"
    more = {"expand": "employments,home_location,work_location", "include": "custom_fields"}
    found = await data(site, path, **more)
    assert [found[name] for name in ("first_name", "job_title", "department", "remote_manager_id")] == [
        "ada",
        "Engineer",
        "Design",
        manager,
    ]
    assert (found["gender"]["value"], found["citizenships"][0]["value"]) == ("female", "GB")
    assert (found["home_location"]["city"], found["work_location"]["city"]) == ("Bath", "Lisbon")
    assert [each["value"] for each in found["custom_fields"]] == ["L"]
    [employment] = found["employments"]
    assert (employment["pay_rate"], employment["pay_period"]["value"]) == ("50000", "year")

    change = {"job_title": "Lead", "display_name": "Addy", "custom_fields": [{"name": "T-shirt size", "value": "M"}]}
    answer = await send(site, "PATCH", path, {**change, "employment": {"pay_rate": "60000"}})
    assert (answer.status_code, answer.json()["statusCode"]) == (200, 200)
    found = await data(site, path, **more)
    assert (found["job_title"], found["department"], found["display_name"]) == ("Lead", "Design", "Addy")
    assert [each["value"] for each in found["custom_fields"]] == ["M"]
    assert [each["pay_rate"] for each in found["employments"]] == ["60000", "50000"]

    await send(site, "PATCH", path, {"termination_date": "2026-02-01T00:00:00Z", "display_name": None})
    found = await data(site, path)
    assert (found["employment_status"]["value"], found["display_name"]) == ("terminated", None)
    assert found["termination_date"] == "2026-02-01T00:00:00.000Z"


async def test_an_employment_is_created_read_and_updated(site: Site) -> None:
    employee = await written(site, "/employees", hired("ben", employment=PAY))
    path = f"/employees/{employee}/employments"
    assert len(await data(site, path)) == 1
    body = {"job_title": "Lead", "effective_date": "2026-06-01T00:00:00.000Z", "pay_rate": "60000"}
    role = await written(site, path, body)
    assert len(await data(site, path)) == 2
    found = await data(site, f"{path}/{role}")
    assert [found[name] for name in ("job_title", "pay_rate", "pay_currency", "effective_date")] == [
        "Lead",
        "60000",
        "GBP",
        "2026-06-01T00:00:00.000Z",
    ]
    assert found["department"]["name"] == "Design"
    assert (await data(site, f"/employees/{employee}"))["job_title"] == "Lead"
    await send(site, "PATCH", f"{path}/{role}", {"job_title": "Head", "pay_rate": "61000"})
    found = await data(site, f"{path}/{role}")
    assert (found["job_title"], found["pay_rate"]) == ("Head", "61000")
    assert len(await data(site, path)) == 2
    other = await send(
        site, "PATCH", f"/employees/{await employee_of(site)}/employments/{role}", {"job_title": "Thief"}
    )
    assert other.status_code == 404


@pytest.mark.parametrize("deleting", ["200", "204"])
async def test_time_off_is_requested_read_approved_and_cancelled(site: Site, sandbox: Sandbox, deleting: str) -> None:
    sandbox.steer("POST", "/choices", {"delete": deleting})
    path = f"/employees/{await employee_of(site)}/time_off"
    before = await data(site, path, page_size="250")
    policy = (await data(site, "/time_off_policies"))[0]["id"]
    body = {"start_date": "2026-12-07T00:00:00.000", "end_date": "2026-12-08", "time_off_policy_id": policy}
    entry = await written(site, path, {**body, "end_half_day": "true", "comment": "Skiing"})
    assert len(await data(site, path, page_size="250")) == len(before) + 1
    found = await data(site, f"{path}/{entry}")
    assert [found[name] for name in ("duration", "comment", "start_half_day", "end_half_day")] == [
        "P1.5D",
        "Skiing",
        False,
        True,
    ]
    answer = await send(site, "PATCH", f"{path}/{entry}", {"status": {"value": "approved"}, "end_half_day": False})
    assert answer.json()["data"]["id"] == entry
    found = await data(site, f"{path}/{entry}")
    assert (found["status"]["value"], found["duration"], found["comment"]) == ("approved", "P2D", "Skiing")
    deleted = await send(site, "DELETE", f"{path}/{entry}")
    assert (deleted.status_code, deleted.json().keys()) == (200, {"statusCode", "message", "timestamp"})
    assert await data(site, path, page_size="250") == before
    assert (await site.get(f"{path}/{entry}")).status_code == 404
    assert (await send(site, "DELETE", f"{path}/{entry}")).status_code == 404


async def test_work_eligibility_is_added_read_and_changed(site: Site) -> None:
    employee = await written(site, "/employees", hired("cyd"))
    path = f"/employees/{employee}/work_eligibility"
    assert await data(site, path) == []
    body = {
        "type": {"value": "passport"},
        "number": "X1",
        "issued_by": {"value": "GB"},
        "valid_to": "2030-01-01T00:00:00Z",
    }
    paper = await written(site, path, body)
    assert len(await data(site, path)) == 1
    answer = await send(site, "PATCH", f"{path}/{paper}", {"number": "X2", "valid_to": None})
    assert answer.status_code == 200
    found = await data(site, f"{path}/{paper}")
    assert (found["type"]["value"], found["number"], found["issued_by"]["value"]) == ("passport", "X2", "GB")
    assert found["valid_to"] is None


async def test_a_repeat_at_another_gateway_gets_the_first_answer(
    site: Site, environ: dict[str, str], stack: AsyncExitStack, sandbox: Sandbox
) -> None:
    other = await open_site(environ, stack)
    other.key, other.account = site.key, site.account
    once = {"idempotency-key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
    sandbox.reset()
    answers = await asyncio.gather(
        *(send(each, "POST", "/employees", hired("once"), once) for each in (site, other) * 5)
    )
    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["data"]["id"] for answer in made}) == 1
    assert len([call for call in sandbox.calls() if call["method"] == "POST"]) == 1
    idempotency = [await send(each, "POST", "/employees", hired("once"), once) for each in (site, other)]
    assert [answer.headers["idempotency-replayed"] for answer in idempotency] == ["true", "true"]
    assert {answer.content for answer in idempotency} == {made[0].content}
    changed = await send(other, "POST", "/employees", hired("other"), once)
    assert (changed.status_code, changed.json()["errorCode"]) == (422, "IdempotencyKeyReusedError")


async def test_a_read_after_a_write_is_never_stale_at_another_gateway(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    """Others keep asking meanwhile, so that outdated answers are on their way into the cache all the time."""
    other = await open_site(environ, stack)
    other.key, other.account = site.key, site.account
    employee = await written(site, "/employees", hired("fresh"))
    path = f"/employees/{employee}"
    done = asyncio.Event()

    async def pester(gateway: Site) -> int:
        count = 0
        while not done.is_set():
            await gateway.get(path, fields="id,display_name")
            count += 1
        return count

    pestering = [asyncio.ensure_future(pester(each)) for each in (site, other, other)]
    stale = 0
    for number in range(200):
        writer, reader = (site, other) if number % 2 else (other, site)
        answer = await send(writer, "PATCH", path, {"display_name": f"Name {number}"})
        assert answer.status_code == 200, answer.text
        found = await data(reader, path, fields="id,display_name")
        stale += found["display_name"] != f"Name {number}"
    done.set()
    asked = sum(await asyncio.gather(*pestering))
    assert stale == 0
    assert asked > 100


async def test_cached_answers_are_used_between_writes_and_by_other_accounts(site: Site, sandbox: Sandbox) -> None:
    second, somebody = await site.link("all-owner"), await employee_of(site)
    await data(site, "/employees", fields="id")
    await site.get("/employees", account=second, headers=None, fields="id")
    await send(site, "PATCH", f"/employees/{somebody}", {"display_name": "Kay"})
    await data(site, "/employees", fields="id")
    sandbox.reset()
    await data(site, "/employees", fields="id")
    await site.get("/employees", account=second, headers=None, fields="id")
    assert sandbox.calls() == []


async def test_a_walk_goes_on_in_its_snapshot_when_something_is_written(site: Site) -> None:
    first = await site.get(page_size="40", fields="id")
    await written(site, "/employees", hired("walker"))
    seen = first.json()["data"]
    second = await site.get(page_size="40", fields="id", next=first.json()["next"])
    seen += second.json()["data"]
    assert second.status_code == 200
    assert len({one["id"] for one in seen}) == len(seen)


async def test_without_a_cache_writes_are_done_and_read(environ: dict[str, str], stack: AsyncExitStack) -> None:
    site = await open_site({**environ, "GATEWAY_REDIS_URL": "redis://127.0.0.1:1"}, stack)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    path = f"/employees/{await employee_of(site)}"
    answer = await send(site, "PATCH", path, {"display_name": "No cache"})
    assert answer.status_code == 200
    assert "cache could not be told" in answer.json()["unified_warnings"][0]["message"]
    assert (await data(site, path))["display_name"] == "No cache"
    off = await open_site({**environ, "GATEWAY_CACHE_ENABLED": "false"}, stack)
    off.key, off.account = site.key, site.account
    answer = await send(off, "PATCH", path, {"display_name": "Off"})
    assert "unified_warnings" not in answer.json()
