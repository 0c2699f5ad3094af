"""Webhook deliveries, signed with the endpoint's secret in the way that published clients expect."""

from __future__ import annotations

import hashlib
import hmac

import httpx
import orjson

from deploy.sandbox.choices import Choices
from deploy.sandbox.model import JsonObject
from deploy.sandbox.state import State

_TIMEOUT_SECONDS = 5.0


def signed_headers(secret: str, body: bytes, choices: Choices) -> dict[str, str]:
    """Returns the headers with the HMAC-SHA256 of the raw body in hexadecimal. Header and prefix are choices."""
    headers = {"content-type": "application/json"}
    if choices.webhook_header:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers[choices.webhook_header] = f"{choices.webhook_prefix}{digest}"
    return headers


async def tell(changes: list[tuple[str, str, JsonObject]], state: State) -> None:
    """Sends the events of changes, each given as path, verb and row."""
    for path, verb, row in changes:
        if not path.startswith("webhook"):
            data = {name: row[name] for name in ("id", "personId") if name in row}
            await deliver(f"{subject(path)}.{verb}", data, state)


def subject(path: str) -> str:
    """Returns what an event calls a row of a resource: the singular of the path.

    Only `person` is documented; the others are guesses.
    """
    first, *rest = path.split("-")
    words = [first, *(word.capitalize() for word in rest)]
    last = words[-1]
    words[-1] = f"{last[:-3]}y" if last.endswith("ies") else last.removesuffix("s")
    return "person" if path == "people" else "".join(words)


async def deliver(event: str, data: object, state: State) -> list[JsonObject]:
    """Sends an event to every endpoint that wants it, and stores the deliveries under `/webhook-events`."""
    wanted = [hook for hook in state.store.rows("webhooks") if event in hook["events"]]
    return [await _deliver_to(hook, event, data, state) for hook in wanted]


async def _deliver_to(hook: JsonObject, event: str, data: object, state: State) -> JsonObject:
    stamp = state.stamps.next()
    event_id = state.world.id("webhook-event", stamp)
    body = orjson.dumps({"id": event_id, "event": event, "data": data, "timestamp": stamp})
    status: int | None = None
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            headers = signed_headers(hook["secret"], body, state.choices)
            status = (await client.post(hook["url"], content=body, headers=headers)).status_code
    except httpx.HTTPError:
        pass
    row = {
        "id": event_id,
        "createdAt": stamp,
        "updatedAt": stamp,
        "webhookId": hook["id"],
        "event": event,
        "data": data,
        "status": "delivered" if status is not None and status < 300 else "failed",
        "timestamp": stamp,
    }
    state.store.put("webhook-events", row)
    return {"webhookId": hook["id"], "url": hook["url"], "status": status}
