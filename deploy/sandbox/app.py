"""The sandbox as an ASGI app: `/api` behaves like Humaans, `/_sandbox` controls it."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

from starlette.types import Message, Receive, Scope, Send

from deploy.sandbox.admin import steer
from deploy.sandbox.answers import Answer, json_answer
from deploy.sandbox.api import BASE, ApiRequest, answer
from deploy.sandbox.calls import Call
from deploy.sandbox.choices import Choices
from deploy.sandbox.company.build import make_world
from deploy.sandbox.misbehave import Exchange, misbehave, send_answer
from deploy.sandbox.state import State, noon_of, wall_clock
from deploy.sandbox.tokens import Token
from deploy.sandbox.webhooks import tell

ADMIN_BASE = "/_sandbox"
DEFAULT_PEOPLE = 60
DEFAULT_SEED = "sandbox"
_BODY_LIMIT = 10 << 20


def create_app(
    people: int = DEFAULT_PEOPLE,
    choices: Choices | None = None,
    today: date | None = None,
    seed: str = DEFAULT_SEED,
) -> Sandbox:
    """Returns a sandbox with a state of its own.

    With `today` given, its answers depend on the arguments and the calls alone.
    """
    world = make_world(people, today or datetime.now(UTC).date(), seed)
    clock = wall_clock if today is None else noon_of(world)
    return Sandbox(State(world, choices or Choices(), clock))


class Sandbox:
    """The ASGI app."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._telling: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] != "http":
            raise ValueError(f"the sandbox does not speak {scope['type']}")
        elif scope["path"].startswith(f"{BASE}/"):
            await self._api(scope, receive, send)
        elif scope["path"].startswith(f"{ADMIN_BASE}/"):
            body = await _body(receive)
            await send_answer(await steer(scope, body, self.state), send)
            self._tell()
        else:
            await send_answer(json_answer({"message": f"try {BASE} or {ADMIN_BASE}"}, 404), send)

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = self._token(scope)
        path = scope["path"][len(BASE) :].rstrip("/")
        name = None if token is None else token.name
        call = Call(scope["method"], path, scope["query_string"], name)
        self.state.calls.add(call)
        fault = self.state.faults.take(call)
        body = b"" if scope["method"] in {"GET", "DELETE"} else await _body(receive)

        def usual() -> Answer:
            asked = ApiRequest(method=call.method, path=path, query=call.query, token=token, body=body)
            usually = answer(asked, self.state)
            call.status = usually.status
            return usually

        if fault is None:
            await send_answer(usual(), send)
        else:
            exchange = Exchange(call=call, usual=usual, receive=receive, send=send)
            await misbehave(fault, exchange, self.state.choices)
        self._tell()

    def _tell(self) -> None:
        """Sends the webhooks of changes in the background."""
        changes, self.state.changes = self.state.changes, []
        if changes and self.state.choices.webhook_sending == "on_change":
            task = asyncio.create_task(tell(changes, self.state))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    def _token(self, scope: Scope) -> Token | None:
        for name, value in scope["headers"]:
            if name == b"authorization":
                scheme, _, secret = value.decode("latin-1").partition(" ")
                return self.state.token(secret) if scheme.lower() == "bearer" else None
        return None


async def _body(receive: Receive) -> bytes:
    """Returns the body, or its beginning: what is beyond the limit is read and dropped."""
    parts = b""
    more = True
    while more:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            break
        if len(parts) <= _BODY_LIMIT:
            parts += message.get("body", b"")
        more = message.get("more_body", False)
    return parts


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
