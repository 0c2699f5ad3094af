"""Linking a customer's account: the vendor is asked about the token first, and only a good one is kept.

What is kept goes through `Ledger`, what is asked through `Upstream`; a fault of either leaves all as it was.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.connector import Connector
from connectors.exchange import Grant, Refusal
from gateway.errors import Conflict, Unprocessable, VendorFailure
from gateway.model import (
    GATEWAY,
    Account,
    Actor,
    Ledger,
    Linked,
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
    """What a customer asks for: this credential, for this owner in this project; `apart` as a further account.

    Of an account that is there already, only what is named here is changed: None, and an empty name of the owner,
    leave it as it is. With `replace_company` it may be linked to another company than before. `stated` are the scopes
    that the token is said to have, for where the vendor does not tell. `by` is who asks for it.
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
class LinkContext:
    """What linking works with. `deadline` is how many seconds a vendor may take to judge a credential."""

    ledger: Ledger
    upstream: Upstream
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    deadline: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedToken:
    """An account after a new check, and what its token may do now that it could not, or no longer can.

    `refused` is the vendor's reason, where it does not take the token.
    """

    account: Account
    refused: str = ""
    gained: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


async def link(connector: Connector, application: LinkRequest, parts: LinkContext) -> Account:
    """Check the credential and store it: in the owner's account if there is one, else in a new one.

    Raises `Unprocessable` with the vendor's reason for a credential that is not taken.
    """
    credential, grant = await _taken(connector, application.credential, parts, application.stated)
    for _ in range(TRIES):
        # Somebody may be a moment faster, as with two clicks on one button: then it is the account that they made.
        with suppress(OwnerLinked):
            return await _keep(connector, application, credential, grant, parts)
    raise Conflict("the owner is linked and unlinked by others at this moment: try again")


async def _keep(
    connector: Connector, application: LinkRequest, credential: Secret, grant: Grant, parts: LinkContext
) -> Account:
    known = None
    if not application.apart:
        known = await parts.ledger.find_by_owner(application.project_id, connector.key, application.owner.id)
    account = _as_asked(known or _new(connector, application, grant, parts), application)
    return await _store(
        connector,
        (account, known),
        (credential, grant),
        parts,
        application.by,
        alone=not application.apart,
        replace_company=application.replace_company,
    )


def _new(connector: Connector, application: LinkRequest, grant: Grant, parts: LinkContext) -> Account:
    now, owner = parts.clock(), application.owner
    return Account(
        id=parts.new_id(),
        project_id=application.project_id,
        provider=connector.key,
        owner=replace(owner, name=owner.name or owner.id),
        status=Status.ACTIVE,
        grant=grant,
        revision=0,
        created_at=now,
        updated_at=now,
    )


def _as_asked(account: Account, application: LinkRequest) -> Account:
    """Give the account with what the application names, and all else as it is."""
    settings = application.setup_information
    return replace(
        account,
        owner=as_named(account.owner, application.owner),
        label=application.label or account.label,
        kind=application.kind or account.kind,
        setup_information=account.setup_information if settings is None else settings,
    )


def as_named(known: Owner, named: Owner) -> Owner:
    """Give the same owner under the names that are given now; those that are not stay."""
    return replace(known, name=named.name or known.name, username=named.username or known.username)


async def relink(
    connector: Connector,
    account: Account,
    credential: Secret,
    parts: LinkContext,
    by: Actor = GATEWAY,
    *,
    replace_company: bool = False,
) -> Account:
    """Check a new credential for an account and store it there, with what else was changed in the account."""
    taken = await _taken(connector, credential, parts)
    return await _store(connector, (account, account), taken, parts, by, replace_company=replace_company)


async def _store(
    connector: Connector,
    states: tuple[Account, Account | None],
    taken: tuple[Secret, Grant],
    parts: LinkContext,
    by: Actor,
    *,
    alone: bool = False,
    replace_company: bool = False,
) -> Account:
    """Store a credential that was taken; `states` are the account as it shall be and as it was, if it was."""
    account, before = states
    credential, grant = taken
    known = before.grant.company if before else None
    if known and grant.company not in {None, known} and not replace_company:
        raise Conflict(OTHER_COMPANY.format(name=connector.name), code="OtherCompanyError")
    replaced = before is not None and replace_company and (known is None or grant.company != known)
    if not replaced:
        # A token that does not say is believed to be of the company that the one before it was of.
        grant = replace(grant, company=grant.company or known)
    linked = replace(account, status=Status.ACTIVE, status_reasons=(), grant=grant, updated_at=parts.clock())
    return await parts.ledger.store(_as_suspended(linked, before), credential, by, alone=alone, replaced=replaced)


async def verify(
    connector: Connector, linked: Linked, parts: LinkContext, by: Actor = GATEWAY, stated: frozenset[str] = frozenset()
) -> CheckedToken:
    """Check a stored credential again and keep what has changed: status, scopes, role, warnings.

    Scopes that are `stated` now take the place of those stated before, which count on if there are none.
    """
    must_be_known(connector, stated)
    account = linked.account
    found = await _examine(connector, linked.credential, parts)
    now = parts.clock()
    changed = (
        _refused(account, found, now)
        if isinstance(found, Refusal)
        else _granted(account, found.with_statement(stated or account.grant.stated), now)
    )
    if changed != account:
        changed = await parts.ledger.renew(replace(changed, updated_at=now), linked.credential, by)
    else:
        await parts.ledger.note_verified(account.id)
    before, after = account.grant.scopes, changed.grant.scopes
    refused = found.reason if isinstance(found, Refusal) else ""
    return CheckedToken(account=changed, refused=refused, gained=after - before, lost=before - after)


def _refused(account: Account, refusal: Refusal, now: datetime) -> Account:
    """Give the account as it is without a good token. Of one that was refused before nothing changes."""
    status = account.status if account.status is Status.SUSPENDED else Status.ERROR
    if status is account.status and INVALID_CREDENTIALS in {reason.code for reason in account.status_reasons}:
        return account
    return replace(account, status=status, status_reasons=(StatusReason(INVALID_CREDENTIALS, refusal.reason, now),))


def _granted(account: Account, grant: Grant, now: datetime) -> Account:
    # A vendor that told the end of a token when it gave it need not tell it again; one that takes it after that
    # end has moved it.
    end = account.grant.ends_at
    end = grant.ends_at or (end if end and end > now else None)
    grant = replace(grant, ends_at=end, company=grant.company or account.grant.company)
    if account.status in RECOVERABLE:
        return replace(account, status=Status.ACTIVE, status_reasons=(), grant=grant)
    return replace(account, grant=grant)


def must_be_known(connector: Connector, scopes: Iterable[str]) -> None:
    """Refuse scopes that the vendor has not."""
    strange = sorted(set(scopes) - connector.scopes.keys())
    if strange:
        known = ", ".join(connector.scopes)
        raise Unprocessable(f"{connector.name} has no scope {', '.join(strange)[:200]}; its scopes: {known}")


async def _taken(
    connector: Connector, credential: Secret, parts: LinkContext, stated: frozenset[str] = frozenset()
) -> tuple[Secret, Grant]:
    must_be_known(connector, stated)
    credential = _plausible(credential)
    found = await _examine(connector, credential, parts)
    if isinstance(found, Refusal):
        raise Unprocessable(found.reason)
    found = found.with_statement(stated)
    return credential, replace(found, ends_at=found.ends_at or credential.ends_at)


def _as_suspended(account: Account, before: Account | None) -> Account:
    """Keep a suspension: only the operator lifts what the operator has suspended."""
    if before is None or before.status is not Status.SUSPENDED:
        return account
    return replace(account, status=before.status, status_reasons=before.status_reasons)


async def _examine(connector: Connector, credential: Secret, parts: LinkContext) -> Grant | Refusal:
    try:
        async with asyncio.timeout(parts.deadline):
            return await judge_token(connector.verify(), connector, credential, parts.upstream, parts.clock)
    except TimeoutError as error:
        raise VendorFailure(f"{connector.name} did not answer within {parts.deadline:g} seconds: try again") from error


def _plausible(credential: Secret) -> Secret:
    """Refuse what cannot be a token, before it becomes a header; the text is not repeated."""
    text = credential.reveal.strip()
    if not text:
        raise Unprocessable("the token is empty: paste it whole")
    if len(text) > LONGEST_CREDENTIAL:
        raise Unprocessable(f"the token is longer than {LONGEST_CREDENTIAL} characters: paste the token alone")
    if not all("!" <= character <= "~" for character in text):
        raise Unprocessable("the token holds spaces, line breaks or special characters: paste the token alone")
    return replace(credential, reveal=text)
