"""The body of a write: what is taken, what comes out of it, and one line for every fault."""

from typing import Any

import orjson
import pytest

from connectors.contract import (
    ANY,
    BOOLEAN,
    BOOLISH,
    DURATION,
    INSTANT,
    LOCAL,
    MAP,
    NUMBER,
    TEXT,
    Integer,
    ListOf,
    MapOf,
    OneOf,
    Resource,
    Spec,
    Text,
    Unsupported,
    Words,
)
from gateway.contract.body import MAX_FAULTS, MAX_TEXT_LENGTH, check_body, parse_json, with_defaults
from gateway.errors import BadRequest

COLOUR = Words("ColourEnum", frozenset({"red", "blue", "unmapped_value"}))
REGION = Words("RegionEnum", frozenset())
PLACE = Resource("place_request", {"city": TEXT, "region": REGION})
THING = Resource(
    "thing_request",
    {
        "name": TEXT,
        "size": NUMBER,
        "here": BOOLEAN,
        "half": BOOLISH,
        "since": INSTANT,
        "day": LOCAL,
        "lasts": DURATION,
        "colour": COLOUR,
        "colours": ListOf(COLOUR),
        "place": PLACE,
        "places": ListOf(PLACE),
        "passthrough": MAP,
        "value": ANY,
    },
)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({}, {}),
        ({"name": "Ann\n\tÄ 中"}, {"name": "Ann\n\tÄ 中"}),
        ({"name": ""}, {"name": ""}),
        ({"name": None, "colour": None, "place": None}, {"name": None, "colour": None, "place": None}),
        ({"size": 1.5}, {"size": 1.5}),
        ({"here": False}, {"here": False}),
        ({"half": "true"}, {"half": True}),
        ({"half": "false"}, {"half": False}),
        ({"half": True}, {"half": True}),
        ({"since": "2026-01-31T00:00:00.000Z"}, {"since": "2026-01-31T00:00:00.000Z"}),
        ({"since": "2026-01-31T01:02:03.123456+01:00"}, {"since": "2026-01-31T01:02:03.123456+01:00"}),
        ({"since": "2026-01-31T01:02Z"}, {"since": "2026-01-31T01:02Z"}),
        ({"day": "2026-01-31"}, {"day": "2026-01-31"}),
        ({"day": "2021-01-01T01:01:01.000"}, {"day": "2021-01-01T01:01:01.000"}),
        ({"lasts": "P1DT2H"}, {"lasts": "P1DT2H"}),
        ({"colour": {"value": "red"}}, {"colour": "red"}),
        ({"colour": {"value": "blue", "source_value": ["anything"]}}, {"colour": "blue"}),
        ({"colour": {"value": None}}, {"colour": None}),
        ({"colours": [{"value": "red"}, {"value": "blue"}]}, {"colours": ["red", "blue"]}),
        ({"place": {"city": "Bonn", "region": {"value": "DE-NW"}}}, {"place": {"city": "Bonn", "region": "DE-NW"}}),
        ({"places": [{"city": None}]}, {"places": [{"city": None}]}),
        ({"passthrough": {"a": [1, {"b": None}]}}, {"passthrough": {"a": [1, {"b": None}]}}),
        ({"value": [1, "x"]}, {"value": [1, "x"]}),
    ],
)
def test_what_fits_the_contract_comes_out_plain(given: dict[str, Any], taken: dict[str, Any]) -> None:
    assert check_body(given, THING) == taken


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"nam": "x"}, "nam: there is no such field; there is name"),
        ({"zzz": "x"}, "zzz: there is no such field"),
        ({"place": {"citty": "x"}}, "place.citty: there is no such field; there is place.city"),
        ({"name": 1}, "name: must be text"),
        ({"name": ["x"]}, "name: must be text"),
        ({"name": "x" * (MAX_TEXT_LENGTH + 1)}, f"name: must have at most {MAX_TEXT_LENGTH} characters"),
        ({"name": "a\x00b"}, "name: must not have control characters"),
        ({"size": "1"}, "size: must be a number"),
        ({"size": True}, "size: must be a number"),
        ({"here": "true"}, "here: must be true or false"),
        ({"here": 1}, "here: must be true or false"),
        ({"half": "yes"}, "half: must be true or false"),
        ({"half": 0}, "half: must be true or false"),
        ({"since": "2026-01-31"}, "since: must be a date-time with a zone, such as 2026-01-31T00:00:00.000Z"),
        ({"since": "2026-01-31T00:00:00"}, "since: must be a date-time with a zone"),
        ({"since": "2026-02-30T00:00:00Z"}, "since: must be a date-time with a zone"),
        ({"since": "2026-01-31t00:00:00z"}, "since: must be a date-time with a zone"),
        ({"since": 1769817600}, "since: must be a date-time with a zone"),
        ({"day": "31.01.2026"}, "day: must be a date or date-time"),
        ({"day": "2026-02-30"}, "day: must be a date or date-time"),
        ({"lasts": "P"}, "lasts: must be an ISO 8601 duration"),
        ({"colour": "red"}, 'colour: must be an object such as {"value": …}'),
        ({"colour": {}}, 'colour: must be an object such as {"value": …}'),
        ({"colour": {"value": "green"}}, "colour.value: must be a word of ColourEnum: blue, red, unmapped_value"),
        ({"colour": {"value": 1}}, "colour.value: must be a word of ColourEnum"),
        ({"colour": {"value": "red", "label": "x"}}, "colour: has value and source_value, and no label"),
        ({"colours": {"value": "red"}}, "colours: must be a list"),
        ({"colours": [{"value": "red"}, None]}, "colours[1]: must not be null"),
        ({"colours": [{"value": None}]}, "colours[0]: must not be null"),
        ({"colours": [{"value": "x"}]}, "colours[0].value: must be a word of ColourEnum"),
        ({"places": [{}] * 101}, "places: must have at most 100 items"),
        ({"places": [{"city": 1}]}, "places[0].city: must be text"),
        ({"place": "Bonn"}, "place: must be an object"),
        ({"place": {"region": {"value": 1}}}, "place.region.value: must be a word of RegionEnum"),
        ({"passthrough": []}, "passthrough: must be an object"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadRequest) as refused:
        check_body(given, THING)
    assert len(refused.value.errors) == 1
    assert refused.value.errors[0].startswith(fault)


ORDER = Resource(
    "order",
    {
        "name": Spec(Text(5), required=True),
        "note": Text(5, 0),
        "seconds": Spec(Integer(0, 60), nullable=False, default=30),
        "kind": OneOf(("one", "two")),
        "settings": MapOf(Text(5), 2),
        "names": ListOf(TEXT, 2, 1),
        "shared": Unsupported("is not possible here"),
    },
)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"name": " Ann "}, {"name": "Ann"}),
        ({"name": "Ann", "note": "  "}, {"name": "Ann", "note": ""}),
        ({"name": "Ann", "seconds": 60.0}, {"name": "Ann", "seconds": 60}),
        ({"name": "Ann", "kind": "two"}, {"name": "Ann", "kind": "two"}),
        ({"name": "Ann", "settings": {"a": " x ", "b": None}}, {"name": "Ann", "settings": {"a": "x", "b": None}}),
        ({"name": "Ann", "shared": False}, {"name": "Ann", "shared": None}),
        ({"name": "Ann", "shared": {}}, {"name": "Ann", "shared": None}),
    ],
)
def test_types_of_requests_alone_come_out_plain_too(given: dict[str, Any], taken: dict[str, Any]) -> None:
    assert check_body(given, ORDER) == taken


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, "name: is missing"),
        ({"name": None}, "name: is missing"),
        ({"name": " "}, "name: must be 1 to 5 printable characters"),
        ({"name": "a\nb"}, "name: must be 1 to 5 printable characters"),
        ({"name": "a", "note": "abcdef"}, "note: must be 0 to 5 printable characters"),
        ({"name": "a", "seconds": None}, "seconds: must not be null"),
        ({"name": "a", "seconds": 61}, "seconds: must be a whole number from 0 to 60"),
        ({"name": "a", "seconds": 1.5}, "seconds: must be a whole number from 0 to 60"),
        ({"name": "a", "seconds": True}, "seconds: must be a whole number from 0 to 60"),
        ({"name": "a", "kind": ["one"]}, "kind: must be one of: one, two"),
        ({"name": "a", "settings": []}, "settings: must be an object with at most 2 keys"),
        ({"name": "a", "settings": {"a": "", "b": "", "c": ""}}, "settings: must be an object with at most 2 keys"),
        ({"name": "a", "settings": {"": "x"}}, "a key of settings: must be 1 to 200 printable characters"),
        ({"name": "a", "settings": {"k": 1}}, "settings.k: must be 1 to 5 printable characters"),
        ({"name": "a", "names": []}, "names: must have 1 to 2 items"),
        ({"name": "a", "shared": True}, "shared: is not possible here"),
    ],
)
def test_types_of_requests_alone_have_their_faults(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadRequest) as refused:
        check_body(given, ORDER)
    assert refused.value.errors == (fault,)


def test_what_is_missing_or_null_has_its_default() -> None:
    assert with_defaults({"name": "a", "kind": None}, ORDER) == {
        **dict.fromkeys(ORDER.fields),
        "name": "a",
        "seconds": 30,
    }


def test_every_fault_is_named_and_no_value_is_repeated() -> None:
    with pytest.raises(BadRequest) as refused:
        check_body({"name": 7, "secret": "planted", "place": {"city": ["planted"]}, "size": "planted"}, THING)
    assert refused.value.errors == (
        "name: must be text",
        f"secret: there is no such field; known: {', '.join(THING.fields)}",
        "place.city: must be text",
        "size: must be a number",
    )
    assert "planted" not in refused.value.message


def test_very_many_faults_are_cut_short() -> None:
    with pytest.raises(BadRequest) as refused:
        check_body({f"{number}": 1 for number in range(5 * MAX_FAULTS)}, THING)
    assert len(refused.value.errors) == MAX_FAULTS


@pytest.mark.parametrize(
    "raw", [b"", b"  ", b"[]", b"null", b'"x"', b"1", b"{", b'{"a": NaN}', b'{"a": "\xff"}', b"[" * 100_000]
)
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="body"):
        parse_json(raw)


def test_a_json_object_is_read() -> None:
    assert parse_json(orjson.dumps({"a": 1})) == {"a": 1}
