"""Humaans' webhooks: every event has its lists, and an endpoint is made and found again whatever form the API has."""

import json
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.events import Event, Listener, NotRegistered, Registered, Signature, Unreadable, VendorEvents
from connectors.exchange import Answer, Request
from connectors.humaans import lists
from connectors.humaans.connector import HUMAANS
from connectors.humaans.events import ALL, EVENTS, RESOURCES, SURE, covered, read, register, remove, resources_of
from connectors.needs import FaultyDeclaration
from connectors.spec import Collection

LISTS = [each for each in vars(lists).values() if isinstance(each, Collection)]
PATH = "/hooks/humaans/a1"
HERE = Listener(url=f"https://gateway.test{PATH}", path=PATH, secret="planted")

# --- events -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", RESOURCES)
def test_the_lists_that_show_a_record_are_among_those_that_its_event_concerns(subject: str) -> None:
    """Whoever adds a list for a path has to add it here too."""
    path = {"person": "people", "company": "companies", "timesheet-entry": "timesheet-entries"}.get(
        subject, subject if subject == "time-away" else f"{subject}s"
    )
    shown = {each.resource for each in LISTS if each.path == f"/{path}"}
    assert shown <= RESOURCES[subject]


def test_every_list_that_we_read_has_an_event_and_no_event_names_what_we_do_not_read() -> None:
    known = {each.resource for each in LISTS}
    assert HUMAANS.events is EVENTS
    assert EVENTS.resources == known


@pytest.mark.parametrize(
    ("name", "resources"),
    [
        ("person.created", {"employees", "employments"}),
        ("people.patch", {"employees", "employments"}),
        ("jobRole.updated", {"employments"}),
        ("job-role.updated", {"employments"}),
        ("job-roles.created", {"employments"}),
        ("job_role.deleted", {"employments"}),
        ("JobRole.deleted", {"employments"}),
        ("compensation.created", {"employments"}),
        ("timeAway.created", {"time_off", "time_off_balances"}),
        ("time-away.requested", {"time_off", "time_off_balances"}),
        ("companies.updated", {"companies"}),
        ("timesheetEntries.created", {"time_entries"}),
        ("customValue.updated", {"custom_fields"}),
        ("location.updated", {"locations"}),
        ("bankAccount.created", {"bank_details"}),
        ("survey.created", set()),
        ("person", set()),
        (".created", set()),
    ],
)
def test_an_event_is_known_by_its_record_however_that_is_written(name: str, resources: set[str]) -> None:
    assert resources_of(name) == resources


def test_every_event_that_we_ask_for_is_known_again() -> None:
    assert set(SURE) <= set(ALL)
    assert all(resources_of(name) for name in ALL)


def test_an_event_is_read_whole() -> None:
    body = {"id": "e1", "event": "person.updated", "data": {"id": "p1"}, "timestamp": "2026-11-24T10:00:00.500Z"}
    [event] = read(json.dumps(body).encode())
    assert (event.name, event.id, event.record_id) == ("person.updated", "e1", "p1")
    assert event.occurred_at is not None
    assert event.occurred_at.isoformat() == "2026-11-24T10:00:00.500000+00:00"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ([{"event": "person.created"}, {"type": "task.updated", "createdAt": "2026-11-24"}], 2),
        ({"event": "person.created", "data": None, "timestamp": "soon", "id": 7}, 1),
        ({"event": "person.created", "data": [1], "timestamp": 5}, 1),
    ],
)
def test_what_is_missing_or_odd_in_an_event_is_left_out(body: object, names: int) -> None:
    events = read(json.dumps(body).encode())
    assert [isinstance(each, Event) for each in events] == [True] * names
    assert {each.record_id for each in events} == {None}


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"null", b"7", b'"person.created"', b"[]", b"[[]]", b"{}", b"\xff", b"[" * 100_000),
        *(b'{"event": 7}', b'{"event": ""}', b'{"event": "\\ud800"}', b'{"event": "%s"}' % (b"x" * 201)),
    ],
)
def test_a_body_of_another_kind_is_unreadable_and_the_error_shows_nothing_of_it(body: bytes) -> None:
    with pytest.raises(Unreadable) as fault:
        read(body)
    assert str(fault.value) in {"it is not JSON", "it holds no event", "it names no event"}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30) | st.sampled_from(ALL),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["event", "type", "id", "data", "timestamp", "createdAt"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_a_body_holds_it_is_events_of_what_we_read_or_unreadable(body: Any) -> None:
    try:
        events = read(json.dumps(body).encode())
    except Unreadable:
        return
    assert events
    for event in events:
        assert event.name
        assert event.resources <= EVENTS.resources
        assert event.occurred_at is None or event.occurred_at.tzinfo


# --- endpoints ----------------------------------------------------------------------------------------------


class Api:
    """Humaans' webhooks with the guesses about them as arguments."""

    def __init__(
        self, *, shows: bool = True, takes: bool = False, events: Callable[[str], bool] = lambda _: True
    ) -> None:
        self.rows: list[dict[str, Any]] = [{"id": "other", "url": "https://elsewhere.test/hooks/humaans/b1"}]
        self.asked: list[str] = []
        self._shows, self._takes, self._events = shows, takes, events

    def answer(self, request: Request) -> Answer:
        self.asked.append(f"{request.method} {request.path}")
        if request.method == "GET":
            skip = int(dict(request.query)["$skip"])
            page = [self._shown(row) for row in self.rows[skip : skip + 2]]
            return _json(200, {"total": len(self.rows), "data": page})
        if request.method == "DELETE":
            self.rows = [row for row in self.rows if row["id"] != request.path.rpartition("/")[2]]
            return _json(200, {"deleted": True})
        order = json.loads(request.body or b"")
        if not all(map(self._events, order["events"])) or ("secret" in order and not self._takes):
            return _json(422, {"issues": []})
        row = {"id": f"w{len(self.asked)}", "status": "active", "secret": "theirs", **order}
        self.rows.append(row)
        return _json(201, self._shown(row))

    def _shown(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if self._shows or name != "secret"}

    def ours(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["id"] != "other"]


def _json(status: int, body: object) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def run(api: Callable[[Request], Answer], known: str | None = None) -> Registered | NotRegistered:
    flow = register(HERE, known)
    try:
        request = next(flow)
        while True:
            request = flow.send(api(request))
    except StopIteration as end:
        found: Registered | NotRegistered = end.value
        return found


@pytest.mark.parametrize(
    ("api", "secret", "events"),
    [
        (Api(), "theirs", ALL),
        (Api(takes=True), "theirs", ALL),
        (Api(shows=False, takes=True), "planted", ALL),
        (Api(events=lambda name: name in SURE), "theirs", SURE),
        (Api(shows=False, takes=True, events=lambda name: name in SURE), "planted", SURE),
    ],
)
def test_one_endpoint_is_made_whatever_form_the_api_has(api: Api, secret: str, events: tuple[str, ...]) -> None:
    found = run(api.answer)
    [row] = api.ours()
    assert isinstance(found, Registered)
    assert found == Registered(row["id"], secret, covered(list(events)))
    assert (row["url"], row["events"]) == (HERE.url, list(events))
    assert "planted" not in repr(found) + repr(HERE)
    asked = len(api.asked)
    assert run(api.answer, row["id"]) == Registered(row["id"], covers=found.covers)
    # Two pages at most, and nothing is written.
    assert set(api.asked[asked:]) == {"GET /webhooks"}


@pytest.mark.parametrize(
    "change",
    [{"url": f"https://old.test{PATH}"}, {"status": "disabled"}, {"id": "another"}],
    ids=["the gateway has moved", "Humaans has switched it off", "it is not the one that is known"],
)
def test_an_endpoint_of_ours_that_does_not_serve_is_replaced_and_foreign_ones_are_left_alone(
    change: dict[str, str],
) -> None:
    api = Api()
    known = run(api.answer)
    assert isinstance(known, Registered)
    api.rows[-1] |= change
    found = run(api.answer, known.remote_id)
    assert isinstance(found, Registered)
    assert found.secret == "theirs"
    assert [row["id"] for row in api.rows] == ["other", found.remote_id]
    assert api.ours()[0]["url"] == HERE.url


def test_what_an_earlier_try_left_behind_is_taken_away() -> None:
    api = Api()
    for _ in "abc":
        run(api.answer)
    assert len(api.ours()) == 1


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, {}, "no longer accepts the token"),
        (403, {}, "only an Owner may"),
        (404, {}, "no webhooks"),
        (429, {}, "no more requests"),
        (500, b"<html>", "answered 500"),
        (200, b"<html>", "answered 200"),
        (200, {"data": {}}, "answered 200"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_humaans_refuses_is_said_in_a_sentence(method: str, status: int, body: object, says: str) -> None:
    api = Api()

    def answer(request: Request) -> Answer:
        return _json(status, body) if request.method == method else api.answer(request)

    found = run(answer)
    assert isinstance(found, NotRegistered)
    assert says in found.reason
    assert api.ours() == []


def test_an_endpoint_with_a_lost_secret_is_deleted_at_the_vendor() -> None:
    api = Api(shows=False)
    found = run(api.answer)
    assert isinstance(found, NotRegistered)
    assert api.ours() == []


def test_a_list_that_never_ends_is_left() -> None:
    asked = 0

    def answer(request: Request) -> Answer:
        nonlocal asked
        asked += 1
        if request.method == "POST":
            return _json(201, {"id": "w", "secret": "theirs"})
        return _json(200, {"total": 10**9, "data": [{"id": "x", "url": "y"}] * 250})

    assert run(answer) == Registered("w", "theirs")
    assert asked < 25


ROW = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just("w1") | JSON,
        "url": st.just(HERE.url) | JSON,
        "status": JSON,
        "secret": st.just("theirs") | JSON,
        "data": JSON,
    },
)
PAGE = st.fixed_dictionaries({"data": st.lists(ROW | JSON, max_size=3)}, optional={"total": st.integers(0, 3) | JSON})
ODD = st.tuples(st.sampled_from([200, 201, 204, 400, 403, 422, 500]), ROW | PAGE | JSON | st.binary(max_size=9))


@given(st.lists(ODD, min_size=1, max_size=8))
@example([(200, {"data": [{"id": "w1", "url": HERE.url, "status": ["active"]}]})])
@example([(200, {"data": [], "id": "w1", "secret": {}})])
def test_whatever_humaans_answers_there_is_an_endpoint_with_a_secret_or_a_reason(odd: list[tuple[int, Any]]) -> None:
    answers = cycle(odd)
    found = run(lambda _: _json(*next(answers)), "w1")
    if isinstance(found, Registered):
        assert found.remote_id
        assert found.secret or (found.remote_id, found.secret) == ("w1", None)
    else:
        assert found.reason


@pytest.mark.parametrize(("status", "deleted"), [(200, True), (204, True), (404, True), (403, False), (500, False)])
def test_an_endpoint_is_deleted_when_humaans_says_so(status: int, deleted: bool) -> None:
    flow = remove("w1")
    request = next(flow)
    assert (request.method, request.path) == ("DELETE", "/webhooks/w1")
    with pytest.raises(StopIteration) as end:
        flow.send(Answer(status, {}, b""))
    assert end.value.value is deleted


@pytest.mark.parametrize(
    ("signatures", "says"), [((), "anybody could send"), ((Signature(header="X-Signature"),), "lower case")]
)
def test_a_declaration_that_lets_everybody_in_is_refused(signatures: tuple[Signature, ...], says: str) -> None:
    with pytest.raises(FaultyDeclaration, match=says):
        VendorEvents(
            scope="s",
            signatures=signatures,
            resources=frozenset(),
            register=register,
            remove=remove,
            read=read,
        )
