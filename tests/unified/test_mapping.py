"""Small made-up tables, compiled: what a field is made of, and why it is empty."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from connectors.contract import NUMBER, TEXT, ListOf, Resource
from connectors.convert import full_name
from connectors.needs import any_of
from connectors.spec import TODAY, Absent, Collection, Embed, Field, Join, Nested, Row, Source, Table, all_matches
from gateway.unified.mapping import REFUSED, JoinIndex, Plan, Record, compile_table, index
from gateway.unified.withheld import reasons, refused_paths, unreadable

DAY = date(2026, 11, 24)
PETS = Collection("/pets", "pets")
KINDS = Collection("/kinds", "pets")


def join(name: str = "pets", **values: Any) -> Join:
    return Join(name, (PETS,), **{"on": "id", "key": "owner", "scope": any_of("read"), **values})


def table(types: dict[str, Any], rows: dict[str, Any]) -> Table:
    return Table(Resource("things", types), rows)


def compiled(types: dict[str, Any], rows: dict[str, Any], hidden: Sequence[str] = ()) -> Plan:
    made = table(types, rows)
    return compile_table(made, [name for name in made.rows if name not in hidden], frozenset(hidden))


def unify(plan: Plan, row: Row, joins: dict[Join, JoinIndex] | None = None) -> dict[str, Any]:
    return plan.unify(Record(row, joins or {}, DAY))


PET = {"name": TEXT, "age": NUMBER}
PET_ROWS = {"name": "called", "age": "years"}
OWNERS: list[Row] = [
    {"owner": "a", "called": "Rex", "years": 3},
    {"owner": "a", "called": "Tim"},
    {"owner": "b", "called": "Bo"},
]


@pytest.mark.parametrize(
    ("type_", "source", "row", "value"),
    [
        (TEXT, "x", {"x": "a"}, "a"),
        (TEXT, "x", {"x": 7}, "7"),
        (TEXT, "x", {"x": None}, None),
        (TEXT, "x", {}, None),
        (NUMBER, "x", {"x": "7"}, 7),
        (TEXT, Absent("nothing there"), {"x": "a"}, None),
        (TEXT, Field(("x", "y"), full_name), {"x": "a", "y": "b"}, "a b"),
        (TEXT, Field(("x", "y"), full_name), {"y": "b"}, "b"),
        (TEXT, Field(TODAY, lambda today: today.isoformat()), {}, "2026-11-24"),
        (TEXT, Field(("x", TODAY), lambda x, today: f"{x} {today.year}"), {"x": "a"}, "a 2026"),
    ],
)
def test_a_field_is_read_by_its_row(type_: Any, source: Source | Field | Absent, row: Row, value: Any) -> None:
    plan = compiled({"field": type_}, {"field": source})
    assert unify(plan, row) == {"field": value}
    assert plan.joins == ()


def test_the_order_and_the_names_are_those_of_the_contract() -> None:
    plan = compiled({"b": TEXT, "a": TEXT}, {"a": "x", "b": "y"})
    assert list(unify(plan, {"x": "1", "y": "2"}).items()) == [("b", "2"), ("a", "1")]


def test_a_column_of_the_first_match_is_read_through_a_join() -> None:
    pets = join()
    plan = compiled({"pet": TEXT}, {"pet": pets["called"]})
    joins = {pets: index(pets, OWNERS)}
    assert plan.joins == (pets,)
    assert [unify(plan, {"id": key}, joins)["pet"] for key in ("a", "b", "c", None)] == ["Rex", "Bo", None, None]


@pytest.mark.parametrize("key", [["a"], {"a": 1}, 1.5])
def test_a_key_that_cannot_be_one_matches_nothing(key: Any) -> None:
    pets = join()
    plan = compiled({"pet": TEXT}, {"pet": pets["called"]})
    joined = index(pets, [*OWNERS, {"owner": key, "called": "Odd"}])
    assert unify(plan, {"id": key}, {pets: joined}) == {"pet": None}
    assert unify(plan, {"id": "a"}, {pets: joined}) == {"pet": "Rex"}


def test_a_row_without_key_is_not_joined_to_a_record_without_one() -> None:
    pets = join()
    plan = compiled({"pet": TEXT}, {"pet": pets["called"]})
    joined = index(pets, [{"called": "Stray"}, {"owner": None, "called": "Lost"}])
    assert unify(plan, {"id": None}, {pets: joined}) == {"pet": None}
    assert unify(plan, {}, {pets: joined}) == {"pet": None}


def test_a_join_without_key_gives_every_row_to_every_record() -> None:
    everyone = join(key=None)
    plan = compiled({"pet": TEXT}, {"pet": everyone["called"]})
    assert unify(plan, {"id": "nobody"}, {everyone: index(everyone, OWNERS)}) == {"pet": "Rex"}


def test_an_object_is_nested_from_a_joined_row() -> None:
    pets = join()
    pet = table(PET, PET_ROWS)
    plan = compiled({"pet": pet.resource}, {"pet": Nested(pet, source=pets.whole)})
    joins = {pets: index(pets, OWNERS)}
    assert unify(plan, {"id": "a"}, joins) == {"pet": {"name": "Rex", "age": 3}}
    assert unify(plan, {"id": "c"}, joins) == {"pet": None}


def test_an_object_is_nested_from_the_record_itself() -> None:
    pet = table(PET, PET_ROWS)
    plan = compiled({"self": pet.resource}, {"self": Nested(pet)})
    assert unify(plan, {"called": "Me"}) == {"self": {"name": "Me", "age": None}}


def test_many_are_a_list_and_none_are_an_empty_one() -> None:
    pets = join(pick=all_matches)
    pet = table(PET, PET_ROWS)
    plan = compiled({"pets": ListOf(pet.resource)}, {"pets": Nested(pet, source=pets.whole, many=True)})
    joins = {pets: index(pets, OWNERS)}
    assert [each["name"] for each in unify(plan, {"id": "a"}, joins)["pets"]] == ["Rex", "Tim"]
    assert unify(plan, {"id": "c"}, joins) == {"pets": []}
    assert unify(plan, {"id": "a"}, {pets: REFUSED}) == {"pets": None}


def test_hidden_inner_fields_are_left_out_by_path() -> None:
    pets = join()
    pet = table(PET, PET_ROWS)
    types = {"pet": pet.resource, "self": pet.resource}
    rows = {"pet": Nested(pet, source=pets.whole), "self": Nested(pet)}
    plan = compiled(types, rows, hidden=["pet.age"])
    found = unify(plan, {"id": "a", "years": 9}, {pets: index(pets, OWNERS)})
    assert found == {"pet": {"name": "Rex"}, "self": {"name": None, "age": 9}}


def test_a_join_that_only_hidden_fields_read_is_not_needed() -> None:
    pets = join()
    inner = table({"name": TEXT, "pet": TEXT}, {"name": "called", "pet": pets["called"]})
    types, rows = {"self": inner.resource}, {"self": Nested(inner)}
    assert compiled(types, rows).joins == (pets,)
    assert compiled(types, rows, hidden=["self.pet"]).joins == ()


def test_joined_rows_have_their_embedded_ones() -> None:
    pets = join(embed=Embed("kind", KINDS, on="kindId", key="id", reads=("name",)))
    plan = compiled({"kind": TEXT}, {"kind": Field(pets["kind"], lambda kind: (kind or {}).get("word"))})
    rows: list[Row] = [{"owner": "a", "kindId": 1}, {"owner": "b", "kindId": 2}, {"owner": "c"}]
    joins = {pets: index(pets, rows, [{"id": 1, "word": "dog"}])}
    assert [unify(plan, {"id": key}, joins)["kind"] for key in "abcd"] == ["dog", None, None, None]


@pytest.mark.parametrize("odd", [["x"], {"x": 1}])
def test_an_embedded_key_that_cannot_be_one_matches_nothing(odd: Any) -> None:
    pets = join(embed=Embed("kind", KINDS, on="kindId", key="id", reads=("name",)))
    joined = index(pets, [{"owner": "a", "kindId": odd}], [{"id": odd, "word": "dog"}])
    assert joined.by_key["a"] == [{"owner": "a", "kindId": odd, "kind": None}]


def test_a_join_is_picked_once_however_many_fields_read_it() -> None:
    picks: list[Row] = []

    def counting(record: Row, matches: Sequence[Row], today: date) -> Row | None:
        assert today == DAY
        picks.append(record)
        return matches[0] if matches else None

    pets = join(pick=counting)
    pet = table(PET, PET_ROWS)
    types = {"name": TEXT, "age": NUMBER, "both": TEXT, "pet": pet.resource}
    rows = {
        "name": pets["called"],
        "age": pets["years"],
        "both": Field((pets["called"], pets["owner"]), full_name),
        "pet": Nested(pet, source=pets.whole),
    }
    plan = compiled(types, rows)
    for key in ("a", "b"):
        record = Record({"id": key}, {pets: index(pets, OWNERS)}, DAY)
        unified = plan.unify(record)
        reasons(plan, [record], [unified], [frozenset()])
    assert len(picks) == 2


def explain(plan: Plan, rows: Sequence[Row], joins: dict[Join, JoinIndex] | None = None) -> dict[str, Any]:
    records = [Record(row, joins or {}, DAY) for row in rows]
    unified = [plan.unify(record) for record in records]
    lost = [frozenset(unreadable(plan, *each)) for each in zip(records, unified, strict=True)]
    return reasons(plan, records, unified, lost)


def test_each_empty_field_has_its_reasons_and_their_number() -> None:
    pets = join()
    types = {"full": TEXT, "some": TEXT, "absent": TEXT, "joined": TEXT}
    plan = compiled(types, {"full": "x", "some": "y", "absent": Absent("no such thing"), "joined": pets["called"]})
    rows: list[Row] = [
        {"id": "a", "x": "1", "y": "1"},
        {"id": "b", "x": "1", "y": None},
        {"id": "c", "x": "1"},
        {"id": "d", "x": "1"},
    ]
    joined = index(pets, [{"owner": "a", "called": "Rex"}, {"owner": "b", "called": None}, {"owner": "c"}])
    assert explain(plan, rows, {pets: joined}) == {
        "some": [{"reason": "withheld_by_role", "records": 2}, {"reason": "provider_null", "records": 1}],
        "absent": [{"reason": "unmapped", "detail": "no such thing"}],
        # b has no name, c's is left out, d has no row at all.
        "joined": [{"reason": "withheld_by_role", "records": 1}, {"reason": "provider_null", "records": 2}],
    }


def test_a_refused_list_closes_all_that_is_read_from_it_and_what_is_read_from_it_among_others() -> None:
    one, many = join("one"), join("many", pick=all_matches)
    pet = table(PET, PET_ROWS)
    own = table({"name": TEXT, "pet": TEXT}, {"name": "called", "pet": one["called"]})
    types = {
        "own": TEXT,
        "name": TEXT,
        "both": TEXT,
        "pet": pet.resource,
        "pets": ListOf(pet.resource),
        "self": own.resource,
    }
    rows = {
        "own": "called",
        "name": one["called"],
        "both": Field(("called", one["called"]), full_name),
        "pet": Nested(pet, source=one.whole),
        "pets": Nested(pet, source=many.whole, many=True),
        "self": Nested(own),
    }
    plan = compiled(types, rows)
    of_one = {"name", "both", "pet", "self.pet"}
    assert refused_paths(plan, {one: REFUSED, many: REFUSED}).keys() == of_one | {"pets"}
    assert refused_paths(plan, {one: REFUSED, many: index(many, OWNERS)}).keys() == of_one
    assert refused_paths(plan, {one: index(one, OWNERS), many: index(many, OWNERS)}) == {}


def test_a_filled_field_is_not_reported() -> None:
    plan = compiled({"full": TEXT, "empty_list": TEXT}, {"full": "x", "empty_list": Field("x", lambda _: [])})
    assert explain(plan, [{"x": "1"}]) == {}
    assert explain(plan, []) == {}
