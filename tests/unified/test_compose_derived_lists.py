"""Lists that the vendor does not have, and joins below other joins."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from connectors.contract import TEXT, Given, ListOf, Resource, Spec
from connectors.spec import OWN_KEY, Collection, Derived, Endpoint, Join, Nested, Row, Table, all_matches
from gateway.errors import BadRequest, NotFound, VendorFailure
from tests.fakes.core import Rows, UnreachableCache, Vendor, refusal
from tests.fakes.vendor import GET, LIST, PEOPLE, PUBLIC, ROLES, TOWN, TOWNS, VILLAGE, ReadBench, make_vendor, person

DIETS = Resource("diets", {"id": TEXT, "name": TEXT})


def diets(lists: Sequence[Sequence[Row]]) -> list[Row]:
    """Returns each diet and each title, in alphabetical order."""
    people, roles = lists
    names = {str(row["diet"]) for row in people} | {str(row["title"]) for row in roles}
    return [{"id": f"d-{name}", "name": name} for name in sorted(names)]


CONNECTOR = replace(
    VILLAGE,
    endpoints=(
        Endpoint(
            table=Table(DIETS, {"id": "id", "name": "name"}),
            listing=Derived((PEOPLE, ROLES), diets),
            record=None,
            scope=PUBLIC,
            kind="",
        ),
    ),
)
LIST_DIETS = replace(LIST, resource="diets", filters=(), expand=(), include=())
GET_DIET = replace(GET, resource="diets", expand=(), include=())


def kitchen(people: int = 0, *, cached: bool = True) -> ReadBench[Vendor]:
    vendor = make_vendor(people)
    vendor.lists["/people"] = [person(number, diet=f"diet {number:02d}") for number in range(people)]
    vendor.lists["/roles"] = [{"id": "r0", "person": "p0", "title": "cook"}]
    return ReadBench(vendor, connector=CONNECTOR, usual=LIST_DIETS, cache=None if cached else UnreachableCache())


def names(rows: Rows) -> list[str]:
    return [row["name"] for row in rows]


EXPECTED = ["cook", *(f"diet {number:02d}" for number in range(10))]


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("page_size", ["1", "4", "11", "100"])
async def test_a_derived_list_is_walked_like_any_other(page_size: str, *, cached: bool) -> None:
    bench = kitchen(10, cached=cached)
    assert names(await bench.walk(page_size=page_size)) == EXPECTED
    if cached:
        assert bench.vendor.take_calls() == 2


async def test_one_of_a_derived_list_is_found_in_it() -> None:
    bench = kitchen(10)
    assert (await bench.body(GET_DIET, "d-cook"))["data"] == {"id": "d-cook", "name": "cook"}
    for key in ("d-nothing", "", "..", "d-cook/x"):
        with pytest.raises(NotFound, match="no such diets"):
            await bench.ask(GET_DIET, key)


def people_change(bench: ReadBench[Vendor]) -> None:
    bench.vendor.lists["/people"].append(person(99, diet="a new diet"))


def roles_change(bench: ReadBench[Vendor]) -> None:
    bench.vendor.lists["/roles"][0]["title"] = "another word"
    bench.vendor.lists["/roles"].append({"id": "r1", "title": "zoo keeper"})


@pytest.mark.parametrize("change", [people_change, roles_change])
@pytest.mark.parametrize("kinds", [("block", "answer"), ("list", "snapshot", "block", "answer")])
async def test_a_walk_through_a_derived_list_that_changed_does_not_go_on(
    change: Callable[[ReadBench[Vendor]], None], kinds: tuple[str, ...]
) -> None:
    bench = kitchen(10)
    first = await bench.body(page_size="4")
    change(bench)
    bench.memory.evict(*kinds)
    with pytest.raises(BadRequest, match="next has gone stale") as refused:
        await bench.ask(page_size="4", next=first["next"])
    assert refused.value.code == "StaleCursorError"


async def test_one_changed_part_makes_a_cursor_stale_though_the_other_is_cached() -> None:
    """People are cached for an hour, roles for a minute: after that minute they are another list."""
    bench = ReadBench(kitchen(10).vendor, connector=CONNECTOR, usual=LIST_DIETS, fresh={"employees": 3600})
    first = await bench.body(page_size="4")
    roles_change(bench)
    bench.time.forward(61)
    with pytest.raises(BadRequest, match="next has gone stale"):
        await bench.ask(page_size="4", next=first["next"])


@pytest.mark.parametrize("change", [people_change, roles_change])
async def test_without_a_cursor_lost_rows_are_read_again(change: Callable[[ReadBench[Vendor]], None]) -> None:
    bench = kitchen(10)
    await bench.ask(page_size="4")
    change(bench)
    bench.memory.evict("block", "answer")
    fresh = ReadBench(bench.vendor, connector=CONNECTOR, usual=LIST_DIETS)
    assert names(await bench.walk()) == names(await fresh.walk())
    assert len(names(await bench.walk())) == 12


@pytest.mark.parametrize("path", ["/people", "/roles"])
async def test_a_part_that_fails_fails_the_list(path: str) -> None:
    bench = kitchen(10)
    bench.vendor.instead = lambda request: refusal(500) if request.path == path else None
    with pytest.raises(VendorFailure):
        await bench.ask()


# --- joins below joins ----------------------------------------------------------------------------------------

MAYOR = Join(
    "mayor",
    (PEOPLE,),
    on="mayor",
    key="id",
    scope=PUBLIC,
    narrow=Collection("/people", "employees", {"id": OWN_KEY}),
)
STREETS = Join(
    "streets",
    (Collection("/streets", "locations"),),
    on="id",
    key="town",
    scope=PUBLIC,
    pick=all_matches,
    narrow=Collection("/streets", "locations", {"town": OWN_KEY}),
)
STREET = Resource("street", {"name": TEXT})
PLACE = Resource("place", {"name": TEXT, "mayor": TEXT, "streets": ListOf(STREET)})
RESIDENT = Resource("residents", {"name": TEXT, "place": Spec(PLACE, given=Given.ALWAYS)})
RESIDENTS = replace(
    VILLAGE,
    endpoints=(
        Endpoint(
            table=Table(
                RESIDENT,
                {
                    "name": "name",
                    "place": Nested(
                        Table(
                            PLACE,
                            {
                                "name": "name",
                                "mayor": MAYOR["name"],
                                "streets": Nested(Table(STREET, {"name": "name"}), source=STREETS.whole, many=True),
                            },
                        ),
                        source=TOWN.whole,
                    ),
                },
            ),
            listing=PEOPLE,
            record="/people/{key}",
            scope=PUBLIC,
            kind="resident",
            filters={"email": "email"},
        ),
    ),
)


async def test_a_single_record_has_what_hangs_below_what_is_joined_to_it() -> None:
    vendor = make_vendor(7)
    for town in vendor.lists["/towns"]:
        town["mayor"] = "p6"
    vendor.lists["/streets"] = [
        {"id": f"s{each}", "town": f"t{each % 3}", "name": f"Street {each}"} for each in range(6)
    ]
    assert TOWNS.path in vendor.lists
    listing = replace(LIST, resource="residents", expand=(), include=())
    bench = ReadBench(vendor, connector=RESIDENTS, usual=listing)
    listed = (await bench.body())["data"][1]
    assert listed == {
        "name": "Person 1",
        "place": {"name": "Town 1", "mayor": "Person 6", "streets": [{"name": "Street 1"}, {"name": "Street 4"}]},
    }
    single = replace(GET, resource="residents", expand=(), include=())
    assert (await bench.body(single, "p1"))["data"] == listed
