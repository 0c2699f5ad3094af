"""The check of a Humaans API token: what it may do, as Humaans states it, or else as found by probing.

A token can read what both its scopes and the role of the person who made it allow, so the role is read too. A body may
be anything: HTML, a list, or an object with null where a value is expected.
"""

import json
import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from connectors.exchange import Answer, Grant, Refusal, Request, TokenCheck, Verification

ONE_ROW = (("$limit", "1"),)
SOME_ROWS = (("$limit", "100"),)
# Of a person what partners' guides and the documentation name as private. Others, like the employee number, may not be.
PRIVATE_KEYS = frozenset(
    {"personalEmail", "personalPhoneNumber", "gender", "birthday", "nationality", "address", "postcode", "taxId"}
)
EMPTY: tuple[object, ...] = (None, "", [], {})
WRITES = frozenset({"private:write", "compensations:write", "documents:write"})
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
    "Humaans did not say what the token may do, so it was found out by reading. Scopes for writing cannot be found "
    "that way: those that are stated are believed, and while none are stated each write is tried."
)
PRIVATE_UNKNOWN = (
    "Whether the token has private:read cannot be told from what it shows, as nobody else has a personal field that is "
    "filled: unless it is stated, it is taken as not granted, and personal fields are left out."
)
ROLE_UNKNOWN = (
    "Humaans did not tell the role of the token's owner: unless that is an Owner or Admin, some records may be missing."
)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known of the scopes of a token, and the company that the answers name."""

    scopes: frozenset[str]
    doubtful: frozenset[str] = frozenset()
    company: str | None = None


class _Rejected(Exception):
    """Humaans answered 401, which ends the flow at any point."""


def verify() -> Verification:
    """Returns the grant of a token, or the reason why it is refused."""
    try:
        told = yield from _told_scopes()
        try:
            me = _object((yield from _ask("/me")))
        except _Rejected:
            # Humaans has just stated the scopes of the token, so it accepts it.
            if told is None:
                raise
            me = {}
        found = _Found(told) if told is not None else (yield from _probe(_text(me.get("id"))))
        if not found.scopes:
            return NO_SCOPE
        company = _company(me) or found.company or (yield from _find_company())
    except _Rejected:
        return INVALID
    role = _text(me.get("role"))
    return Grant(
        scopes=found.scopes,
        found_by="token-info" if told is not None else "probe",
        role=role,
        warnings=_warnings(found, role, told=told is not None),
        company=company,
        unknown=WRITES if told is None else frozenset(),
        doubtful=found.doubtful,
    )


def check_token() -> TokenCheck:
    """Returns whether Humaans accepts the token, or None where its answers do not tell.

    Asks for what any token may read, then for what almost any token may read.
    """
    for path, query in (("/token-info", ()), ("/me", ()), ("/people", ONE_ROW)):
        answer = yield Request("GET", path, query)
        if answer.status == 401:
            return False
        # A 403 means that Humaans knows the token but it lacks a scope. A 404, or another page, means nothing.
        if answer.status in {200, 403} and _body(answer):
            return True
    return None


def _told_scopes() -> Generator[Request, Answer, frozenset[str] | None]:
    told = _object((yield from _ask("/token-info"))).get("scopes")
    # An empty list is an answer: this token may do nothing.
    if isinstance(told, list) and all(isinstance(scope, str) for scope in told):
        return frozenset(scope.strip() for scope in told if scope.strip())
    return None


def _find_company() -> Generator[Request, Answer, str | None]:
    """Returns the company from other lists, where the token owner's own record does not have it."""
    for path, key in (("/people", "companyId"), ("/companies", "id")):
        for row in _rows((yield from _ask(path, ONE_ROW))) or ():
            if found := _company(row, key):
                return found
    return None


def _company(row: dict[str, Any], key: str = "companyId") -> str | None:
    """Returns the id of the company, or None for a text that is not an id of Humaans."""
    found = row.get(key)
    return found if isinstance(found, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", found) else None


def _probe(own: str | None) -> Generator[Request, Answer, _Found]:
    """Finds out the scopes by reading. `own` is the id of the token's owner, where Humaans gives it."""
    people = _rows((yield from _ask("/people", SOME_ROWS))) or []
    found, doubtful = set(), frozenset[str]()
    # The token's owner is always among those it may see: no row means no right.
    if people:
        shown = _shows_private(people, own)
        # Either scope opens this list, and private:read opens all that public:read does.
        found.add("private:read" if shown else "public:read")
        doubtful = frozenset({"private:read"}) if shown is None else doubtful
    for scope, path in PROBES:
        if _rows((yield from _ask(path, ONE_ROW))) is not None:
            found.add(scope)
    company = next(filter(None, map(_company, people)), None)
    return _Found(frozenset(found), doubtful, company)


def _shows_private(people: list[dict[str, Any]], own: str | None) -> bool | None:
    """Returns whether a list of people shows what only private:read shows; None where that cannot be decided.

    Only values count, not keys, since Humaans may send null without the scope. The owner's own row does not count:
    people see their own data. Where it is not known which row that is, one filled row may be it.
    """
    others = [row for row in people if own is None or row.get("id") != own]
    filled = [row for row in others if any(row.get(key) not in EMPTY for key in PRIVATE_KEYS)]
    if len(filled) > (own is None):
        return True
    # Empty keys may mean that the scope is there and the values are not, or the other way round.
    empty = [row for row in others if row not in filled and PRIVATE_KEYS & row.keys()]
    alone = len(others) <= (own is None)
    return None if empty or alone else False


def _ask(path: str, query: tuple[tuple[str, str], ...] = ()) -> Generator[Request, Answer, Answer]:
    answer = yield Request("GET", path, query)
    if answer.status == 401:
        raise _Rejected
    return answer


def _warnings(found: _Found, role: str | None, *, told: bool) -> tuple[str, ...]:
    warnings = []
    if found.doubtful:
        warnings.append(PRIVATE_UNKNOWN)
    elif "public:read" in found.scopes and "private:read" not in found.scopes:
        warnings.append(PUBLIC_ONLY)
    if role is None:
        warnings.append(ROLE_UNKNOWN)
    elif role.lower() not in SEES_ALL:
        warnings.append(
            f"The token's owner has the role {role[:40]} in Humaans: the token sees what that person sees, "
            "perhaps only their own data. A token of an Owner or Admin sees everyone."
        )
    if not told:
        warnings.append(WRITES_UNKNOWN)
    return tuple(warnings)


def _rows(answer: Answer) -> list[dict[str, Any]] | None:
    """Returns the rows of a list, or None if the answer has no list."""
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
