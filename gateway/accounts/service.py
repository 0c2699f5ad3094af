"""The platform API: linked accounts, and what connectors and accounts can do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from connectors.contract import Operation
from connectors.convert import instant
from gateway.accounts.link import Linker
from gateway.accounts.store import AccountStore
from gateway.accounts.unlink import unlink
from gateway.accounts.update import read_changes
from gateway.auth.authentication import about
from gateway.contract.query import MOST_PAGES, PageLimits, read_number, refuse_query, unknown_parameter
from gateway.errors import BadRequest, NotFound
from gateway.model import Account, AccountFilter, Actor, ActorKind, ClientKey, Status
from gateway.policy.capabilities import DETAILS, account_meta, connector_meta
from gateway.policy.permissions import permissions
from gateway.policy.provider import Provider

Json = dict[str, Any]
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformCall:
    """An admitted call. `named` is the id or provider in the path, `address` the client's.

    `body` reads the JSON body, only for the operations that take one.
    """

    key: ClientKey
    operation: Operation
    named: str = ""
    pairs: tuple[tuple[str, str], ...] = ()
    address: str = ""
    body: Callable[[], Awaitable[Mapping[str, Any]]]

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.KEY, self.key.id, self.address)


class AccountService:
    """Answers platform calls with JSON values. An account of another project counts as missing."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        directory: AccountStore,
        linker: Linker,
        *,
        operations: Sequence[Operation],
        page: PageLimits,
        vendor_webhook: Callable[[Account], Awaitable[Json | None]],
        public_url: str = "",
    ) -> None:
        """`operations` are those of the unified API; `public_url` is where browsers reach the gateway, if it is set.

        `vendor_webhook` returns the state of an account's webhook at its vendor, or None where the vendor has none.
        """
        self._providers = providers
        self._directory = directory
        self._linker = linker
        self._operations = operations
        self._page = page
        self._vendor_webhook = vendor_webhook
        self._public_url = public_url
        self._handlers: Mapping[str, Callable[[PlatformCall], Awaitable[Any]]] = {
            "list_linked_accounts": self._list,
            "get_account": self._get,
            "update_account": self._update,
            "delete_account": self._delete,
            "get_account_meta_info": self._meta,
            "get_account_permissions": self._permissions,
            "list_connectors_meta": self._connectors,
            "get_connector_meta": self._connector,
        }

    async def answer(self, call: PlatformCall) -> Any:
        """Returns a JSON value. Raises a `GatewayError` that says what to do."""
        return await self._handlers[call.operation.id](call)

    # --- linked accounts ------------------------------------------------------------------------------------

    async def _list(self, call: PlatformCall) -> list[Json]:
        choice = read_choice(call.operation, call.pairs, self._page)
        return [self._shown(account) for account in await self._directory.select(call.key.project_id, choice)]

    async def _get(self, call: PlatformCall) -> Json:
        return self._shown(await self._find(call))

    async def _update(self, call: PlatformCall) -> Json:
        account = await self._find(call)
        provider = self._providers.get(account.provider)
        connector = provider.connector if provider else None
        with about(account):
            changed, credential, replace_company = read_changes(await call.body(), account, connector)
            by = call.actor
            if connector and credential:
                changed = await self._linker.relink(connector, changed, credential, by, replace_company=replace_company)
            elif changed != account:
                changed = await self._directory.update(replace(changed, updated_at=self._linker.clock()), by)
        return self._shown(changed)

    async def _delete(self, call: PlatformCall) -> Json:
        account = await self._find(call)
        deleted = await unlink(call.key.project_id, account.id, self._directory, call.actor)
        return self._shown(deleted)

    async def _find(self, call: PlatformCall) -> Account:
        no_parameters(call)
        # No id has such characters, and PostgreSQL refuses some of them.
        known = call.named.isprintable()
        found = await self._directory.select(call.key.project_id, AccountFilter(ids=(call.named,))) if known else ()
        if not found:
            raise NotFound(
                "There is no such linked account in the project of this API key.", code="AccountNotFoundError"
            )
        return found[0]

    def _shown(self, account: Account) -> Json:
        provider = self._providers.get(account.provider)
        return linked_account(account, provider.connector.name if provider else account.provider)

    # --- what can be done -----------------------------------------------------------------------------------

    async def _meta(self, call: PlatformCall) -> Json:
        account = await self._find(call)
        return account_meta(self._provider(account.provider), self._operations, account.grant.opens)

    async def _permissions(self, call: PlatformCall) -> Json:
        account = await self._find(call)
        found = permissions(account, self._provider(account.provider), call.key, self._operations)
        return {**found, "webhooks": await self._vendor_webhook(account)}

    async def _connectors(self, call: PlatformCall) -> list[Json]:
        include = read_include(call)
        providers = self._providers.values()
        return [connector_meta(each, self._operations, include, self._public_url) for each in providers]

    async def _connector(self, call: PlatformCall) -> Json:
        include = read_include(call)
        return connector_meta(self._provider(call.named), self._operations, include, self._public_url)

    def _provider(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            known = ", ".join(self._providers)
            raise NotFound(f"There is no connector for {name[:64]!r}; known: {known}.", code="ConnectorNotFoundError")
        return provider


def linked_account(account: Account, provider_name: str) -> Json:
    """Returns an account in the contract's format, without its credential."""
    return {
        "id": account.id,
        "provider": account.provider,
        "provider_name": provider_name,
        "status": account.status,
        "status_reasons": [
            {"code": each.code, "description": each.description, "timestamp": instant(each.timestamp.isoformat())}
            for each in account.status_reasons
        ],
        "origin_owner_id": account.owner.id,
        "origin_owner_name": account.owner.name,
        "origin_username": account.owner.username,
        "credentials": {},
        "setup_information": dict(account.setup_information),
        "label": account.label,
        "created_at": instant(account.created_at.isoformat()),
        "updated_at": instant(account.updated_at.isoformat()),
        "type": account.kind,
        "shared": False,
        "cache": {
            "enabled": account.caching.enabled,
            "max_fresh_seconds": _ceiling(account.caching.ceilings.fresh),
            "max_stale_seconds": _ceiling(account.caching.ceilings.stale),
        },
    }


def _ceiling(seconds: float) -> int | None:
    return None if seconds == inf else int(seconds)


# --- queries ------------------------------------------------------------------------------------------------

_KINDS = {
    "provider": "providers",
    "providers": "providers",
    "origin_owner_id": "owner_ids",
    "origin_owner_ids": "owner_ids",
    "account_ids": "ids",
    "status": "statuses",
}
_LISTS = frozenset({"providers", "origin_owner_ids", "account_ids", "status"})


def read_choice(operation: Operation, pairs: Pairs, limits: PageLimits) -> AccountFilter:
    """Returns which accounts a query asks for. Raises `BadRequest`.

    A list repeats its name, with or without `[]`. An empty value counts as none.
    """
    found: dict[str, list[Any]] = {}
    faults: list[str] = []
    for given, value in pairs:
        name = given.removesuffix("[]") if given.removesuffix("[]") in _LISTS else given
        if name not in operation.parameters:
            faults.append(unknown_parameter(given, operation.parameters))
        elif name not in _LISTS and name in found:
            faults.append(f"{name} is given twice")
        elif value and not value.isprintable():
            faults.append(f"{name} has characters that cannot be printed")
        elif value:
            found.setdefault(name, []).append(value)
    ranges = {"page_size": (1, limits.most), "page": (1, MOST_PAGES)}
    numbers = {name: read_number(name, found.pop(name)[0], *ranges[name], faults) for name in ranges if name in found}
    size = numbers.get("page_size", limits.default)
    kinds: dict[str, tuple[Any, ...]] = {}
    for name, values in found.items():
        wanted = _statuses(values, faults) if name == "status" else values
        kinds[_KINDS[name]] = (*kinds.get(_KINDS[name], ()), *wanted)
    refuse_query(faults)
    return AccountFilter(**kinds, skip=(numbers.get("page", 1) - 1) * size, most=size)


def _statuses(given: Sequence[str], faults: list[str]) -> list[Status]:
    strange = [each[:64] for each in given if each not in set(Status)]
    if strange:
        faults.append(f"status has no {', '.join(strange)}; known: {', '.join(Status)}")
        return []
    return [Status(each) for each in given]


def read_include(call: PlatformCall) -> frozenset[str]:
    """Returns the details of a connector that a query asks for, separated by commas. Raises `BadRequest`."""
    strange = [name for name, _ in call.pairs if name != "include"]
    if strange or len(call.pairs) > 1:
        raise BadRequest("The query is not valid: it may have include, and that once.")
    names = {name.strip() for _, value in call.pairs for name in value.split(",")} - {""}
    unknown = sorted(names.difference(DETAILS))
    if unknown:
        raise BadRequest(f"include has no {', '.join(unknown)[:200]}; known: {', '.join(DETAILS)}.")
    return frozenset(names)


def no_parameters(call: PlatformCall) -> None:
    if call.pairs:
        raise BadRequest(f"{call.operation.id} takes no parameters.")
