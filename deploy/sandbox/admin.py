"""The sandbox's own paths under `/_sandbox`: they control it and report what it received. They need no token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

import orjson
from starlette.types import Scope

from deploy.sandbox.answers import Answer, error_answer, json_answer
from deploy.sandbox.catalogue import RESOURCES
from deploy.sandbox.choices import Choices
from deploy.sandbox.errors import ApiError, bad_request, invalid, not_found
from deploy.sandbox.model import JsonObject
from deploy.sandbox.state import State
from deploy.sandbox.tokens import TOKENS
from deploy.sandbox.validation import missing
from deploy.sandbox.webhooks import deliver
from deploy.sandbox.writing import add, change, remove

_DONE = Answer(status=204)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A call of the control paths: the state, the query and the body."""

    state: State
    query: dict[str, list[str]]
    body: JsonObject


async def steer(scope: Scope, body: bytes, state: State) -> Answer:
    """Returns the answer to a call of the control paths."""
    _, _, *path = scope["path"].rstrip("/").split("/")
    try:
        order = _Order(state=state, query=parse_qs(scope["query_string"].decode("latin-1")), body=_object(body))
        if [scope["method"], *path] == ["POST", "webhooks", "deliver"]:
            event = str(order.body.get("event", "person.updated"))
            return json_answer({"deliveries": await deliver(event, order.body.get("data"), state)})
        if path[:1] == ["rows"]:
            return _rows(scope["method"], path[1:], order)
        handler = _HANDLERS.get((scope["method"], "/".join(path)))
        if handler is None:
            raise not_found(f"no such path: {scope['method']} {scope['path']}")
        return handler(order)
    except ApiError as error:
        return error_answer(error, Choices())
    except ValueError as error:
        return error_answer(bad_request(str(error)), Choices())


def _object(body: bytes) -> JsonObject:
    value = orjson.loads(body) if body else {}
    if not isinstance(value, dict):
        raise bad_request("the body must be a JSON object")
    return value


def _tokens(order: _Order) -> Answer:
    tokens = [
        {
            "name": token.name,
            "token": token.token,
            "scopes": list(token.scopes),
            "role": token.role,
            "revoked": token.revoked,
            "personId": order.state.viewer(token).person_id,
        }
        for token in TOKENS
    ]
    return json_answer({"tokens": tokens})


def _calls(order: _Order) -> Answer:
    return json_answer(order.state.calls.as_json())


def _count(order: _Order) -> Answer:
    path = order.query.get("path", [""])[0]
    return json_answer({"path": path, "count": order.state.calls.count(path)})


def _reset_calls(order: _Order) -> Answer:
    order.state.calls.reset()
    return _DONE


def _faults(order: _Order) -> Answer:
    return json_answer({"faults": order.state.faults.as_json()})


def _add_fault(order: _Order) -> Answer:
    return json_answer(order.state.faults.add(order.body).as_json(), 201)


def _clear_faults(order: _Order) -> Answer:
    order.state.faults.clear()
    return _DONE


def _choices(order: _Order) -> Answer:
    return json_answer(order.state.choices.as_dict())


def _choose(order: _Order) -> Answer:
    order.state.choose(order.state.choices.changed(order.body))
    return _choices(order)


def _choose_first(order: _Order) -> Answer:
    order.state.choose(order.state.first_choices)
    return _choices(order)


_HANDLERS: dict[tuple[str, str], Callable[[_Order], Answer]] = {
    ("GET", "tokens"): _tokens,
    ("GET", "calls"): _calls,
    ("GET", "calls/count"): _count,
    ("DELETE", "calls"): _reset_calls,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "choices"): _choices,
    ("POST", "choices"): _choose,
    ("DELETE", "choices"): _choose_first,
}


def _rows(method: str, path: list[str], order: _Order) -> Answer:
    """Reads and changes rows without a token. What the server computes from a row is updated too."""
    name, row_id = [*path, "", ""][:2]
    resource = RESOURCES.get(name)
    if resource is None:
        raise not_found(f"there is no resource {name!r}; there are {', '.join(RESOURCES)}")
    store = order.state.store
    if not row_id and method == "GET":
        rows = list(store.rows(name))
        return json_answer({"total": len(rows), "rows": rows})
    if not row_id and method == "POST":
        if issues := missing(resource, order.body):
            raise invalid(*issues)
        return json_answer(add(resource, order.body, order.state), 201)
    old = store.find(name, row_id)
    if old is None:
        raise not_found(f"there is no row {row_id!r} in {name}")
    if method == "PATCH":
        change(resource, old, order.body, order.state)
    elif method == "DELETE":
        remove(resource, row_id, order.state)
        return _DONE
    return json_answer(store.find(name, row_id))
