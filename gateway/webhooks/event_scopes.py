"""Decides which events a client key may have sent: an event about a record takes the scope to list such records.

The scope is that of the contract's operation that lists the resource.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from gateway.errors import Forbidden
from gateway.model import AT_THE_COMMAND_LINE, Actor
from gateway.policy.policy import EVERY_SCOPE, Denial, Operator, admit
from gateway.webhooks.endpoints import Endpoint
from gateway.webhooks.events import EVENTS, RECORDS, wants

LISTS: Mapping[str, Operation] = {
    operation.resource: operation
    for operation in OPERATIONS
    if operation.kind == "list" and not operation.of_employee and operation.resource in RECORDS
}
"""The operation that lists the records, by resource. A resource without one has no events."""

BY_EVENT: Mapping[str, Operation] = {
    event: LISTS[resource] for event in EVENTS for resource in LISTS if wants((f"hris_{resource}.*",), event)
}
"""The operation whose scope an event about records takes, by event."""

EVENT_SCOPES: Mapping[str, str] = {event: operation.scope for event, operation in BY_EVENT.items()}

SENDING = frozenset({"create_webhook", "update_webhook", "replay_webhook_deliveries", "replay_webhook_delivery"})
"""Operations that cause more events to be sent, or to another URL: they take the scopes of the events too."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A caller that asks for events: its scopes, what the operator forbids, and the actor for the audit log."""

    scopes: frozenset[str]
    operator: Operator
    actor: Actor = AT_THE_COMMAND_LINE

    def require(self, events: Iterable[str]) -> None:
        """Raises `Forbidden`, with every scope that these events or families of events take and the key lacks."""
        patterns = tuple(events)
        wanted = {operation.id: operation for event, operation in BY_EVENT.items() if wants(patterns, event)}
        denied = [why for each in wanted.values() if (why := admit(each, self.scopes, self.operator))]
        if denied:
            raise _forbidden(denied)

    def require_change(self, before: Endpoint, after: Endpoint, stored: Iterable[str]) -> None:
        """Raises `Forbidden` for a change that causes events to be sent for which the key lacks the scope.

        `stored` are the events of deliveries that may still be sent to the endpoint. Asking for fewer events takes no
        scope.
        """
        if after.url != before.url:
            self.require((*before.events, *after.events, *stored))
        elif after.enabled and not before.enabled:
            self.require((*after.events, *stored))
        elif after.events != before.events:
            self.require(after.events)


ANY_EVENT = Subscriber(EVERY_SCOPE, Operator())
"""The operator, who may ask for every event."""


def _forbidden(denied: Iterable[Denial]) -> Forbidden:
    missing = [each.missing for each in denied if each.missing]
    words = [each.message for each in denied if not each.missing]
    if missing:
        words.append(
            f"The API key lacks {', '.join(missing)}, which events about such records take, as their list does. "
            "Name other events, or ask the operator of this gateway for a key that has it."
        )
    return Forbidden(" ".join(words), errors=[f"missing scope: {scope}" for scope in missing])
