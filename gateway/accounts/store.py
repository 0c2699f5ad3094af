"""Linked accounts and their sealed credentials, kept together or not at all."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.accounts.erasure_store import ErasureStore
from gateway.accounts.owner_store import AccountReader, seal_owner, select_accounts
from gateway.accounts.rows import write_account
from gateway.accounts.search_store import AccountSearchStore
from gateway.accounts.usage_store import UsageStore
from gateway.audit.events import AuditRecord, stops_keeping
from gateway.audit.log import NO_LISTENERS, AuditLog, ChangeListeners
from gateway.audit.store import AuditStore
from gateway.auth.api_key import new_id
from gateway.auth.key_store import KeyStore
from gateway.auth.sign_in_store import SignInStore
from gateway.db.engine import empty_journal, reading, writing
from gateway.db.schema import (
    accounts,
    connect_sessions,
    credentials,
    idempotency,
    projects,
    record_watches,
    vendor_webhooks,
)
from gateway.db.ttl_cache import Memo
from gateway.errors import Conflict, StoreUnavailable
from gateway.hub.session_store import SessionStore
from gateway.model import (
    GATEWAY,
    Account,
    Actor,
    Choice,
    ClientKey,
    Linked,
    OwnerLinked,
    Secret,
    Status,
    StatusReason,
    Unsealable,
)
from gateway.record_events.store import WatchBook
from gateway.unified.idempotency_store import IdempotencyStore
from gateway.vault.rewrap import Rewrapped, rewrap
from gateway.vault.vault import Vault, WrappedKey
from gateway.vendor_events.store import VendorWebhookStore, look_after
from gateway.webhooks.endpoint_store import EndpointStore
from gateway.webhooks.outbox_store import OutboxStore

CREDENTIAL = b"credential"
MEMO_ENTRIES = 10_000


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """Implements the doors `Accounts`, `Ledger` and `Directory`. `endpoints` and `outbox` are webhooks to the product.

    `clients` has the projects and keys, `idempotency` what is done once only, `sessions` the
    permissions to link, `register` the accounts of all projects, `usage` how accounts fare, `trail` what has
    happened to them, `erasures` what is still to be erased, `hooks` the webhooks of accounts at their vendors,
    `watches` the lists watched for the product.

    Each change is noted in the trail, by whom it was made, in its own transaction, and told to the ears.

    Keys and accounts are remembered for `memo_seconds` in this process: so late are changes by others seen.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        vault: Vault,
        *,
        ears: ChangeListeners = NO_LISTENERS,
        memo_seconds: float = 2.0,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._memo: Memo[str, Linked | None] = Memo(memo_seconds, MEMO_ENTRIES, monotonic)
        self.outbox = OutboxStore(engine, vault, clock, new_id)
        self.audit = AuditStore(engine)
        self.endpoints = EndpointStore(engine, vault, self.outbox, self.audit)
        self.idempotency = IdempotencyStore(engine)
        self._reader = AccountReader(vault)
        self.register = AccountSearchStore(engine, self._reader)
        self.usage = UsageStore(engine, self._reader)
        self.hooks = VendorWebhookStore(engine, vault)
        self.watches = WatchBook(engine, self.outbox)
        self.erasures = ErasureStore(engine, clock)
        self.sessions = SessionStore(engine, self.audit, self.erasures.clean_files)
        self.sign_ins = SignInStore(engine)
        # Within the database, so that changes from the command line are told, too.
        within = (*ears.within, self.outbox.hear, self.erasures.hear)
        self._notes = AuditLog(self.audit, replace(ears, within=within), clock)
        self.clients = KeyStore(engine, clock, Memo(memo_seconds, MEMO_ENTRIES, monotonic), self._notes)

    def drop(self, account_id: str) -> None:
        """Forget what this process remembers of an account: it has been changed elsewhere."""
        self._memo.drop(account_id)

    async def close(self) -> None:
        await self.clients.close()
        await self._engine.dispose()

    async def check(self) -> None:
        """Refuse a database that cannot be reached, or whose data keys the vault cannot unwrap."""
        async with reading(self._engine) as connection:
            found = await connection.scalars(select(credentials.c.master_key_id).distinct())
            for master_key_id in found.all():
                self._vault.must_open(master_key_id)
        await self.outbox.check()

    # --- as a request needs it ------------------------------------------------------------------------------

    async def find_key(self, secret: str) -> ClientKey | None:
        return await self.clients.find(secret)

    async def find_account(self, project_id: str, account_id: str) -> Linked | None:
        linked = await self._memo.get(account_id, lambda: self._look_up(account_id))
        return linked if linked is not None and linked.account.project_id == project_id else None

    def is_current(self, key: ClientKey, linked: Linked) -> bool:
        return self.clients.is_current(key) and self._memo.peek(linked.account.id) is linked

    async def mark(
        self,
        account_id: str,
        status: Status,
        reason: StatusReason | None,
        *,
        by: Actor = GATEWAY,
        revision: int | None = None,
    ) -> None:
        """Set the state; with a `revision` only if the account has not changed since, as by a re-link."""
        async with writing(self._engine) as connection:
            before = await self._hold(connection, accounts.c.id == account_id)
            if before is None or revision not in {None, before.revision}:
                return
            after = replace(
                before,
                status=status,
                status_reasons=(reason,) if reason else (),
                revision=before.revision + 1,
                updated_at=self._clock(),
            )
            await self._replace(connection, after)
            # What is due for the account is another thing now.
            await self.usage.look_again(connection, account_id, self._clock())
            change = await self._notes.changed(connection, before, after, by)
        await self._done(change)

    # --- as linking needs it --------------------------------------------------------------------------------

    async def find_by_owner(self, project_id: str, provider: str, owner_id: str) -> Account | None:
        found = await self._accounts(select_accounts().where(_of_owner(project_id, provider, owner_id)))
        return found[0] if found else None

    async def store(
        self, account: Account, credential: Secret, by: Actor = GATEWAY, *, alone: bool = False, replaced: bool = False
    ) -> Account:
        """Write a new account (revision 0), or replace one whose stored revision is the given one.

        So what is unlinked meanwhile does not come back, and of two changes at once the second is refused.
        Each store makes a new data key: what was sealed before cannot be opened any more.
        """
        return await self._seal(account, credential, by, given=True, alone=alone, replaced=replaced)

    async def renew(self, account: Account, credential: Secret, by: Actor = GATEWAY) -> Account:
        return await self._seal(account, credential, by, given=False)

    async def confirm(self, account_id: str) -> None:
        async with writing(self._engine) as connection:
            await self.usage.verified(connection, account_id, self._clock())

    async def erase(self, project_id: str, account_id: str, by: Actor = GATEWAY) -> Account | None:
        of_account = (accounts.c.id == account_id) & (accounts.c.project_id == project_id)
        async with writing(self._engine) as connection:
            account = await self._hold(connection, of_account)
            if account is not None:
                # All that refers to it goes with it, the credential and its data key too: the foreign keys cascade.
                await connection.execute(delete(accounts).where(of_account))
                await self._close_sessions(connection, account)
                change = await self._notes.unlinked(connection, account, by)
        if account is None:
            self.drop(account_id)
            return None
        await self._done(change)
        await self._scrub()
        return account

    # --- as the platform API needs it -----------------------------------------------------------------------

    async def choose(self, project_id: str, choice: Choice) -> Sequence[Account]:
        """Give accounts of a project, oldest first; an account is chosen and paged by the database."""
        query = select_accounts().where(accounts.c.project_id == project_id)
        for column, wanted in (
            (accounts.c.id, choice.ids),
            (accounts.c.provider, choice.providers),
            (accounts.c.owner_id, choice.owner_ids),
            (accounts.c.status, choice.statuses),
        ):
            query = query.where(column.in_(wanted)) if wanted else query
        return await self._accounts(query.offset(choice.skip).limit(choice.most))

    async def amend(self, account: Account, by: Actor = GATEWAY) -> Account:
        """Write an account that is there already. Its credential and data key stay, unless its caching ends."""
        amended = replace(account, revision=account.revision + 1)
        async with writing(self._engine) as connection:
            before = await self._hold(connection, accounts.c.id == account.id)
            await self._replace(connection, amended)
            if before is not None and stops_keeping(before, amended):
                await self._change_data_key(connection, amended)
            change = await self._notes.changed(connection, before or account, amended, by)
        await self._done(change)
        return amended

    # --- as an operator needs it ----------------------------------------------------------------------------

    async def account(self, account_id: str) -> Account | None:
        found = await self._accounts(select_accounts().where(accounts.c.id == account_id))
        return found[0] if found else None

    async def rewrap(self) -> Rewrapped:
        """Wrap all stored data keys by the present master key."""
        return await rewrap(self._engine, self._vault)

    async def accounts(self, project_id: str | None = None) -> Sequence[Account]:
        """Give the accounts of a project, or of all, oldest first."""
        query = select_accounts()
        if project_id is not None:
            query = query.where(accounts.c.project_id == project_id)
        return await self._accounts(query)

    # --- inside ---------------------------------------------------------------------------------------------

    async def _accounts(self, query: Select[*tuple[Any, ...]]) -> Sequence[Account]:
        async with reading(self._engine) as connection:
            found = await connection.execute(query.order_by(accounts.c.created_at, accounts.c.id))
            return [self._reader.read(row) for row in found.all()]

    async def _look_up(self, account_id: str) -> Linked | None:
        query = select_accounts().add_columns(credentials.c.sealed).where(accounts.c.id == account_id)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        try:
            cipher = self._vault.unwrap(account_id, WrappedKey(row.master_key_id, row.wrapped_key))
            credential = Secret(cipher.open(row.sealed, CREDENTIAL).decode())
        except Unsealable as error:
            raise StoreUnavailable(
                f"the credential of account {account_id} is damaged: link the account again"
            ) from error
        return Linked(self._reader.read(row, cipher), credential, cipher)

    async def _seal(
        self,
        account: Account,
        credential: Secret,
        by: Actor,
        *,
        given: bool,
        alone: bool = False,
        replaced: bool = False,
    ) -> Account:
        """Write an account, and its credential under a new data key; `given` says that somebody gave it anew.

        Of a company that was `replaced` nothing stays.
        """
        stored = replace(account, revision=account.revision + 1)
        row = self._new_row(account, credential.reveal.encode())
        async with writing(self._engine) as connection:
            if alone and account.revision == 0:
                await _must_be_alone(connection, account)
            change = await self._write(connection, stored, by, given=given)
            await connection.execute(delete(credentials).where(credentials.c.account_id == account.id))
            await connection.execute(insert(credentials).values(row))
            if replaced:
                await self._drop_company(connection, account.id)
            # Another token may be of another company, or may now have a webhook.
            await connection.execute(look_after(account.id, self._clock()))
        await self._done(change)
        if replaced:
            await self._scrub()
        return stored

    async def _drop_company(self, connection: AsyncConnection, account_id: str) -> None:
        """Drop what is kept of the company that an account was linked to: its records' hashes, answers, and events.

        Its webhook too: what is still sent from there is no longer known.
        """
        for table in (record_watches, idempotency, vendor_webhooks):
            await connection.execute(delete(table).where(table.c.account_id == account_id))
        await self.outbox.forget(connection, account_id)

    async def _change_data_key(self, connection: AsyncConnection, account: Account) -> None:
        """Seal the credential with a new data key: what the old one has sealed elsewhere cannot be opened any more."""
        of_account = credentials.c.account_id == account.id
        row = (await connection.execute(select(credentials).where(of_account).with_for_update())).one_or_none()
        if row is None:
            return
        try:
            plain = self._open(row)
        except Unsealable:  # What such a key has sealed cannot be opened either.
            return
        await connection.execute(update(credentials).where(of_account).values(self._new_row(account, plain)))

    def _new_row(self, account: Account, credential: bytes) -> dict[str, object]:
        """Seal a credential and the owner's name with a new data key."""
        wrapped, cipher = self._vault.new_key(account.id)
        return {
            "account_id": account.id,
            "owner_sealed": seal_owner(cipher, account.owner),
            "master_key_id": wrapped.master_key_id,
            "wrapped_key": wrapped.wrapped,
            "sealed": cipher.seal(credential, CREDENTIAL),
            "updated_at": self._clock(),
        }

    def _open(self, row: Row[Any]) -> bytes:
        """Give a credential. Raises `Unsealable`."""
        return self._vault.unwrap(row.account_id, WrappedKey(row.master_key_id, row.wrapped_key)).open(
            row.sealed, CREDENTIAL
        )

    async def _write(self, connection: AsyncConnection, account: Account, by: Actor, *, given: bool) -> AuditRecord:
        if account.revision == 1:
            await connection.execute(insert(accounts).values(write_account(account)))
            await self.usage.begin(connection, account.id, self._clock())
            return await self._notes.linked(connection, account, by)
        before = await self._hold(connection, accounts.c.id == account.id)
        await self._replace(connection, account)
        await self.usage.verified(connection, account.id, self._clock())
        return await self._notes.changed(connection, before or account, account, by, credential=given)

    async def _hold(self, connection: AsyncConnection, which: ColumnElement[bool]) -> Account | None:
        """Give an account as it is, which nobody else changes until the transaction ends."""
        row = (await connection.execute(select_accounts().where(which).with_for_update(of=accounts))).one_or_none()
        return None if row is None else self._reader.read(row)

    async def _close_sessions(self, connection: AsyncConnection, account: Account) -> None:
        """Drop the permissions to link that its owner still has, unless another account of the owner remains."""
        of_owner = (accounts.c.project_id == account.project_id) & (accounts.c.owner_id == account.owner.id)
        if (await connection.execute(select(accounts.c.id).where(of_owner).limit(1))).first() is None:
            table = connect_sessions
            theirs = (table.c.project_id == account.project_id) & (table.c.owner_id == account.owner.id)
            await connection.execute(delete(table).where(theirs))

    async def _done(self, change: AuditRecord) -> None:
        self.drop(change.account_id or "")
        await self._notes.tell(change)

    async def _replace(self, connection: AsyncConnection, account: Account) -> None:
        unchanged = (
            (accounts.c.id == account.id)
            & (accounts.c.project_id == account.project_id)
            & (accounts.c.revision == account.revision - 1)
        )
        if (await connection.execute(update(accounts).where(unchanged).values(write_account(account)))).rowcount != 1:
            raise Conflict("the account was changed or unlinked at the same time: look at it and try again")
        await self._seal_owner(connection, account)

    async def _seal_owner(self, connection: AsyncConnection, account: Account) -> None:
        """Seals the owner's name with the data key that there is."""
        of_account = credentials.c.account_id == account.id
        row = (await connection.execute(select(credentials).where(of_account))).one_or_none()
        if row is None:
            return
        try:
            cipher = self._vault.unwrap(account.id, WrappedKey(row.master_key_id, row.wrapped_key))
        except Unsealable:  # Then nothing of the account can be used, and what is there stays.
            return
        sealed = seal_owner(cipher, account.owner)
        await connection.execute(update(credentials).where(of_account).values(owner_sealed=sealed))

    async def _scrub(self) -> None:
        """Empty SQLite's journal, which still holds what was erased; without it the next writes do so."""
        if self._engine.dialect.name != "sqlite":
            return
        with suppress(StoreUnavailable):
            async with reading(self._engine) as connection:
                await connection.run_sync(empty_journal)


def _of_owner(project_id: str, provider: str, owner_id: str) -> ColumnElement[bool]:
    return (accounts.c.project_id == project_id) & (accounts.c.provider == provider) & (accounts.c.owner_id == owner_id)


async def _must_be_alone(connection: AsyncConnection, account: Account) -> None:
    """Refuse a second account of an owner. The links of a project take turns here, until the transaction ends."""
    of_project = projects.c.id == account.project_id
    # Not against the foreign keys that others write meanwhile; SQLite has one writer anyhow.
    await connection.execute(select(projects.c.id).where(of_project).with_for_update(key_share=True))
    of_owner = _of_owner(account.project_id, account.provider, account.owner.id)
    if (await connection.execute(select(accounts.c.id).where(of_owner).limit(1))).first() is not None:
        raise OwnerLinked
