"""How a Humaans token is judged, against answers that a vendor may give."""

import json
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest

from connectors.exchange import Answer, Grant, Request
from connectors.humaans.linking import INVALID, NO_SCOPE, check_token, verify

OWN_ROW = {"id": "p1", "firstName": "Ann", "personalEmail": None, "birthday": None}
FILLED = {"id": "p2", "firstName": "Bob", "personalEmail": "bob@home.example", "birthday": None}
PUBLIC_ROW = {"id": "p1", "firstName": "Ann"}
ADMIN = {"/me": (200, {"role": "admin"})}
OF_COMPANY = {"/me": (200, {"role": "admin", "companyId": "c1"})}
OFFERED = "/token-info", "/people", "/compensations", "/documents", "/webhooks"
FORBIDDEN = (403, {"code": 403, "name": "Forbidden", "message": "no"})
HTML = (200, "<html>sign in</html>")
Answers = Mapping[str, tuple[int, object]]


def run(answers: Answers, make: Callable[[], Generator[Request, Answer, Any]] = verify) -> tuple[Any, list[Request]]:
    """Drive the flow; what is not in the table is forbidden."""
    flow, asked = make(), []
    try:
        request = next(flow)
        while True:
            asked.append(request)
            status, body = answers.get(request.path, FORBIDDEN)
            raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
            request = flow.send(Answer(status, {}, raw))
    except StopIteration as end:
        return end.value, asked


def grant(answers: Answers) -> Grant:
    found, _ = run(answers)
    assert isinstance(found, Grant)
    return found


def rows(*people: object) -> tuple[int, object]:
    return 200, {"total": len(people), "limit": 1, "skip": 0, "data": people}


def test_a_token_whose_scopes_humaans_states_takes_two_calls() -> None:
    found, asked = run({"/token-info": (200, {"id": "t", "scopes": ["public:read", "private:write"]}), **OF_COMPANY})
    assert [(each.method, each.path) for each in asked] == [("GET", "/token-info"), ("GET", "/me")]
    assert isinstance(found, Grant)
    assert found.scopes == {"public:read", "private:write"}
    assert (found.found_by, found.role) == ("token-info", "admin")


@pytest.mark.parametrize("path", ["/token-info", "/me", "/people", "/webhooks"])
@pytest.mark.parametrize("body", [{"code": 401}, {"code": "NotAuthenticated"}, "<html>", "", "null"])
def test_a_token_that_humaans_does_not_accept_is_refused_with_what_to_do(path: str, body: object) -> None:
    found, _ = run({"/people": rows(OWN_ROW), **ADMIN, path: (401, body)})
    assert found == INVALID
    assert "Make a new one in Humaans" in INVALID.reason


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize(
    ("answers", "company"),
    [
        ({"/me": (200, {"role": "owner", "companyId": "T7uqPFK7"})}, "T7uqPFK7"),
        ({"/me": FORBIDDEN, "/people": rows({**PUBLIC_ROW, "companyId": "T7uqPFK7"})}, "T7uqPFK7"),
        ({**ADMIN, "/people": rows(PUBLIC_ROW), "/companies": rows({"id": "T7uqPFK7"})}, "T7uqPFK7"),
        ({"/me": HTML, "/people": HTML, "/companies": rows({"id": "T7uqPFK7"})}, "T7uqPFK7"),
        ({**ADMIN, "/people": rows(PUBLIC_ROW), "/companies": rows()}, None),
        ({**ADMIN, "/people": rows(PUBLIC_ROW), "/companies": (404, {})}, None),
        ({"/me": (200, {"companyId": None}), "/people": rows({**PUBLIC_ROW, "companyId": 7})}, None),
        ({"/me": (200, {"companyId": "a b"}), "/companies": rows({"id": {}})}, None),
        ({"/me": (200, {"companyId": "x" * 65}), "/companies": HTML}, None),
    ],
)
def test_the_company_is_what_humaans_says_in_any_of_its_forms_and_else_no_claim(
    answers: Answers, company: str | None, *, stated: bool
) -> None:
    scopes = {"/token-info": (200, {"scopes": ["public:read"]})} if stated else {"/documents": rows()}
    assert grant({**scopes, **answers}).company == company


KNOWN, UNKNOWN, NOTHING = (200, {"id": "t"}), (401, {"code": 401}), (404, {"code": 404})


@pytest.mark.parametrize(
    ("answers", "taken", "asked"),
    [
        ({"/token-info": KNOWN}, True, 1),
        ({"/token-info": (403, {"name": "Forbidden"})}, True, 1),
        ({"/token-info": UNKNOWN}, False, 1),
        ({"/token-info": (401, "<html>")}, False, 1),
        ({"/token-info": NOTHING, "/me": KNOWN}, True, 2),
        ({"/token-info": HTML, "/me": UNKNOWN}, False, 2),
        ({"/token-info": (200, ""), "/me": (403, "<html>"), "/people": rows(PUBLIC_ROW)}, True, 3),
        ({"/token-info": NOTHING, "/me": NOTHING, "/people": UNKNOWN}, False, 3),
        ({"/token-info": HTML, "/me": HTML, "/people": HTML}, None, 3),
        ({"/token-info": NOTHING, "/me": NOTHING, "/people": NOTHING}, None, 3),
    ],
)
def test_a_check_says_whether_the_token_is_taken_and_asks_no_further_than_it_must(
    answers: Answers, taken: bool | None, asked: int
) -> None:
    found, requests = run(answers, check_token)
    assert (found, len(requests)) == (taken, asked)


@pytest.mark.parametrize(
    "token_info",
    [
        (404, {"code": "404", "name": "NotFound"}),
        FORBIDDEN,
        HTML,
        (200, ""),
        (200, None),
        (200, []),
        (200, "[" * 100_000),
        (200, b"\xff\xfe"),
        (200, {}),
        (200, {"scopes": None}),
        (200, {"scopes": "public:read"}),
        (200, {"scopes": [None]}),
        (200, {"scopes": [{"name": "public:read"}]}),
        (302, {"scopes": ["private:write"]}),
    ],
)
def test_the_scopes_that_humaans_does_not_state_are_found_by_reading(token_info: tuple[int, object]) -> None:
    found, asked = run({"/token-info": token_info, "/people": rows(PUBLIC_ROW), "/documents": rows(), **OF_COMPANY})
    assert isinstance(found, Grant)
    assert found.scopes == {"public:read", "documents:read"}
    assert found.found_by == "probe"
    assert [each.path for each in asked] == [OFFERED[0], "/me", *OFFERED[1:]]
    assert [dict(each.query) for each in asked[2:]] == [{"$limit": "100"}, *[{"$limit": "1"}] * 3]
    assert found.unknown == {"private:write", "compensations:write", "documents:write"}
    assert any("Scopes for writing cannot be found" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("answers", "scopes"),
    [
        ({"/people": rows(PUBLIC_ROW)}, {"public:read"}),
        ({"/people": rows(OWN_ROW, FILLED)}, {"private:read"}),
        ({"/people": rows({**PUBLIC_ROW, "employeeId": "7"})}, {"public:read"}),
        (
            {"/people": rows(FILLED, OWN_ROW), "/compensations": rows({"id": "c"})},
            {"private:read", "compensations:read"},
        ),
        ({"/people": rows(PUBLIC_ROW), "/webhooks": rows()}, {"public:read", "webhooks:manage"}),
        ({"/people": rows(PUBLIC_ROW), "/documents": HTML}, {"public:read"}),
        ({"/people": rows(PUBLIC_ROW), "/documents": (200, {"data": None})}, {"public:read"}),
        ({"/people": rows(PUBLIC_ROW), "/documents": (404, {})}, {"public:read"}),
        ({"/people": rows(None, "text", PUBLIC_ROW)}, {"public:read"}),
        ({"/documents": rows()}, {"documents:read"}),
    ],
)
def test_each_read_finds_its_scope(answers: Answers, scopes: set[str]) -> None:
    assert grant({"/me": (200, OWN_ROW), **answers}).scopes == scopes


OTHER_ROW = {**OWN_ROW, "id": "p2"}
OTHER_PUBLIC = {**PUBLIC_ROW, "id": "p2"}
OWN_FILLED = {**OWN_ROW, "personalEmail": "ann@home.example"}
SURE, NOT, DOUBT = {"private:read"}, set[str](), {"doubtful"}


@pytest.mark.parametrize(
    ("people", "known", "anonymous"),
    [
        # One's own row proves nothing, filled or not; in a company of one there is no other.
        ([OWN_ROW], DOUBT, DOUBT),
        ([OWN_FILLED], DOUBT, DOUBT),
        ([PUBLIC_ROW], DOUBT, DOUBT),
        # Somebody else's value does. Without knowing who is who, it takes two.
        ([OWN_ROW, FILLED], SURE, DOUBT),
        ([FILLED], SURE, DOUBT),
        ([OWN_FILLED, FILLED], SURE, SURE),
        ([FILLED, {**FILLED, "id": "p3"}], SURE, SURE),
        # Keys that are left out are not shown: people of little standing see those of their own row.
        ([OWN_FILLED, OTHER_PUBLIC], NOT, NOT),
        ([PUBLIC_ROW, OTHER_PUBLIC], NOT, NOT),
        # Null may be no value, or no right.
        ([OWN_FILLED, OTHER_ROW], DOUBT, DOUBT),
        ([OWN_ROW, OTHER_ROW], DOUBT, DOUBT),
        ([OWN_ROW, OTHER_PUBLIC, {**OTHER_ROW, "id": "p3"}], DOUBT, DOUBT),
        ([OWN_ROW, {**OTHER_ROW, "personalEmail": "", "address": None}], DOUBT, DOUBT),
        # A manager sees what is private of some, and not of others.
        ([OWN_FILLED, OTHER_PUBLIC, {**FILLED, "id": "p3"}], SURE, SURE),
    ],
)
@pytest.mark.parametrize("me", [True, False])
def test_public_does_not_pass_for_private_and_what_cannot_be_known_has_a_warning(
    people: list[dict[str, object]], known: set[str], anonymous: set[str], *, me: bool
) -> None:
    expected = known if me else anonymous
    found = grant({"/people": rows(*people), **({"/me": (200, OWN_ROW)} if me else {})})
    assert found.scopes == (SURE if expected == SURE else {"public:read"})
    assert found.doubtful == (frozenset({"private:read"}) if expected == DOUBT else frozenset())
    assert any("cannot be told from what it shows" in each for each in found.warnings) is (expected == DOUBT)
    assert any("has public:read but not private:read" in each for each in found.warnings) is (expected == NOT)


def test_a_401_says_nothing_of_the_token_where_humaans_describes_it() -> None:
    found = grant({"/token-info": (200, {"scopes": ["public:read"]}), "/me": (401, {})})
    assert found.scopes == {"public:read"}
    assert found.role is None


@pytest.mark.parametrize(
    "answers",
    [{"/token-info": (200, {"scopes": []})}, {"/token-info": (200, {"scopes": [" "]})}, {}, {"/people": rows()}],
)
def test_a_token_that_may_do_nothing_is_refused(answers: Answers) -> None:
    assert run(answers)[0] == NO_SCOPE


@pytest.mark.parametrize(
    ("scopes", "me", "warnings"),
    [
        (["public:read", "private:read"], (200, {"role": "owner"}), []),
        (["public:read", "private:read"], (200, {"role": "Admin"}), []),
        (["private:read"], (200, {"role": "owner"}), []),
        (["public:read"], (200, {"role": "owner"}), ["new hires and leavers are hidden"]),
        (["private:read"], (200, {"role": "user"}), ["has the role user"]),
        (["public:read"], (200, {"role": "user"}), ["new hires and leavers are hidden", "has the role user"]),
        (["private:read"], (200, {"role": None}), ["did not tell the role"]),
        (["private:read"], (200, {"role": {"name": "owner"}}), ["did not tell the role"]),
        (["compensations:read"], (403, {}), ["did not tell the role"]),
        (["private:read"], HTML, ["did not tell the role"]),
    ],
)
def test_what_will_be_missing_is_said(scopes: list[str], me: tuple[int, object], warnings: list[str]) -> None:
    said = grant({"/token-info": (200, {"scopes": scopes}), "/me": me}).warnings
    assert len(said) == len(warnings)
    assert all(words in warning for words, warning in zip(warnings, said, strict=True))
