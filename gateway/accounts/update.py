"""Applies a merge patch to a linked account: a body of `update_account` in, the changed account out."""

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any

from connectors.connector import Connector
from connectors.platform_bodies import MAX_SETTINGS, UPDATE_ACCOUNT
from gateway.contract.body import check_body, refuse
from gateway.model import Account, Caching, Ceilings, Secret


def read_changes(
    body: Mapping[str, Any], account: Account, connector: Connector | None
) -> tuple[Account, Secret | None, bool]:
    """Returns the account as it shall be, the new credential if there is one, and whether its company may be another.

    Raises `BadRequest` with all faults of the form, or else with all faults of the content.
    """
    changes = check_body(body, UPDATE_ACCOUNT)
    faults: list[str] = []
    settings = _merge(account.setup_information, changes.get("setup_information") or {})
    if len(settings) > MAX_SETTINGS:
        faults.append(f"setup_information: would have more than {MAX_SETTINGS} keys")
    if changes.get("provider") not in {None, account.provider}:
        faults.append("provider: cannot be changed, so link a new account")
    credential = _credential(changes, connector, faults)
    replace_company = changes.get("replace_company") is True
    if replace_company and credential is None and not faults:
        faults.append("replace_company: needs credentials beside it")
    refuse(faults)
    owner = account.owner
    changed = replace(
        account,
        owner=replace(
            owner,
            id=changes.get("origin_owner_id") or owner.id,
            name=changes.get("origin_owner_name") or owner.name,
            username=changes.get("origin_username", owner.username),
        ),
        label=changes.get("label", account.label),
        kind=changes.get("type") or account.kind,
        setup_information=settings,
        caching=_caching(changes["cache"] or {}) if "cache" in changes else account.caching,
    )
    return changed, credential, replace_company


def _merge(settings: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**settings, **changes}.items() if value is not None}


def _caching(cache: Mapping[str, Any]) -> Caching:
    fresh, stale = (
        inf if cache.get(name) is None else cache[name] for name in ("max_fresh_seconds", "max_stale_seconds")
    )
    return Caching(cache.get("enabled", True), Ceilings(fresh, stale))


def _credential(changes: Mapping[str, Any], connector: Connector | None, faults: list[str]) -> Secret | None:
    given = {name: changes[name] for name in ("credentials", "secrets") if changes.get(name) is not None}
    if given and connector is None:
        faults += [f"{name}: cannot be taken, as this gateway has no connector for the account" for name in given]
        return None
    found = set()
    for name, value in given.items():
        key = connector.auth.credential.key if connector else ""
        text = value.get(key) if value.keys() == {key} else None
        if isinstance(text, str):
            found.add(text)
        else:
            faults.append(
                f"{name}: must be an object of {key} alone, a text. Clients that are made from StackOne's OpenAPI may "
                f"empty it on the way: then send the request without them"
            )
    if len(found) > 1:
        faults.append("credentials: differ from secrets, so send one of them")
    return Secret(found.pop()) if len(found) == 1 else None
