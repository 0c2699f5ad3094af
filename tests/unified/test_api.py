"""Employees over HTTP, on real parts: pages, filters, single records, and what each costs upstream."""

import pytest

from tests.fixtures.gateway import Sandbox, Site


async def walk(site: Site, **query: str) -> list[dict[str, object]]:
    """Returns all records of a list, page by page."""
    found: list[dict[str, object]] = []
    cursor = ""
    while True:
        answer = await site.get(headers=None, next=cursor, **query)
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        cursor = answer.json()["next"]
        if cursor is None:
            return found


async def test_a_walk_gives_every_person_once_and_asks_upstream_for_each_list_once(
    site: Site, sandbox: Sandbox
) -> None:
    people = await walk(site, page_size="7")
    assert len(people) == len({str(person["id"]) for person in people}) == 60
    paths = [call["path"] for call in sandbox.calls()]
    assert sorted(paths[2:]) == ["/companies", "/job-roles", "/job-roles", "/people"]


async def test_the_default_page_has_25_records_and_the_last_has_no_next(site: Site) -> None:
    first = (await site.get()).json()
    assert len(first["data"]) == 25
    last = (await site.get(page="3")).json()
    assert (len(last["data"]), last["next"]) == (10, None)


@pytest.mark.parametrize("status", ["active", "pending", "terminated"])
async def test_people_of_every_status_are_listed(site: Site, status: str) -> None:
    people = await walk(site, page_size="100", fields="employment_status")
    assert status in {person["employment_status"]["value"] for person in people}  # type: ignore[index]


async def test_one_employee_is_found_by_either_id(site: Site) -> None:
    listed = (await site.get(page_size="1")).json()["data"][0]
    for one in (listed["id"], listed["remote_id"]):
        answer = await site.get(f"/employees/{one}")
        assert answer.json() == {"data": listed}


async def test_getting_one_record_asks_for_that_record_alone(site: Site, sandbox: Sandbox) -> None:
    listed = (await site.get(page_size="1")).json()["data"][0]
    sandbox.reset()
    await site.get(f"/employees/{listed['id']}", fields="id,job_title", headers={"cache-control": "no-cache"})
    calls = [(call["path"], call["query"]) for call in sandbox.calls()]
    assert [path for path, _ in calls] == [f"/people/{listed['remote_id']}", "/job-roles"]
    assert calls[1][1]["personId"] == listed["remote_id"]


@pytest.mark.parametrize("wrong", ["%2e%2e", "..%2fpeople", "a%2Fb", "aGcxIWxvY2F0aW9uOmFiYw", "x" * 300, "%00", "%ff"])
async def test_an_id_that_cannot_be_an_employee_s_is_a_404_without_asking(
    site: Site, sandbox: Sandbox, wrong: str
) -> None:
    sandbox.reset()
    answer = await site.get(f"/employees/{wrong}")
    assert answer.status_code == 404
    assert sandbox.calls() == []


async def test_a_person_that_is_not_there_is_a_404(site: Site) -> None:
    answer = await site.get("/employees/VMB1yzL5uL8VvNNCJc9rykJz")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "NotFoundError")


async def test_a_person_whom_the_token_cannot_see_is_a_404(site: Site) -> None:
    people = await walk(site, page_size="100", fields="remote_id,employment_status")
    leaver = next(one for one in people if one["employment_status"]["value"] == "terminated")  # type: ignore[index]
    account = await site.link("only-public-read")
    assert (await site.get(f"/employees/{leaver['remote_id']}")).status_code == 200
    assert (await site.get(f"/employees/{leaver['remote_id']}", account=account)).status_code == 404


async def test_fields_narrow_the_record(site: Site) -> None:
    [one] = (await site.get(page_size="1", fields="id,first_name")).json()["data"]
    assert list(one) == ["id", "first_name"]


async def test_costly_objects_come_only_when_named(site: Site, sandbox: Sandbox) -> None:
    plain = (await site.get(page_size="1")).json()["data"][0]
    costly = {"avatar_url", "avatar", "custom_fields", "bank_details", "work_location", "home_location", "company"}
    assert not costly & plain.keys()
    full = await site.get(
        page_size="1",
        include="avatar_url,avatar,custom_fields,bank_details",
        expand="work_location,home_location,company,groups,employments",
    )
    assert costly | {"groups", "employments"} <= full.json()["data"][0].keys()
    assert {"/locations", "/custom-fields", "/custom-values", "/bank-accounts"} <= {c["path"] for c in sandbox.calls()}


async def test_a_filter_that_the_vendor_knows_is_asked_there_and_checked_here(site: Site, sandbox: Sandbox) -> None:
    person = next(p for p in await walk(site, page_size="100", fields="id,work_email") if p["work_email"])
    for choice in ("reject", "ignore"):
        sandbox.steer("POST", "/choices", {"unknown_filter": choice})
        answer = await site.get(
            filter__email=str(person["work_email"]), fields="id", headers={"cache-control": "no-cache"}
        )
        assert answer.json() == {"next": None, "data": [{"id": person["id"]}]}
    sandbox.steer("POST", "/choices", {"unknown_filter": "reject"})
    assert any("email" in call["query"] for call in sandbox.calls())


async def test_a_filter_that_the_vendor_lacks_still_fills_pages(site: Site) -> None:
    people = await walk(site, page_size="100", fields="id,updated_at,employee_number")
    moments = sorted(str(person["updated_at"]) for person in people)
    after = moments[len(moments) // 2]
    expected = {person["id"] for person in people if str(person["updated_at"]) > after}
    found = await walk(site, page_size="3", fields="id", filter__updated_after=after)
    assert {person["id"] for person in found} == expected
    assert len(found) == len(expected) > 3
    one = next(person for person in people if person["employee_number"])
    answer = await site.get(filter__employee_number=str(one["employee_number"]), fields="id")
    assert answer.json()["data"] == [{"id": one["id"]}]


async def test_proxy_parameters_reach_the_vendor(site: Site) -> None:
    answer = await site.get(proxy__status="newHire", fields="employment_status", page_size="100")
    assert {one["employment_status"]["value"] for one in answer.json()["data"]} == {"pending"}
    refused = await site.get(proxy__nonsense="1")
    assert (refused.status_code, "nonsense" in refused.json()["message"]) == (400, True)
    paging = await site.client.get(
        "/unified/hris/employees?proxy[$limit]=1", auth=(site.key, ""), headers={"x-account-id": site.account}
    )
    assert (paging.status_code, "page_size" in paging.json()["message"]) == (400, True)


async def test_raw_shows_the_calls_made_and_never_the_secret_calendar(site: Site) -> None:
    answer = await site.get(raw="true", page_size="1")
    calls = answer.json()["raw"]
    assert {call["method"] for call in calls} == {"GET"}
    [people] = [call for call in calls if call["url"].endswith("/people?status=all&$limit=250&$skip=0")]
    # Of the person on the page alone, and of how many there are.
    assert [row["id"] for row in people["response"]["data"]] == [answer.json()["data"][0]["remote_id"]]
    assert people["response"]["total"] == 60
    assert "calendarFeedToken" not in answer.text
    assert answer.headers["cache-status"] == "hris-gateway; fwd=bypass; detail=raw"


async def test_reasons_are_shown_on_request(site: Site) -> None:
    account = await site.link("only-public-read")
    withheld = (await site.get(account=account, include="withheld", page_size="100")).json()["withheld"]
    assert withheld["personal_email"] == [
        {
            "reason": "withheld_by_scope",
            "needs": "private:read",
            "granted_by": "an Owner or Admin of the company in Humaans, under API access tokens",
        }
    ]
    assert withheld["ethnicity"][0]["reason"] == "unmapped"
    assert withheld["display_name"][0]["reason"] == "provider_null"
    account = await site.link("private-user")
    withheld = (await site.get(account=account, include="withheld", page_size="100")).json()["withheld"]
    assert "withheld_by_role" in {line["reason"] for line in withheld["date_of_birth"]}
