"""Converts accounts to rows and back."""

from datetime import datetime
from math import inf
from typing import Any

from sqlalchemy import Row

from connectors.exchange import Grant
from gateway.model import Account, Caching, Ceilings, Owner, Status, StatusReason

DOUBTS = ("unknown", "doubtful", "stated")
"""Fields of a grant with scopes that the vendor has not confirmed."""


def read_account(row: Row[Any], owner: Owner) -> Account:
    granted = row.granted
    return Account(
        id=row.id,
        project_id=row.project_id,
        provider=row.provider,
        owner=owner,
        status=Status(row.status),
        status_reasons=tuple(
            StatusReason(reason["code"], reason["description"], datetime.fromisoformat(reason["timestamp"]))
            for reason in row.status_reasons
        ),
        label=row.label,
        kind=row.kind,
        setup_information=row.setup_information,
        grant=Grant(
            scopes=frozenset(granted["scopes"]),
            found_by=granted["found_by"],
            role=granted["role"],
            warnings=tuple(granted["warnings"]),
            ends_at=_moment(granted["ends_at"]),
            company=granted["company"],
            **{name: frozenset(granted[name]) for name in DOUBTS},
        ),
        caching=_caching(row.caching),
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def write_account(account: Account) -> dict[str, object]:
    """Returns the columns of an account. The owner's name is not among them: it is sealed, beside the credential."""
    return {
        "id": account.id,
        "project_id": account.project_id,
        "provider": account.provider,
        "owner_id": account.owner.id,
        "status": account.status.value,
        "status_reasons": write_reasons(*account.status_reasons),
        "label": account.label,
        "kind": account.kind,
        "setup_information": dict(account.setup_information),
        "granted": {
            "scopes": sorted(account.grant.scopes),
            "found_by": account.grant.found_by,
            "role": account.grant.role,
            "warnings": list(account.grant.warnings),
            "ends_at": account.grant.ends_at.isoformat() if account.grant.ends_at else None,
            "company": account.grant.company,
            **{name: sorted(getattr(account.grant, name)) for name in DOUBTS},
        },
        "caching": write_caching(account.caching),
        "revision": account.revision,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    }


def write_reasons(*reasons: StatusReason) -> list[dict[str, str]]:
    return [
        {"code": reason.code, "description": reason.description, "timestamp": reason.timestamp.isoformat()}
        for reason in reasons
    ]


def write_caching(caching: Caching) -> dict[str, object]:
    fresh, stale = caching.ceilings.fresh, caching.ceilings.stale
    return {
        "enabled": caching.enabled,
        "fresh": None if fresh == inf else fresh,
        "stale": None if stale == inf else stale,
    }


def _caching(column: dict[str, Any] | None) -> Caching:
    if column is None:
        return Caching()
    most = {name: inf if column[name] is None else column[name] for name in ("fresh", "stale")}
    return Caching(column["enabled"], Ceilings(**most))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
