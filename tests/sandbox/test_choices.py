"""Every alternative of every choice really changes the answers."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from deploy.sandbox import choices
from deploy.sandbox.choices import Choices, alternatives
from tests.sandbox.calling import Caller, sandbox


@pytest.mark.parametrize(("choice", "status"), [("clamp", 200), ("reject", 400)])
async def test_limit_above_max(choice: str, status: int) -> None:
    assert (await sandbox(limit_above_max=choice).get("/people", query="$limit=251")).status_code == status


@pytest.mark.parametrize(("choice", "status"), [("reject", 400), ("ignore", 200)])
@pytest.mark.parametrize("query", ["shoeSize=43", "email[$like]=x"])
async def test_unknown_filter(choice: str, status: int, query: str) -> None:
    answer = await sandbox(unknown_filter=choice).get("/people", query=query)
    assert answer.status_code == status
    assert status == 400 or answer.json()["total"] == 56


@pytest.mark.parametrize(
    ("choice", "expected"), [("honoured", (200, 0)), ("ignored", (200, 56)), ("refused", (400, None))]
)
async def test_updated_filter(choice: str, expected: tuple[int, int | None]) -> None:
    answer = await sandbox(updated_filter=choice).get("/people", query="updatedAt[$gte]=2030-01-01T00:00:00.000Z")
    assert (answer.status_code, answer.json().get("total")) == expected


async def test_list_order() -> None:
    orders = {}
    for choice in alternatives()["list_order"]:
        caller = sandbox(list_order=choice)
        orders[choice] = [row["id"] for row in await caller.rows("/job-roles")]
        assert orders[choice] == [row["id"] for row in await caller.rows("/job-roles")]
    assert sorted(orders["newest_first"]) == sorted(orders["oldest_first"]) == sorted(orders["shuffled"])
    assert len({tuple(order) for order in orders.values()}) == 3
    days = [row["effectiveDate"] for row in await sandbox().rows("/job-roles")]
    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize("choice", ["set", "open"])
async def test_role_ends(choice: str) -> None:
    caller = sandbox(role_ends=choice)
    rows = await caller.rows("/job-roles")
    assert any(row["endDate"] for row in rows) == (choice == "set")
    today = await caller.rows("/job-roles", query="$asOf=2026-11-24")
    owners = [row["personId"] for row in today]
    # What is left open is in force beside the role that has followed it.
    assert (len(owners) == len(set(owners))) == (choice == "set")


@pytest.mark.parametrize("choice", ["open", "ended"])
async def test_leaver_role(choice: str) -> None:
    caller = sandbox(leaver_role=choice)
    leavers = {row["id"]: row for row in await caller.rows("/people", query="status=offboarded")}
    today = {row["personId"] for row in await caller.rows("/job-roles", query="$asOf=2026-11-24")}
    assert (leavers.keys() <= today) == (choice == "open")
    last = [row for row in await caller.rows("/job-roles") if row["personId"] in leavers]
    assert all(row["endDate"] for row in last) == (choice == "ended")


@pytest.mark.parametrize("choice", ["omit", "null"])
async def test_field_without_right(choice: str) -> None:
    row = (await sandbox(field_without_right=choice).rows("/people", "only-public-read"))[0]
    assert ("gender" in row) == (choice == "null")
    assert row.get("gender") is None
    assert row["firstName"]


@pytest.mark.parametrize(
    ("choice", "listed", "read"), [("forbidden", 403, 403), ("not_found", 404, 404), ("empty", 200, 404)]
)
async def test_endpoint_without_right(choice: str, listed: int, read: int) -> None:
    caller = sandbox(endpoint_without_right=choice)
    pay = (await caller.rows("/compensations"))[0]["id"]
    answer = await caller.get("/compensations", "only-public-read")
    assert answer.status_code == listed
    assert listed != 200 or answer.json() == {"total": 0, "limit": 100, "skip": 0, "data": []}
    assert (await caller.get(f"/compensations/{pay}", "only-public-read")).status_code == read


@pytest.mark.parametrize(("choice", "status"), [("not_found", 404), ("forbidden", 403)])
async def test_invisible_person(choice: str, status: int) -> None:
    caller = sandbox(invisible_person=choice)
    leaver = (await caller.rows("/people", query="status=offboarded"))[0]["id"]
    assert (await caller.get(f"/people/{leaver}", "only-public-read")).status_code == status
    assert (await caller.get("/people/nobody", "only-public-read")).status_code == 404


@pytest.mark.parametrize(("choice", "total"), [("active_only", 56), ("all", 60)])
async def test_public_token_people(choice: str, total: int) -> None:
    caller = sandbox(public_token_people=choice)
    assert (await caller.page("/people", "only-public-read", "status=all"))["total"] == total
    assert (await caller.page("/people", "only-public-read"))["total"] == 56


@pytest.mark.parametrize(("choice", "status"), [("allowed", 200), ("forbidden", 403)])
async def test_job_roles_with_public_read(choice: str, status: int) -> None:
    caller = sandbox(job_roles_with_public_read=choice)
    assert (await caller.get("/job-roles", "only-public-read")).status_code == status
    assert (await caller.get("/job-roles", "only-private-read")).status_code == 200
    others = {row["personId"] for row in await caller.rows("/job-roles", "private-user")}
    assert (len(others) == 1) == (choice == "forbidden")


@pytest.mark.parametrize(
    ("choice", "name", "note"),
    [
        ("generic_name", "Time off", "absent"),
        ("keys_missing", "absent", "absent"),
        ("nulls", None, None),
    ],
)
async def test_masked_time_away(choice: str, name: str | None, note: str | None) -> None:
    rows = await sandbox(masked_time_away=choice).rows("/time-away", "only-public-read")
    off = [row for row in rows if row["isTimeOff"]]
    assert {row.get("name", "absent") for row in off} == {name}
    assert {row.get("note", "absent") for row in off} == {note}


@pytest.mark.parametrize("choice", ["pending", "approved"])
async def test_time_away_pending(choice: str) -> None:
    caller = sandbox(time_away_pending=choice)
    body = {
        "personId": await caller.person_of("all-user"),
        "startDate": "2026-12-01",
        "endDate": "2026-12-02",
        "timeAwayTypeId": (await caller.rows("/time-away-types"))[0]["id"],
    }
    answer = await caller.send("POST", "/time-away", "all-user", body)
    assert answer.json()["requestStatus"] == choice


@pytest.mark.parametrize(("choice", "status"), [("served", 200), ("missing", 404)])
async def test_time_away_periods(choice: str, status: int) -> None:
    assert (await sandbox(time_away_periods=choice).get("/time-away-periods")).status_code == status


async def test_rate_limit_is_by_token_and_window() -> None:
    caller = sandbox(rate_limit_requests=2, rate_limit_window_seconds=0.2)
    statuses = [(await caller.get("/people")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await caller.get("/people", "all-admin")).status_code == 200


@pytest.mark.parametrize(("choice", "header"), [("sent", "60"), ("absent", None)])
async def test_rate_limit_retry_after(choice: str, header: str | None) -> None:
    caller = sandbox(rate_limit_requests=1, rate_limit_retry_after=choice)
    await caller.get("/people")
    answer = await caller.get("/people")
    assert (answer.status_code, answer.json()["name"]) == (429, "TooManyRequests")
    assert answer.headers.get("retry-after") == header


@pytest.mark.parametrize(("choice", "code"), [("number", 404), ("string", "not_found")])
async def test_error_code(choice: str, code: int | str) -> None:
    assert (await sandbox(error_code=choice).get("/people/nobody")).json()["code"] == code


@pytest.mark.parametrize(("choice", "keys"), [("number", {"name", "reason"}), ("string", {"path", "message"})])
async def test_issues_go_with_the_form_of_the_code(choice: str, keys: set[str]) -> None:
    answer = await sandbox(error_code=choice).send("POST", "/people", body={})
    assert all(issue.keys() == keys for issue in answer.json()["issues"])


@pytest.mark.parametrize(("choice", "kind"), [("json", "application/json"), ("html", "text/html")])
async def test_error_body(choice: str, kind: str) -> None:
    answer = await sandbox(error_body=choice).get("/people/nobody")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("choice", ["422", "400"])
async def test_create_invalid(choice: str) -> None:
    answer = await sandbox(create_invalid=choice).send("POST", "/people", body={})
    assert answer.status_code == int(choice)
    assert answer.json()["issues"]


@pytest.mark.parametrize(("choice", "status"), [("200", 200), ("204", 204)])
async def test_delete(choice: str, status: int) -> None:
    caller = sandbox(delete=choice)
    account = (await caller.rows("/bank-accounts"))[0]["id"]
    answer = await caller.send("DELETE", f"/bank-accounts/{account}")
    assert answer.status_code == status
    assert answer.content == b"" if choice == "204" else answer.json() == {"id": account, "deleted": True}
    assert (await caller.get(f"/bank-accounts/{account}")).status_code == 404


@pytest.mark.parametrize(("choice", "other"), [("label", "name"), ("name", "label")])
async def test_location_label(choice: str, other: str) -> None:
    caller = sandbox(location_label=choice)
    rows = await caller.rows("/locations", query=f"{choice}=Prague")
    assert [row[choice] for row in rows] == ["Prague"]
    assert other not in rows[0]
    assert (await caller.get("/locations", query=f"{other}=Prague")).status_code == 400
    made = await caller.send("POST", "/locations", body={choice: "Oslo", "timezone": "Europe/Oslo"})
    assert (made.status_code, made.json()[choice]) == (201, "Oslo")


@pytest.mark.parametrize("choice", ["off", "on"])
async def test_inline_job_role(choice: str) -> None:
    caller = sandbox(inline_job_role=choice)
    me = (await caller.get("/me")).json()
    assert ("jobRole" in me) == (choice == "on")
    assert choice == "off" or me["jobRole"]["jobTitle"] == "Chief Executive Officer"


async def test_an_inline_job_role_follows_the_job_role() -> None:
    caller = sandbox(inline_job_role="on")
    me = (await caller.get("/me")).json()["id"]
    role = (await caller.rows("/job-roles", query=f"personId={me}"))[0]["id"]
    await caller.send("PATCH", f"/job-roles/{role}", body={"jobTitle": "Chair"})
    assert (await caller.get("/me")).json()["jobRole"]["jobTitle"] == "Chair"


@pytest.mark.parametrize("choice", ["honoured", "ignored"])
async def test_as_of(choice: str) -> None:
    caller = sandbox(as_of=choice)
    everything = (await caller.page("/job-roles"))["total"]
    found = (await caller.page("/job-roles", query="$asOf=2026-11-24"))["total"]
    assert (found == everything) == (choice == "ignored")


@pytest.mark.parametrize(("choice", "status"), [("available", 200), ("missing", 404)])
async def test_token_info(choice: str, status: int) -> None:
    assert (await sandbox(token_info=choice).get("/token-info")).status_code == status


ENDPOINT = {"url": "http://127.0.0.1:9/", "events": ["person.created", "jobRole.updated"]}


@pytest.mark.parametrize(("choice", "plain", "own"), [("assigned", 201, 422), ("given", 201, 201)])
async def test_webhook_secret(choice: str, plain: int, own: int) -> None:
    caller = sandbox(webhook_secret=choice)
    made = await caller.send("POST", "/webhooks", body=ENDPOINT)
    assert (made.status_code, "secret" in made.json()) == (plain, choice == "assigned")
    given = await caller.send("POST", "/webhooks", body={**ENDPOINT, "secret": "ours"})
    assert given.status_code == own
    assert all(("secret" in row) == (choice == "assigned") for row in await caller.rows("/webhooks"))
    if choice == "given":
        row = caller.app.state.store.find("webhooks", given.json()["id"])
        assert row is not None
        assert row["secret"] == "ours"


@pytest.mark.parametrize(("choice", "status"), [("any", 201), ("people_only", 422)])
async def test_webhook_events(choice: str, status: int) -> None:
    caller = sandbox(webhook_events=choice)
    assert (await caller.send("POST", "/webhooks", body=ENDPOINT)).status_code == status
    sure = {**ENDPOINT, "events": ["person.created"]}
    assert (await caller.send("POST", "/webhooks", body=sure)).status_code == 201


@pytest.mark.parametrize("choice", ["when_asked", "on_change"])
async def test_webhook_sending(choice: str) -> None:
    received: asyncio.Queue[str] = asyncio.Queue()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length
        received.put_nowait(json.loads(await reader.readexactly(int(length[1])))["event"])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    caller = sandbox(webhook_sending=choice)
    async with await asyncio.start_server(receive, "127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        wanted = ["jobRole.updated", "timeAway.deleted", "location.created"]
        await caller.send("POST", "/webhooks", body={"url": url, "events": wanted})
        role, away = (await caller.rows("/job-roles"))[0], (await caller.rows("/time-away"))[0]
        await caller.send("PATCH", f"/job-roles/{role['id']}", body={"note": "x"})
        await caller.send("DELETE", f"/time-away/{away['id']}")
        await caller.steer("POST", "/rows/locations", {"label": "Oslo", "timezone": "Europe/Oslo"})
        if choice == "on_change":
            async with asyncio.timeout(10):
                assert sorted([await received.get() for _ in wanted]) == sorted(wanted)
        # Nothing is under way any more when an event that was asked for has come.
        await caller.steer("POST", "/webhooks/deliver", {"event": "location.created"})
        assert (await received.get(), received.empty()) == ("location.created", True)


async def test_choices_change_at_run_time_and_go_back() -> None:
    caller = sandbox()

    async def status() -> int:
        return (await caller.get("/token-info")).status_code

    assert (await caller.steer("POST", "/choices", {"token_info": "missing"})).status_code == 200
    assert await status() == 404
    assert (await caller.steer("GET", "/choices")).json()["token_info"] == "missing"
    await caller.steer("DELETE", "/choices")
    assert await status() == 200


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ({"token_info": "sometimes"}, "token_info is one of available, missing"),
        ({"colour": "blue"}, "there is no choice 'colour'"),
        ({"rate_limit_requests": -1}, "at least 0"),
        ({"webhook_header": 3}, "webhook_header is a text"),
    ],
)
async def test_a_choice_that_does_not_exist_is_refused(wanted: dict[str, object], complaint: str) -> None:
    answer = await sandbox().steer("POST", "/choices", wanted)
    assert answer.status_code == 400
    assert complaint in answer.json()["message"]


def test_every_choice_has_a_docstring_of_its_own() -> None:
    lines = Path(choices.__file__).read_text().splitlines()
    for name in Choices().as_dict():
        declared = next(number for number, line in enumerate(lines) if line.startswith(f"    {name}: "))
        assert lines[declared + 1].startswith('    """')


def test_every_closed_choice_has_a_test_of_its_name() -> None:
    tests = Path(__file__).read_text()
    assert not [name for name in alternatives() if f"def test_{name}(" not in tests]


def test_callers_do_not_share_their_state() -> None:
    first, second = sandbox(), sandbox()
    assert isinstance(first, Caller)
    assert first.app.state.store is not second.app.state.store
