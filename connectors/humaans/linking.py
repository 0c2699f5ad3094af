"""How a Humaans API token is checked: what it may do, by Humaans' own word or else by probing.

What a token reaches is its scopes and the role of the person who made it, so the role is asked for too.
Bodies are judged with suspicion: any of them may be HTML, a list, or have null where we expect a value.
"""

import json
import re
from collections.abc import Generator
from typing import Any, TypeAlias

from connectors.exchange import Answer, Grant, Refusal, Request, TokenCheck, Verification

Asking: TypeAlias = Generator[Request, Answer, frozenset[str]]

ONE_ROW = (("$limit", "1"),)
# A key that may not be read is left out, while an empty one is null: so a key's presence tells.
PRIVATE_KEYS = frozenset({"personalEmail", "employeeId", "birthday"})
PROBES = (
    ("compensations:read", "/compensations"),
    ("documents:read", "/documents"),
    ("webhooks:manage", "/webhooks"),
)
SEES_ALL = frozenset({"owner", "admin"})

INVALID = Refusal(
    "Humaans does not accept this token: it is mistyped or has been deleted. Make a new one in Humaans "
    "under API access tokens, copy it whole, and paste it here."
)
NO_SCOPE = Refusal(
    "Humaans accepts this token, but it may read nothing. Edit it in Humaans under API access tokens, "
    "tick at least public:read, better private:read too, and try again."
)
PUBLIC_ONLY = (
    "The token has public:read but not private:read: new hires and leavers are hidden, and personal fields are empty."
)
WRITES_UNKNOWN = (
    "Humaans did not say what the token may do, so it was found out by reading: scopes for writing cannot be "
    "found that way and are taken as not granted."
)
ROLE_UNKNOWN = (
    "Humaans did not tell the role of the token's owner: unless that is an Owner or Admin, some records may be missing."
)


class _Rejected(Exception):
    """Humaans answered 401, which ends the flow wherever it stands."""


def verify() -> Verification:
    try:
        scopes, found_by = yield from _find_scopes()
        if not scopes:
            return NO_SCOPE
        me = _object((yield from _ask("/me")))
        company = _company(me) or (yield from _find_company())
    except _Rejected:
        return INVALID
    if found_by == "probe" and PRIVATE_KEYS & me.keys():
        # Somebody of little standing is shown private keys on their own row alone.
        scopes = (scopes - {"public:read"}) | {"private:read"}
    role = _text(me.get("role"))
    warnings = _warnings(scopes, found_by, role)
    return Grant(scopes=scopes, found_by=found_by, role=role, warnings=warnings, company=company)


def check_token() -> TokenCheck:
    """Ask what any token may ask, then what almost any may, until an answer tells whether this one is known."""
    for path, query in (("/token-info", ()), ("/me", ()), ("/people", ONE_ROW)):
        answer = yield Request("GET", path, query)
        if answer.status == 401:
            return False
        # A right that is missing is missing to somebody whom Humaans knows. A 404, or another page, tells nothing.
        if answer.status in {200, 403} and _body(answer):
            return True
    return None


def _find_scopes() -> Generator[Request, Answer, tuple[frozenset[str], str]]:
    answer = yield from _ask("/token-info")
    told = _object(answer).get("scopes")
    # An empty list is an answer: this token may do nothing.
    if isinstance(told, list) and all(isinstance(scope, str) for scope in told):
        return frozenset(scope.strip() for scope in told if scope.strip()), "token-info"
    return (yield from _probe()), "probe"


def _find_company() -> Generator[Request, Answer, str | None]:
    """Ask those who also know the company, where the token's owner does not show it."""
    for path, key in (("/people", "companyId"), ("/companies", "id")):
        for row in _rows((yield from _ask(path, ONE_ROW))) or ():
            if found := _company(row, key):
                return found
    return None


def _company(row: dict[str, Any], key: str = "companyId") -> str | None:
    """Give an id as Humaans makes them; anything else is no claim."""
    found = row.get(key)
    return found if isinstance(found, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", found) else None


def _probe() -> Asking:
    people = _rows((yield from _ask("/people", ONE_ROW)))
    found = set()
    # The token's owner is always among those it may see: no row means no right.
    if people:
        # Either scope opens this list, and private:read opens all that public:read does.
        found.add("private:read" if any(PRIVATE_KEYS & row.keys() for row in people) else "public:read")
    for scope, path in PROBES:
        if _rows((yield from _ask(path, ONE_ROW))) is not None:
            found.add(scope)
    return frozenset(found)


def _ask(path: str, query: tuple[tuple[str, str], ...] = ()) -> Generator[Request, Answer, Answer]:
    answer = yield Request("GET", path, query)
    if answer.status == 401:
        raise _Rejected
    return answer


def _warnings(scopes: frozenset[str], found_by: str, role: str | None) -> tuple[str, ...]:
    warnings = []
    if "public:read" in scopes and "private:read" not in scopes:
        warnings.append(PUBLIC_ONLY)
    if role is None:
        warnings.append(ROLE_UNKNOWN)
    elif role.lower() not in SEES_ALL:
        warnings.append(
            f"The token's owner has the role {role[:40]} in Humaans: the token sees what that person sees, "
            "perhaps only their own data. A token of an Owner or Admin sees everyone."
        )
    if found_by == "probe":
        warnings.append(WRITES_UNKNOWN)
    return tuple(warnings)


def _rows(answer: Answer) -> list[dict[str, Any]] | None:
    """Give the rows of a list, or None if this is not an answer with a list."""
    data = _object(answer).get("data")
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else None


def _object(answer: Answer) -> dict[str, Any]:
    return _body(answer) if answer.status == 200 else {}


def _body(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
