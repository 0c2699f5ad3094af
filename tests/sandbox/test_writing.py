"""Create, update and delete: rights, validation, and what follows from a write."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.calling import Caller, sandbox

NEW_PERSON: dict[str, Any] = {
    "firstName": "Kelsey",
    "lastName": "Wicks",
    "email": "kelsey@example.com",
    "locationId": "P3nuu3DWgVCIRwjcVgIS1Dgx",
    "employmentStartDate": "2026-11-02",
    "jobRole": {"jobTitle": "Baker", "department": "Kitchen"},
}


async def made(caller: Caller, path: str, body: dict[str, Any], token: str = "all-owner") -> dict[str, Any]:
    answer = await caller.send("POST", path, token, body)
    assert answer.status_code == 201, answer.text
    row: dict[str, Any] = answer.json()
    return row


async def test_a_new_person_gets_a_role_a_status_and_what_follows() -> None:
    caller = sandbox()
    person = await made(caller, "/people", NEW_PERSON | {"birthday": "1990-02-03", "countryCode": "FR"})
    assert person["status"] == "active"
    assert (person["shortBirthday"], person["country"], person["timezone"]) == (
        "02-03",
        "France",
        "Europe/Prague",
    )
    assert (await caller.get(f"/people/{person['id']}")).json() == person
    roles = await caller.rows("/job-roles", query=f"personId={person['id']}")
    assert [(role["jobTitle"], role["effectiveDate"], role["endDate"]) for role in roles] == [
        ("Baker", "2026-11-02", None)
    ]


async def test_a_person_that_starts_later_is_a_new_hire_and_may_lack_a_work_email() -> None:
    body = {key: value for key, value in NEW_PERSON.items() if key != "email"}
    body |= {"personalEmail": "k@example.com", "employmentStartDate": "2027-01-01"}
    assert (await made(sandbox(), "/people", body))["status"] == "newHire"


async def test_a_remote_person_has_the_remote_timezone() -> None:
    body = NEW_PERSON | {"locationId": "remote", "remoteCity": "Lyon", "remoteCountryCode": "FR"}
    person = await made(sandbox(), "/people", body | {"remoteTimezone": "Europe/Paris"})
    assert (person["remoteCountry"], person["timezone"]) == ("France", "Europe/Paris")


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"jobRole": None}, ["jobRole"]),
        ({"jobRole": {"department": "Kitchen"}}, ["jobRole.jobTitle"]),
        ({"jobRole": {"jobTitle": "Baker", "reportingTo": "nobody"}}, ["jobRole.reportingTo"]),
        ({"jobRole": {"jobTitle": "Baker", "salary": 3}}, ["jobRole.salary"]),
        ({"firstName": None}, ["firstName"]),
        ({"firstName": ""}, ["firstName"]),
        ({"firstName": 3}, ["firstName"]),
        ({"email": None}, ["email"]),
        ({"employmentStartDate": "soon"}, ["employmentStartDate"]),
        ({"employmentEndDate": "2020-01-01"}, ["employmentEndDate"]),
        ({"leavingReason": "bored"}, ["leavingReason"]),
        ({"locationId": "nowhere"}, ["locationId"]),
        ({"locationId": "remote"}, ["remoteCity", "remoteCountryCode"]),
        ({"shoeSize": 43, "status": "active"}, ["shoeSize", "status"]),
        ({"spaceId": "x"}, ["spaceId"]),
    ],
)
async def test_a_person_that_is_not_valid(change: dict[str, Any], fields: list[str]) -> None:
    answer = await sandbox().send("POST", "/people", body=NEW_PERSON | change)
    assert (answer.status_code, answer.json()["name"]) == (422, "Unprocessable")
    assert [issue["name"] for issue in answer.json()["issues"]] == fields


async def test_an_empty_body_lists_all_that_is_required() -> None:
    answer = await sandbox().send("POST", "/people", body={})
    assert {issue["name"] for issue in answer.json()["issues"]} == NEW_PERSON.keys() - {"email"}


async def test_a_work_email_belongs_to_one_person() -> None:
    caller = sandbox()
    await made(caller, "/people", NEW_PERSON)
    answer = await caller.send("POST", "/people", body=NEW_PERSON)
    assert (answer.status_code, answer.json()["name"]) == (409, "Conflict")


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("POST", "/people", "public-private", 403),
        ("POST", "/people", "all-user", 403),
        ("POST", "/compensations", "only-private-write", 403),
        ("POST", "/documents", "only-private-write", 403),
        ("POST", "/webhooks", "all-but-webhooks", 403),
        ("POST", "/webhooks", "all-user", 403),
        ("POST", "/compensations", "all-admin", 403),
        ("POST", "/custom-fields", "all-finance", 403),
        ("DELETE", "/people/{me}", "all-user", 403),
        ("DELETE", "/people/{me}", "read-everything", 403),
        ("PATCH", "/people/nobody", "all-owner", 404),
        ("DELETE", "/people/nobody", "all-owner", 404),
    ],
)
async def test_writes_need_scope_and_role(method: str, path: str, token: str, status: int) -> None:
    caller = sandbox()
    path = path.format(me=await caller.person_of(token))
    assert (await caller.send(method, path, token, {})).status_code == status


@pytest.mark.parametrize("body", [None, [1], 1, "text"])
async def test_a_body_that_is_no_json_object_is_a_bad_request(body: object) -> None:
    answer = await sandbox().send("POST", "/people", body=body)
    assert (answer.status_code, answer.json()["name"]) == (400, "BadRequest")


async def test_fields_that_the_role_may_not_touch_are_marked_forbidden() -> None:
    caller = sandbox()
    me = await caller.person_of("all-user")
    body = {"preferredName": "U", "role": "owner", "employeeId": "1"}
    answer = await caller.send("PATCH", f"/people/{me}", "all-user", body)
    assert answer.status_code == 422
    assert [(issue["name"], issue["forbidden"]) for issue in answer.json()["issues"]] == [
        ("role", True),
        ("employeeId", True),
    ]
    allowed = await caller.send("PATCH", f"/people/{me}", "all-user", {"preferredName": "U"})
    assert (allowed.status_code, allowed.json()["preferredName"]) == (200, "U")


async def test_another_person_can_be_seen_and_not_written_by_a_user() -> None:
    caller = sandbox()
    boss, leaver = await caller.person_of("all-owner"), (await caller.rows("/people", query="status=offboarded"))[0]
    statuses = [
        (await caller.send("PATCH", f"/people/{person}", "all-user", {"bio": "x"})).status_code
        for person in (boss, leaver["id"])
    ]
    assert statuses == [403, 404]


async def test_an_update_moves_updated_at_of_that_row_alone() -> None:
    caller = sandbox()
    before = {row["id"]: row["updatedAt"] for row in await caller.rows("/people")}
    me = await caller.person_of("all-owner")
    stamps = [(await caller.send("PATCH", f"/people/{me}", body={"bio": "New."})).json()["updatedAt"] for _ in "ab"]
    assert before[me] < stamps[0] < stamps[1]
    after = {row["id"]: row["updatedAt"] for row in await caller.rows("/people")}
    assert {row_id for row_id in before if before[row_id] != after[row_id]} == {me}


async def test_an_end_date_in_the_past_makes_a_leaver() -> None:
    caller = sandbox()
    user, manager = await caller.person_of("all-user"), await caller.person_of("all-manager")
    body = {"employmentEndDate": "2026-11-20", "lastWorkingDay": "2026-11-20", "leavingReason": "resigned"}
    assert (await caller.send("PATCH", f"/people/{user}", body=body)).json()["status"] == "offboarded"
    assert user not in (await caller.get(f"/people/{manager}")).json()["directReports"]


async def test_a_deleted_person_takes_their_records_along() -> None:
    caller = sandbox()
    user, manager = await caller.person_of("all-user"), await caller.person_of("all-manager")
    assert await caller.rows("/bank-accounts", query=f"personId={user}")
    await caller.send("DELETE", f"/people/{user}")
    for path in ("/bank-accounts", "/job-roles", "/compensations", "/emergency-contacts"):
        assert not await caller.rows(path, query=f"personId={user}")
    assert user not in (await caller.get(f"/people/{manager}")).json()["directReports"]
    await caller.send("DELETE", f"/people/{manager}")
    assert not await caller.rows("/job-roles", query=f"reportingTo={manager}")


async def test_a_new_role_ends_the_one_before_and_moves_the_report() -> None:
    caller = sandbox()
    user, owner, manager = [await caller.person_of(f"all-{role}") for role in ("user", "owner", "manager")]
    body = {"personId": user, "jobTitle": "Lead", "reportingTo": owner, "effectiveDate": "2026-11-01"}
    role = await made(caller, "/job-roles", body)
    roles = await caller.rows("/job-roles", query=f"personId={user}")
    assert [(each["jobTitle"], each["endDate"]) for each in roles] == [
        ("Senior Software Engineer", None),
        ("Lead", "2027-01-07"),
        ("Software Engineer", "2026-10-31"),
    ]
    assert user in (await caller.get(f"/people/{owner}")).json()["directReports"]
    assert user not in (await caller.get(f"/people/{manager}")).json()["directReports"]
    await caller.send("DELETE", f"/job-roles/{role['id']}")
    assert user in (await caller.get(f"/people/{manager}")).json()["directReports"]
    roles = await caller.rows("/job-roles", query=f"personId={user}")
    assert [each["endDate"] for each in roles] == [None, "2027-01-07"]


async def test_two_roles_cannot_start_on_one_day() -> None:
    caller = sandbox()
    user = await caller.person_of("all-user")
    start = (await caller.rows("/job-roles", query=f"personId={user}"))[0]["effectiveDate"]
    body = {"personId": user, "jobTitle": "Lead", "effectiveDate": start}
    assert (await caller.send("POST", "/job-roles", body=body)).status_code == 422


async def test_a_raise_ends_the_salary_before_and_leaves_the_bonus() -> None:
    caller = sandbox()
    user = await caller.person_of("all-user")
    types = {row["baseType"]: row["id"] for row in await caller.rows("/compensation-types")}
    body = {"personId": user, "amount": "99.90", "currency": "EUR", "effectiveDate": "2026-11-20"}
    await made(caller, "/compensations", body | {"compensationTypeId": types["bonus"]})
    await made(caller, "/compensations", body | {"compensationTypeId": types["salary"], "period": "annual"})
    rows = await caller.rows("/compensations", query=f"personId={user}")
    salaries = [row["endDate"] for row in rows if row["compensationTypeId"] == types["salary"]]
    assert salaries == [None, "2026-11-19"]
    assert {row["endDate"] for row in rows if row["compensationTypeId"] == types["bonus"]} == {None}
    bad = await caller.send("POST", "/compensations", body=body | {"amount": 99.9})
    assert {issue["name"] for issue in bad.json()["issues"]} == {"amount", "compensationTypeId"}


async def test_time_away_is_counted_asked_for_and_approved() -> None:
    caller = sandbox()
    user = await caller.person_of("all-user")
    kind = (await caller.rows("/time-away-types", query="name=Paid%20time%20off"))[0]["id"]
    # Thursday afternoon to Monday; this person works on Mondays and Thursdays.
    body = {"personId": user, "startDate": "2026-12-03", "startPeriod": "pm", "endDate": "2026-12-07"}
    body |= {"timeAwayTypeId": kind, "note": "Skiing"}
    away = await made(caller, "/time-away", body, "all-user")
    assert (away["days"], away["requestStatus"], away["name"]) == (1.5, "pending", "Paid time off")
    assert [day.get("weekend", False) for day in away["breakdown"]] == [False, True, True, True, False]
    path = f"/time-away/{away['id']}"
    own = await caller.send("PATCH", path, "all-user", {"requestStatus": "approved"})
    assert (own.status_code, own.json()["issues"][0]["forbidden"]) == (422, True)
    done = await caller.send("PATCH", path, "all-manager", {"requestStatus": "approved"})
    assert (done.status_code, done.json()["reviewedBy"]) == (200, await caller.person_of("all-manager"))
    assert (await caller.send("DELETE", path, "all-user")).status_code == 200


async def test_time_away_cannot_end_before_it_starts() -> None:
    caller = sandbox()
    kind = (await caller.rows("/time-away-types"))[0]["id"]
    body = {"personId": await caller.person_of("all-user"), "timeAwayTypeId": kind}
    body |= {"startDate": "2026-12-03", "endDate": "2026-12-01"}
    assert (await caller.send("POST", "/time-away", body=body)).status_code == 422


async def test_clocking_in_and_out() -> None:
    caller = sandbox()
    user = await caller.person_of("all-user")
    entry = await made(
        caller, "/timesheet-entries", {"personId": user, "date": "2026-11-23", "startTime": "08:15"}, "all-user"
    )
    assert (entry["startTime"], entry["endTime"], entry["duration"]) == ("08:15:00", None, None)
    out = await caller.send("PATCH", f"/timesheet-entries/{entry['id']}", "all-user", {"endTime": "12:00"})
    assert out.json()["duration"] == {"hours": 3, "minutes": 45}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/locations", {"label": "Oslo", "timezone": "Europe/Oslo"}),
        ("/bank-accounts", {"bankName": "B", "nameOnAccount": "N", "accountNumber": "1"}),
        ("/documents", {"name": "Contract", "link": "https://example.com"}),
        ("/document-folders", {"name": "Old"}),
        ("/identity-documents", {"identityDocumentTypeId": "{identity-document-types}"}),
        ("/emergency-contacts", {"name": "Robin"}),
        ("/equipment", {"equipmentTypeId": "{equipment-types}"}),
        ("/time-away-types", {"name": "Moving house"}),
        ("/time-away-policies", {"name": "Generous"}),
        ("/time-away-allocations", {"timeAwayPolicyId": "{time-away-policies}"}),
        ("/time-away-adjustments", {"amount": -0.5}),
        ("/working-patterns", {"name": "Four days"}),
        (
            "/working-pattern-allocations",
            {"workingPatternId": "{working-patterns}", "startDate": "2026-01-01"},
        ),
        ("/custom-fields", {"name": "Shoe size", "section": "basics", "type": "text"}),
        ("/custom-values", {"customFieldId": "{custom-fields}", "value": ["a", "b"]}),
        ("/timesheet-submissions", {"startDate": "2026-11-01", "endDate": "2026-11-07"}),
        ("/webhooks", {"url": "http://127.0.0.1:9/", "events": ["person.created"]}),
        ("/spaces", {"name": "Moon"}),
    ],
)
async def test_a_row_is_created_changed_and_deleted(path: str, body: dict[str, Any]) -> None:
    caller = sandbox()
    row: dict[str, Any] = {}
    for name, value in body.items():
        refers = isinstance(value, str) and value.startswith("{")
        row[name] = (await caller.rows(f"/{value.strip('{}')}"))[0]["id"] if refers else value
    about_people = (await caller.send("POST", path, body={})).json()["issues"]
    if "personId" in {issue["name"] for issue in about_people}:
        row["personId"] = await caller.person_of("all-user")
    new = await made(caller, path, row)
    assert row.items() <= new.items()
    known = (await caller.rows(path))[-1]
    assert known.keys() == new.keys()
    changed = await caller.send("PATCH", f"{path}/{new['id']}", body=row)
    assert changed.json() == new | {"updatedAt": changed.json()["updatedAt"]}
    deleted = await caller.send("DELETE", f"{path}/{new['id']}")
    assert deleted.json() == {"id": new["id"], "deleted": True}
