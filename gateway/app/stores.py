"""Opens the database and makes its stores: the one list of them, for the gateway, the command line and the tests."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.accounts.listeners import RelatedData
from gateway.accounts.purge_store import PurgeStore
from gateway.accounts.sealed_rows import AccountRows
from gateway.accounts.search_store import AccountSearchStore
from gateway.accounts.store import AccountStore
from gateway.accounts.usage_store import UsageStore
from gateway.audit.log import AuditLog, ChangeListener
from gateway.audit.store import AuditStore
from gateway.auth.api_key import new_id
from gateway.auth.key_store import KeyStore
from gateway.auth.sign_in_store import SignInStore
from gateway.db.engine import migrate, open_engine, reading
from gateway.db.schema import credentials
from gateway.db.ttl_cache import TtlCache
from gateway.hub.session_store import SessionStore
from gateway.record_events.store import RecordWatchStore
from gateway.settings.load import Settings
from gateway.unified.idempotency_store import IdempotencyStore
from gateway.vault.vault import Vault
from gateway.vendor_events.store import VendorWebhookStore
from gateway.webhooks.endpoint_store import EndpointStore
from gateway.webhooks.outbox_store import OutboxStore

CACHE_ENTRIES = 10_000
"""Look-ups of keys and of accounts that a process caches, each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """All stores of one database."""

    engine: AsyncEngine
    vault: Vault
    accounts: AccountStore
    account_search: AccountSearchStore
    usage: UsageStore
    purges: PurgeStore
    keys: KeyStore
    sign_ins: SignInStore
    sessions: SessionStore
    audit: AuditStore
    idempotency: IdempotencyStore
    vendor_webhooks: VendorWebhookStore
    record_watches: RecordWatchStore
    endpoints: EndpointStore
    outbox: OutboxStore

    async def check(self) -> None:
        """Raises `StoreUnavailable` if the database cannot be reached, or the vault cannot unwrap its data keys."""
        async with reading(self.engine) as connection:
            for master_key_id in await connection.scalars(select(credentials.c.master_key_id).distinct()):
                self.vault.must_open(master_key_id)
        await self.outbox.check()

    async def close(self) -> None:
        await self.keys.close()
        await self.engine.dispose()


async def open_stores(settings: Settings, vault: Vault, listeners: Sequence[ChangeListener] = ()) -> Stores:
    """Migrates the database and opens it. Raises `StoreUnavailable` if the vault cannot open its accounts."""
    url = settings.database.async_url
    await migrate(url)
    stores = make_stores(open_engine(url), vault, listeners=listeners, cache_seconds=settings.accounts.cache_seconds)
    try:
        await stores.check()
    except BaseException:
        await stores.close()
        raise
    return stores


def make_stores(
    engine: AsyncEngine,
    vault: Vault,
    *,
    listeners: Sequence[ChangeListener] = (),
    cache_seconds: float = 2.0,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    monotonic: Callable[[], float] = time.monotonic,
) -> Stores:
    """Returns the stores of a migrated database. `listeners` are called after each change of an account or a key."""
    audit = AuditStore(engine)
    outbox = OutboxStore(engine, vault, clock, new_id)
    rows = AccountRows(vault, clock)
    usage = UsageStore(engine, rows)
    purges = PurgeStore(engine, clock)
    sessions = SessionStore(engine, audit, purges.clean_files)
    idempotency = IdempotencyStore(engine)
    vendor_webhooks = VendorWebhookStore(engine, vault, clock)
    record_watches = RecordWatchStore(engine, outbox)
    audit_log = AuditLog(audit, clock, within=(outbox.write_change, purges.write_pending), after=listeners)
    keys = KeyStore(engine, clock, TtlCache(cache_seconds, CACHE_ENTRIES, monotonic), audit_log)
    of_company = (
        record_watches.delete_of_account,
        idempotency.delete_of_account,
        vendor_webhooks.delete_of_account,
        outbox.delete_payloads,
    )
    related = RelatedData(
        delete_of_company=of_company,
        # The row of the account, its credential and its usage are deleted after these.
        delete_of_account=(*of_company, sessions.delete_of_owner),
        follow_credential=(vendor_webhooks.make_due,),
    )
    accounts = AccountStore(
        engine,
        rows,
        clock,
        TtlCache(cache_seconds, CACHE_ENTRIES, monotonic),
        keys=keys,
        usage=usage,
        audit_log=audit_log,
        related=related,
    )
    return Stores(
        engine=engine,
        vault=vault,
        accounts=accounts,
        account_search=AccountSearchStore(engine, rows),
        usage=usage,
        purges=purges,
        keys=keys,
        sign_ins=SignInStore(engine),
        sessions=sessions,
        audit=audit,
        idempotency=idempotency,
        vendor_webhooks=vendor_webhooks,
        record_watches=record_watches,
        endpoints=EndpointStore(engine, vault, outbox, audit),
        outbox=outbox,
    )
