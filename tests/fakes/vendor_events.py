"""Webhooks of a vendor in memory: a store of vendor webhooks, a vendor that sends events, and a registrar."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.connector import Connector
from connectors.events import (
    Event,
    Listener,
    NotRegistered,
    Registered,
    Registration,
    Removal,
    Signature,
    Unreadable,
    VendorEvents,
)
from connectors.exchange import Answer, Request
from gateway.accounts.token_rejection import TokenRejections
from gateway.cache.account_cache import AccountCache
from gateway.errors import StoreUnavailable, VendorFailure
from gateway.model import LinkedAccount, Status, Upstream
from gateway.observability.metrics import make_metrics
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from gateway.vendor_events.live import LiveWebhooks, Receiving, live_keys, live_until
from gateway.vendor_events.model import VendorWebhook, VendorWebhookState
from gateway.vendor_events.registration import RegistrarConfig, WebhookRegistrar
from gateway.vendor_events.store import VendorWebhookStore
from tests.fakes.core import Memory, Register, Time, Vendor, json_answer, make_linked, refusal
from tests.fakes.metrics import counts
from tests.fakes.vendor import VILLAGE

HEADER = "x-village-signature"
CHECK = timedelta(hours=8)
SILENCE = 7200.0


def register(listener: Listener, known: str | None) -> Registration:
    answer = yield Request("POST", "/hooks", body=json.dumps([listener.url, listener.secret, known]).encode())
    if answer.status != 200:
        return NotRegistered(f"Village answered {answer.status}")
    told = json.loads(answer.body)
    return Registered(told["id"], told["secret"], frozenset(told.get("covers", ())))


def remove(remote_id: str) -> Removal:
    answer = yield Request("DELETE", f"/hooks/{remote_id}")
    return answer.status == 200


def read(body: bytes) -> Sequence[Event]:
    """Read names of resources between spaces; a number among them is the hour at which it happened."""
    words = body.decode("latin-1").split()
    if not words:
        raise Unreadable("it is empty")
    hours = [datetime.fromisoformat(f"2026-11-24T{word}:00Z") for word in words if word.isdigit()]
    names = [word for word in words if not word.isdigit()]
    return [
        Event(name=name, resources=frozenset({name} & {"employees"}), occurred_at=hours[0] if hours else None)
        for name in names
    ]


VILLAGE_EVENTS = VendorEvents(
    scope="closed",
    signatures=(
        Signature(header=HEADER),
        Signature(header=HEADER, prefix="sha256="),
        Signature(header="x-other", algorithm="sha512", encoding="base64"),
    ),
    resources=frozenset({"employees"}),
    register=register,
    remove=remove,
    read=read,
)
SENDING: Connector = replace(VILLAGE, events=VILLAGE_EVENTS)


@dataclass
class MemoryWebhookStore(VendorWebhookStore):
    """Keeps webhooks of the accounts of a register, as the database does."""

    register: Register
    webhooks: dict[str, VendorWebhook] = field(default_factory=dict)
    leases: dict[str, int] = field(default_factory=dict)

    async def find(self, account_id: str) -> VendorWebhook | None:
        return self.webhooks.get(account_id)

    async def lease(self, account_id: str, now: datetime, until: datetime, *, force: bool = False) -> int | None:
        linked = self.register.accounts.get(account_id)
        if linked is None:
            return None
        account = linked.account
        webhook = self.webhooks.get(account_id) or VendorWebhook(
            account_id=account_id,
            project_id=account.project_id,
            provider=account.provider,
            state=VendorWebhookState.NOT_REGISTERED,
            due_at=now,
        )
        if webhook.due_at > now and not force:
            return None
        self.webhooks[account_id] = replace(webhook, due_at=until)
        self.leases[account_id] = self.leases.get(account_id, 0) + 1
        return self.leases[account_id]

    async def save(self, webhook: VendorWebhook, lease: int) -> bool:
        mine = webhook.account_id in self.register.accounts and self.leases.get(webhook.account_id) == lease
        if mine:
            last = self.webhooks[webhook.account_id].last_event_at
            self.webhooks[webhook.account_id] = replace(webhook, last_event_at=last)
        return mine

    async def set_last_event(self, account_id: str, now: datetime) -> None:
        self.webhooks[account_id] = replace(self.webhooks[account_id], last_event_at=now)

    async def due(self, providers: Sequence[str], now: datetime, most: int) -> Sequence[tuple[str, str]]:
        return [
            (linked.account.project_id, account_id)
            for account_id, linked in self.register.accounts.items()
            if linked.account.provider in providers
            and linked.account.status is Status.ACTIVE
            and (account_id not in self.webhooks or self.webhooks[account_id].due_at <= now)
        ][:most]

    async def check_inactive(self, now: datetime, url: str) -> None:
        for account_id, webhook in self.webhooks.items():
            if webhook.state is VendorWebhookState.NOT_REGISTERED or (
                webhook.url and not webhook.url.startswith(f"{url}/")
            ):
                self.webhooks[account_id] = replace(webhook, due_at=min(webhook.due_at, now))


class Slow:
    """A way to a vendor that does not answer."""

    async def send(self, base_url: str, request: Request) -> Answer:
        await asyncio.sleep(60)
        raise NotImplementedError(base_url, request)


class Unreachable:
    """A way to a vendor that leads nowhere."""

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        raise VendorFailure("The provider could not be reached.")


class Damaged(Register):
    """Accounts of which one cannot be opened."""

    async def find_account(self, project_id: str, account_id: str) -> LinkedAccount | None:
        if account_id == "damaged":
            raise StoreUnavailable("link the account again")
        return await super().find_account(project_id, account_id)


class Down(MemoryWebhookStore):
    """A store that cannot be reached."""

    async def find(self, account_id: str) -> VendorWebhook | None:
        raise StoreUnavailable(account_id)

    async def lease(self, account_id: str, now: datetime, until: datetime, *, force: bool = False) -> int | None:
        raise StoreUnavailable(f"{account_id} {now} {until} {force}")

    async def due(self, providers: Sequence[str], now: datetime, most: int) -> Sequence[tuple[str, str]]:
        raise StoreUnavailable(f"{providers} {now} {most}")

    async def check_inactive(self, now: datetime, url: str) -> None:
        raise StoreUnavailable(f"{now} {url}")


def accounts_of_village() -> dict[str, LinkedAccount]:
    return {"a1": make_linked("a1", "open", "closed"), "b1": make_linked("b1", "open")}


@dataclass
class RegistrarSetup:
    """Where Village's criers stand: webhooks with all their parts. Account `a1` may have one, `b1` lacks the scope."""

    enabled: bool = True
    public_url: str = "https://gateway.test"
    statuses: dict[str, int] = field(default_factory=dict)
    upstream: Upstream | None = None
    register: Register = field(default_factory=lambda: Register(accounts=accounts_of_village()))
    account_cache: MemoryWebhookStore | None = None
    covers: tuple[str, ...] = ("employees",)

    def __post_init__(self) -> None:
        self.time = Time()
        self.store = self.account_cache or MemoryWebhookStore(self.register)
        self.vendor = Vendor(instead=self.answer)
        self.metrics = make_metrics()
        self.made = 0
        self.providers = {"village": Provider(SENDING, Policy(SENDING, Operator()))}
        way = self.upstream or self.vendor
        self.memory = Memory(self.time)
        self.invalidated: list[str] = []
        self.receiving = Receiving(self.memory, self.time.seconds)
        self.live = LiveWebhooks(
            self.memory,
            self.invalidate,
            self.receiving,
            silence=SILENCE,
            now=self.time.seconds,
            new_id=lambda: f"id {self.time.seconds()}",
        )
        self.config = RegistrarConfig(enabled=self.enabled, public_url=self.public_url, check=CHECK, live=self.live)
        self.registrar = WebhookRegistrar(
            self.config,
            self.store,
            self.register,
            way,
            token_rejections=TokenRejections(self.register, way, lambda: self.time.moment),
            providers=self.providers,
            clock=lambda: self.time.moment,
            metrics=self.metrics,
        )

    async def invalidate(self, linked: LinkedAccount, resources: frozenset[str] | None, new_id: str) -> bool:
        self.invalidated.append(f"{linked.account.id} {resources}")
        return bool(new_id)

    async def trusted(self, resource: str = "employees", account: str = "a1") -> float:
        """Returns for how many seconds every change of a resource is sure to be told."""
        linked = self.register.accounts[account]
        cache = AccountCache(self.memory, linked, 1 << 16, "a request")
        notes = await cache.read(live_keys(cache, linked.account))
        return max(0.0, live_until(notes, resource) - self.time.seconds())

    @property
    def counted(self) -> dict[str, int]:
        return counts(self.metrics.vendor_webhooks)

    def answer(self, request: Request) -> Answer:
        """Make a webhook, or keep the one that is known; `statuses` are answered instead, by method."""
        if request.method in self.statuses:
            return refusal(self.statuses[request.method])
        if request.method == "DELETE":
            return json_answer({})
        _, secret, known = json.loads(request.body or b"")
        self.made += not known
        made = {"id": known or f"h{self.made}", "secret": None if known else secret}
        return json_answer({**made, "covers": self.covers})

    def linked(self, account_id: str = "a1") -> LinkedAccount:
        return self.register.accounts[account_id]

    def webhook(self, account_id: str = "a1") -> VendorWebhook:
        return self.store.webhooks[account_id]

    def asked(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.vendor.asked]

    async def health(self, account_id: str = "a1") -> dict[str, Any]:
        told = await self.registrar.health(self.linked(account_id).account)
        assert told is not None
        return told
