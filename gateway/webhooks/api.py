"""The calls about webhooks: where a project listens, what became of each delivery, and sending one again."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.convert import instant
from gateway.accounts.service import PlatformCall, no_parameters
from gateway.contract.query import MOST_PAGES, PageLimits
from gateway.errors import BadRequest
from gateway.policy.policy import Operator
from gateway.webhooks.deliveries import Delivery, State
from gateway.webhooks.endpoints import Endpoint, Pick
from gateway.webhooks.event_scopes import Subscriber
from gateway.webhooks.service import LONGEST_OVERLAP, WebhookService

Json = dict[str, Any]


class WebhookApi:
    """Answers calls of the platform API about webhooks with JSON values."""

    def __init__(self, webhooks: WebhookService, operator: Operator, page: PageLimits) -> None:
        self._webhooks = webhooks
        self._operator = operator
        self._page = page
        self._handlers: Mapping[str, Callable[[PlatformCall], Awaitable[Any]]] = {
            "list_webhooks": self._list,
            "create_webhook": self._create,
            "get_webhook": self._get,
            "update_webhook": self._update,
            "delete_webhook": self._delete,
            "rotate_webhook_secret": self._rotate,
            "ping_webhook": self._ping,
            "list_webhook_deliveries": self._deliveries,
            "replay_webhook_deliveries": self._replay_dead,
            "replay_webhook_delivery": self._replay,
        }

    async def answer(self, call: PlatformCall) -> Any:
        """Returns a JSON value. Raises a `GatewayError` that says what to do."""
        if not call.operation.parameters:
            no_parameters(call)
        return await self._handlers[call.operation.id](call)

    async def _list(self, call: PlatformCall) -> list[Json]:
        return [shown(each) for each in await self._webhooks.of_project(call.key.project_id)]

    async def _create(self, call: PlatformCall) -> Json:
        endpoint, secret = await self._webhooks.create(call.key.project_id, await call.body(), self._subscriber(call))
        return {**shown(endpoint), "secret": secret.reveal}

    async def _get(self, call: PlatformCall) -> Json:
        return shown(await self._webhooks.find(call.key.project_id, call.named))

    async def _update(self, call: PlatformCall) -> Json:
        changed = await self._webhooks.change(
            call.key.project_id, call.named, await call.body(), self._subscriber(call)
        )
        return shown(changed)

    async def _delete(self, call: PlatformCall) -> Json:
        return shown(await self._webhooks.remove(call.key.project_id, call.named, call.actor))

    async def _rotate(self, call: PlatformCall) -> Json:
        numbers = read_numbers(call, {"overlap_seconds": (0, LONGEST_OVERLAP)})
        overlap = numbers.get("overlap_seconds")
        endpoint, secret = await self._webhooks.rotate(call.key.project_id, call.named, call.actor, overlap)
        return {**shown(endpoint), "secret": secret.reveal}

    async def _ping(self, call: PlatformCall) -> Json:
        return shown_delivery(await self._webhooks.ping(call.key.project_id, call.named))

    async def _deliveries(self, call: PlatformCall) -> list[Json]:
        states = [value for name, value in call.pairs if name == "state" and value]
        if len(states) > 1 or not set(states) <= set(State):
            raise BadRequest(f"The query is not valid: state must be one of {', '.join(State)}, and that once.")
        numbers = read_numbers(call, {"page": (1, MOST_PAGES), "page_size": (1, self._page.most)}, ("state",))
        size = numbers.get("page_size", self._page.default)
        pick = Pick(state=State(states[0]) if states else None, skip=(numbers.get("page", 1) - 1) * size, most=size)
        return [shown_delivery(each) for each in await self._webhooks.deliveries(call.key.project_id, call.named, pick)]

    async def _replay_dead(self, call: PlatformCall) -> Json:
        return {"replayed": await self._webhooks.replay_dead(call.key.project_id, call.named, self._subscriber(call))}

    async def _replay(self, call: PlatformCall) -> Json:
        return shown_delivery(await self._webhooks.replay(call.key.project_id, call.named, self._subscriber(call)))

    def _subscriber(self, call: PlatformCall) -> Subscriber:
        return Subscriber(call.key.scopes, self._operator, call.actor)


def read_numbers(
    call: PlatformCall, ranges: Mapping[str, tuple[int, int]], others: Sequence[str] = ()
) -> Mapping[str, int]:
    """Read whole numbers of a query, each within its range. Raises `BadRequest` with all faults."""
    found: dict[str, int] = {}
    faults = []
    for name, value in call.pairs:
        if name in others or (name in ranges and not value):
            continue
        least, most = ranges.get(name, (0, 0))
        number = int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else -1
        if name not in ranges:
            faults.append(f"unknown parameter {name[:64]!r}; known: {', '.join(call.operation.parameters)}")
        elif name in found:
            faults.append(f"{name} is given twice")
        elif not least <= number <= most:
            faults.append(f"{name} must be a whole number from {least} to {most}")
        found[name] = number
    if faults:
        raise BadRequest("The query is not valid: " + "; ".join(faults), errors=faults)
    return found


def shown(endpoint: Endpoint) -> Json:
    """Give an endpoint as callers see it. A secret is never part of it."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "description": endpoint.description,
        "enabled": endpoint.enabled,
        "disabled_at": _moment(endpoint.disabled_at),
        "disabled_reason": endpoint.disabled_reason,
        "failing_since": _moment(endpoint.failing_since),
        "older_secret_until": _moment(endpoint.older_until),
        "created_at": _moment(endpoint.created_at),
        "updated_at": _moment(endpoint.updated_at),
    }


def shown_delivery(delivery: Delivery) -> Json:
    """Give a line of the delivery log. What was sent is never part of it."""
    return {
        "id": delivery.id,
        "webhook_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event": delivery.event,
        "account_id": delivery.account_id,
        "state": delivery.state,
        "reason": delivery.reason,
        "replayable": delivery.kept and delivery.state is not State.PENDING,
        "created_at": _moment(delivery.created_at),
        "next_at": _moment(delivery.next_at) if delivery.state is State.PENDING else None,
        "ended_at": _moment(delivery.ended_at),
        "attempts": [
            {"at": _moment(each.at), "status": each.status, "milliseconds": each.milliseconds, "error": each.error}
            for each in delivery.attempts
        ],
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else instant(moment.isoformat())
