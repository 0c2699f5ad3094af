"""Links an account: the vendor is asked about the token first, and only a token that it accepts is stored.

If the vendor or the database fails, nothing is changed.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.connector import Connector
from connectors.exchange import Grant, Refusal
from gateway.accounts.store import AccountStore
from gateway.errors import Conflict, Unprocessable, VendorFailure
from gateway.model import (
    GATEWAY,
    Account,
    Actor,
    LinkedAccount,
    Owner,
    OwnerLinked,
    Secret,
    Status,
    StatusReason,
    Upstream,
)
from gateway.upstream.flow import judge_token

INVALID_CREDENTIALS = "invalid_credentials"
LONGEST_CREDENTIAL = 512
TRIES = 3
OTHER_COMPANY = (
    "The token is of another company in {name} than the one that this account is linked to, so nothing was changed. "
    "Use a token of the same company. To link the other company on purpose, say so: --replace-company on the command "
    "line, replace_company in the connect session or beside the credentials of PATCH /accounts; all that is kept of "
    "the company before is erased then."
)
RECOVERABLE = frozenset({Status.ERROR, Status.EXPIRED, Status.INACTIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """A token to link for an owner in a project; with `apart` as a further account of the owner.

    In an account that exists, only what is named here is changed: None, and an empty name of the owner, leave it as it
    is. With `replace_company` the account may be linked to another company than before. `stated` are the scopes that a
    person says the token has, for vendors that do not tell them. `by` is who links.
    """

    project_id: str
    owner: Owner
    credential: Secret
    label: str | None = None
    kind: str | None = None
    setup_information: Mapping[str, str] | None = None
    apart: bool = False
    replace_company: bool = False
    stated: frozenset[str] = frozenset()
    by: Actor = GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedToken:
    """An account after its token was verified, and the scopes that the token has gained and lost.

    `refused` is the vendor's reason if it refuses the token.
    """

    account: Account
    refused: str = ""
    gained: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


class Linker:
    """Links accounts and verifies their tokens. A vendor may take `deadline` seconds to judge a token."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        upstream: Upstream,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        deadline: float = 30.0,
    ) -> None:
        self._accounts = accounts
        self.upstream = upstream
        self.clock = clock
        self._new_id = new_id
        self._deadline = deadline

    async def link(self, connector: Connector, request: LinkRequest) -> Account:
        """Checks a token and stores it: in the owner's account if there is one, else in a new one.

        Raises `Unprocessable` with the vendor's reason for a token that it refuses, `VendorFailure` for an unclear
        answer, and `Conflict` for a token of another company.
        """
        credential, grant = await self._check(connector, request.credential, request.stated)
        for _ in range(TRIES):
            # Another request may be a moment faster, as with two clicks on one button. Then its account is found.
            with suppress(OwnerLinked):
                return await self._link_owner(connector, request, credential, grant)
        raise Conflict("the owner is linked and unlinked by others at this moment: try again")

    async def relink(
        self,
        connector: Connector,
        account: Account,
        credential: Secret,
        by: Actor = GATEWAY,
        *,
        replace_company: bool = False,
    ) -> Account:
        """Checks a new token for an account and stores it, with all other changes of `account`. Raises as `link`."""
        credential, grant = await self._check(connector, credential)
        return await self._store(
            connector, account, account, credential, grant, by, alone=False, replace_company=replace_company
        )

    async def verify(
        self, connector: Connector, linked: LinkedAccount, by: Actor = GATEWAY, stated: frozenset[str] = frozenset()
    ) -> CheckedToken:
        """Checks a stored token again and stores what has changed: status, scopes, role, warnings.

        Scopes that are `stated` now replace those stated before, which stay if none are. Raises `VendorFailure`.
        """
        must_be_known(connector, stated)
        account = linked.account
        found = await self._ask(connector, linked.credential)
        now = self.clock()
        changed = (
            _refused(account, found, now)
            if isinstance(found, Refusal)
            else _granted(account, found.with_statement(stated or account.grant.stated), now)
        )
        if changed != account:
            changed = await self._accounts.renew(replace(changed, updated_at=now), linked.credential, by)
        else:
            await self._accounts.note_verified(account.id)
        before, after = account.grant.scopes, changed.grant.scopes
        refused = found.reason if isinstance(found, Refusal) else ""
        return CheckedToken(account=changed, refused=refused, gained=after - before, lost=before - after)

    async def _link_owner(
        self, connector: Connector, request: LinkRequest, credential: Secret, grant: Grant
    ) -> Account:
        known = None
        if not request.apart:
            known = await self._accounts.find_by_owner(request.project_id, connector.key, request.owner.id)
        account = _with_request(known or self._new_account(connector, request, grant), request)
        return await self._store(
            connector,
            account,
            known,
            credential,
            grant,
            request.by,
            alone=not request.apart,
            replace_company=request.replace_company,
        )

    def _new_account(self, connector: Connector, request: LinkRequest, grant: Grant) -> Account:
        now, owner = self.clock(), request.owner
        return Account(
            id=self._new_id(),
            project_id=request.project_id,
            provider=connector.key,
            owner=replace(owner, name=owner.name or owner.id),
            status=Status.ACTIVE,
            grant=grant,
            revision=0,
            created_at=now,
            updated_at=now,
        )

    async def _store(
        self,
        connector: Connector,
        account: Account,
        before: Account | None,
        credential: Secret,
        grant: Grant,
        by: Actor,
        *,
        alone: bool,
        replace_company: bool,
    ) -> Account:
        """Stores a checked token in an account, which was `before`. Raises `Conflict` for another company's token."""
        known = before.grant.company if before else None
        if known and grant.company not in {None, known} and not replace_company:
            raise Conflict(OTHER_COMPANY.format(name=connector.name), code="OtherCompanyError")
        replaced = before is not None and replace_company and (known is None or grant.company != known)
        if not replaced:
            # If the vendor does not tell the company, it is taken to be that of the token before.
            grant = replace(grant, company=grant.company or known)
        linked = replace(account, status=Status.ACTIVE, status_reasons=(), grant=grant, updated_at=self.clock())
        return await self._accounts.store(
            _with_suspension(linked, before), credential, by, alone=alone, replaced=replaced
        )

    async def _check(
        self, connector: Connector, credential: Secret, stated: frozenset[str] = frozenset()
    ) -> tuple[Secret, Grant]:
        must_be_known(connector, stated)
        credential = _plausible(credential)
        found = await self._ask(connector, credential)
        if isinstance(found, Refusal):
            raise Unprocessable(found.reason)
        found = found.with_statement(stated)
        return credential, replace(found, ends_at=found.ends_at or credential.ends_at)

    async def _ask(self, connector: Connector, credential: Secret) -> Grant | Refusal:
        try:
            async with asyncio.timeout(self._deadline):
                return await judge_token(connector.verify(), connector, credential, self.upstream, self.clock)
        except TimeoutError as error:
            raise VendorFailure(
                f"{connector.name} did not answer within {self._deadline:g} seconds: try again"
            ) from error


def _with_request(account: Account, request: LinkRequest) -> Account:
    """Returns the account with what the request names, and all else as it is."""
    settings = request.setup_information
    return replace(
        account,
        owner=with_names(account.owner, request.owner),
        label=request.label or account.label,
        kind=request.kind or account.kind,
        setup_information=account.setup_information if settings is None else settings,
    )


def with_names(known: Owner, given: Owner) -> Owner:
    """Returns the owner with the names that are given; an empty one leaves the known name."""
    return replace(known, name=given.name or known.name, username=given.username or known.username)


def _refused(account: Account, refusal: Refusal, now: datetime) -> Account:
    """Returns the account in status error. An account whose token was refused before stays as it is."""
    status = account.status if account.status is Status.SUSPENDED else Status.ERROR
    if status is account.status and INVALID_CREDENTIALS in {reason.code for reason in account.status_reasons}:
        return account
    return replace(account, status=status, status_reasons=(StatusReason(INVALID_CREDENTIALS, refusal.reason, now),))


def _granted(account: Account, grant: Grant, now: datetime) -> Account:
    # A vendor may tell the end of a token only when it issues it. If it accepts the token after that end, it has
    # moved the end.
    end = account.grant.ends_at
    end = grant.ends_at or (end if end and end > now else None)
    grant = replace(grant, ends_at=end, company=grant.company or account.grant.company)
    if account.status in RECOVERABLE:
        return replace(account, status=Status.ACTIVE, status_reasons=(), grant=grant)
    return replace(account, grant=grant)


def must_be_known(connector: Connector, scopes: Iterable[str]) -> None:
    """Raises `Unprocessable` for scopes that the vendor does not have."""
    strange = sorted(set(scopes) - connector.scopes.keys())
    if strange:
        known = ", ".join(connector.scopes)
        raise Unprocessable(f"{connector.name} has no scope {', '.join(strange)[:200]}; its scopes: {known}")


def _with_suspension(account: Account, before: Account | None) -> Account:
    """Returns the account, still suspended if it was: only the operator ends a suspension."""
    if before is None or before.status is not Status.SUSPENDED:
        return account
    return replace(account, status=before.status, status_reasons=before.status_reasons)


def _plausible(credential: Secret) -> Secret:
    """Raises `Unprocessable` for what cannot be a token, before it becomes a header. The text is not repeated."""
    text = credential.reveal.strip()
    if not text:
        raise Unprocessable("the token is empty: paste it whole")
    if len(text) > LONGEST_CREDENTIAL:
        raise Unprocessable(f"the token is longer than {LONGEST_CREDENTIAL} characters: paste the token alone")
    if not all("!" <= character <= "~" for character in text):
        raise Unprocessable("the token holds spaces, line breaks or special characters: paste the token alone")
    return replace(credential, reveal=text)
