"""What is done with webhooks, by a project's backend and by an operator alike: made, changed, tried, sent again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.audit.events import AuditEvent, AuditRecord, event
from gateway.errors import Conflict, NotFound
from gateway.model import Actor, Secret
from gateway.webhooks.deliveries import Delivery, State
from gateway.webhooks.endpoint_store import EndpointStore
from gateway.webhooks.endpoints import MOST_ENDPOINTS, Endpoint, Pick, read_endpoint
from gateway.webhooks.event_scopes import Subscriber
from gateway.webhooks.events import EVERYTHING, ping_event
from gateway.webhooks.targets import Targets

LONGEST_OVERLAP = 7 * 24 * 3600
"""Seconds that two secrets may live side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """Where ids, secrets and the time come from; and what is decided elsewhere, the overlap of secrets in seconds."""

    now: Callable[[], datetime]
    new_id: Callable[[], str]
    new_secret: Callable[[], Secret]
    targets: Targets
    overlap: float


class WebhookService:
    """What a project's backend and an operator do alike; a project's own and nothing else is there.

    `by` is who has events sent; that raises `Forbidden` for events that are not for its ears.
    """

    def __init__(self, book: EndpointStore, making: Making) -> None:
        self._book = book
        self._making = making

    async def of_project(self, project_id: str) -> Sequence[Endpoint]:
        return await self._book.of_project(project_id)

    async def create(self, project_id: str, body: Mapping[str, Any], by: Subscriber) -> tuple[Endpoint, Secret]:
        """Make an endpoint, and give its secret this one time."""
        now = self._making.now()
        blank = Endpoint(
            id=self._making.new_id(),
            project_id=project_id,
            url="",
            events=(EVERYTHING,),
            created_at=now,
            updated_at=now,
        )
        endpoint, secret = read_endpoint(body, blank, self._making.targets, now), self._making.new_secret()
        by.require(endpoint.events)
        told = self._told(AuditEvent.WEBHOOK_CREATED, endpoint, by.actor, endpoint.events)
        if not await self._book.add(endpoint, secret, told):
            raise Conflict(f"A project may have {MOST_ENDPOINTS} webhooks: remove one that is not used.")
        return endpoint, secret

    async def find(self, project_id: str, endpoint_id: str) -> Endpoint:
        found = await self._book.find(project_id, endpoint_id) if endpoint_id.isprintable() else None
        return _there(found)

    async def change(self, project_id: str, endpoint_id: str, body: Mapping[str, Any], by: Subscriber) -> Endpoint:
        before = await self.find(project_id, endpoint_id)
        after = read_endpoint(body, before, self._making.targets, self._making.now())
        by.require_change(before, after, await self._book.kept_events(before))
        fields = [name for name in ("url", "events", "description") if getattr(before, name) != getattr(after, name)]
        if before.enabled != after.enabled:
            fields.append("enabled" if after.enabled else "disabled")
        told = self._told(AuditEvent.WEBHOOK_UPDATED, after, by.actor, after.events, fields)
        return _there(await self._book.change(before, after, told))

    async def remove(self, project_id: str, endpoint_id: str, actor: Actor) -> Endpoint:
        endpoint = await self.find(project_id, endpoint_id)
        told = self._told(AuditEvent.WEBHOOK_DELETED, endpoint, actor)
        return _there(await self._book.remove(project_id, endpoint.id, told))

    async def rotate(
        self, project_id: str, endpoint_id: str, actor: Actor, overlap: float | None = None
    ) -> tuple[Endpoint, Secret]:
        """Make a new secret; the present one goes on for `overlap` seconds, and one before it ends now."""
        now, secret = self._making.now(), self._making.new_secret()
        seconds = self._making.overlap if overlap is None else overlap
        wanted = replace(
            await self.find(project_id, endpoint_id),
            older_until=now + timedelta(seconds=seconds) if seconds else None,
            updated_at=now,
        )
        told = self._told(AuditEvent.WEBHOOK_SECRET_ROTATED, wanted, actor)
        return _there(await self._book.rotate(wanted, secret, told)), secret

    def _told(
        self, what: AuditEvent, endpoint: Endpoint, actor: Actor, events: Sequence[str] = (), fields: Sequence[str] = ()
    ) -> AuditRecord:
        """Give the row of the trail: ids and names of events, and never the address that they go to."""
        details = {"webhook": endpoint.id, "events": events, "fields": fields}
        named = {name: value for name, value in details.items() if value}
        return event(what, self._making.now(), actor, project_id=endpoint.project_id, details=named)

    async def ping(self, project_id: str, endpoint_id: str) -> Delivery:
        endpoint, now = await self.find(project_id, endpoint_id), self._making.now()
        _must_be_enabled(endpoint)
        return await self._book.send(endpoint, ping_event(project_id, endpoint.id, self._making.new_id(), now), now)

    async def deliveries(self, project_id: str, endpoint_id: str, pick: Pick) -> Sequence[Delivery]:
        return await self._book.deliveries(await self.find(project_id, endpoint_id), pick)

    async def replay(self, project_id: str, delivery_id: str, by: Subscriber) -> Delivery:
        found = await self._book.delivery(project_id, delivery_id) if delivery_id.isprintable() else None
        if found is None:
            raise NotFound("There is no such delivery in the project of this API key.")
        by.require([found.event])
        if found.state is State.PENDING:
            raise Conflict("This delivery is still on its way.")
        _must_be_enabled(await self.find(project_id, found.endpoint_id))
        again = await self._book.replay(found, self._making.now()) if found.kept else None
        if again is None:
            raise Conflict("What this delivery said is no longer kept, so it cannot be sent again.")
        return again

    async def replay_dead(self, project_id: str, endpoint_id: str, by: Subscriber) -> int:
        endpoint = await self.find(project_id, endpoint_id)
        by.require(await self._book.kept_events(endpoint))
        _must_be_enabled(endpoint)
        return await self._book.replay_dead(endpoint, self._making.now())


def _there(endpoint: Endpoint | None) -> Endpoint:
    if endpoint is None:
        raise NotFound("There is no such webhook in the project of this API key.")
    return endpoint


def _must_be_enabled(endpoint: Endpoint) -> None:
    if not endpoint.enabled:
        raise Conflict(f"This webhook is disabled ({endpoint.disabled_reason}): enable it first.")
