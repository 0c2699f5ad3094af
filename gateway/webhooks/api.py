"""The operations on webhooks: a project's endpoints and their deliveries."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.convert import instant
from gateway.accounts.service import PlatformCall, no_parameters
from gateway.contract.query import MOST_PAGES, PageLimits, read_number, refuse_query, unknown_parameter
from gateway.errors import BadRequest
from gateway.policy.policy import Operator
from gateway.webhooks.deliveries import Delivery, State
from gateway.webhooks.endpoints import DeliveryFilter, Endpoint
from gateway.webhooks.event_scopes import Subscriber
from gateway.webhooks.service import WebhookService
from gateway.webhooks.signature import LONGEST_OVERLAP

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
        return [endpoint_json(each) for each in await self._webhooks.of_project(call.key.project_id)]

    async def _create(self, call: PlatformCall) -> Json:
        endpoint, secret = await self._webhooks.create(call.key.project_id, await call.body(), self._subscriber(call))
        return {**endpoint_json(endpoint), "secret": secret.reveal}

    async def _get(self, call: PlatformCall) -> Json:
        return endpoint_json(await self._webhooks.find(call.key.project_id, call.named))

    async def _update(self, call: PlatformCall) -> Json:
        changed = await self._webhooks.change(
            call.key.project_id, call.named, await call.body(), self._subscriber(call)
        )
        return endpoint_json(changed)

    async def _delete(self, call: PlatformCall) -> Json:
        return endpoint_json(await self._webhooks.remove(call.key.project_id, call.named, call.actor))

    async def _rotate(self, call: PlatformCall) -> Json:
        numbers = read_numbers(call, {"overlap_seconds": (0, LONGEST_OVERLAP)})
        overlap = numbers.get("overlap_seconds")
        endpoint, secret = await self._webhooks.rotate(call.key.project_id, call.named, call.actor, overlap)
        return {**endpoint_json(endpoint), "secret": secret.reveal}

    async def _ping(self, call: PlatformCall) -> Json:
        return delivery_json(await self._webhooks.ping(call.key.project_id, call.named))

    async def _deliveries(self, call: PlatformCall) -> list[Json]:
        states = [value for name, value in call.pairs if name == "state" and value]
        if len(states) > 1 or not set(states) <= set(State):
            raise BadRequest(f"The query is not valid: state must be one of {', '.join(State)}, and that once.")
        numbers = read_numbers(call, {"page": (1, MOST_PAGES), "page_size": (1, self._page.most)}, ("state",))
        size = numbers.get("page_size", self._page.default)
        pick = DeliveryFilter(
            state=State(states[0]) if states else None, skip=(numbers.get("page", 1) - 1) * size, most=size
        )
        return [delivery_json(each) for each in await self._webhooks.deliveries(call.key.project_id, call.named, pick)]

    async def _replay_dead(self, call: PlatformCall) -> Json:
        return {"replayed": await self._webhooks.replay_dead(call.key.project_id, call.named, self._subscriber(call))}

    async def _replay(self, call: PlatformCall) -> Json:
        return delivery_json(await self._webhooks.replay(call.key.project_id, call.named, self._subscriber(call)))

    def _subscriber(self, call: PlatformCall) -> Subscriber:
        return Subscriber(call.key.scopes, self._operator, call.actor)


def read_numbers(
    call: PlatformCall, ranges: Mapping[str, tuple[int, int]], others: Sequence[str] = ()
) -> Mapping[str, int]:
    """Returns the whole numbers of a query, each within its range. Raises `BadRequest` with all faults."""
    found: dict[str, int] = {}
    faults: list[str] = []
    for name, value in call.pairs:
        if name in others or (name in ranges and not value):
            continue
        if name not in ranges:
            faults.append(unknown_parameter(name, call.operation.parameters))
        elif name in found:
            faults.append(f"{name} is given twice")
        else:
            found[name] = read_number(name, value, *ranges[name], faults)
    refuse_query(faults)
    return found


def endpoint_json(endpoint: Endpoint) -> Json:
    """Returns an endpoint without its secret."""
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


def delivery_json(delivery: Delivery) -> Json:
    """Returns a delivery without the payload that was sent."""
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
