"""Who may have which events sent: an event about a record tells of it whoever may list such records.

The scope stands in the contract's table, at the operation that lists the resource.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from gateway.errors import Forbidden
from gateway.model import AT_THE_COMMAND_LINE, Actor
from gateway.policy.policy import EVERY_SCOPE, Denied, Operator, admit
from gateway.webhooks.endpoints import Endpoint
from gateway.webhooks.events import EVENTS, RECORDS, wants

LISTS: Mapping[str, Operation] = {
    operation.resource: operation
    for operation in OPERATIONS
    if operation.kind == "list" and not operation.of_employee and operation.resource in RECORDS
}
"""By resource the operation that lists its records: without it nothing is told of them."""

BY_EVENT: Mapping[str, Operation] = {
    event: LISTS[resource] for event in EVENTS for resource in LISTS if wants((f"hris_{resource}.*",), event)
}
"""By event about records the operation that lists these: who may call it may hear of them."""

EVENT_SCOPES: Mapping[str, str] = {event: operation.scope for event, operation in BY_EVENT.items()}

SENDING = frozenset({"create_webhook", "update_webhook", "replay_webhook_deliveries", "replay_webhook_delivery"})
"""Operations that have more events sent, or elsewhere: these take the scopes of the events too."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who asks for events to be sent: the scopes of a client key, what the operator forbids, and who it is."""

    scopes: frozenset[str]
    operator: Operator
    actor: Actor = AT_THE_COMMAND_LINE

    def require(self, events: Iterable[str]) -> None:
        """Raise `Forbidden` that names every scope which these events, or families of them, take and the key lacks."""
        patterns = tuple(events)
        wanted = {operation.id: operation for event, operation in BY_EVENT.items() if wants(patterns, event)}
        denied = [why for each in wanted.values() if (why := admit(each, self.scopes, self.operator))]
        if denied:
            raise _forbidden(denied)

    def require_change(self, before: Endpoint, after: Endpoint, kept: Iterable[str]) -> None:
        """Raise `Forbidden` for a change that has events sent, or elsewhere, which the key may not hear.

        `kept` are events that may still be sent there. To hear less, or nothing, takes no scope.
        """
        if after.url != before.url:
            self.require((*before.events, *after.events, *kept))
        elif after.enabled and not before.enabled:
            self.require((*after.events, *kept))
        elif after.events != before.events:
            self.require(after.events)


ANY_EVENT = Subscriber(EVERY_SCOPE, Operator())
"""The operator, who may have anything sent."""


def _forbidden(denied: Iterable[Denied]) -> Forbidden:
    missing = [each.missing for each in denied if each.missing]
    words = [each.message for each in denied if not each.missing]
    if missing:
        words.append(
            f"The API key lacks {', '.join(missing)}, which events about such records take, as their list does. "
            "Name other events, or ask the operator of this gateway for a key that has it."
        )
    return Forbidden(" ".join(words), errors=[f"missing scope: {scope}" for scope in missing])
