"""Converters take whatever a vendor sends: they never raise, never guess, and null stays null."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import convert
from connectors.contract import ANY, BOOLEAN, DURATION, INSTANT, MAP, NUMBER, TEXT, ListOf, Plain, Type, Words
from tests.fixtures.contract_check import faults

COLOUR = Words("ColourEnum", frozenset({"red", "green", "unmapped_value"}))
TABLE = {"Rot": "red", "dark green": "green"}
colour = convert.words(COLOUR, TABLE)
same_colour = convert.same_words(COLOUR)
person_id = convert.identifier("employee")

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.dates().map(str)
    | st.datetimes().map(str)
    | st.from_regex(r"\d{4}-\d\d-\d\d[T ]?[\d:.]{0,12}(Z|[+-]\d\d:?\d\d)?", fullmatch=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
CONVERTERS: dict[str, tuple[Callable[[Any], Any], Type]] = {
    "text": (convert.text, TEXT),
    "number": (convert.number, NUMBER),
    "boolean": (convert.boolean, BOOLEAN),
    "instant": (convert.instant, INSTANT),
    "latest": (convert.latest, INSTANT),
    "full_name": (convert.full_name, TEXT),
    "anything": (convert.anything, ANY),
    "words": (colour, COLOUR),
    "same_words": (same_colour, COLOUR),
    "identifier": (person_id, TEXT),
}


@pytest.mark.parametrize("name", CONVERTERS)
@given(value=JSON)
@settings(deadline=None, max_examples=100)
def test_any_json_value_becomes_a_value_of_the_type(name: str, value: Any) -> None:
    converter, wanted = CONVERTERS[name]
    found = converter(value)
    assert list(faults(None if found is convert.UNREADABLE else found, wanted)) == []


@pytest.mark.parametrize("name", CONVERTERS)
def test_null_stays_null(name: str) -> None:
    converter, _ = CONVERTERS[name]
    assert converter(None) is None


@pytest.mark.parametrize("name", ["text", "number", "boolean", "instant", "latest", "full_name"])
@given(value=JSON)
@settings(deadline=None, max_examples=100)
def test_what_is_converted_stays_as_it_is(name: str, value: Any) -> None:
    converter, _ = CONVERTERS[name]
    once = converter(value)
    assert converter(once) == once


@pytest.mark.parametrize(
    ("converter", "value", "expected"),
    [
        (convert.text, "a", "a"),
        (convert.text, "", None),
        (convert.text, " ", " "),
        (convert.text, 7, "7"),
        (convert.text, 0, "0"),
        (convert.text, 1.5, "1.5"),
        (convert.text, True, None),
        (convert.text, ["a"], None),
        (convert.text, {"a": 1}, None),
        (convert.number, 7, 7),
        (convert.number, 1.5, 1.5),
        (convert.number, "7", 7),
        (convert.number, "-7.25", -7.25),
        (convert.number, "seven", None),
        (convert.number, "", None),
        (convert.number, "1,5", None),
        (convert.number, "9" * 5000, None),
        (convert.number, True, None),
        (convert.number, [7], None),
        (convert.boolean, True, True),
        (convert.boolean, False, False),
        (convert.boolean, "true", None),
        (convert.boolean, 1, None),
        (convert.instant, "2026-11-24", "2026-11-24T00:00:00.000Z"),
        (convert.instant, "2024-02-29", "2024-02-29T00:00:00.000Z"),
        (convert.instant, "2026-02-29", None),
        (convert.instant, "0000-01-01", None),
        (convert.instant, "2022-08-11T09:54:23.930Z", "2022-08-11T09:54:23.930Z"),
        (convert.instant, "2022-08-11T09:54:23Z", "2022-08-11T09:54:23.000Z"),
        (convert.instant, "2022-08-11T09:54:23.930123Z", "2022-08-11T09:54:23.930Z"),
        (convert.instant, "2022-08-11T00:30:00+02:00", "2022-08-10T22:30:00.000Z"),
        (convert.instant, "0001-01-01T00:00:00+02:00", None),
        (convert.instant, "9999-12-31T23:00:00-02:00", None),
        # Without a zone nobody knows when.
        (convert.instant, "2022-08-11T09:54:23", None),
        (convert.instant, "09-21", None),
        (convert.instant, "٢٠٢٦-٠٢-٢٤", None),
        (convert.instant, "2026-11-24\n", None),
        (convert.instant, "", None),
        (convert.instant, 1795521600, None),
        (convert.full_name, "Ann", "Ann"),
        (convert.full_name, "", None),
        (colour, "Rot", {"value": "red", "source_value": "Rot"}),
        (colour, "ROT", {"value": "red", "source_value": "ROT"}),
        (colour, " rot ", {"value": "red", "source_value": " rot "}),
        (colour, "Dark-Green", {"value": "green", "source_value": "Dark-Green"}),
        (colour, "dark_  green", {"value": "green", "source_value": "dark_  green"}),
        (colour, "darkgreen", {"value": "unmapped_value", "source_value": "darkgreen"}),
        (colour, "red", {"value": "unmapped_value", "source_value": "red"}),
        (colour, "", None),
        (colour, 7, {"value": "unmapped_value", "source_value": 7}),
        (colour, ["Rot"], {"value": "unmapped_value", "source_value": ["Rot"]}),
        (same_colour, "red", {"value": "red", "source_value": "red"}),
        (same_colour, "blue", {"value": "unmapped_value", "source_value": "blue"}),
        (person_id, "", None),
        (person_id, ["x"], None),
    ],
)
def test_a_value_is_converted_and_never_guessed(converter: Callable[[Any], Any], value: Any, expected: Any) -> None:
    found = converter(value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("2026-01-01", "2026-01-02T00:00:00Z"), "2026-01-02T00:00:00.000Z"),
        (("2026-01-02", None), "2026-01-02T00:00:00.000Z"),
        # The later one may be the one that cannot be read.
        (("soon", "2026-01-02"), convert.UNREADABLE),
        (("2026-01-02", 7), convert.UNREADABLE),
        # 01:00 in Rome is before half past midnight in London.
        (("2026-01-02T01:00:00+01:00", "2026-01-02T00:30:00+00:00"), "2026-01-02T00:30:00.000Z"),
        ((), None),
        ((None, "never"), convert.UNREADABLE),
    ],
)
def test_the_latest_of_several_moments(values: tuple[Any, ...], expected: Any) -> None:
    assert convert.latest(*values) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [(("Ann", "Lee"), "Ann Lee"), (("Ann", None), "Ann"), ((None, "Lee"), "Lee"), ((None, ""), None), ((), None)],
)
def test_a_full_name_has_no_gaps(parts: tuple[Any, ...], expected: str | None) -> None:
    assert convert.full_name(*parts) == expected


def test_a_table_with_unknown_names_is_refused_with_all_of_them() -> None:
    with pytest.raises(ValueError, match="ColourEnum has no blue, pink"):
        convert.words(COLOUR, {"Blau": "blue", "Rot": "red", "Rosa": "pink"})


def test_a_constant_is_not_made_up_for_what_is_missing() -> None:
    assert convert.constant(7)("x") == 7
    assert convert.constant(7)(None) is None


def test_each_plain_type_has_a_converter_of_its_own_and_the_others_none() -> None:
    assert all(convert.default(plain) for plain in Plain)
    assert [convert.default(wanted) for wanted in (COLOUR, ListOf(TEXT))] == [None, None]
    assert [convert.default(each) for each in (TEXT, DURATION, MAP)] == [convert.text, convert.text, convert.anything]
