"""Receives webhooks of vendors: checks the signature, reads the events, and invalidates what they concern.

The only effect of an event is that something is read again. So events may come twice, late or in any order, and
nothing of their content is trusted beyond the names of the lists they concern.
"""

import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeAlias

from connectors.events import Event, Signature, Unreadable, VendorEvents
from gateway.errors import StoreUnavailable, Unauthenticated
from gateway.model import Account, Accounts, LinkedAccount, Secret
from gateway.observability.metrics import Metrics
from gateway.policy.provider import Provider
from gateway.vendor_events.live import Invalidate, LiveWebhooks
from gateway.vendor_events.model import VendorWebhook
from gateway.vendor_events.store import VendorWebhookStore

EventListener: TypeAlias = Callable[[Account, Sequence[Event]], Awaitable[None]]
"""Called with the events of an account after the invalidation. If it raises, the vendor sends them again."""

EVENT_TIME_INTERVAL = timedelta(minutes=1)
REMEMBERED = 10_000
"""Digests of deliveries that are remembered, so that a repeated one costs nothing."""
UNKNOWN = Secret("signs for accounts that do not exist, so that their refusal takes as long as any other")


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorDelivery:
    """A request that claims to come from a vendor. Header names are lower case."""

    provider: str
    account_id: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    request_id: str


class WebhookReceiver:
    """Receives deliveries; `metrics` counts each by provider and outcome."""

    def __init__(
        self,
        store: VendorWebhookStore,
        accounts: Accounts,
        providers: Mapping[str, Provider],
        *,
        invalidate: Invalidate,
        on_events: EventListener,
        live: LiveWebhooks,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._providers = providers
        self._invalidate = invalidate
        self._on_events = on_events
        self._live = live
        self._clock = clock
        self._outcomes = metrics.vendor_events
        self._received: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    async def receive(self, delivery: VendorDelivery) -> None:
        """Processes a delivery. Raises `Unauthenticated`, always the same, unless the account's vendor signed it.

        Raises `StoreUnavailable` where its effect could not be stored, so that the vendor sends it again.
        """
        linked, webhook, declared = await self._identify(delivery)
        account = linked.account
        copy = (account.id, sha256(delivery.body).digest())
        if copy in self._received:
            self._count(account.provider, "repeated")
            return
        events = self._read(delivery, declared)
        if not events:  # What it would have told is not known.
            await self._live.doubt(linked)
        known = [event for event in events if event.resources]
        if known:
            await self._apply(linked, known, delivery.request_id)
        # Without a time, two equal bodies may be two events.
        if events and all(event.occurred_at for event in events):
            self._remember(copy)
        for event in events:
            self._count(account.provider, "received" if event.resources else "unknown")
        now = self._clock()
        if webhook.last_event_at is None or now - webhook.last_event_at >= EVENT_TIME_INTERVAL:
            await self._store.set_last_event(account.id, now)
            if events:
                await self._live.note_event(linked)

    def _read(self, delivery: VendorDelivery, declared: VendorEvents) -> Sequence[Event]:
        try:
            return declared.read(delivery.body)
        except Unreadable:
            # The vendor did sign it: after some refusals it would switch the endpoint off.
            self._count(delivery.provider, "unreadable")
            return ()

    async def _identify(self, delivery: VendorDelivery) -> tuple[LinkedAccount, VendorWebhook, VendorEvents]:
        """Returns whose delivery it is. An unknown account and a wrong signature are refused alike."""
        provider = self._providers.get(delivery.provider)
        declared = provider.connector.events if provider else None
        # Real ids are printable, and not every database accepts other characters.
        webhook = (
            await self._store.find(delivery.account_id) if declared and delivery.account_id.isprintable() else None
        )
        if webhook is not None and webhook.provider != delivery.provider:
            webhook = None
        secret = (webhook.secret if webhook else None) or UNKNOWN
        good = declared is not None and is_signed(delivery, declared.signatures, secret)
        if webhook is not None and webhook.secret and declared:
            linked = await self._accounts.find_account(webhook.project_id, webhook.account_id)
            if linked is not None and good:
                return linked, webhook, declared
            if linked is not None:  # Perhaps the vendor signs otherwise now, and true events would be refused too.
                await self._live.doubt(linked)
        self._count(delivery.provider if provider else "other", "refused")
        raise Unauthenticated("This delivery is not signed as it has to be.", code="InvalidSignatureError")

    async def _apply(self, linked: LinkedAccount, events: Sequence[Event], request_id: str) -> None:
        resources = frozenset[str]().union(*(event.resources for event in events))
        if not await self._invalidate(linked, resources, request_id):
            self._live.receiving.note_break()
            raise StoreUnavailable("The cache cannot be told now: send this again.")
        await self._on_events(linked.account, events)

    def _remember(self, copy: tuple[str, bytes]) -> None:
        self._received[copy] = None
        while len(self._received) > REMEMBERED:
            self._received.popitem(last=False)

    def _count(self, provider: str, outcome: str) -> None:
        self._outcomes.labels(provider, outcome).inc()


def is_signed(delivery: VendorDelivery, forms: Sequence[Signature], secret: Secret) -> bool:
    """Returns whether one of the signatures is right for the raw body, in a time that tells nothing of the digest."""
    key = secret.reveal.encode()
    digests = {form.algorithm: hmac.digest(key, delivery.body, form.algorithm) for form in forms}
    claims = [(digests[form.algorithm], form.claimed(delivery.headers)) for form in forms]
    return any(claim is not None and hmac.compare_digest(digest, claim) for digest, claim in claims)
