"""A faulty declaration is refused when it is made, with all its faults."""

from dataclasses import FrozenInstanceError, replace
from datetime import date
from typing import Any

import pytest

from connectors.contract import MAP, TEXT, ListOf, Operation, Resource, Spec, Words
from connectors.convert import text
from connectors.humaans.connector import HUMAANS
from connectors.needs import ANY_TOKEN, FaultyDeclaration, Need, any_of
from connectors.spec import (
    OWN_KEY,
    TODAY,
    Absent,
    Collection,
    Embed,
    Endpoint,
    Field,
    Join,
    Nested,
    Ref,
    Table,
    all_matches,
    joins_of,
    only_match,
)

COLOUR = Words("ColourEnum", frozenset({"red", "unmapped_value"}))
PART = Resource("part", {"name": TEXT})
THING = Resource(
    "thing",
    {"id": TEXT, "name": TEXT, "colour": COLOUR, "part": PART, "parts": ListOf(PART), "tags": ListOf(TEXT)},
)
PART_TABLE = Table(PART, {"name": "called"})
OTHER_TABLE = Table(Resource("other", {"name": TEXT}), {"name": "called"})
JOIN = Join("parts", (Collection("/parts", "parts"),), on="id", key="thing", scope=any_of("read"))
GOOD: dict[str, Any] = {
    "id": "id",
    "name": Field(("first", "last"), lambda first, last: f"{first} {last}"),
    "colour": Field("colour", lambda colour: colour),
    "part": Nested(PART_TABLE, source=JOIN.whole),
    "parts": Nested(PART_TABLE, source=JOIN.whole, many=True),
    "tags": Absent("no tags are kept"),
}


def faults(rows: dict[str, Any]) -> list[str]:
    with pytest.raises(FaultyDeclaration) as refused:
        Table(THING, rows)
    subject, *lines = str(refused.value).splitlines()
    assert subject == "table thing is declared wrongly:"
    return [line.strip() for line in lines]


def test_a_whole_table_has_the_order_of_the_contract_and_makes_fields_of_plain_names() -> None:
    table = Table(THING, dict(reversed(GOOD.items())))
    assert list(table.rows) == list(THING.fields)
    assert table.rows["id"] == Field("id")
    with pytest.raises(TypeError):
        table.rows["id"] = Field("x")  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        table.resource = PART  # type: ignore[misc]


@pytest.mark.parametrize("name", THING.fields)
def test_a_field_without_a_row_is_a_fault(name: str) -> None:
    assert faults({key: row for key, row in GOOD.items() if key != name}) == [
        f"- {name}: no row; write ABSENT with its reason"
    ]


@pytest.mark.parametrize(
    ("name", "row", "fault"),
    [
        ("shape", "shape", "the contract has no such field"),
        ("tags", Absent(""), "an absent field needs a reason"),
        ("tags", Absent("  "), "an absent field needs a reason"),
        ("tags", "tags", "must name its converter"),
        ("colour", "colour", "must name its converter"),
        ("part", "part", "must name its converter"),
        ("name", Field(("first", "last")), "must name its converter"),
        ("name", JOIN.whole, None),
        ("part", Nested(OTHER_TABLE), "the nested table is of another type than the field"),
        ("part", Nested(PART_TABLE, many=True), "the nested table is of another type than the field"),
        ("parts", Nested(PART_TABLE), "the nested table is of another type than the field"),
        ("name", Nested(PART_TABLE), "the nested table is of another type than the field"),
        ("part", Field("part", text), None),
    ],
)
def test_a_row_that_does_not_fit_its_field_is_a_fault(name: str, row: Any, fault: str | None) -> None:
    if fault is None:
        assert Table(THING, {**GOOD, name: row}).rows
        return
    [found] = faults({**GOOD, name: row})
    assert found.startswith(f"- {name}: ")
    assert fault in found


def test_all_faults_are_named_at_once() -> None:
    found = faults({"id": "id", "name": Field(("a", "b")), "shape": "x", "colour": "c", "tags": Absent("")})
    assert [line.split(":")[0] for line in found] == ["- part", "- parts", "- shape", "- name", "- colour", "- tags"]


def endpoint(**values: Any) -> Endpoint:
    made = {"table": PART_TABLE, "listing": Collection("/parts", "parts"), "record": "/parts/{key}", "kind": "part"}
    return Endpoint(**{"scope": any_of("public:read"), **made, **values})


def test_a_connector_names_every_unknown_scope_and_every_second_endpoint() -> None:
    inner = Table(PART, {"name": Field("called", scope=any_of("inner"))})
    secret = replace(JOIN, scope=any_of("joined"))
    table = Table(
        THING,
        {
            **GOOD,
            "id": Field("id", scope=any_of("private:read", "nonsense")),
            "part": Nested(inner, source=secret.whole),
            "parts": Nested(PART_TABLE, source=JOIN.whole, many=True, scope=any_of("many")),
        },
    )
    with pytest.raises(FaultyDeclaration) as refused:
        replace(HUMAANS, endpoints=(endpoint(scope=any_of("none")), endpoint(), endpoint(table=table)))
    assert str(refused.value).splitlines() == [
        "connector humaans is declared wrongly:",
        "  - part: no such scope 'none'",
        "  - thing.id: no such scope 'nonsense'",
        "  - thing.part: no such scope 'joined'",
        "  - thing.part.name: no such scope 'inner'",
        "  - thing.parts: no such scope 'many'",
        "  - thing.parts: no such scope 'read'",
        "  - part: two endpoints",
    ]


def operation(kind: str, resource: str = "part") -> Operation:
    return Operation(id=f"{kind}_x", method="GET", path="/x", resource=resource, kind=kind, scope="x:read")


def test_a_connector_answers_reads_of_what_it_has() -> None:
    part = endpoint()
    connector = replace(HUMAANS, endpoints=(part,))
    assert [connector.endpoint(operation(kind)) for kind in ("list", "get", "create", "update")] == [
        part,
        part,
        None,
        None,
    ]
    assert connector.endpoint(operation("list", "companies")) is None
    assert [operation(kind).reads for kind in ("list", "get", "create")] == [True, True, False]


@pytest.mark.parametrize(
    ("need", "granted", "met", "text_"),
    [
        (ANY_TOKEN, set(), True, "any token"),
        (any_of("a"), {"a"}, True, "a"),
        (any_of("a", "b"), {"b", "c"}, True, "a or b"),
        (any_of("a", "b"), {"c"}, False, "a or b"),
        (any_of("a"), set(), False, "a"),
    ],
)
def test_one_of_the_needed_scopes_is_enough(need: Need, granted: set[str], *, met: bool, text_: str) -> None:
    assert (need.met_by(frozenset(granted)), str(need)) == (met, text_)


def test_a_collection_sends_several_values_several_times() -> None:
    collection = Collection("/x", "x", {"$asOf": TODAY, "tag": ("a", "b"), "owner": OWN_KEY})
    assert collection.pairs() == [("$asOf", TODAY), ("tag", "a"), ("tag", "b"), ("owner", OWN_KEY)]
    assert collection.label() == "GET /x?$asOf={today}&tag=a&tag=b&owner={key}"
    assert Collection("/x", "x").label() == "GET /x"


def test_a_join_gives_its_columns_and_itself() -> None:
    assert JOIN["name"] == Ref(JOIN, "name")
    assert JOIN.whole == Ref(JOIN, None)
    embedding = replace(JOIN, embed=Embed("kind", Collection("/kinds", "parts"), on="kind", key="id", reads=("name",)))
    assert embedding != JOIN
    assert len({JOIN, embedding, JOIN}) == 2


def test_a_row_names_the_joins_that_it_reads_itself() -> None:
    other = replace(JOIN, name="other")
    assert joins_of(Field("id")) == []
    assert joins_of(Field((JOIN["a"], "b", other["c"]), lambda *_: None)) == [JOIN, other]
    assert joins_of(Nested(Table(PART, {"name": other["x"]}), source=JOIN.whole)) == [JOIN]
    assert joins_of(Nested(PART_TABLE)) == []


def test_the_plain_picks() -> None:
    day, rows = date(2026, 11, 24), [{"id": 1}, {"id": 2}]
    assert only_match({}, rows, day) == {"id": 1}
    assert only_match({}, [], day) is None
    assert all_matches({}, rows, day) == rows


def test_a_field_of_the_contract_may_be_written_as_its_type_alone() -> None:
    resource = Resource("x", {"a": TEXT, "b": Spec(MAP, scope="x:read")})
    assert resource.fields == {"a": Spec(TEXT), "b": Spec(MAP, scope="x:read")}
