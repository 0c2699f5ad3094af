"""Reads what a backend wants of a connect session. Raises one `BadRequest` with every fault of the body."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.accounts.update import LONGEST_TEXT, TYPES
from gateway.errors import BadRequest
from gateway.model import Owner
from gateway.policy.capabilities import CATEGORY
from gateway.policy.provider import Provider

CATEGORIES = (
    "ats hris hris-legacy crm iam marketing lms stackone documents ticketing screening messaging accounting scheduling"
).split()
SHORTEST_LIFE = 60
LIFE = 1800
LONGEST_LIFE = 30 * 24 * 3600
LARGEST_METADATA = 8192

_OPTIONS = {
    "provider_version": "names nothing here: a provider has one version",
    "shared": "is not possible here: an account belongs to one project",
    "relink": "names nothing here: an owner's account is linked again unless multiple is true",
    "scopes": "cannot be chosen: the Hub asks for what the gateway's settings need",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """What a session is for. `provider` or `account_id` narrow the choice; `multiple` makes a further account.

    With `replace_company` an account may be given a token of another company.

    `label` and `kind` are empty where they are not named: then those of an account that is there stay.
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
    expires_in: int = LIFE


def read_session_request(body: Mapping[str, Any], providers: Mapping[str, Provider]) -> SessionRequest:
    reader = _Reader(providers)
    for name, value in body.items():
        reader.read(name, value)
    return reader.done()


class _Reader:
    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers
        self._faults: list[str] = []
        self._found: dict[str, Any] = {}
        self._known: Mapping[str, Callable[[str, Any], None]] = {
            "origin_owner_id": self._text,
            "origin_owner_name": self._text,
            "origin_username": self._text,
            "account_id": self._text,
            "label": self._text,
            "provider": self._provider,
            # Of one provider there is one integration, so its key names both.
            "integration_id": self._provider,
            "connector_profile_id": self._provider,
            "categories": self._categories,
            "expires_in": self._life,
            "multiple": self._flag,
            "replace_company": self._flag,
            "metadata": self._metadata,
            "type": self._kind,
            **dict.fromkeys(_OPTIONS, self._option),
        }

    def read(self, name: str, value: Any) -> None:
        read = self._known.get(name)
        if read is None:
            self._faults.append(f"unknown field {name[:64]!r}; known: {', '.join(self._known)}")
        elif value is not None:
            read(name, value)

    def done(self) -> SessionRequest:
        """Give the wish, or raise with all faults."""
        found = self._found
        known = {fault.partition(" ")[0] for fault in self._faults}
        for name in ("origin_owner_id", "origin_owner_name"):
            if name not in found and name not in known:
                self._faults.append(f"{name} is missing")
        if found.get("multiple") and "account_id" in found:
            self._faults.append("multiple makes a further account, while account_id names one: choose")
        if "provider" in found and found.get("categories") and CATEGORY not in found["categories"]:
            self._faults.append(f"provider is of the category {CATEGORY}, which is not among categories")
        if self._faults:
            raise BadRequest("The body is not valid: " + "; ".join(self._faults), errors=self._faults)
        owner = Owner(
            id=found.pop("origin_owner_id"),
            name=found.pop("origin_owner_name"),
            username=found.pop("origin_username", None),
        )
        return SessionRequest(owner=owner, **found)

    def _text(self, name: str, value: Any) -> None:
        text = value.strip() if isinstance(value, str) else ""
        if not text or not text.isprintable() or len(text) > LONGEST_TEXT:
            self._faults.append(f"{name} must be 1 to {LONGEST_TEXT} printable characters")
            return
        self._found[name] = text

    def _provider(self, name: str, value: Any) -> None:
        if not isinstance(value, str) or value not in self._providers:
            self._faults.append(f"{name} must be one of: {', '.join(self._providers)}")
        elif self._found.setdefault("provider", value) != value:
            self._faults.append(f"{name} names another provider than the other fields")

    def _categories(self, name: str, value: Any) -> None:
        if not isinstance(value, list) or any(each not in CATEGORIES for each in value):
            self._faults.append(f"{name} must be a list of: {', '.join(CATEGORIES)}")
            return
        self._found[name] = tuple(dict.fromkeys(value))

    def _life(self, name: str, value: Any) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not SHORTEST_LIFE <= value <= LONGEST_LIFE or value != int(value):
            self._faults.append(f"{name} must be a whole number of seconds from {SHORTEST_LIFE} to {LONGEST_LIFE}")
            return
        self._found[name] = int(value)

    def _flag(self, name: str, value: Any) -> None:
        if not isinstance(value, bool):
            self._faults.append(f"{name} must be true or false")
            return
        self._found[name] = value

    def _metadata(self, name: str, value: Any) -> None:
        if not isinstance(value, dict) or len(orjson.dumps(value)) > LARGEST_METADATA:
            self._faults.append(f"{name} must be an object of at most {LARGEST_METADATA} bytes")
            return
        self._found[name] = value

    def _kind(self, name: str, value: Any) -> None:
        if value not in TYPES:
            self._faults.append(f"{name} must be {' or '.join(TYPES)}")
            return
        self._found["kind"] = value

    def _option(self, name: str, value: Any) -> None:
        if value not in (False, [], "", {}):
            self._faults.append(f"{name} {_OPTIONS[name]}")
