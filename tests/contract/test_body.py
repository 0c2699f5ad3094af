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
    ListOf,
    Resource,
    Words,
)
from gateway.contract.body import LONGEST_TEXT, MOST_FAULTS, MOST_ITEMS, check_body, parse_json
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
        ({"name": "x" * (LONGEST_TEXT + 1)}, f"name: must have at most {LONGEST_TEXT} characters"),
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
        ({"places": [{}] * (MOST_ITEMS + 1)}, f"places: must have at most {MOST_ITEMS} items"),
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


def test_every_fault_is_named_and_no_value_is_repeated() -> None:
    with pytest.raises(BadRequest) as refused:
        check_body({"name": 7, "secret": "planted", "place": {"city": ["planted"]}, "size": "planted"}, THING)
    assert refused.value.errors == (
        "name: must be text",
        "secret: there is no such field",
        "place.city: must be text",
        "size: must be a number",
    )
    assert "planted" not in refused.value.message


def test_very_many_faults_are_cut_short() -> None:
    with pytest.raises(BadRequest) as refused:
        check_body({f"{number}": 1 for number in range(5 * MOST_FAULTS)}, THING)
    assert len(refused.value.errors) == MOST_FAULTS


@pytest.mark.parametrize(
    "raw", [b"", b"  ", b"[]", b"null", b'"x"', b"1", b"{", b'{"a": NaN}', b'{"a": "\xff"}', b"[" * 100_000]
)
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="body"):
        parse_json(raw)


def test_a_json_object_is_read() -> None:
    assert parse_json(orjson.dumps({"a": 1})) == {"a": 1}
