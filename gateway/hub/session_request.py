"""Connect sessions, and what a backend asks for when it creates one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from connectors.contract import OneOf, Resource
from connectors.platform_bodies import CREATE_CONNECT_SESSION, MAX_METADATA_BYTES, SESSION_SECONDS
from gateway.contract.body import check_body, refuse, with_defaults
from gateway.model import Owner
from gateway.policy.capabilities import CATEGORY

_PROVIDER_NAMES = ("provider", "integration_id", "connector_profile_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """What a session is for: `provider` or `account_id` narrow the choice, `multiple` creates another account.

    `replace_company` permits a token of another company. A `label` or `kind` of None leaves an existing account's own.
    """

    owner: Owner
    provider: str | None = None
    categories: tuple[str, ...] = ()
    account_id: str | None = None
    multiple: bool = False
    replace_company: bool = False
    label: str | None = None
    kind: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    expires_in: int = SESSION_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectSession:
    """A session. `claimed_at` is set while a credential is tried, `linked_id` is the account that a good one linked."""

    id: int
    digest: str = field(repr=False)
    project_id: str
    request: SessionRequest
    created_at: datetime
    expires_at: datetime
    claimed_at: datetime | None = None
    linked_id: str | None = None

    @property
    def spent(self) -> bool:
        return self.linked_id is not None


def read_session_request(body: Mapping[str, Any], providers: Collection[str]) -> SessionRequest:
    """Returns what a body of `create_connect_session` asks for. Raises `BadRequest` with all faults."""
    known = OneOf(tuple(providers))
    fields = CREATE_CONNECT_SESSION.fields
    declared = Resource(
        CREATE_CONNECT_SESSION.name, {**fields, **{name: replace(fields[name], type=known) for name in _PROVIDER_NAMES}}
    )
    found = with_defaults(check_body(body, declared), declared)
    given = {name: found[name] for name in _PROVIDER_NAMES if found[name] is not None}
    faults = [f"{', '.join(given)}: name different providers"] if len(set(given.values())) > 1 else []
    if found["multiple"] and found["account_id"]:
        faults.append("multiple: creates another account, while account_id names one, so choose")
    if given and found["categories"] and CATEGORY not in found["categories"]:
        faults.append(f"categories: lack {CATEGORY}, the category of the provider")
    metadata = found["metadata"] or {}
    if len(orjson.dumps(metadata)) > MAX_METADATA_BYTES:
        faults.append(f"metadata: must be an object of at most {MAX_METADATA_BYTES} bytes")
    refuse(faults)
    return SessionRequest(
        owner=Owner(id=found["origin_owner_id"], name=found["origin_owner_name"], username=found["origin_username"]),
        provider=next(iter(given.values()), None),
        categories=tuple(dict.fromkeys(found["categories"] or ())),
        account_id=found["account_id"],
        multiple=found["multiple"] or False,
        replace_company=found["replace_company"] or False,
        label=found["label"],
        kind=found["type"],
        metadata=metadata,
        expires_in=found["expires_in"],
    )
