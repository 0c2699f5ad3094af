"""Humaans' webhooks: the events, their signatures, and the calls that manage endpoints.

The public documentation shows two events, `person.created` and `person.updated`. One published client shows how it
checks a signature: HMAC-SHA256 of the raw body in hexadecimal, perhaps after `sha256=`. Everything else is a guess and
stands in the tables here. Every form of a guess is accepted, and bodies may have any content.
"""

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from connectors.convert import instant
from connectors.events import (
    Event,
    Listener,
    NotRegistered,
    Registered,
    Registration,
    Removal,
    Signature,
    Unreadable,
    VendorEvents,
)
from connectors.exchange import Answer, Request

SIGNATURES = (
    Signature(header="x-humaans-signature"),
    Signature(header="x-humaans-signature", prefix="sha256="),
)

# The kind of record that an event is about, spelt as in Humaans' paths, and the resources that are made of it.
RESOURCES: Mapping[str, frozenset[str]] = {
    # A new person brings a first job role along.
    "person": frozenset({"employees", "employments"}),
    "job-role": frozenset({"employments"}),
    "compensation": frozenset({"employments"}),
    "compensation-type": frozenset({"companies"}),
    "company": frozenset({"companies"}),
    "location": frozenset({"locations"}),
    "custom-field": frozenset({"custom_fields"}),
    "custom-value": frozenset({"custom_fields"}),
    "bank-account": frozenset({"bank_details"}),
    # Time off that is taken changes the balance.
    "time-away": frozenset({"time_off", "time_off_balances"}),
    "time-away-type": frozenset({"time_off_policies", "time_off"}),
    "time-away-policy": frozenset({"time_off_balances"}),
    "time-away-allocation": frozenset({"time_off_balances"}),
    "time-away-adjustment": frozenset({"time_off_balances"}),
    "document": frozenset({"documents"}),
    "document-type": frozenset({"document_categories"}),
    "identity-document": frozenset({"work_eligibility"}),
    "identity-document-type": frozenset({"document_categories"}),
    "timesheet-entry": frozenset({"time_entries"}),
    "task": frozenset({"tasks"}),
}
VERBS = ("created", "updated", "deleted")
SURE = ("person.created", "person.updated")
"""The events that are documented. Only these are subscribed to where Humaans refuses the whole list."""
WRONG_BODY = frozenset({400, 422})

NAME_KEYS = ("event", "type")
TIME_KEYS = ("timestamp", "createdAt")
SWITCHED_OFF = frozenset({"disabled", "inactive", "failed", "paused", "suspended"})
"""Guessed states of an endpoint that gets no more events. Such an endpoint is replaced."""
MOST_ENDPOINTS = 5000

_WORDS = re.compile(r"[A-Z]?[a-z]+")


def _camel(subject: str) -> str:
    first, *rest = subject.split("-")
    return first + "".join(word.capitalize() for word in rest)


ALL = tuple(f"{_camel(subject)}.{verb}" for subject in RESOURCES for verb in VERBS)


# --- reading --------------------------------------------------------------------------------------------------


def read(body: bytes) -> Sequence[Event]:
    """Returns the events of a body, which has one event or a list of them. Raises `Unreadable` for any other body."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON") from None
    events = [_event(each) for each in (found if isinstance(found, list) else [found])]
    if not events:
        raise Unreadable("it holds no event")
    return events


def resources_of(name: str) -> frozenset[str]:
    """Returns the resources that an event concerns.

    `person.updated`, `jobRole.created`, `time-away.deleted` and `people.patch` are all understood.
    """
    subject = "-".join(word.lower() for word in _WORDS.findall(name.rpartition(".")[0]))
    return RESOURCES.get(subject) or RESOURCES.get(_singular(subject)) or frozenset()


def _singular(subject: str) -> str:
    if subject == "people":
        return "person"
    return subject[:-3] + "y" if subject.endswith("ies") else subject.removesuffix("s")


def _event(found: Any) -> Event:
    name = _first(found, NAME_KEYS)
    if name is None:
        raise Unreadable("it names no event")
    told = _first(found, TIME_KEYS)
    at = instant(told)
    data = found.get("data")
    return Event(
        name=name,
        resources=resources_of(name),
        record_id=_first(data, ("id",)),
        # The event's own id. Without one, two equal events cannot be distinguished from one that was sent twice.
        id=_first(found, ("id",)),
        occurred_at=datetime.fromisoformat(at) if at else None,
    )


def _first(found: Any, keys: Sequence[str]) -> str | None:
    values = (found.get(key) for key in keys) if isinstance(found, dict) else ()
    texts = (value for value in values if isinstance(value, str) and value.isprintable())
    return next((text for text in texts if 0 < len(text) <= 200), None)


# --- managing -------------------------------------------------------------------------------------------------

Rows: TypeAlias = list[dict[str, Any]]
Calls: TypeAlias = Generator[Request, Answer, Answer]


class _Refused(Exception):
    """Humaans did not do what it was asked. The flow ends with the reason."""


def register(listener: Listener, known: str | None) -> Registration:
    """Ensures that one working endpoint of the gateway exists, and deletes all others of the gateway.

    Humaans is said to make the secret itself. If its answer has none, the next try sends the listener's secret.
    """
    try:
        ours = [row for row in (yield from _endpoints()) if str(row.get("url", "")).endswith(listener.path)]
        stands = next((row for row in ours if _is_sound(row, listener, known)), None)
        for row in ours:
            if row is not stands and _id(row):
                yield from _call("DELETE", f"/webhooks/{_id(row)}")
        if stands is not None:
            return Registered(_id(stands), covers=covered(stands.get("events")))
        return (yield from _make(listener))
    except _Refused as refused:
        return NotRegistered(str(refused))


def remove(remote_id: str) -> Removal:
    """Deletes an endpoint. Returns True where it does not exist any more."""
    answer = yield from _call("DELETE", f"/webhooks/{remote_id}")
    return answer.status // 100 == 2 or answer.status == 404


def covered(events: Any) -> frozenset[str]:
    """Returns the resources of which these events tell everything: all verbs of all that they are made of."""
    wanted = {each for each in events if isinstance(each, str)} if isinstance(events, list) else set()
    missing = (subject for subject in RESOURCES for verb in VERBS if f"{_camel(subject)}.{verb}" not in wanted)
    return frozenset(_named()).difference(*(RESOURCES[subject] for subject in missing))


def _is_sound(row: Mapping[str, Any], listener: Listener, known: str | None) -> bool:
    sent_to = str(row.get("status")) not in SWITCHED_OFF
    return known is not None and _id(row) == known and row.get("url") == listener.url and sent_to


def _endpoints() -> Generator[Request, Answer, Rows]:
    """Returns all endpoints, read page by page."""
    found: Rows = []
    while True:
        answer = yield Request("GET", "/webhooks", (("$limit", "250"), ("$skip", str(len(found)))))
        body = _object(answer)
        page = body.get("data")
        if answer.status != 200 or not isinstance(page, list):
            raise _Refused(_why("list webhooks", answer))
        rows = [row for row in page if isinstance(row, dict)]
        found += rows
        total = body.get("total")
        if not rows or not isinstance(total, int) or len(found) >= min(total, MOST_ENDPOINTS):
            return found


def _make(listener: Listener) -> Registration:
    for secret in ("", listener.secret):
        answer = yield from _post(listener.url, secret)
        made = _object(answer)
        if answer.status // 100 == 2 and _id(made):
            told = made.get("secret") or secret
            if isinstance(told, str) and told and told.isprintable():
                return Registered(_id(made), told, covered(made.get("events")))
            yield from _call("DELETE", f"/webhooks/{_id(made)}")
        elif answer.status not in WRONG_BODY:
            break
    raise _Refused(_why("register a webhook", answer))


def _post(url: str, secret: str) -> Calls:
    for events in (ALL, SURE):
        order = {"url": url, "events": list(events), **({"secret": secret} if secret else {})}
        answer = yield from _call("POST", "/webhooks", order)
        if answer.status not in WRONG_BODY:
            break
    return answer


def _call(method: str, path: str, order: Mapping[str, Any] | None = None) -> Calls:
    body = None if order is None else json.dumps(order).encode()
    return (yield Request(method, path, headers={"content-type": "application/json"} if body else {}, body=body))


def _why(what: str, answer: Answer) -> str:
    reasons = {
        401: "Humaans no longer accepts the token",
        403: f"Humaans does not let this token {what} (403), though its scopes cover it: only an Owner may",
        404: "Humaans offers this token no webhooks (404)",
        429: "Humaans allows no more requests for now (429)",
    }
    return reasons.get(answer.status, f"Humaans did not {what} as expected: it answered {answer.status}")


def _id(row: Mapping[str, Any]) -> str:
    found = row.get("id")
    return found if isinstance(found, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", found) else ""


def _object(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _named() -> Iterator[str]:
    for resources in RESOURCES.values():
        yield from resources


EVENTS = VendorEvents(
    scope="webhooks:manage",
    signatures=SIGNATURES,
    resources=frozenset(_named()),
    register=register,
    remove=remove,
    read=read,
)
