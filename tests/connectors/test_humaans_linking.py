"""How a Humaans token is judged, against answers that a vendor may give."""

import json
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest

from connectors.exchange import Answer, Grant, Request
from connectors.humaans.linking import INVALID, NO_SCOPE, check_token, verify

OWN_ROW = {"id": "p1", "firstName": "Ann", "personalEmail": None, "birthday": None}
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


def test_a_token_whose_scopes_humaans_tells_takes_two_calls() -> None:
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


@pytest.mark.parametrize("told", [True, False])
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
    answers: Answers, company: str | None, *, told: bool
) -> None:
    scopes = {"/token-info": (200, {"scopes": ["public:read"]})} if told else {"/documents": rows()}
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
def test_without_a_word_from_humaans_the_scopes_are_found_by_reading(token_info: tuple[int, object]) -> None:
    found, asked = run({"/token-info": token_info, "/people": rows(PUBLIC_ROW), "/documents": rows(), **OF_COMPANY})
    assert isinstance(found, Grant)
    assert found.scopes == {"public:read", "documents:read"}
    assert found.found_by == "probe"
    assert [each.path for each in asked] == [*OFFERED, "/me"]
    assert {each.query for each in asked[1:-1]} == {(("$limit", "1"),)}
    assert any("scopes for writing cannot be found" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("answers", "scopes"),
    [
        ({"/people": rows(PUBLIC_ROW)}, {"public:read"}),
        ({"/people": rows(OWN_ROW)}, {"private:read"}),
        ({"/people": rows({**PUBLIC_ROW, "employeeId": "7"})}, {"private:read"}),
        ({"/people": rows(OWN_ROW), "/compensations": rows({"id": "c"})}, {"private:read", "compensations:read"}),
        ({"/people": rows(PUBLIC_ROW), "/webhooks": rows()}, {"public:read", "webhooks:manage"}),
        ({"/people": rows(PUBLIC_ROW), "/documents": HTML}, {"public:read"}),
        ({"/people": rows(PUBLIC_ROW), "/documents": (200, {"data": None})}, {"public:read"}),
        ({"/people": rows(PUBLIC_ROW), "/documents": (404, {})}, {"public:read"}),
        ({"/people": rows(None, "text", PUBLIC_ROW)}, {"public:read"}),
        ({"/documents": rows()}, {"documents:read"}),
    ],
)
def test_each_read_tells_its_scope(answers: Answers, scopes: set[str]) -> None:
    assert grant(answers).scopes == scopes


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
