"""What a vendor tells of by itself: a delivery is checked, its events read, and what they concern is fetched anew.

The only effect of an event is that something is asked for again. So it does no harm when events come twice, late or
in another order than they happened; the answer's age says how old it is, whether events come or not.
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
from gateway.model import Account, Accounts, Linked, Secret
from gateway.policy.provider import Provider
from gateway.vendor_events.model import HookStore, VendorWebhook

Invalidate: TypeAlias = Callable[[Linked, frozenset[str] | None, str], Awaitable[bool]]
"""Ends what is kept of an account that was made from lists of these resources (None: all), under a word that nobody
else has. False where that could not be told to all."""

Noticed: TypeAlias = Callable[[Account, Sequence[Event]], Awaitable[None]]
"""Hears of the events of an account once what they concern will be fetched anew. An error has them sent again."""

NOTE_EVERY = timedelta(minutes=1)
REMEMBERED = 10_000
NOBODY = Secret("the secret of accounts that are not there, so that they take as long as others")


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorDelivery:
    """A call that says it comes from a vendor, as it came in. Header names are lower case."""

    provider: str
    account_id: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    request_id: str


async def nobody_listens(account: Account, events: Sequence[Event]) -> None:
    """Hear of events, and leave it at that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What events bring about. `count` hears the provider and what became of an event or a delivery."""

    invalidate: Invalidate
    count: Callable[[str, str], None]
    noticed: Noticed = nobody_listens


class WebhookReceiver:
    """Takes deliveries of vendors. What was taken is remembered for a while, so that copies cost nothing."""

    def __init__(
        self,
        store: HookStore,
        accounts: Accounts,
        providers: Mapping[str, Provider],
        effects: Effects,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._providers = providers
        self._effects = effects
        self._clock = clock
        self._taken: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    async def receive(self, delivery: VendorDelivery) -> None:
        """Take a delivery. Raises `Unauthenticated`, always the same, for one that no vendor of that account signed.

        Raises `StoreUnavailable` where it could not be carried out: the vendor is to send it again.
        """
        linked, hook, declared = await self._identified(delivery)
        account = linked.account
        copy = (account.id, sha256(delivery.body).digest())
        if copy in self._taken:
            self._effects.count(account.provider, "repeated")
            return
        events = self._read(delivery, declared)
        known = [event for event in events if event.resources]
        if known:
            await self._carry_out(linked, known, delivery.request_id)
        # Of events without a time, two that read alike may be two.
        if events and all(event.occurred_at for event in events):
            self._remember(copy)
        for event in events:
            self._effects.count(account.provider, "taken" if event.resources else "unknown")
        now = self._clock()
        if hook.last_event_at is None or now - hook.last_event_at >= NOTE_EVERY:
            await self._store.note_event(account.id, now)

    def _read(self, delivery: VendorDelivery, declared: VendorEvents) -> Sequence[Event]:
        try:
            return declared.read(delivery.body)
        except Unreadable:
            # It is the vendor's all the same: refusing it would only have the endpoint switched off.
            self._effects.count(delivery.provider, "unreadable")
            return ()

    async def _identified(self, delivery: VendorDelivery) -> tuple[Linked, VendorWebhook, VendorEvents]:
        """Find whose delivery it is. Whether the account exists or the signature is wrong cannot be told apart."""
        provider = self._providers.get(delivery.provider)
        declared = provider.connector.events if provider else None
        # No id has such characters, and not every database can be asked about them.
        hook = await self._store.find(delivery.account_id) if declared and delivery.account_id.isprintable() else None
        if hook is not None and hook.provider != delivery.provider:
            hook = None
        secret = (hook.secret if hook else None) or NOBODY
        good = declared is not None and is_signed(delivery, declared.signatures, secret)
        if good and hook is not None and hook.secret and declared:
            linked = await self._accounts.find_account(hook.project_id, hook.account_id)
            if linked is not None:
                return linked, hook, declared
        self._effects.count(delivery.provider if provider else "other", "refused")
        raise Unauthenticated("This delivery is not signed as it has to be.", code="InvalidSignatureError")

    async def _carry_out(self, linked: Linked, events: Sequence[Event], request_id: str) -> None:
        resources = frozenset[str]().union(*(event.resources for event in events))
        if not await self._effects.invalidate(linked, resources, request_id):
            raise StoreUnavailable("The cache cannot be told now: send this again.")
        await self._effects.noticed(linked.account, events)

    def _remember(self, copy: tuple[str, bytes]) -> None:
        self._taken[copy] = None
        while len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)


def is_signed(delivery: VendorDelivery, forms: Sequence[Signature], secret: Secret) -> bool:
    """Tell whether one of the forms holds over the raw body. How long it takes does not tell how near a digest is."""
    key = secret.reveal.encode()
    digests = {form.algorithm: hmac.digest(key, delivery.body, form.algorithm) for form in forms}
    claims = [(digests[form.algorithm], form.claimed(delivery.headers)) for form in forms]
    return any(claim is not None and hmac.compare_digest(digest, claim) for digest, claim in claims)
