"""Single records, joined lists, and what is said beside the records."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import ids
from gateway.cache.freshness import Directives
from gateway.errors import Forbidden, NotFound, NotImplementedHere, VendorFailure
from gateway.model import Cache
from tests.fakes.core import UnreachableCache, json_answer, refusal
from tests.fakes.vendor import GET, ReadBench, make_vendor, person

# --- joined lists -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 404])
async def test_what_is_read_from_a_refused_list_is_left_out_and_said(status: int) -> None:
    bench = ReadBench(make_vendor(3))
    bench.vendor.instead = lambda request: refusal(status) if request.path == "/roles" else None
    why = {
        403: {
            "reason": "withheld_by_role",
            "detail": "Village refuses /roles to this account's token though its scopes cover it: "
            "the role of the person who made the token may not see it.",
            "granted_by": "the mayor",
        },
        404: {
            "reason": "unmapped",
            "detail": "Village does not offer /roles to this account: it answers 404 to the whole list.",
        },
    }
    for _ in range(2):
        page = await bench.ask(include="withheld", fields="id,job_title,pet")
        body = orjson.loads(page.body)
        assert [set(record) for record in body["data"]] == [{"id", "pet"}] * 3
        assert page.withheld == ("job_title",)
        assert body["withheld"] == {
            "job_title": [why[status]],
            "pet": [{"reason": "unmapped", "detail": "Village keeps no pets"}],
        }


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (403, Forbidden, "Village refuses /people to this account's token though its scopes"),
        (404, NotImplementedHere, "Village does not offer /people to this account"),
    ],
)
async def test_a_refused_list_says_what_is_in_the_way(status: int, error: type[Exception], words: str) -> None:
    bench = ReadBench(make_vendor(3))
    bench.vendor.instead = lambda request: refusal(status) if request.path == "/people" else None
    for _ in range(2):
        with pytest.raises(error, match=words):
            await bench.ask()


async def test_a_join_that_fails_fails_the_answer() -> None:
    bench = ReadBench(make_vendor(3))
    bench.vendor.instead = lambda request: refusal(500) if request.path == "/roles" else None
    with pytest.raises(VendorFailure, match="Village answered 500 to /roles"):
        await bench.ask()
    assert "answer" not in bench.memory.kinds()


async def test_only_the_lists_that_are_needed_are_read() -> None:
    bench = ReadBench(make_vendor(3))
    await bench.ask(fields="id,name")
    assert bench.vendor.paths() == ["/people"]
    bench.vendor.take_calls()
    await bench.ask(fields="id,name", expand="work_location")
    assert bench.vendor.paths() == ["/towns"]


async def test_each_empty_field_is_explained_when_asked() -> None:
    vendor = make_vendor(3)
    del vendor.lists["/people"][0]["diet"]
    vendor.lists["/people"][1]["diet"] = None
    bench = ReadBench(vendor)
    body = await bench.body(include="withheld")
    assert body["withheld"] == {
        "diet": [{"reason": "withheld_by_role", "records": 1}, {"reason": "provider_null", "records": 1}],
        "pet": [{"reason": "unmapped", "detail": "Village keeps no pets"}],
    }
    assert "withheld" not in await bench.body()


# --- single records -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["p7", ids.encode("employee", "p7")])
async def test_a_record_is_had_by_its_own_id_or_by_ours(key: str) -> None:
    bench = ReadBench(make_vendor(600))
    body = await bench.body(GET, key, expand="work_location")
    assert body["data"]["remote_id"] == "p7"
    assert body["data"]["id"] == ids.encode("employee", "p7")
    assert body["data"]["job_title"] == "Title 7"
    assert body["data"]["work_location"]["name"] == "Town 1"
    assert "next" not in body
    # One record costs one call for itself and one for each list that is joined to it.
    assert sorted(bench.vendor.paths()) == ["/people/p7", "/roles", "/towns"]
    listed = (await bench.body(page_size="250", expand="work_location"))["data"][7]
    assert body["data"] == listed


@pytest.mark.parametrize(
    "key",
    [
        ids.encode("location", "p7"),
        ids.encode("department", "p7"),
        ids.encode("employee", "../towns/t1"),
        ids.encode("employee", "p7?x=1"),
        ids.encode("employee", ""),
        "",
        ".",
        "..",
        "...",
        "a/b",
        "../towns/t1",
        "/p7",
        "p7/",
        "p7?limit=1",
        "p7#x",
        "p7%2F..",
        "%2e%2e",
        "p7\n",
        "p7\r\nx-header: y",
        "p7\0",
        "p 7",
        "Zoë",
        "{key}",
        "*",
        "x" * 129,
        "me",
        "nobody",
    ],
)
async def test_another_id_finds_nothing_and_leaves_the_path(key: str) -> None:
    bench = ReadBench(make_vendor(10))
    with pytest.raises(NotFound, match="no such employee, or this account's token may not see it"):
        await bench.ask(GET, key)
    asked = bench.vendor.paths()
    # What could be an id is asked for, one segment below the list; all else is not asked for at all.
    assert asked == ([f"/people/{key}"] if key in {"...", "me", "nobody"} else [])


@given(st.text(max_size=12) | st.text("./%\\?#~_-a", max_size=6))
@settings(deadline=None, max_examples=150)
async def test_no_id_leads_out_of_its_list(key: str) -> None:
    bench = ReadBench(make_vendor(1))
    bench.vendor.instead = lambda _: json_answer({"id": "p0", "name": "Foreign"})
    if key == "p0":
        return
    with pytest.raises(NotFound):
        await bench.ask(GET, key)
    for path in bench.vendor.paths():
        assert path.count("/") == 2
        assert path.startswith("/people/")
        assert not set("%?#\\ \n") & set(path)
        assert path.rpartition("/")[2] not in {"", ".", ".."}


@pytest.mark.parametrize("row", [person(8), {"id": 8}, {"id": "p7 "}])
async def test_another_record_than_was_asked_for_is_not_shown(row: Mapping[str, Any]) -> None:
    bench = ReadBench(make_vendor(10))
    bench.vendor.instead = lambda request: json_answer(row) if request.path == "/people/p7" else None
    with pytest.raises(NotFound):
        await bench.ask(GET, "p7")
    assert bench.memory.values == {}


ERROR = {"code": 404, "name": "NotFound", "message": "There is none."}


@pytest.mark.parametrize(
    "body",
    [[], [person(7)], None, "p7", 7, {}, {"name": "nobody"}, {"id": None}, {"id": ["p7"]}, ERROR, {**ERROR, "id": "7"}],
)
async def test_what_is_no_record_is_a_failure_of_the_vendor(body: Any) -> None:
    bench = ReadBench(make_vendor(10))
    bench.vendor.instead = lambda _: json_answer(body)
    with pytest.raises(VendorFailure, match="something that is no record"):
        await bench.ask(GET, "p7")


@pytest.mark.parametrize("status", [403, 404])
async def test_a_record_that_the_token_may_not_see_is_not_found(status: int) -> None:
    bench = ReadBench(make_vendor(10))
    bench.vendor.instead = lambda request: refusal(status) if request.path == "/people/p7" else None
    with pytest.raises(NotFound):
        await bench.ask(GET, "p7")


async def test_raw_shows_what_the_vendor_said_without_its_secrets() -> None:
    bench = ReadBench(make_vendor(2))
    await bench.ask()
    bench.vendor.take_calls()
    page = await bench.ask(raw="true", fields="id,name")
    body = orjson.loads(page.body)
    [raw] = body["raw"]
    assert (raw["method"], raw["url"]) == ("GET", "https://village.test/people?limit=250&skip=0")
    assert [row["name"] for row in raw["response"]["data"]] == ["Person 0", "Person 1"]
    assert b"planted-secret" not in page.body
    single = await bench.ask(GET, "p1", raw="true")
    assert [each["url"] for each in orjson.loads(single.body)["raw"]] == [
        "https://village.test/people/p1",
        "https://village.test/roles?person=p1&limit=250&skip=0",
    ]
    assert b"planted-secret" not in single.body


@pytest.mark.parametrize("directives", [Directives(), Directives(no_cache=True), Directives(no_store=True)])
@pytest.mark.parametrize("cache", [None, UnreachableCache()])
async def test_what_must_never_leave_never_does(directives: Directives, cache: Cache | None) -> None:
    bench = ReadBench(make_vendor(3), cache=cache)
    for operation, key in ((None, ""), (GET, "p1")):
        extra = () if operation is None else (operation, key)
        page = await bench.ask(*extra, directives=directives, include="avatar_url,withheld")
        assert b"planted-secret" not in page.body
    assert not [value for _, value in bench.memory.values.values() if b"planted-secret" in value]
