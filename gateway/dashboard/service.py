"""What the operator does with linked accounts and keys, in all projects: the actions behind the dashboard."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.platform_bodies import SESSION_SECONDS
from gateway.accounts.link import CheckedToken, LinkContext, verify
from gateway.accounts.search import Search
from gateway.accounts.unlink import unlink
from gateway.auth.authentication import Authenticator
from gateway.errors import BadRequest, Conflict, NotFound
from gateway.hub.sessions import ConnectSession, SessionService
from gateway.model import Account, Actor, ClientKey, Directory, Project, Secret, Status, StatusReason
from gateway.policy.provider import Provider

LONGEST_NAME = 200
SUSPENDED = "suspended_by_operator"

_ADVICE: Mapping[Status, str] = {
    Status.ERROR: "Link it again with a working {name} token, or verify it once the cause is mended.",
    Status.SUSPENDED: "Its requests are refused until it is resumed.",
    Status.EXPIRED: "Link it again: its token has expired.",
    Status.INACTIVE: "Link it again to use it.",
    Status.ARCHIVED: "Link it again to use it.",
}


class Register(Protocol):
    """Searches the accounts of all projects."""

    async def search(self, search: Search) -> Sequence[Account]:
        """Give the accounts that are wanted, the latest first."""

    async def count(self, search: Search) -> Mapping[Status, int]:
        """Count the accounts that are wanted by their status, of whatever status."""


class KeyRing(Protocol):
    """Projects and their keys."""

    async def projects(self) -> Sequence[Project]: ...

    async def ensure_project(self, name: str) -> Project: ...

    async def all(self, project_id: str | None = None) -> Sequence[ClientKey]: ...

    async def create_key(self, project_id: str, scopes: Iterable[str], by: Actor) -> tuple[ClientKey, Secret]: ...

    async def revoke_key(self, id_or_prefix: str, by: Actor) -> ClientKey | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What is known of an account that is to be linked. `apart` makes a further account of the owner."""

    provider: str
    owner_id: str
    owner_name: str
    label: str = ""
    apart: bool = False
    seconds: int = SESSION_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The database, by what is done with it."""

    register: Register
    keys: KeyRing
    directory: Directory


class AdminService:
    """Every action is done by the same functions that the API and the commands use."""

    def __init__(self, books: Books, authenticator: Authenticator, desk: SessionService, parts: LinkContext) -> None:
        self.register = books.register
        self.keys = books.keys
        self.providers = authenticator.providers
        self.accounts = authenticator.accounts
        self._directory = books.directory
        self._desk = desk
        self._parts = parts

    async def find(self, account_id: str) -> Account:
        # No id has such characters, and not every database can be asked about them.
        account = await self._directory.find(account_id) if account_id.isprintable() else None
        if account is None:
            raise NotFound("There is no such account here. It may have been unlinked.", code="AccountNotFoundError")
        return account

    def provider(self, account: Account) -> Provider:
        found = self.providers.get(account.provider)
        if found is None:
            raise NotFound(f"This gateway has no connector for {account.provider} any more.")
        return found

    async def verify(self, account: Account, by: Actor) -> CheckedToken:
        """Check the account's token with its vendor now."""
        connector = self.provider(account).connector
        linked = await self.accounts.find_account(account.project_id, account.id)
        if linked is None:
            raise NotFound("The account has been unlinked just now.", code="AccountNotFoundError")
        return await verify(connector, linked, self._parts, by)

    async def suspend(self, account: Account, by: Actor) -> None:
        reason = StatusReason(SUSPENDED, "The operator of this gateway has suspended it.", self._parts.clock())
        await self.accounts.mark(account.id, Status.SUSPENDED, reason, by=by)

    async def resume(self, account: Account, by: Actor) -> None:
        if account.status is not Status.SUSPENDED:
            raise Conflict(f"The account is {account.status} and not suspended.")
        await self.accounts.mark(account.id, Status.ACTIVE, None, by=by)

    async def unlink(self, account: Account, by: Actor) -> None:
        await unlink(account.project_id, account.id, self._directory, by)

    async def invite(self, project_id: str, invitation: Invitation, by: Actor) -> tuple[ConnectSession, str]:
        """Give a session of the Hub that links an account, and its token. Raises `BadRequest` with every fault."""
        wish: dict[str, object] = {
            "provider": invitation.provider,
            "origin_owner_id": invitation.owner_id,
            "origin_owner_name": invitation.owner_name,
            "multiple": invitation.apart,
            "expires_in": invitation.seconds,
        }
        if invitation.label.strip():
            wish["label"] = invitation.label
        try:
            return await self._desk.create(project_id, wish, by)
        except BadRequest as error:
            raise _in_words(error) from error

    async def invite_again(
        self, account: Account, by: Actor, seconds: int = SESSION_SECONDS
    ) -> tuple[ConnectSession, str]:
        """Give a session of the Hub that replaces the token of this account."""
        owner = account.owner
        wish: dict[str, object] = {
            "account_id": account.id,
            "origin_owner_id": owner.id,
            "origin_owner_name": owner.name,
            "origin_username": owner.username,
            "expires_in": seconds,
        }
        return await self._desk.create(account.project_id, wish, by)

    async def project(self, project_id: str, new_name: str) -> Project:
        """Give a project that was chosen, or one of a new name."""
        if project_id:
            for each in await self.keys.projects():
                if each.id == project_id:
                    return each
            raise NotFound("There is no such project.")
        name = new_name.strip()
        if not name or not name.isprintable() or len(name) > LONGEST_NAME:
            raise BadRequest(f"Choose a project, or give a new one a name of at most {LONGEST_NAME} characters.")
        return await self.keys.ensure_project(name)


def advice(account: Account, provider_name: str) -> str:
    """Say what to do about an account that is not active; nothing for one that is."""
    return _ADVICE.get(account.status, "").format(name=provider_name)


_FORM_WORDS = {
    "origin_owner_id": "Customer id",
    "origin_owner_name": "Customer name",
    "label": "Label",
    "provider": "HR system",
}


def _in_words(error: BadRequest) -> BadRequest:
    """Say the faults of a session in the words of the form, as its reader never sees the body."""
    found = []
    for fault in error.errors:
        name, _, rest = fault.partition(": ")
        found.append(f"{_FORM_WORDS.get(name, name)} {rest}.")
    return BadRequest(" ".join(found) or error.message, errors=error.errors)
