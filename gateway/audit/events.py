"""The events of the audit log: who changed which account, key or webhook, when, and from which address.

The log outlives accounts. So it contains ids and words of fixed lists, and never a name, a label or a secret.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.model import Account, Actor, ClientKey, Status, StatusReason

MOST_WORDS = 100
_WORD = re.compile(r"[A-Za-z0-9*][A-Za-z0-9._:/*-]{0,63}")
_FIELDS = ("owner", "label", "kind", "setup_information", "caching")


class AuditEvent(StrEnum):
    LINKED = "account.linked"
    RELINKED = "account.relinked"
    UPDATED = "account.updated"
    SUSPENDED = "account.suspended"
    RESUMED = "account.resumed"
    ERROR = "account.error"
    EXPIRED = "account.expired"
    INACTIVE = "account.inactive"
    ARCHIVED = "account.archived"
    RECOVERED = "account.recovered"
    SCOPES_CHANGED = "account.scopes_changed"
    CACHE_PURGED = "account.cache_purged"
    UNLINKED = "account.unlinked"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    TEST_READ = "account.test_read"
    """The operator has read an account's records with the request tester of the dashboard."""
    SESSION_CREATED = "session.created"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_UPDATED = "webhook.updated"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105 - the name of an event
    WEBHOOK_DELETED = "webhook.deleted"
    SIGNED_IN = "operator.signed_in"
    SIGN_IN_FAILED = "operator.sign_in_failed"
    SIGNED_OUT = "operator.signed_out"


PURGING = (AuditEvent.UNLINKED, AuditEvent.CACHE_PURGED)
"""After these, nothing of the account may stay in caches or in the files of the database."""

_ENTERED = {
    Status.SUSPENDED: AuditEvent.SUSPENDED,
    Status.ERROR: AuditEvent.ERROR,
    Status.EXPIRED: AuditEvent.EXPIRED,
    Status.INACTIVE: AuditEvent.INACTIVE,
    Status.ARCHIVED: AuditEvent.ARCHIVED,
}

Details = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class AuditFact:
    """An event. `details` are ids, names of fields and words of fixed lists."""

    what: AuditEvent
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """All events of one transaction about an account or a key, and who caused them."""

    at: datetime
    by: Actor
    project_id: str
    account_id: str | None = None
    key_id: str | None = None
    facts: tuple[AuditFact, ...]

    def has(self, what: AuditEvent) -> bool:
        return any(fact.what is what for fact in self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A row of the audit log. Ids grow, so the next page has the entries before the last id of a page."""

    id: int
    at: datetime
    by: Actor
    project_id: str
    account_id: str | None
    key_id: str | None
    what: AuditEvent
    details: Details


def facts_of(before: Account | None, after: Account | None, *, credential: bool = False) -> tuple[AuditFact, ...]:
    """Returns the events between two states of an account, at least one. None is an account that does not exist.

    `credential` says that a new credential was sent.
    """
    if after is None:
        return (AuditFact(AuditEvent.UNLINKED),)
    if before is None:
        return (
            AuditFact(AuditEvent.LINKED, {"provider": _word(after.provider), "scopes": _words(after.grant.scopes)}),
        )
    facts = [*_status(before, after), *_scopes(before, after)]
    if stops_keeping(before, after) or _is_other_company(before, after):
        facts.append(AuditFact(AuditEvent.CACHE_PURGED))
    fields = _changed(before, after)
    details: Details = {"fields": fields} if fields else {}
    if credential:
        return (AuditFact(AuditEvent.RELINKED, details), *facts)
    return (*facts, AuditFact(AuditEvent.UPDATED, details)) if fields or not facts else tuple(facts)


def _is_other_company(before: Account, after: Account) -> bool:
    """Returns whether the account belongs to another company now, so that stored answers must be deleted."""
    companies = {before.grant.company, after.grant.company}
    return None not in companies and len(companies) > 1


def stops_keeping(before: Account, after: Account) -> bool:
    """Returns whether answers of an account were cached and must not be any more."""
    return before.caching.keeps and not after.caching.keeps


def event(
    what: AuditEvent,
    at: datetime,
    by: Actor,
    *,
    project_id: str = "",
    account_id: str | None = None,
    details: Details | None = None,
) -> AuditRecord:
    """Returns the record of an event that changes neither an account nor a key. It may have no project."""
    given = details or {}
    named = {name: _word(value) if isinstance(value, str) else _words(value) for name, value in given.items()}
    return AuditRecord(at=at, by=by, project_id=project_id, account_id=account_id, facts=(AuditFact(what, named),))


def key_change(key: ClientKey, what: AuditEvent, at: datetime, by: Actor) -> AuditRecord:
    fact = AuditFact(what, {"scopes": _words(key.scopes)} if what is AuditEvent.KEY_CREATED else {})
    return AuditRecord(at=at, by=by, project_id=key.project_id, key_id=key.id, facts=(fact,))


def _status(before: Account, after: Account) -> Iterable[AuditFact]:
    if before.status is after.status:
        return
    what = AuditEvent.RESUMED if before.status is Status.SUSPENDED else AuditEvent.RECOVERED
    codes = [_word(reason.code) for reason in after.status_reasons]
    yield AuditFact(
        _ENTERED.get(after.status, what), {"from": before.status.value} | ({"codes": codes} if codes else {})
    )


def _scopes(before: Account, after: Account) -> Iterable[AuditFact]:
    old, new = before.grant.scopes, after.grant.scopes
    if old != new:
        yield AuditFact(AuditEvent.SCOPES_CHANGED, {"gained": _words(new - old), "lost": _words(old - new)})


def _changed(before: Account, after: Account) -> list[str]:
    """Returns the names of changed fields that have no event of their own."""
    found = [name for name in _FIELDS if getattr(before, name) != getattr(after, name)]
    # Warnings follow from the scopes, so a change of scopes needs no second event.
    if before.grant.scopes == after.grant.scopes and before.grant != after.grant:
        found.append("grant")
    if before.grant.company and before.grant.company != after.grant.company:
        found.append("company")
    if before.status is after.status and _codes(before) != _codes(after):
        found.append("status_reasons")
    return found


def _codes(account: Account) -> list[str]:
    reasons: tuple[StatusReason, ...] = account.status_reasons
    return [reason.code for reason in reasons]


def _words(words: Iterable[str]) -> list[str]:
    return sorted({_word(word) for word in words})[:MOST_WORDS]


def _word(word: str) -> str:
    """Returns a word if it looks like an identifier, else `other`: a vendor may put any text into a scope."""
    return word if _WORD.fullmatch(word) else "other"
