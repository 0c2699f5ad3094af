"""The operator's actions on linked accounts and keys of all projects."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.platform_bodies import SESSION_SECONDS
from gateway.accounts.link import CheckedToken, Linker
from gateway.accounts.search_store import AccountSearchStore
from gateway.accounts.store import AccountStore
from gateway.accounts.unlink import unlink
from gateway.auth.authentication import Authenticator
from gateway.auth.key_store import KeyStore
from gateway.errors import BadRequest, Conflict, NotFound
from gateway.hub.session_request import ConnectSession
from gateway.hub.sessions import SessionService
from gateway.model import Account, Actor, Project, Status, StatusReason
from gateway.policy.provider import Provider

MAX_NAME_LENGTH = 200
SUSPENDED = "suspended_by_operator"

_ADVICE: Mapping[Status, str] = {
    Status.ERROR: "Link it again with a working {name} token, or verify it once the cause is fixed.",
    Status.SUSPENDED: "Its requests are refused until it is resumed.",
    Status.EXPIRED: "Link it again: its token has expired.",
    Status.INACTIVE: "Link it again to use it.",
    Status.ARCHIVED: "Link it again to use it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An account that is to be linked. `additional` links a further account of the same owner."""

    provider: str
    owner_id: str
    owner_name: str
    label: str = ""
    additional: bool = False
    seconds: int = SESSION_SECONDS


class AdminService:
    """Runs the same functions as the API and the command line."""

    def __init__(
        self,
        *,
        search: AccountSearchStore,
        keys: KeyStore,
        directory: AccountStore,
        authenticator: Authenticator,
        sessions: SessionService,
        linker: Linker,
    ) -> None:
        self.search = search
        self.keys = keys
        self.providers = authenticator.providers
        self._accounts = authenticator.accounts
        self._directory = directory
        self._sessions = sessions
        self._linker = linker

    async def find(self, account_id: str) -> Account:
        """Returns an account of any project. Raises `NotFound`."""
        # No id has control characters, and PostgreSQL refuses them.
        account = await self._directory.find(account_id) if account_id.isprintable() else None
        if account is None:
            raise NotFound("There is no such account here. It may have been unlinked.", code="AccountNotFoundError")
        return account

    def provider(self, account: Account) -> Provider:
        """Returns the provider of an account. Raises `NotFound` if its connector is gone."""
        found = self.providers.get(account.provider)
        if found is None:
            raise NotFound(f"This gateway has no connector for {account.provider} any more.")
        return found

    def provider_name(self, account: Account) -> str:
        found = self.providers.get(account.provider)
        return found.connector.name if found else account.provider

    async def verify(self, account: Account, by: Actor) -> CheckedToken:
        """Verifies the account's token with its vendor now."""
        connector = self.provider(account).connector
        linked = await self._accounts.find_account(account.project_id, account.id)
        if linked is None:
            raise NotFound("The account has been unlinked just now.", code="AccountNotFoundError")
        return await self._linker.verify(connector, linked, by)

    async def suspend(self, account: Account, by: Actor) -> None:
        reason = StatusReason(SUSPENDED, "The operator of this gateway has suspended it.", self._linker.clock())
        await self._accounts.mark(account.id, Status.SUSPENDED, reason, by=by)

    async def resume(self, account: Account, by: Actor) -> None:
        if account.status is not Status.SUSPENDED:
            raise Conflict(f"The account is {account.status} and not suspended.")
        await self._accounts.mark(account.id, Status.ACTIVE, None, by=by)

    async def unlink(self, account: Account, by: Actor) -> None:
        await unlink(account.project_id, account.id, self._directory, by)

    async def invite(self, project_id: str, invitation: Invitation, by: Actor) -> tuple[ConnectSession, str]:
        """Returns a connect session that links an account, and its token. Raises `BadRequest` with every fault."""
        body: dict[str, object] = {
            "provider": invitation.provider,
            "origin_owner_id": invitation.owner_id,
            "origin_owner_name": invitation.owner_name,
            "multiple": invitation.additional,
            "expires_in": invitation.seconds,
        }
        if invitation.label.strip():
            body["label"] = invitation.label
        try:
            return await self._sessions.create(project_id, body, by)
        except BadRequest as error:
            raise _with_form_labels(error) from error

    async def invite_again(
        self, account: Account, by: Actor, seconds: int = SESSION_SECONDS
    ) -> tuple[ConnectSession, str]:
        """Returns a connect session that replaces the token of this account, and the session's token."""
        owner = account.owner
        body: dict[str, object] = {
            "account_id": account.id,
            "origin_owner_id": owner.id,
            "origin_owner_name": owner.name,
            "origin_username": owner.username,
            "expires_in": seconds,
        }
        return await self._sessions.create(account.project_id, body, by)

    async def project(self, project_id: str, new_name: str) -> Project:
        """Returns the chosen project, or the one of this name, created if there is none."""
        if project_id:
            for each in await self.keys.projects():
                if each.id == project_id:
                    return each
            raise NotFound("There is no such project.")
        name = new_name.strip()
        if not name or not name.isprintable() or len(name) > MAX_NAME_LENGTH:
            raise BadRequest(f"Choose a project, or give a new one a name of at most {MAX_NAME_LENGTH} characters.")
        return await self.keys.ensure_project(name)


def advice(account: Account, provider_name: str) -> str:
    """Returns what to do about an account that is not active; an empty text for an active one."""
    return _ADVICE.get(account.status, "").format(name=provider_name)


_FORM_LABELS = {
    "origin_owner_id": "Customer id",
    "origin_owner_name": "Customer name",
    "label": "Label",
    "provider": "HR system",
}


def _with_form_labels(error: BadRequest) -> BadRequest:
    """Returns the faults of a session request with the labels of the form instead of the names in the body."""
    faults = []
    for fault in error.errors:
        name, _, rest = fault.partition(": ")
        faults.append(f"{_FORM_LABELS.get(name, name)} {rest}.")
    return BadRequest(" ".join(faults) or error.message, errors=error.errors)
