"""Small things of Humaans: values of custom fields, clearing codes of bank accounts, and how it words its errors."""

from datetime import date
from typing import Any

import pytest

from connectors.humaans.bank_details import clearing_codes
from connectors.humaans.custom_fields import newest_values
from connectors.humaans.faults import LONGEST, fault_text

TODAY = date(2026, 11, 24)


def value_row(name: str, field: Any, updated: Any, **values: Any) -> dict[str, Any]:
    return {"id": name, "customFieldId": field, "updatedAt": updated, "value": name, **values}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([value_row("a", "size", "2026-01-01"), value_row("b", "team", "2026-01-01")], ["a", "b"]),
        # Of several of one field the newest counts, whichever way the list is sorted.
        ([value_row("old", "size", "2026-01-01"), value_row("new", "size", "2026-02-01")], ["new"]),
        ([value_row("new", "size", "2026-02-01"), value_row("old", "size", "2026-01-01")], ["new"]),
        ([value_row("none", "size", None), value_row("dated", "size", "2026-01-01")], ["dated"]),
        # A value of a role or a salary is not one of the person.
        ([value_row("a", "size", "2026-01-01", resourceId="role1")], []),
        ([value_row("a", "size", "2026-01-01", resourceId="p1")], ["a"]),
        ([value_row("a", "size", "2026-01-01", resourceId=None)], ["a"]),
        # What cannot be an id belongs to nobody.
        ([value_row("a", ["size"], "2026-01-01"), value_row("b", "size", "2026-01-01")], ["b"]),
        ([value_row("a", "size", "2026-01-01", resourceId=["p1"])], []),
    ],
)
def test_of_several_values_of_a_field_the_newest_counts(rows: list[dict[str, Any]], expected: list[str]) -> None:
    assert [row["id"] for row in newest_values({"id": "p1"}, rows, TODAY)] == expected


@pytest.mark.parametrize(
    ("sort_code", "routing", "expected"),
    [
        ("123456", None, [("sort_code", "sortCode", "123456")]),
        (None, "021000021", [("aba_routing", "routingNumber", "021000021")]),
        ("1", "2", [("sort_code", "sortCode", "1"), ("aba_routing", "routingNumber", "2")]),
        (None, None, None),
        ("", "", None),
    ],
)
def test_clearing_codes_name_their_kind(sort_code: Any, routing: Any, expected: Any) -> None:
    found = clearing_codes(sort_code, routing)
    assert found == (
        expected
        and [{"type": {"value": ours, "source_value": theirs}, "value": value} for ours, theirs, value in expected]
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"code": 404, "name": "NotFound", "message": "No record found"}, "No record found"),
        ({"code": "not_found", "message": "No  record\nfound\t"}, "No record found"),
        (
            {"message": "Bad", "issues": [{"name": "email", "reason": "is taken"}, {"name": "age", "reason": "odd"}]},
            "Bad; email: is taken; age: odd",
        ),
        ({"message": "Bad", "issues": [{"path": "email", "message": "is taken"}]}, "Bad; email: is taken"),
        ({"issues": [{"name": "email", "reason": "is taken"}, "x", {}, {"name": 1, "reason": 2}]}, "email: is taken"),
        ({"message": "x" * 500}, "x" * LONGEST),
        ({"message": 7, "issues": {}}, ""),
        ({}, ""),
        ([], ""),
        (None, ""),
        ("<html>", ""),
    ],
)
def test_the_vendors_own_message_is_read_in_both_of_its_forms(body: Any, text: str) -> None:
    assert fault_text(body) == text
