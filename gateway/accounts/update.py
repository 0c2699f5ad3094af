"""Reading what a caller wants changed in a linked account: a merge patch in, a changed account out.

Null empties what may be empty and leaves the rest as it is. An unknown field is a fault; a value is never repeated in
one, as it may be a secret.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf
from typing import Any

from connectors.connector import Connector
from gateway.errors import BadRequest
from gateway.model import Account, Caching, Ceilings, Secret

TYPES = ("production", "test")
LONGEST_TEXT = 200
LONGEST_SETTING = 2000
MOST_SETTINGS = 50
MOST_SECONDS = 86400 * 7
CACHE_FIELDS = ("enabled", "max_fresh_seconds", "max_stale_seconds")
"""Of `cache`: whether answers of the account are kept, and ceilings to how long they are used."""

_FOREIGN = {
    "metadata": "is not kept here, and no answer would show it: use label or setup_information",
    "authentication_config_key": "names nothing here: an account has its connector's own way to authenticate",
    "environment": "names nothing here: the operator sets the address of a provider",
    "integration_id": "names nothing here: there is one integration a provider",
}


def read_changes(
    body: Mapping[str, Any], account: Account, connector: Connector | None
) -> tuple[Account, Secret | None, bool]:
    """Give the account as it shall be, the new credential if there is one, and whether its company may be another.

    Raises `BadRequest` with all faults.
    """
    reader = _Reader(account, connector)
    for name, value in body.items():
        reader.read(name, value)
    if reader.replace_company and reader.credential is None:
        reader.faults.append("replace_company is said of credentials, which are not given")
    if reader.faults:
        raise BadRequest("The changes are not valid: " + "; ".join(reader.faults), errors=reader.faults)
    return reader.account, reader.credential, reader.replace_company


class _Reader:
    def __init__(self, account: Account, connector: Connector | None) -> None:
        self.account = account
        self.connector = connector
        self.credential: Secret | None = None
        self.replace_company = False
        self.faults: list[str] = []
        self._known: Mapping[str, Callable[[str, Any], None]] = {
            "label": self._label,
            "origin_owner_id": self._owner,
            "origin_owner_name": self._owner,
            "origin_username": self._owner,
            "setup_information": self._setup,
            "type": self._type,
            "cache": self._caching,
            "provider": self._provider,
            "credentials": self._credential,
            "secrets": self._credential,
            "replace_company": self._replace_company,
            **dict.fromkeys(_FOREIGN, self._foreign),
        }

    def read(self, name: str, value: Any) -> None:
        read = self._known.get(name)
        if read is None:
            self.faults.append(f"unknown field {name[:64]!r}; known: {', '.join(self._known)}")
            return
        read(name, value)

    def _text(self, name: str, value: Any, longest: int = LONGEST_TEXT) -> str | None:
        """Give a text without spaces around it, or None for one that cannot be taken, which is noted."""
        text = value.strip() if isinstance(value, str) else ""
        if not text or not text.isprintable() or len(text) > longest:
            self.faults.append(f"{name} must be 1 to {longest} printable characters")
            return None
        return text

    def _label(self, name: str, value: Any) -> None:
        if value is None or self._text(name, value):
            self.account = replace(self.account, label=value and value.strip())

    def _owner(self, name: str, value: Any) -> None:
        text = None if value is None else self._text(name, value)
        owner = self.account.owner
        if name == "origin_username" and (text or value is None):
            owner = replace(owner, username=text)
        elif name == "origin_owner_id":
            owner = replace(owner, id=text or owner.id)
        elif name == "origin_owner_name":
            owner = replace(owner, name=text or owner.name)
        self.account = replace(self.account, owner=owner)

    def _setup(self, name: str, value: Any) -> None:
        if value is None:
            return
        if not isinstance(value, dict) or len(value) > MOST_SETTINGS:
            self.faults.append(f"{name} must be an object of at most {MOST_SETTINGS} texts")
            return
        merged = dict(self.account.setup_information)
        for key, each in value.items():
            if not self._text(f"a name in {name}", key):
                continue
            if each is None:
                merged.pop(key, None)
            elif text := self._text(f"{name}.{key}", each, LONGEST_SETTING):
                merged[key] = text
        if len(merged) > MOST_SETTINGS:
            self.faults.append(f"{name} would have more than {MOST_SETTINGS} texts")
        self.account = replace(self.account, setup_information=merged)

    def _type(self, name: str, value: Any) -> None:
        if value in TYPES:
            self.account = replace(self.account, kind=value)
        elif value is not None:
            self.faults.append(f"{name} must be {' or '.join(TYPES)}")

    def _caching(self, name: str, value: Any) -> None:
        if value is None:
            self.account = replace(self.account, caching=Caching())
            return
        if not isinstance(value, dict) or value.keys() - CACHE_FIELDS:
            self.faults.append(f"{name} must be an object of {', '.join(CACHE_FIELDS)}")
            return
        enabled = value.get("enabled", True)
        if not isinstance(enabled, bool):
            self.faults.append(f"{name}.enabled must be true or false")
        fresh, stale = (self._seconds(f"{name}.{each}", value.get(each)) for each in CACHE_FIELDS[1:])
        self.account = replace(self.account, caching=Caching(enabled is True, Ceilings(fresh, stale)))

    def _seconds(self, name: str, value: Any) -> float:
        if value is None:
            return inf
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_SECONDS:
            self.faults.append(f"{name} must be whole seconds from 0 to {MOST_SECONDS}, or null for no ceiling")
            return 0
        return value

    def _provider(self, name: str, value: Any) -> None:
        if value is not None and value != self.account.provider:
            self.faults.append(f"{name} cannot be changed: link a new account")

    def _replace_company(self, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, bool):
            self.faults.append(f"{name} must be true or false")
        self.replace_company = value is True

    def _credential(self, name: str, value: Any) -> None:
        if value is None:
            return
        if self.connector is None:
            self.faults.append(f"{name} cannot be taken: this gateway has no connector for the account any more")
            return
        key = self.connector.auth.credential.key
        text = value.get(key) if isinstance(value, dict) and value.keys() == {key} else None
        if not isinstance(text, str):
            self.faults.append(
                f"{name} must be an object of {key} alone, a text. Clients that are made from StackOne's OpenAPI may "
                f"empty it on the way: then send the request without them"
            )
        elif self.credential not in {None, Secret(text)}:
            self.faults.append("credentials and secrets differ")
        else:
            self.credential = Secret(text)

    def _foreign(self, name: str, value: Any) -> None:
        if value not in (None, {}):
            self.faults.append(f"{name} {_FOREIGN[name]}")
