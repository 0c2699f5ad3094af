"""Manages the webhooks of a project, for its backend and for the operator: endpoints, secrets, pings and replays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway.audit.events import AuditEvent, AuditRecord, event
from gateway.errors import Conflict, NotFound
from gateway.model import Actor, Secret
from gateway.webhooks.deliveries import Delivery, State
from gateway.webhooks.endpoint_store import EndpointStore
from gateway.webhooks.endpoints import MOST_ENDPOINTS, DeliveryFilter, Endpoint, read_endpoint
from gateway.webhooks.event_scopes import Subscriber
from gateway.webhooks.events import EVERYTHING, ping_event
from gateway.webhooks.targets import Targets


class WebhookService:
    """Finds and changes only what belongs to the given project. Raises `NotFound`, `Conflict` and `BadRequest`.

    `by` is who has events sent. If it lacks the scope of an event, `Forbidden` is raised.
    """

    def __init__(
        self,
        endpoints: EndpointStore,
        *,
        targets: Targets,
        secret_overlap: float,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        new_secret: Callable[[], Secret],
    ) -> None:
        """`secret_overlap` is for how many seconds the older secret stays valid when the caller does not say."""
        self._endpoints = endpoints
        self._targets = targets
        self._secret_overlap = secret_overlap
        self._now = now
        self._new_id = new_id
        self._new_secret = new_secret

    async def of_project(self, project_id: str) -> Sequence[Endpoint]:
        return await self._endpoints.of_project(project_id)

    async def create(self, project_id: str, body: Mapping[str, Any], by: Subscriber) -> tuple[Endpoint, Secret]:
        """Creates an endpoint; returns it and its secret, which cannot be read again."""
        now = self._now()
        blank = Endpoint(
            id=self._new_id(),
            project_id=project_id,
            url="",
            events=(EVERYTHING,),
            created_at=now,
            updated_at=now,
        )
        endpoint, secret = read_endpoint(body, blank, self._targets, now), self._new_secret()
        by.require(endpoint.events)
        record = self._record(AuditEvent.WEBHOOK_CREATED, endpoint, by.actor, endpoint.events)
        if not await self._endpoints.add(endpoint, secret, record):
            raise Conflict(f"A project may have {MOST_ENDPOINTS} webhooks: remove one that is not used.")
        return endpoint, secret

    async def find(self, project_id: str, endpoint_id: str) -> Endpoint:
        endpoint = await self._endpoints.find(project_id, endpoint_id) if endpoint_id.isprintable() else None
        return _found(endpoint)

    async def change(self, project_id: str, endpoint_id: str, body: Mapping[str, Any], by: Subscriber) -> Endpoint:
        before = await self.find(project_id, endpoint_id)
        after = read_endpoint(body, before, self._targets, self._now())
        by.require_change(before, after, await self._endpoints.kept_events(before))
        fields = [name for name in ("url", "events", "description") if getattr(before, name) != getattr(after, name)]
        if before.enabled != after.enabled:
            fields.append("enabled" if after.enabled else "disabled")
        record = self._record(AuditEvent.WEBHOOK_UPDATED, after, by.actor, after.events, fields)
        return _found(await self._endpoints.change(before, after, record))

    async def remove(self, project_id: str, endpoint_id: str, actor: Actor) -> Endpoint:
        endpoint = await self.find(project_id, endpoint_id)
        record = self._record(AuditEvent.WEBHOOK_DELETED, endpoint, actor)
        return _found(await self._endpoints.remove(project_id, endpoint.id, record))

    async def rotate(
        self, project_id: str, endpoint_id: str, actor: Actor, overlap: float | None = None
    ) -> tuple[Endpoint, Secret]:
        """Creates a new secret. The present one stays valid for `overlap` seconds; an older one ends now."""
        now, secret = self._now(), self._new_secret()
        seconds = self._secret_overlap if overlap is None else overlap
        wanted = replace(
            await self.find(project_id, endpoint_id),
            older_until=now + timedelta(seconds=seconds) if seconds else None,
            updated_at=now,
        )
        record = self._record(AuditEvent.WEBHOOK_SECRET_ROTATED, wanted, actor)
        return _found(await self._endpoints.rotate(wanted, secret, record)), secret

    def _record(
        self, what: AuditEvent, endpoint: Endpoint, actor: Actor, events: Sequence[str] = (), fields: Sequence[str] = ()
    ) -> AuditRecord:
        """Returns the audit record of a change: ids and names of events, never the URL, which may hold a secret."""
        details = {"webhook": endpoint.id, "events": events, "fields": fields}
        named = {name: value for name, value in details.items() if value}
        return event(what, self._now(), actor, project_id=endpoint.project_id, details=named)

    async def ping(self, project_id: str, endpoint_id: str) -> Delivery:
        endpoint, now = await self.find(project_id, endpoint_id), self._now()
        _must_be_enabled(endpoint)
        return await self._endpoints.send(endpoint, ping_event(project_id, endpoint.id, self._new_id(), now), now)

    async def deliveries(self, project_id: str, endpoint_id: str, pick: DeliveryFilter) -> Sequence[Delivery]:
        return await self._endpoints.deliveries(await self.find(project_id, endpoint_id), pick)

    async def replay(self, project_id: str, delivery_id: str, by: Subscriber) -> Delivery:
        found = await self._endpoints.delivery(project_id, delivery_id) if delivery_id.isprintable() else None
        if found is None:
            raise NotFound("There is no such delivery in the project of this API key.")
        by.require([found.event])
        if found.state is State.PENDING:
            raise Conflict("This delivery is still on its way.")
        _must_be_enabled(await self.find(project_id, found.endpoint_id))
        again = await self._endpoints.replay(found, self._now()) if found.kept else None
        if again is None:
            raise Conflict("The payload of this delivery is deleted, so it cannot be sent again.")
        return again

    async def replay_dead(self, project_id: str, endpoint_id: str, by: Subscriber) -> int:
        endpoint = await self.find(project_id, endpoint_id)
        by.require(await self._endpoints.kept_events(endpoint))
        _must_be_enabled(endpoint)
        return await self._endpoints.replay_dead(endpoint, self._now())


def _found(endpoint: Endpoint | None) -> Endpoint:
    if endpoint is None:
        raise NotFound("There is no such webhook in the project of this API key.")
    return endpoint


def _must_be_enabled(endpoint: Endpoint) -> None:
    if not endpoint.enabled:
        raise Conflict(f"This webhook is disabled ({endpoint.disabled_reason}): enable it first.")
