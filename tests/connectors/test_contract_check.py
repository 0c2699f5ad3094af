"""The check that other tests lean on finds what it should."""

from typing import Any

import pytest

from connectors.contract import ANY, BOOLEAN, DURATION, INSTANT, MAP, NUMBER, TEXT, ListOf, Resource, Type, Words
from tests.fixtures.contract_check import faults

COLOUR = Words("ColourEnum", frozenset({"red", "unmapped_value"}))
THING = Resource("thing", {"name": TEXT, "colour": COLOUR, "parts": ListOf(TEXT)})


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        *(
            (wanted, None)
            for wanted in (TEXT, NUMBER, BOOLEAN, INSTANT, DURATION, MAP, ANY, COLOUR, ListOf(TEXT), THING)
        ),
        (TEXT, ""),
        (NUMBER, 0),
        (NUMBER, 1.5),
        (BOOLEAN, False),
        (INSTANT, "2026-11-24T00:00:00.000Z"),
        (INSTANT, "2026-11-24T00:00:00+01:00"),
        (DURATION, "P3Y6M4DT12H30M5S"),
        (DURATION, "PT8H"),
        (DURATION, "P0.5D"),
        (MAP, {"any": [1]}),
        (ANY, [1, {"x": None}]),
        (COLOUR, {"value": "red", "source_value": "Rot"}),
        (COLOUR, {"value": None, "source_value": None}),
        (ListOf(TEXT), ["a", None]),
        (THING, {}),
        (THING, {"name": None, "colour": None, "parts": []}),
    ],
)
def test_what_fits_has_no_fault(wanted: Type, value: Any) -> None:
    assert list(faults(value, wanted)) == []


@pytest.mark.parametrize(
    ("wanted", "value", "fault"),
    [
        (TEXT, 7, "x: 7 is no string"),
        (NUMBER, "7", "x: '7' is no number"),
        (NUMBER, True, "x: True is no number"),
        (BOOLEAN, "true", "x: 'true' is no boolean"),
        (INSTANT, "2026-11-24", "is no RFC 3339 date-time with a zone"),
        (INSTANT, "2026-11-24T00:00:00", "is no RFC 3339"),
        (INSTANT, "2026-11-24 00:00:00Z", "is no RFC 3339"),
        (INSTANT, "2026-11-24t00:00:00z", "is no RFC 3339"),
        (INSTANT, "2026-02-30T00:00:00Z", "is no RFC 3339"),
        (INSTANT, 1795521600, "is no RFC 3339"),
        (DURATION, "8 hours", "is no ISO 8601 duration"),
        (DURATION, "P", "is no ISO 8601 duration"),
        (DURATION, "P0.5DT1H", "is no ISO 8601 duration"),
        (DURATION, "PT", "is no ISO 8601 duration"),
        (MAP, [], "x: [] is no object of any keys"),
        (COLOUR, "red", "x: 'red' is no object of ColourEnum"),
        (COLOUR, {"value": "red"}, "an enum has value and source_value, not value"),
        (COLOUR, {}, "an enum has value and source_value, not nothing"),
        (COLOUR, {"value": "Rot", "source_value": "Rot"}, "x: ColourEnum has no 'Rot'"),
        (ListOf(TEXT), "a", "x: 'a' is no list"),
        (ListOf(TEXT), ["a", 7], "x[1]: 7 is no string"),
        (THING, [], "x: [] is no object of thing"),
        (THING, {"shape": 1}, "x.shape: thing has no such field"),
        (THING, {"colour": {"value": "blue", "source_value": 1}}, "x.colour: ColourEnum has no 'blue'"),
        (THING, {"parts": [None, {}]}, "x.parts[1]: {} is no string"),
    ],
)
def test_what_does_not_fit_is_named_with_its_path(wanted: Type, value: Any, fault: str) -> None:
    [found] = faults(value, wanted, "x")
    assert fault in found


def test_every_fault_is_named() -> None:
    value = {"name": 1, "colour": "red", "parts": 7, "shape": 1}
    assert [each.partition(":")[0] for each in faults(value, THING)] == ["name", "colour", "parts", "shape"]
