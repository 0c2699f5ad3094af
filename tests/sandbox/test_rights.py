"""What each token sees: scopes and the role of its person, in tables."""

from __future__ import annotations

import re

import pytest

from deploy.sandbox.catalogue import RESOURCES
from deploy.sandbox.rights import ROLE_RULES, SCOPE_RULES, Area
from deploy.sandbox.tokens import ROLES, SCOPES, TOKENS, by_name
from tests.sandbox.calling import sandbox

PRIVATE = RESOURCES["people"].private
EVERYTHING = set(RESOURCES)

# What docs.humaans.io/api says of scopes, written out as paths: not read from the sandbox's own table.
PUBLIC = {
    "people",
    "companies",
    "locations",
    "job-roles",
    "time-away",
    "time-away-types",
    "public-holidays",
    "public-holiday-calendars",
    "public-holiday-calendar-days",
}
PAY = {"compensations", "compensation-types"}
DOCUMENTS = {
    "documents",
    "document-types",
    "document-folders",
    "identity-documents",
    "identity-document-types",
}
WEBHOOKS = {"webhooks", "webhook-events"}
OPENED = {
    "only-public-read": PUBLIC,
    "only-private-read": EVERYTHING - PAY - DOCUMENTS - WEBHOOKS,
    "only-private-write": set(),
    "only-compensations-read": PAY,
    "only-compensations-write": set(),
    "only-documents-read": DOCUMENTS,
    "only-documents-write": set(),
    "only-webhooks-manage": WEBHOOKS,
    "no-scopes": set(),
    "all-but-webhooks": EVERYTHING - WEBHOOKS,
    "public-private-compensations": EVERYTHING - DOCUMENTS - WEBHOOKS,
    "all-owner": EVERYTHING,
}


def test_tokens_look_like_the_real_ones_and_cover_scopes_and_roles() -> None:
    assert len({token.token for token in TOKENS}) == len({token.name for token in TOKENS}) == len(TOKENS)
    assert all(re.fullmatch("[A-Za-z0-9]{32}", token.token) for token in TOKENS)
    assert {token.role for token in TOKENS} == set(ROLES)
    assert {token.scopes for token in TOKENS} >= {(scope,) for scope in SCOPES} | {SCOPES, ()}


def test_a_token_hides_itself_when_printed() -> None:
    assert by_name("all-owner").token not in repr(by_name("all-owner"))


def test_every_role_and_area_has_a_rule() -> None:
    assert set(SCOPE_RULES) == set(Area)
    assert all(set(rules) == set(Area) for rules in ROLE_RULES.values())


@pytest.mark.parametrize("name", OPENED)
async def test_a_scope_opens_its_resources_and_no_others(name: str) -> None:
    caller = sandbox()
    statuses = {path: (await caller.get(f"/{path}", name)).status_code for path in RESOURCES}
    assert {path for path, status in statuses.items() if status == 200} == OPENED[name]
    assert {status for path, status in statuses.items() if path not in OPENED[name]} <= {403}


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("revoked", 401), ("no-scopes", 200)])
async def test_token_info_wants_a_valid_token_and_no_scope(token: str | None, status: int) -> None:
    assert (await sandbox().get("/token-info", token)).status_code == status


@pytest.mark.parametrize("token", [token.name for token in TOKENS if not token.revoked])
async def test_token_info_shows_scopes_and_person(token: str) -> None:
    info = (await sandbox().get("/token-info", token)).json()
    assert list(info) == ["id", "personId", "label", "scopes"]
    assert tuple(info["scopes"]) == by_name(token).scopes


@pytest.mark.parametrize("role", ROLES)
async def test_me_is_the_tokens_person_with_the_calendar_secret(role: str) -> None:
    me = (await sandbox().get("/me", f"all-{role}")).json()
    assert me["role"] == role
    assert len(me["calendarFeedToken"]) == 32


async def test_the_calendar_secret_is_on_ones_own_row_only() -> None:
    caller = sandbox()
    owner = await caller.person_of("all-owner")
    rows = await caller.rows("/people", query="status=all")
    assert [row["id"] for row in rows if "calendarFeedToken" in row] == [owner]
    assert not any("calendarFeedToken" in row for row in await caller.rows("/people", "only-public-read"))


async def test_a_public_token_sees_active_people_without_private_keys() -> None:
    rows = await sandbox().rows("/people", "only-public-read", "status=all")
    assert len(rows) == 56
    assert {row["status"] for row in rows} == {"active"}
    assert not [row for row in rows if row.keys() & PRIVATE]
    assert all({"firstName", "email", "teams", "locationId"} <= row.keys() for row in rows)


@pytest.mark.parametrize("query", ["gender=Female", "birthday[$gte]=1980-01-01", "employeeId=4"])
async def test_a_filter_does_not_reveal_what_a_row_hides(query: str) -> None:
    caller = sandbox()
    assert (await caller.page("/people", "only-public-read", query))["total"] == 0
    assert (await caller.page("/people", "all-owner", query))["total"] > 0


async def test_a_plain_user_sees_private_keys_on_their_own_row_only() -> None:
    caller = sandbox()
    user = await caller.person_of("all-user")
    rows = await caller.rows("/people", "all-user", "status=all")
    assert len(rows) == 56
    assert [row["id"] for row in rows if row.keys() & PRIVATE] == [user]


async def test_a_manager_sees_private_keys_of_their_reports_leavers_and_new_hires_too() -> None:
    caller = sandbox()
    rows = await caller.rows("/people", "all-manager", "status=all")
    private = [row for row in rows if row.keys() & PRIVATE]
    assert {row["status"] for row in private} == {"active", "newHire", "offboarded"}
    assert len(rows) == 60
    assert len(private) == 8


# Rows of a list (or the status) for a token with all scopes, in a company of 60, in the order of ROLES.
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/people", (60, 60, 60, 56, 60, 56)),
        ("/bank-accounts", (60, 60, 60, 1, 1, 1)),
        ("/documents", (61, 2, 61, 2, 2, 2)),
        ("/equipment", (60, 60, 60, 60, 8, 1)),
        ("/custom-fields", (7, 7, 7, 7, 7, 7)),
        ("/webhooks", (1, 1, 403, 403, 403, 403)),
        ("/audit-events", (3, 3, 403, 403, 403, 403)),
        ("/compensation-types", (5, 5, 5, 5, 5, 5)),
    ],
)
async def test_lists_by_role(path: str, expected: tuple[int, ...]) -> None:
    caller = sandbox()
    query = "status=all" if path == "/people" else ""
    answers = [await caller.get(path, f"all-{role}", query) for role in ROLES]
    assert tuple(each.json().get("total", each.status_code) for each in answers) == expected


@pytest.mark.parametrize("role", ["admin", "tech", "manager", "user"])
async def test_pay_of_others_is_for_owner_and_finance(role: str) -> None:
    caller = sandbox()
    me = await caller.person_of(f"all-{role}")
    rows = await caller.rows("/compensations", f"all-{role}")
    assert {row["personId"] for row in rows} <= {me}
    assert len(await caller.rows("/compensations", "all-finance")) > 60


async def test_job_titles_are_public_and_notes_are_not() -> None:
    caller = sandbox()
    public = await caller.rows("/job-roles", "only-public-read")
    assert all("jobTitle" in row and "note" not in row for row in public)
    full = await caller.rows("/job-roles")
    assert all("note" in row for row in full)
    assert len(public) < len(full)


async def test_time_off_of_others_is_masked() -> None:
    caller = sandbox()
    rows = await caller.rows("/time-away", "only-public-read")
    off = [row for row in rows if row["isTimeOff"]]
    assert {row["name"] for row in off} == {"Time off"}
    assert not [row for row in off if row.keys() & {"timeAwayTypeId", "timeAwayType", "type", "note"}]
    assert {row["name"] for row in rows if not row["isTimeOff"]} <= {"Working from home"}
    assert {row["requestStatus"] for row in rows} == {"approved"}


async def test_a_filter_on_the_type_finds_no_masked_time_off() -> None:
    caller = sandbox()
    sick = next(row for row in await caller.rows("/time-away-types") if row["name"] == "Sick leave")
    assert (await caller.page("/time-away", query=f"timeAwayTypeId={sick['id']}"))["total"] > 0
    assert not await caller.rows("/time-away", "only-public-read", f"timeAwayTypeId={sick['id']}")


@pytest.mark.parametrize("path", ["/people", "/job-roles", "/bank-accounts", "/time-away"])
async def test_a_row_is_visible_one_by_one_exactly_when_it_is_in_the_list(path: str) -> None:
    caller = sandbox()
    everything = {row["id"]: row for row in await caller.rows(path, query="status=all" if path == "/people" else "")}
    query = "status=all" if path == "/people" else ""
    listed = {row["id"]: row for row in await caller.rows(path, "all-user", query)}
    for row_id in everything:
        answer = await caller.get(f"{path}/{row_id}", "all-user")
        assert answer.status_code == (200 if row_id in listed else 404)
        assert row_id not in listed or answer.json() == listed[row_id]
