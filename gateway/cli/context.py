"""What every command works with: settings, input and output, and the connections that it opens."""

import getpass
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from connectors.connector import Connector
from gateway.accounts.unlink import AccountPurge
from gateway.app.stores import Stores, open_stores
from gateway.cache.invalidation import invalidation_listener
from gateway.errors import NotFound, StoreUnavailable
from gateway.model import Account, Cache, LinkedAccount, Secret, Upstream
from gateway.settings.load import Settings, SettingsError
from gateway.vault.master_key import open_vault


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandContext:
    """`out` prints results, for pipes; `say` prints messages for people.

    `follow_webhooks` has vendor webhooks follow the credentials of accounts that a command links or unlinks.
    """

    settings: Settings
    out: Callable[[str], None]
    say: Callable[[str], None]
    read_secret: Callable[[], Secret]
    connector: Callable[[str], Connector]
    open_upstream: Callable[[], AbstractAsyncContextManager[Upstream]]
    open_cache: Callable[[], AbstractAsyncContextManager[Cache]]
    follow_webhooks: Callable[[Stores, Upstream], None]

    @asynccontextmanager
    async def stores(self) -> AsyncIterator[Stores]:
        settings = self.settings
        try:
            vault = open_vault(
                master_key=settings.vault.key,
                further=settings.vault.further_keys,
                own_database=not settings.database.url,
                say=self.say,
            )
        except StoreUnavailable as error:
            raise SettingsError([error.message]) from error
        async with self.open_cache() as cache:
            # If the settings name the Redis of running gateways, they are told of changes at once.
            stores = await open_stores(settings, vault, (AccountPurge(cache).on_change, invalidation_listener(cache)))
            try:
                yield stores
            finally:
                await stores.close()


async def find_account(stores: Stores, account_id: str) -> Account:
    account = await stores.accounts.find(account_id)
    if account is None:
        raise NotFound(f"there is no linked account {account_id!r}: see `accounts list`")
    return account


async def find_linked(stores: Stores, account_id: str) -> LinkedAccount:
    account = await find_account(stores, account_id)
    linked = await stores.accounts.find_account(account.project_id, account.id)
    if linked is None:
        raise NotFound(f"the account {account_id!r} has been unlinked just now")
    return linked


def read_secret() -> Secret:
    """Reads a secret from a terminal without echo, or from a pipe. An argument would show in the process list."""
    if sys.stdin.isatty():
        return Secret(getpass.getpass("Secret (it is not shown): ").strip())
    # Limited, as a large file may be piped in by mistake; it is refused for its length then.
    return Secret(sys.stdin.buffer.read(65536).decode(errors="replace").strip())
