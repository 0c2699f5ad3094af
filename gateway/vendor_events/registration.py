"""Registers our webhook at the vendor: one endpoint for each account, checked now and then, deleted with the account.

What the database stores of an endpoint is a `VendorWebhook`. A worker leases the row before it changes anything at
the vendor. The result of a lease that has ended is discarded, and the endpoint made under it is deleted again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from connectors.connector import Connector
from connectors.convert import instant
from connectors.events import Listener, NotRegistered, Registered, VendorEvents
from connectors.exchange import Answer, Request
from gateway.accounts.token_rejection import TokenRejections
from gateway.errors import GatewayError
from gateway.model import Account, Accounts, Linked, Secret, Status, Upstream
from gateway.policy.needed_scopes import NeededScope, ScopeUse
from gateway.policy.provider import Provider
from gateway.upstream.flow import follow
from gateway.vendor_events.model import HookStore, VendorWebhook, VendorWebhookState

TURN = timedelta(minutes=1)
PATIENCE = 10.0
PARTING = 3.0
FIRST_WAIT = timedelta(minutes=1)
BATCH = 20
ROUND_SECONDS = 60.0
PATH = "/hooks/{provider}/{account_id}"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrarConfig:
    """What is decided elsewhere. `public_url` is our address to the vendor; `count` hears provider and outcome.

    `check` is how often an endpoint that stands is looked after, `patience` how many seconds the vendor has for
    registering, `parting` for taking away.
    """

    enabled: bool
    public_url: str
    check: timedelta
    clock: Callable[[], datetime]
    new_secret: Callable[[], str]
    count: Callable[[str, str], None]
    patience: float = PATIENCE
    parting: float = PARTING


@dataclass(frozen=True, slots=True)
class RegistrarServices:
    """The doors that webhooks of vendors need."""

    store: HookStore
    accounts: Accounts
    upstream: Upstream
    checks: TokenRejections
    providers: Mapping[str, Provider] = field(default_factory=dict)


class WebhookRegistrar:
    """Sees to the endpoints of accounts at their vendors."""

    def __init__(self, parts: RegistrarServices, rules: RegistrarConfig) -> None:
        self._parts = parts
        self._rules = rules

    # --- registering ----------------------------------------------------------------------------------------

    async def ensure(self, linked: Linked, before: Linked | None = None, *, over: bool = False) -> None:
        """See to an account's endpoint, if it is due or is taken `over`; what comes of it is kept as its health.

        `before` is the account as it was, whose credential may be of another company. Raises `StoreUnavailable` only.
        """
        account = linked.account
        provider, events = self._declared(account)
        if provider is None or events is None or account.status is not Status.ACTIVE:
            return
        now = self._rules.clock()
        turn = await self._parts.store.take(account.id, now, now + TURN, over=over)
        hook = await self._parts.store.find(account.id) if turn is not None else None
        if turn is None or hook is None:
            return
        obstacle = self._obstacle(account, provider, events)
        if obstacle:
            state, reason = obstacle
            hook = await self._withdrawn(linked, hook)
            await self._parts.store.keep(
                replace(hook, state=state, reason=reason, due_at=now + self._rules.check), turn
            )
            return
        found = await self._register(linked, provider, events, hook)
        if isinstance(found, NotRegistered):
            await self._parts.store.keep(self._failed(hook, found, now), turn)
            return
        await self._settle(linked, hook, found, turn)
        if found.secret is not None and hook.remote_id and before and before.credential != linked.credential:
            # The endpoint that was known is not among those of this token: it stands at another company.
            await self._take_away(before, hook.remote_id)

    async def _register(
        self, linked: Linked, provider: Provider, events: VendorEvents, hook: VendorWebhook
    ) -> Registered | NotRegistered:
        path = _path(linked.account)
        listener = Listener(url=self._rules.public_url + path, path=path, secret=self._rules.new_secret())
        flow = events.register(listener, hook.remote_id if hook.secret else None)
        statuses: list[int] = []

        def note(_: Request, answer: Answer) -> None:
            statuses.append(answer.status)

        try:
            async with asyncio.timeout(self._rules.patience):
                found = await follow(flow, provider.connector, linked.credential, self._parts.upstream, note)
            if isinstance(found, Registered) or 401 not in statuses:
                return found
            return NotRegistered((await self._parts.checks.explain(linked, provider.connector)).message)
        except TimeoutError:
            return NotRegistered(f"{provider.connector.name} took longer than {self._rules.patience:g} seconds")
        except GatewayError as error:
            return NotRegistered(error.message)

    async def _settle(self, linked: Linked, hook: VendorWebhook, found: Registered, turn: int) -> None:
        """Keep what was registered, or take it away where it no longer counts."""
        now = self._rules.clock()
        new = found.secret is not None
        stands = replace(
            hook,
            state=VendorWebhookState.ACTIVE,
            reason="",
            remote_id=found.remote_id,
            url=self._rules.public_url + _path(linked.account),
            secret=Secret(found.secret) if found.secret is not None else hook.secret,
            registered_at=now if new else hook.registered_at,
            failures=0,
            due_at=now + self._rules.check,
        )
        kept = await self._parts.store.keep(stands, turn)
        self._rules.count(linked.account.provider, "registered" if new else "stands")
        if new and not kept:
            await self._take_away(linked, found.remote_id)

    def _failed(self, hook: VendorWebhook, why: NotRegistered, now: datetime) -> VendorWebhook:
        """Wait longer with each failure, but not longer than between looks at an endpoint that stands."""
        self._rules.count(hook.provider, "failed")
        wait = min(FIRST_WAIT * 2 ** min(hook.failures, 16), self._rules.check)
        state = VendorWebhookState.FAILING if hook.remote_id else VendorWebhookState.NOT_REGISTERED
        return replace(hook, state=state, reason=why.reason, failures=hook.failures + 1, due_at=now + wait)

    async def follow(self, linked: Linked, before: Linked | None) -> None:
        """Registers the webhook of an account whose credential was stored just now. Raises `StoreUnavailable` only."""
        await self.ensure(linked, before, over=True)

    # --- taking away ----------------------------------------------------------------------------------------

    async def remove(self, linked: Linked) -> None:
        """Take an account's endpoint away, before its credential is gone. Raises `StoreUnavailable` only."""
        store, now = self._parts.store, self._rules.clock()
        hook = await store.find(linked.account.id)
        if hook is None:
            return
        # Whoever is registering one now will find the turn gone, and take away what they made.
        await store.take(linked.account.id, now, now + TURN, over=True)
        if hook.remote_id:
            await self._take_away(linked, hook.remote_id)

    async def _withdrawn(self, linked: Linked, hook: VendorWebhook) -> VendorWebhook:
        """Take the endpoint away where webhooks have been switched off."""
        if self._rules.enabled or not hook.remote_id or not await self._take_away(linked, hook.remote_id):
            return hook
        return replace(hook, remote_id=None, url=None, secret=None, registered_at=None)

    async def _take_away(self, linked: Linked, remote_id: str) -> bool:
        provider, events = self._declared(linked.account)
        gone = False
        if provider and events:
            with suppress(TimeoutError, GatewayError):
                async with asyncio.timeout(self._rules.parting):
                    flow = events.remove(remote_id)
                    gone = await follow(flow, provider.connector, linked.credential, self._parts.upstream)
        self._rules.count(linked.account.provider, "removed" if gone else "left_behind")
        return gone

    # --- looking after --------------------------------------------------------------------------------------

    async def look_after(self) -> int:
        """See to a batch of accounts that are due; tell how many there were."""
        providers = [key for key, each in self._parts.providers.items() if each.connector.events]
        due = await self._parts.store.due(providers, self._rules.clock(), BATCH)
        for project_id, account_id in due:
            # One account that cannot be opened must not keep the others waiting.
            with suppress(GatewayError):
                linked = await self._parts.accounts.find_account(project_id, account_id)
                if linked:
                    await self.ensure(linked)
        return len(due)

    async def keep_on(self, rest: Callable[[float], Awaitable[bool]], jitter: Callable[[], float]) -> None:
        """Look after all hooks; between rounds `rest` waits so many seconds, and is false when it is time to end.

        The workers of a gateway share the work by taking turns.
        """
        with suppress(GatewayError):
            await self._parts.store.hasten(self._rules.clock(), self._rules.public_url)
        going_on = True
        while going_on:
            found = 0
            with suppress(GatewayError):
                found = await self.look_after()
            going_on = await rest(ROUND_SECONDS * (0.5 + jitter()) if found < BATCH else 0)

    # --- telling --------------------------------------------------------------------------------------------

    async def health(self, account: Account) -> Json | None:
        """Tell how an account's webhook stands, or None where its vendor has none."""
        provider, events = self._declared(account)
        if provider is None or events is None:
            return None
        hook = await self._parts.store.find(account.id)
        obstacle = self._obstacle(account, provider, events)
        if obstacle:
            state, reason = obstacle
        elif hook is None:
            state, reason = VendorWebhookState.NOT_REGISTERED, "it has not been tried yet"
        else:
            state, reason = hook.state, hook.reason
        return {
            "state": state.value,
            "reason": reason or None,
            "needs": events.scope,
            "granted_by": provider.connector.granter,
            "registered_at": _told(hook.registered_at) if hook else None,
            "last_event_at": _told(hook.last_event_at) if hook else None,
            "failures": hook.failures if hook else 0,
        }

    def wanted(self, provider: Provider) -> tuple[NeededScope, ...]:
        """Give the scope to ask of a customer, where there can be a webhook at all."""
        connector = provider.connector
        if connector.events is None or self._unreachable(connector):
            return ()
        scope = connector.events.scope
        use = ScopeUse(f"Changes in {connector.name}", ("seen at once",))
        return (NeededScope(scope, connector.scopes[scope], (use,)),)

    def _declared(self, account: Account) -> tuple[Provider | None, VendorEvents | None]:
        provider = self._parts.providers.get(account.provider)
        return provider, provider.connector.events if provider else None

    def _obstacle(
        self, account: Account, provider: Provider, events: VendorEvents
    ) -> tuple[VendorWebhookState, str] | None:
        """Give what stands in the way, besides the vendor."""
        why = self._unreachable(provider.connector)
        if why:
            return VendorWebhookState.NOT_REGISTERED, why
        if events.scope not in account.grant.opens:
            return VendorWebhookState.NOT_ALLOWED, f"the token lacks the scope {events.scope}"
        return None

    def _unreachable(self, connector: Connector) -> str:
        """Tell why no vendor of this kind can send to us: nothing where it can."""
        ours, theirs = urlsplit(self._rules.public_url).scheme, urlsplit(connector.base_url).scheme
        if not self._rules.enabled:
            return "the operator has switched them off (vendor_events.enabled)"
        if not ours:
            return "the gateway's own address is not set (server.public_url)"
        if ours != "https" and theirs == "https":
            return "the gateway's own address must begin with https:// (server.public_url)"
        return ""


def _path(account: Account) -> str:
    return PATH.format(provider=account.provider, account_id=account.id)


def _told(moment: datetime | None) -> str | None:
    return instant(moment.isoformat()) if moment else None
