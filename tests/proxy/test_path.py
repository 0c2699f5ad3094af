"""What may be a path of a passed-through call, and what is refused because it could be read in two ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.connector import VendorPath
from connectors.registry import CONNECTORS
from gateway.errors import BadRequest, Forbidden
from gateway.proxy.path import Target, read_target
from gateway.proxy.request import ProxyRequest

HUMAANS = CONNECTORS["humaans"]
BASE = "https://app.humaans.io/api"


def target(path: str, method: str = "GET", url: str | None = None) -> Target:
    return read_target(ProxyRequest(method, path, url, {}, None), HUMAANS)


@pytest.mark.parametrize(
    ("path", "rule", "query"),
    [
        ("/people", "/people", ()),
        ("/people?status=all&$limit=2", "/people", (("status", "all"), ("$limit", "2"))),
        ("/people?", "/people", ()),
        ("/people?a=1&a=2&b=", "/people", (("a", "1"), ("a", "2"), ("b", ""))),
        ("/people?x=%2F..%2F@", "/people", (("x", "/../@"),)),
        ("/job-roles?$asOf=2026-01-01", "/job-roles", (("$asOf", "2026-01-01"),)),
        ("/people?id[$in][]=a&id[$in][0]=b", "/people", (("id[$in][]", "a"), ("id[$in][0]", "b"))),
        ("/people/VMB1yzL5uL8VvNNCJc9rykJz", "/people/{id}", ()),
        ("/public-holidays?date%5B%24gte%5D=2026-01-01", "/public-holidays", (("date[$gte]", "2026-01-01"),)),
        ("/me", "/me", ()),
    ],
)
def test_a_plain_path_of_a_rule_is_taken_as_it_is(path: str, rule: str, query: tuple[tuple[str, str], ...]) -> None:
    found = target(path)
    assert (found.path, found.rule.path, found.query) == (path.partition("?")[0], rule, query)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "people",
        "?status=all",
        "//people",
        "//evil.example/people",
        "/people//x",
        "/people/",
        "/./people",
        "/people/..",
        "/people/../webhooks",
        "/people/%2e%2e/webhooks",
        "/people/%2E./webhooks",
        "/people/..%2fwebhooks",
        "/people%2F1",
        "/people/%5c..%5cwebhooks",
        "/people\\1",
        "/people/a@b",
        "/people/%40",
        "/@evil.example/people",
        "http://evil.example/people",
        "https://app.humaans.io/api/people",
        "/people/\r\nX-Evil: 1",
        "/people/%0d%0aX-Evil:1",
        "/people/%00",
        "/people/ x",
        "/people/é",
        "/people/%zz",
        "/people#x",
        "/people/%252e%252e%252fwebhooks",
        "/people/%C0%AE%C0%AE",
        "/people/%41",
        "/people/a.b",
        "/people/a~b",
        "/people/a;b=c",
        "/people/a:b",
        "/people/a,b",
        "/people/\uff0e\uff0e",
        "/%70eople",
        "/" + "x" * 3000,
    ],
)
def test_a_path_that_could_be_read_in_two_ways_is_refused(path: str) -> None:
    with pytest.raises(BadRequest):
        target(path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/payroll"),
        ("GET", "/people/1/documents"),
        ("PUT", "/people/1"),
        ("DELETE", "/people"),
        ("POST", "/people/1"),
        ("DELETE", "/companies/1"),
        ("POST", "/tasks"),
        ("GET", "/People"),
        ("GET", "/me/tokens"),
    ],
)
def test_a_path_or_method_without_a_rule_is_closed(method: str, path: str) -> None:
    with pytest.raises(Forbidden, match="No rule opens") as caught:
        target(path, method)
    assert caught.value.code == "PathClosedError"


@pytest.mark.parametrize(
    "url", ["https://evil.example", "http://app.humaans.io/api", BASE + ".evil.example", "//x", ""]
)
def test_another_base_url_is_refused(url: str) -> None:
    with pytest.raises(BadRequest, match="url cannot be chosen"):
        target("/people", url=url)


def test_the_base_url_itself_may_be_named() -> None:
    assert target("/people", url=BASE + "/").path == "/people"


@pytest.mark.parametrize("rule", [each for each in HUMAANS.paths if "GET" in each.needs], ids=lambda each: each.path)
@pytest.mark.parametrize(
    "name",
    [
        "$or",
        "$or[0][birthday]",
        "$or.endDate[$gte]",
        "$sort[birthday]",
        "$select",
        "$select[]",
        "$search",
        "$withVisibility",
        "$limit[$gt]",
        "$asOf[$ne]",
        "$where",
        "calendarFeedToken",
        "calendarFeedToken[$gte]",
        "id[$or][0][calendarFeedToken]",
        "id[calendarFeedToken]",
        "id[$regex]",
        "id[$like]",
        "a.b",
        "",
        "[id]",
        "id]",
        "__proto__[x]",
        *(f"{column}[$gte]" for column in sorted({hidden for each in HUMAANS.paths for hidden in each.hides})),
    ],
)
def test_a_query_compares_columns_that_may_leave_and_nothing_else(rule: VendorPath, name: str) -> None:
    column = name.partition("[")[0]
    shown = column not in HUMAANS.never | rule.hides
    if name.endswith("[$gte]") and shown and not column.startswith("$"):
        assert target(f"{rule.path.replace('{id}', 'x')}?{name}=1").query == ((name, "1"),)
        return
    with pytest.raises(BadRequest, match="not sent on"):
        target(f"{rule.path.replace('{id}', 'x')}?{name}=1")


@given(st.text())
def test_whatever_is_sent_begins_with_a_known_path_and_holds_no_dot_segment(path: str) -> None:
    try:
        found = target("/people/" + path)
    except (BadRequest, Forbidden):
        return
    assert found.rule.path == "/people/{id}"
    assert found.path.isascii()
    assert found.path.isprintable()
    assert found.path.count("/") == 2
    assert ".." not in found.path.split("/")


def test_every_rule_names_scopes_that_humaans_has_and_each_of_the_eight_opens_something() -> None:
    named = {scope for row in HUMAANS.paths for need in row.needs.values() for scope in need.any_of}
    assert named == set(HUMAANS.scopes)
