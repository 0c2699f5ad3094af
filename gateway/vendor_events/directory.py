"""The database as linking and the platform API need it, with the webhooks of vendors kept up beside it."""

from collections.abc import Sequence
from contextlib import suppress

from gateway.errors import GatewayError
from gateway.model import Account, Accounts, Actor, Choice, Directory, Linked, Secret
from gateway.vendor_events.registration import WebhookRegistrar


class HookedDirectory:
    """Implements the door `Directory`, around another one.

    Whatever stores a credential, by whichever way, sees to the webhook afterwards; whatever erases an account takes
    it away before. No fault of a webhook is one of the account.
    """

    def __init__(self, inner: Directory, accounts: Accounts, hooks: WebhookRegistrar) -> None:
        self._inner = inner
        self._accounts = accounts
        self._hooks = hooks

    async def store(
        self, account: Account, credential: Secret, by: Actor, *, alone: bool = False, replaced: bool = False
    ) -> Account:
        before = await self._found(account.project_id, account.id) if account.revision else None
        if replaced and before:
            # Only the older token reaches the company that it stands at.
            with suppress(GatewayError):
                await self._hooks.remove(before)
        stored = await self._inner.store(account, credential, by, alone=alone, replaced=replaced)
        await self._see_to(stored, before)
        return stored

    async def renew(self, account: Account, credential: Secret, by: Actor) -> Account:
        before = await self._found(account.project_id, account.id)
        stored = await self._inner.renew(account, credential, by)
        await self._see_to(stored, before)
        return stored

    async def erase(self, project_id: str, account_id: str, by: Actor) -> Account | None:
        linked = await self._found(project_id, account_id)
        if linked:
            with suppress(GatewayError):
                await self._hooks.remove(linked)
        return await self._inner.erase(project_id, account_id, by)

    async def _see_to(self, stored: Account, before: Linked | None) -> None:
        linked = await self._found(stored.project_id, stored.id)
        if linked:
            with suppress(GatewayError):
                await self._hooks.ensure(linked, before, over=True)

    async def _found(self, project_id: str, account_id: str) -> Linked | None:
        # A credential that cannot be opened is in the way of its webhook, not of a new credential.
        with suppress(GatewayError):
            return await self._accounts.find_account(project_id, account_id)
        return None

    # --- as it is -------------------------------------------------------------------------------------------

    async def find_by_owner(self, project_id: str, provider: str, owner_id: str) -> Account | None:
        return await self._inner.find_by_owner(project_id, provider, owner_id)

    async def choose(self, project_id: str, choice: Choice) -> Sequence[Account]:
        return await self._inner.choose(project_id, choice)

    async def confirm(self, account_id: str) -> None:
        await self._inner.confirm(account_id)

    async def amend(self, account: Account, by: Actor) -> Account:
        return await self._inner.amend(account, by)
