"""Linking a customer's account: the vendor is asked about the token first, and only a good one is kept.

What is kept goes through `Ledger`, what is asked through `Upstream`; a fault of either leaves all as it was.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil

from connectors.connector import Connector
from connectors.exchange import Answer, Grant, Refusal, Request
from gateway.core.actor import GATEWAY, Actor
from gateway.core.errors import Conflict, RateLimited, Unprocessable, VendorFailure
from gateway.core.flow import follow
from gateway.core.model import Account, Ledger, Linked, Owner, OwnerLinked, Secret, Status, StatusReason, Upstream
from gateway.core.retry import retry_after

INVALID_CREDENTIALS = "invalid_credentials"
LONGEST_CREDENTIAL = 512
TRIES = 3
RECOVERABLE = frozenset({Status.ERROR, Status.EXPIRED, Status.INACTIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What a customer asks for: this credential, for this owner in this project; `apart` as a further account.

    `by` is who asks for it.
    """

    project_id: str
    owner: Owner
    credential: Secret
    label: str | None = None
    kind: str = "production"
    setup_information: Mapping[str, str] = field(default_factory=dict)
    apart: bool = False
    by: Actor = GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What linking works with. `deadline` is how many seconds a vendor may take to judge a credential."""

    ledger: Ledger
    upstream: Upstream
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    deadline: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An account after a new check, and what its token may do now that it could not, or no longer can.

    `refused` is the vendor's reason, where it does not take the token.
    """

    account: Account
    refused: str = ""
    gained: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


async def link(connector: Connector, application: Application, parts: Parts) -> Account:
    """Check the credential and store it: in the owner's account if there is one, else in a new one.

    Raises `Unprocessable` with the vendor's reason for a credential that is not taken.
    """
    credential, grant = await _taken(connector, application.credential, parts)
    for _ in range(TRIES):
        # Somebody may be a moment faster, as with two clicks on one button: then it is the account that they made.
        with suppress(OwnerLinked):
            return await _keep(connector, application, credential, grant, parts)
    raise Conflict("the owner is linked and unlinked by others at this moment: try again")


async def _keep(
    connector: Connector, application: Application, credential: Secret, grant: Grant, parts: Parts
) -> Account:
    known = None
    if not application.apart:
        known = await parts.ledger.find_by_owner(application.project_id, connector.key, application.owner.id)
    now = parts.clock()
    account = Account(
        id=known.id if known else parts.new_id(),
        project_id=application.project_id,
        provider=connector.key,
        owner=application.owner,
        status=Status.ACTIVE,
        label=application.label or (known.label if known else None),
        kind=application.kind,
        setup_information=application.setup_information,
        grant=grant,
        revision=known.revision if known else 0,
        created_at=known.created_at if known else now,
        updated_at=now,
    )
    alone = not application.apart
    return await parts.ledger.store(_as_suspended(account, known), credential, application.by, alone=alone)


async def relink(
    connector: Connector, account: Account, credential: Secret, parts: Parts, by: Actor = GATEWAY
) -> Account:
    """Check a new credential for an account and store it there, with what else was changed in the account."""
    credential, grant = await _taken(connector, credential, parts)
    linked = replace(account, status=Status.ACTIVE, status_reasons=(), grant=grant, updated_at=parts.clock())
    return await parts.ledger.store(_as_suspended(linked, account), credential, by)


async def verify(connector: Connector, linked: Linked, parts: Parts, by: Actor = GATEWAY) -> Checked:
    """Check a stored credential again and keep what has changed: status, scopes, role, warnings."""
    account = linked.account
    found = await _examine(connector, linked.credential, parts)
    now = parts.clock()
    changed = _refused(account, found, now) if isinstance(found, Refusal) else _granted(account, found, now)
    if changed != account:
        changed = await parts.ledger.renew(replace(changed, updated_at=now), linked.credential, by)
    else:
        await parts.ledger.confirm(account.id)
    before, after = account.grant.scopes, changed.grant.scopes
    refused = found.reason if isinstance(found, Refusal) else ""
    return Checked(account=changed, refused=refused, gained=after - before, lost=before - after)


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
    grant = replace(grant, ends_at=grant.ends_at or (end if end and end > now else None))
    if account.status in RECOVERABLE:
        return replace(account, status=Status.ACTIVE, status_reasons=(), grant=grant)
    return replace(account, grant=grant)


async def _taken(connector: Connector, credential: Secret, parts: Parts) -> tuple[Secret, Grant]:
    credential = _plausible(credential)
    found = await _examine(connector, credential, parts)
    if isinstance(found, Refusal):
        raise Unprocessable(found.reason)
    return credential, replace(found, ends_at=found.ends_at or credential.ends_at)


def _as_suspended(account: Account, before: Account | None) -> Account:
    """Keep a suspension: only the operator lifts what the operator has suspended."""
    if before is None or before.status is not Status.SUSPENDED:
        return account
    return replace(account, status=before.status, status_reasons=before.status_reasons)


async def _examine(connector: Connector, credential: Secret, parts: Parts) -> Grant | Refusal:
    try:
        async with asyncio.timeout(parts.deadline):

            def check(request: Request, answer: Answer) -> None:
                _must_be_well(connector, request, answer, parts.clock())

            return await follow(connector.verify(), connector, credential, parts.upstream, check)
    except TimeoutError as error:
        raise VendorFailure(f"{connector.name} did not answer within {parts.deadline:g} seconds: try again") from error


def _must_be_well(connector: Connector, request: Request, answer: Answer, now: datetime) -> None:
    """A vendor that is ill or busy says nothing about a token: neither good nor bad may be concluded."""
    if answer.status == 429:
        wait = retry_after(answer.headers.get("retry-after"), now)
        raise RateLimited(
            f"{connector.name} allows no more requests for now: try again later",
            retry_after=None if wait is None else ceil(wait),
        )
    if answer.status >= 500:
        raise VendorFailure(f"{connector.name} answered {request.path} with {answer.status}: try again later")


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
