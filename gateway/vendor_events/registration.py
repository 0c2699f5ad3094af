"""Registers our webhook at the vendor: one endpoint for each account, checked now and then, deleted with the account.

The database stores a `VendorWebhook` for each account. A worker leases the row before it changes anything at the
vendor. If the lease was taken over meanwhile, its result is discarded, and an endpoint made under it is deleted again.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from connectors.connector import Connector
from connectors.convert import instant
from connectors.events import Listener, NotRegistered, Registered, VendorEvents
from connectors.exchange import Answer, Request
from gateway.accounts.token_rejection import TokenRejections
from gateway.background import spread
from gateway.errors import GatewayError
from gateway.model import Account, Accounts, LinkedAccount, Secret, Status, Upstream
from gateway.observability.metrics import Metrics
from gateway.policy.needed_scopes import NeededScope, ScopeUse
from gateway.policy.provider import Provider
from gateway.upstream.flow import follow
from gateway.vendor_events.live import LiveWebhooks
from gateway.vendor_events.model import VendorWebhook, VendorWebhookState
from gateway.vendor_events.store import VendorWebhookStore

LEASE = timedelta(minutes=1)
REGISTER_SECONDS = 10.0
REMOVE_SECONDS = 3.0
"""How long the vendor may take to register and to remove an endpoint; a caller waits for the latter at an unlink."""
LATE_CHECK = timedelta(minutes=10)
"""How late a check may be before the webhook is doubted."""
FIRST_WAIT = timedelta(minutes=1)
BATCH = 20
PATH = "/hooks/{provider}/{account_id}"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrarConfig:
    """Settings: `public_url` is our address for the vendor, `check` how often a registered endpoint is checked.

    `live` notes what was found, where there is a shared cache.
    """

    enabled: bool
    public_url: str
    check: timedelta
    live: LiveWebhooks | None = None


class WebhookRegistrar:
    """Registers, checks and removes the endpoints of accounts at their vendors."""

    def __init__(
        self,
        config: RegistrarConfig,
        store: VendorWebhookStore,
        accounts: Accounts,
        upstream: Upstream,
        *,
        token_rejections: TokenRejections,
        providers: Mapping[str, Provider],
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._config = config
        self._store = store
        self._accounts = accounts
        self._upstream = upstream
        self._token_rejections = token_rejections
        self._providers = providers
        self._clock = clock
        self._outcomes = metrics.vendor_webhooks
        self._checked_inactive = False

    # --- registering ----------------------------------------------------------------------------------------

    async def ensure(self, linked: LinkedAccount, before: LinkedAccount | None = None, *, force: bool = False) -> None:
        """Registers or checks an account's endpoint if it is due, or at once with `force`, and stores the result.

        `before` is the account as it was, whose credential may be of another company. Raises only `StoreUnavailable`:
        the webhook is an addition, and no fault of it may fail what is done to the account.
        """
        account = linked.account
        provider, events = self._declared(account)
        if provider is None or events is None or account.status is not Status.ACTIVE:
            return
        now = self._clock()
        lease = await self._store.lease(account.id, now, now + LEASE, force=force)
        webhook = await self._store.find(account.id) if lease is not None else None
        if lease is None or webhook is None:
            return
        obstacle = self._obstacle(account, provider, events)
        if obstacle:
            state, reason = obstacle
            webhook = await self._withdraw(linked, webhook)
            await self._doubt(linked)
            await self._store.save(
                replace(webhook, state=state, reason=reason, due_at=self._next_check(account, now)), lease
            )
            return
        found = await self._register(linked, provider, events, webhook)
        if isinstance(found, NotRegistered):
            await self._doubt(linked)
            await self._store.save(self._failed(webhook, found, now), lease)
            return
        await self._settle(linked, webhook, found, lease)
        if found.secret is not None and webhook.remote_id and before and before.credential != linked.credential:
            # The new token does not see the old endpoint: that is at another company, which only the old token reaches.
            await self._delete(before, webhook.remote_id)

    async def _register(
        self, linked: LinkedAccount, provider: Provider, events: VendorEvents, webhook: VendorWebhook
    ) -> Registered | NotRegistered:
        path = _path(linked.account)
        listener = Listener(url=self._config.public_url + path, path=path, secret=secrets.token_urlsafe(32))
        # Without the secret its deliveries cannot be checked, so the known endpoint is of no use: a new one is made.
        flow = events.register(listener, webhook.remote_id if webhook.secret else None)
        statuses: list[int] = []

        def note(_: Request, answer: Answer) -> None:
            statuses.append(answer.status)

        try:
            async with asyncio.timeout(REGISTER_SECONDS):
                found = await follow(flow, provider.connector, linked.credential, self._upstream, note)
            if isinstance(found, Registered) or 401 not in statuses:
                return found
            return NotRegistered((await self._token_rejections.explain(linked, provider.connector)).message)
        except TimeoutError:
            return NotRegistered(f"{provider.connector.name} took longer than {REGISTER_SECONDS:g} seconds")
        except GatewayError as error:
            return NotRegistered(error.message)

    async def _settle(self, linked: LinkedAccount, webhook: VendorWebhook, found: Registered, lease: int) -> None:
        """Stores what was registered; deletes it again at the vendor if the lease was taken over meanwhile."""
        now = self._clock()
        new = found.secret is not None
        registered = replace(
            webhook,
            state=VendorWebhookState.ACTIVE,
            reason="",
            remote_id=found.remote_id,
            url=self._config.public_url + _path(linked.account),
            secret=Secret(found.secret) if found.secret is not None else webhook.secret,
            registered_at=now if new else webhook.registered_at,
            failures=0,
            due_at=self._next_check(linked.account, now),
        )
        stored = await self._store.save(registered, lease)
        self._outcomes.labels(linked.account.provider, "registered" if new else "checked").inc()
        if new:  # Events were lost since the endpoint before it worked, if there was one.
            await self._doubt(linked)
        if stored and self._config.live:
            until = (registered.due_at + LATE_CHECK).timestamp()
            await self._config.live.note_registered(linked, found.covers, until)
        if new and not stored:
            await self._delete(linked, found.remote_id)

    async def _doubt(self, linked: LinkedAccount) -> None:
        if self._config.live:
            await self._config.live.doubt(linked)

    def _failed(self, webhook: VendorWebhook, why: NotRegistered, now: datetime) -> VendorWebhook:
        """Doubles the wait with each failure, up to the interval between checks."""
        self._outcomes.labels(webhook.provider, "failed").inc()
        wait = min(FIRST_WAIT * 2 ** min(webhook.failures, 16), self._config.check)
        state = VendorWebhookState.FAILING if webhook.remote_id else VendorWebhookState.NOT_REGISTERED
        return replace(webhook, state=state, reason=why.reason, failures=webhook.failures + 1, due_at=now + wait)

    def _next_check(self, account: Account, now: datetime) -> datetime:
        return spread(account.id, now + self._config.check, self._config.check.total_seconds())

    async def follow(self, linked: LinkedAccount, before: LinkedAccount | None) -> None:
        """Registers the webhook of an account whose credential was stored just now. Raises only `StoreUnavailable`."""
        await self.ensure(linked, before, force=True)

    # --- removing ----------------------------------------------------------------------------------------

    async def remove(self, linked: LinkedAccount) -> None:
        """Deletes an account's endpoint while its credential still exists. Raises only `StoreUnavailable`."""
        store, now = self._store, self._clock()
        webhook = await store.find(linked.account.id)
        if webhook is None:
            return
        # A worker that registers one now loses its lease by this, and deletes the endpoint that it made.
        await store.lease(linked.account.id, now, now + LEASE, force=True)
        if webhook.remote_id:
            await self._delete(linked, webhook.remote_id)

    async def _withdraw(self, linked: LinkedAccount, webhook: VendorWebhook) -> VendorWebhook:
        """Deletes the endpoint at the vendor if webhooks are switched off."""
        if self._config.enabled or not webhook.remote_id or not await self._delete(linked, webhook.remote_id):
            return webhook
        return replace(webhook, remote_id=None, url=None, secret=None, registered_at=None)

    async def _delete(self, linked: LinkedAccount, remote_id: str) -> bool:
        """Deletes an endpoint at the vendor; False if the vendor did not confirm it: then it sends into the void."""
        provider, events = self._declared(linked.account)
        deleted = False
        if provider and events:
            with suppress(TimeoutError, GatewayError):
                async with asyncio.timeout(REMOVE_SECONDS):
                    flow = events.remove(remote_id)
                    deleted = await follow(flow, provider.connector, linked.credential, self._upstream)
        self._outcomes.labels(linked.account.provider, "removed" if deleted else "not_removed").inc()
        return deleted

    # --- checking -------------------------------------------------------------------------------------------

    async def check_due(self) -> int:
        """Registers or checks up to `BATCH` endpoints that are due, one after the other; returns how many were due.

        All workers do so; the leases divide the work. After a start many may be due, so the caller makes pauses. Raises
        `StoreUnavailable`.
        """
        if not self._checked_inactive:
            # Once for each start: the settings that prevented a webhook, or our address, may have changed.
            await self._store.check_inactive(self._clock(), self._config.public_url)
            self._checked_inactive = True
        providers = [key for key, each in self._providers.items() if each.connector.events]
        due = await self._store.due(providers, self._clock(), BATCH)
        for project_id, account_id in due:
            # An account whose credential cannot be opened must not keep the others waiting.
            with suppress(GatewayError):
                linked = await self._accounts.find_account(project_id, account_id)
                if linked:
                    await self.ensure(linked)
        return len(due)

    # --- health --------------------------------------------------------------------------------------------

    async def health(self, account: Account) -> Json | None:
        """Returns the state of an account's webhook as JSON, or None if its vendor has no webhooks."""
        provider, events = self._declared(account)
        if provider is None or events is None:
            return None
        webhook = await self._store.find(account.id)
        obstacle = self._obstacle(account, provider, events)
        if obstacle:
            state, reason = obstacle
        elif webhook is None:
            state, reason = VendorWebhookState.NOT_REGISTERED, "it has not been tried yet"
        else:
            state, reason = webhook.state, webhook.reason
        return {
            "state": state.value,
            "reason": reason or None,
            "needs": events.scope,
            "granted_by": provider.connector.granter,
            "registered_at": _text(webhook.registered_at) if webhook else None,
            "last_event_at": _text(webhook.last_event_at) if webhook else None,
            "failures": webhook.failures if webhook else 0,
        }

    def wanted(self, provider: Provider) -> tuple[NeededScope, ...]:
        """Returns the scope that the customer is asked for, if there can be a webhook at all."""
        connector = provider.connector
        if connector.events is None or self._unreachable(connector):
            return ()
        scope = connector.events.scope
        use = ScopeUse(f"Changes in {connector.name}", ("seen at once",))
        return (NeededScope(scope, connector.scopes[scope], (use,)),)

    def _declared(self, account: Account) -> tuple[Provider | None, VendorEvents | None]:
        provider = self._providers.get(account.provider)
        return provider, provider.connector.events if provider else None

    def _obstacle(
        self, account: Account, provider: Provider, events: VendorEvents
    ) -> tuple[VendorWebhookState, str] | None:
        """Returns the state and reason if something other than the vendor prevents a webhook."""
        why = self._unreachable(provider.connector)
        if why:
            return VendorWebhookState.NOT_REGISTERED, why
        if events.scope not in account.grant.opens:
            return VendorWebhookState.NOT_ALLOWED, f"the token lacks the scope {events.scope}"
        return None

    def _unreachable(self, connector: Connector) -> str:
        """Returns why this vendor cannot send to the gateway, in words for the operator; "" if it can."""
        ours, theirs = urlsplit(self._config.public_url).scheme, urlsplit(connector.base_url).scheme
        if not self._config.enabled:
            return "the operator has switched them off (vendor_events.enabled)"
        if not ours:
            return "the gateway's own address is not set (server.public_url)"
        if ours != "https" and theirs == "https":
            return "the gateway's own address must begin with https:// (server.public_url)"
        return ""


def _path(account: Account) -> str:
    return PATH.format(provider=account.provider, account_id=account.id)


def _text(moment: datetime | None) -> str | None:
    return instant(moment.isoformat()) if moment else None
