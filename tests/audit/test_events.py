"""What is written of a change: each thing that has happened, by name, and nothing of whose account it is."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.exchange import Grant
from gateway.audit.events import AuditEvent, Details, facts_of
from gateway.model import Account, Owner, Status, StatusReason

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REFUSED = StatusReason("invalid_credentials", "Planted words.", NOW)
PAUSED = StatusReason("suspended_by_operator", "Planted words.", NOW)
ACTIVE = Account(
    id="a1",
    project_id="p1",
    provider="village",
    owner=Owner(id="planted-owner", name="Planted Ltd"),
    status=Status.ACTIVE,
    label="planted label",
    setup_information={"planted": "planted"},
    grant=Grant(scopes=frozenset({"public:read"}), found_by="token-info", warnings=("planted",)),
    revision=1,
    created_at=NOW,
    updated_at=NOW,
)
ERROR = replace(ACTIVE, status=Status.ERROR, status_reasons=(REFUSED,))
SUSPENDED = replace(ACTIVE, status=Status.SUSPENDED, status_reasons=(PAUSED,))
OTHER = replace(ACTIVE, owner=Owner(id="planted-other", name="Planted"), label="planted", revision=2)


def granted(account: Account, *scopes: str, role: str | None = None) -> Account:
    return replace(account, grant=replace(account.grant, scopes=frozenset(scopes), role=role))


TABLE: list[tuple[Account | None, Account | None, bool, list[tuple[AuditEvent, Details]]]] = [
    (None, ACTIVE, True, [(AuditEvent.LINKED, {"provider": "village", "scopes": ["public:read"]})]),
    (ACTIVE, None, False, [(AuditEvent.UNLINKED, {})]),
    (ACTIVE, ERROR, False, [(AuditEvent.ERROR, {"from": "active", "codes": ["invalid_credentials"]})]),
    (ERROR, ACTIVE, False, [(AuditEvent.RECOVERED, {"from": "error"})]),
    (ACTIVE, SUSPENDED, False, [(AuditEvent.SUSPENDED, {"from": "active", "codes": ["suspended_by_operator"]})]),
    (SUSPENDED, ACTIVE, False, [(AuditEvent.RESUMED, {"from": "suspended"})]),
    (ACTIVE, replace(ACTIVE, status=Status.EXPIRED), False, [(AuditEvent.EXPIRED, {"from": "active"})]),
    (ACTIVE, replace(ACTIVE, status=Status.INACTIVE), False, [(AuditEvent.INACTIVE, {"from": "active"})]),
    (replace(ACTIVE, status=Status.INACTIVE), ACTIVE, False, [(AuditEvent.RECOVERED, {"from": "inactive"})]),
    (ACTIVE, replace(ACTIVE, status=Status.ARCHIVED), False, [(AuditEvent.ARCHIVED, {"from": "active"})]),
    (
        ACTIVE,
        granted(ACTIVE, "pay", "planted words"),
        False,
        [(AuditEvent.SCOPES_CHANGED, {"gained": ["other", "pay"], "lost": ["public:read"]})],
    ),
    (ACTIVE, granted(ACTIVE, "public:read", role="planted"), False, [(AuditEvent.UPDATED, {"fields": ["grant"]})]),
    (ACTIVE, OTHER, False, [(AuditEvent.UPDATED, {"fields": ["owner", "label"]})]),
    (
        ACTIVE,
        replace(ACTIVE, kind="test", setup_information={}),
        False,
        [(AuditEvent.UPDATED, {"fields": ["kind", "setup_information"]})],
    ),
    (
        SUSPENDED,
        replace(SUSPENDED, status_reasons=(REFUSED,)),
        False,
        [(AuditEvent.UPDATED, {"fields": ["status_reasons"]})],
    ),
    (ACTIVE, replace(ACTIVE, revision=2), False, [(AuditEvent.UPDATED, {})]),
    (ACTIVE, ACTIVE, True, [(AuditEvent.RELINKED, {})]),
    (
        ERROR,
        granted(OTHER, "pay"),
        True,
        [
            (AuditEvent.RELINKED, {"fields": ["owner", "label"]}),
            (AuditEvent.RECOVERED, {"from": "error"}),
            (AuditEvent.SCOPES_CHANGED, {"gained": ["pay"], "lost": ["public:read"]}),
        ],
    ),
    (
        ERROR,
        granted(replace(OTHER, label=ERROR.label), "pay"),
        False,
        [
            (AuditEvent.RECOVERED, {"from": "error"}),
            (AuditEvent.SCOPES_CHANGED, {"gained": ["pay"], "lost": ["public:read"]}),
            (AuditEvent.UPDATED, {"fields": ["owner"]}),
        ],
    ),
]


@pytest.mark.parametrize(("before", "after", "credential", "facts"), TABLE)
def test_what_has_happened_is_told_in_words_of_ours(
    before: Account | None, after: Account | None, credential: bool, facts: list[tuple[AuditEvent, Details]]
) -> None:
    found = facts_of(before, after, credential=credential)
    assert [(fact.what, fact.details) for fact in found] == facts
    assert "lanted" not in repr(found)


def test_every_change_of_status_has_its_word() -> None:
    for before in Status:
        for after in Status:
            [fact] = facts_of(replace(ACTIVE, status=before), replace(ACTIVE, status=after))
            assert (fact.what is AuditEvent.UPDATED) == (before is after)
