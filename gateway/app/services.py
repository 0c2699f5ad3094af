"""The services that the capabilities share, opened from the settings; single ones for the command line."""

import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectors.hris.operations import OPERATIONS
from connectors.platform import CONNECT_OPERATIONS, PLATFORM_OPERATIONS, PROXY, WEBHOOK_OPERATIONS
from connectors.registry import CONNECTORS
from gateway.accounts.link import Linker
from gateway.accounts.token_rejection import TokenRejections
from gateway.accounts.unlink import AccountPurge, PurgePlace
from gateway.app.stores import Stores, open_stores
from gateway.audit.change_log import change_log
from gateway.auth.admin_password import fault_of
from gateway.auth.api_key import new_id
from gateway.auth.authentication import Authenticator
from gateway.cache.invalidation import invalidation_listener
from gateway.cache.redis_cache import NoCache, RedisCache
from gateway.cache.redis_client import RedisClient, RedisLimits
from gateway.cache.redis_url import BadRedisUrl
from gateway.cache.tombstones import GuardedCache, Tombstones
from gateway.contract.query import PageLimits
from gateway.model import Cache, Clock
from gateway.observability.logs import Logger, make_logger
from gateway.observability.metrics import Metrics, make_metrics
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from gateway.settings.load import Settings, SettingsError
from gateway.upstream.client import HttpUpstream
from gateway.upstream.retry import RetryPolicy
from gateway.upstream.vendor import VendorClient
from gateway.vault.master_key import open_vault
from gateway.vault.vault import Vault

CLOCK = Clock(now=lambda: datetime.now(UTC), timestamp=time.time, monotonic=time.monotonic, jitter=random.random)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What every capability may use. `cache` refuses entries of unlinked accounts; `shared_cache` is behind it."""

    settings: Settings
    stack: AsyncExitStack
    clock: Clock
    metrics: Metrics
    logger: Logger
    vault: Vault
    redis: RedisClient | None
    shared_cache: RedisCache | NoCache
    cache: Cache
    purge: AccountPurge
    stores: Stores
    upstream: HttpUpstream
    client: VendorClient
    authenticator: Authenticator
    token_rejections: TokenRejections
    linker: Linker

    @property
    def page_limits(self) -> PageLimits:
        return PageLimits(self.settings.paging.default_page_size, self.settings.paging.max_page_size)

    @property
    def operator(self) -> Operator:
        return operator_of(self.settings)


async def open_services(settings: Settings, stack: AsyncExitStack, clock: Clock) -> Services:
    """Opens all services; the stack closes them. Raises `SettingsError` or `StoreUnavailable`."""
    limits, metrics, logger = settings.upstream, make_metrics(), make_logger(settings.log.level)
    vault = open_the_vault(settings)
    redis = await stack.enter_async_context(open_redis(settings))
    shared_cache, tombstones = open_cache(settings, redis, metrics), Tombstones(clock.monotonic)
    cache = GuardedCache(shared_cache, tombstones)
    purge = AccountPurge(cache)
    listeners = (purge.on_change, invalidation_listener(shared_cache), change_log(logger))
    stores = await open_stores(settings, vault, listeners)
    stack.push_async_callback(stores.close)
    purge.register(PurgePlace.TOMBSTONE, tombstones.add)
    purge.register(PurgePlace.MEMO, stores.accounts.purge)
    upstream = await stack.enter_async_context(open_upstream(settings, metrics))
    return Services(
        settings=settings,
        stack=stack,
        clock=clock,
        metrics=metrics,
        logger=logger,
        vault=vault,
        redis=redis,
        shared_cache=shared_cache,
        cache=cache,
        purge=purge,
        stores=stores,
        upstream=upstream,
        client=VendorClient(upstream, RetryPolicy(limits.retries, limits.retry_wait_max_seconds), clock),
        authenticator=Authenticator(stores.accounts, providers(settings)),
        token_rejections=TokenRejections(stores.accounts, upstream, clock.now),
        linker=Linker(
            accounts=stores.accounts,
            upstream=upstream,
            clock=clock.now,
            new_id=new_id,
            deadline=limits.deadline_seconds,
        ),
    )


def providers(settings: Settings) -> Mapping[str, Provider]:
    """Returns each connector with the operator's rules. Raises `SettingsError` for a rule about something unknown."""
    operator = operator_of(settings)
    beside = (*PLATFORM_OPERATIONS, *CONNECT_OPERATIONS, *WEBHOOK_OPERATIONS, PROXY)
    known = {operation.id for operation in (*OPERATIONS, *beside)}
    fields = {
        f"{resource}.{name}"
        for connector in CONNECTORS.values()
        for resource, table in connector.tables().items()
        for name in table.rows
    }
    faults = [f"policy.forbidden_operations: there is no operation {name}" for name in operator.operations - known]
    faults += [f"policy.forbidden_fields: there is no field {name}" for name in operator.fields - fields]
    managed = {path.records for connector in CONNECTORS.values() for path in connector.paths if path.managed}
    faults += [
        f"policy.open_managed_paths: the gateway manages no path {path}; it manages {', '.join(sorted(managed))}"
        for path in operator.managed_paths - managed
    ]
    faults += [*hub_faults(settings), *dashboard_faults(settings)]
    if faults:
        raise SettingsError(faults)
    found = {}
    for name, connector in CONNECTORS.items():
        chosen = settings.connectors.get(name)
        here = replace(connector, base_url=(chosen.base_url if chosen else "") or connector.base_url)
        found[name] = Provider(here, Policy(here, operator))
    return found


def operator_of(settings: Settings) -> Operator:
    rules = settings.policy
    return Operator(*map(frozenset, (rules.forbidden_operations, rules.forbidden_fields, rules.open_managed_paths)))


def open_upstream(settings: Settings, metrics: Metrics) -> HttpUpstream:
    limits = settings.upstream
    return HttpUpstream(
        metrics,
        {provider.connector.base_url: name for name, provider in providers(settings).items()},
        connect_timeout=limits.connect_timeout_seconds,
        read_timeout=limits.read_timeout_seconds,
        max_connections=limits.max_connections,
        account_connections=max(1, int(limits.max_connections * limits.account_share)),
        max_body_bytes=limits.max_body_bytes,
    )


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator[RedisClient | None]:
    """Opens the client that everything shares; None if no Redis is set. Raises `SettingsError` for a bad URL."""
    redis = settings.redis
    if not redis.url:
        yield None
        return
    try:
        client = RedisClient(redis.url, RedisLimits(redis.timeout_seconds, redis.connect_timeout_seconds))
    except BadRedisUrl as error:
        raise SettingsError([f"redis.url: {error}"]) from error
    try:
        yield client
    finally:
        await client.close()


def open_cache(settings: Settings, redis: RedisClient | None, metrics: Metrics) -> RedisCache | NoCache:
    return RedisCache(redis, metrics) if redis is not None and settings.cache.enabled else NoCache()


def open_the_vault(settings: Settings) -> Vault:
    return open_vault(
        master_key=settings.vault.key,
        further=settings.vault.further_keys,
        own_database=not settings.database.url,
        say=make_logger(settings.log.level).warning,
    )


async def prepare(settings: Settings) -> None:
    """Checks the settings, Redis' URL and the vault before any worker starts, and migrates the database.

    Logs the fields that are closed because they come from the same column as a forbidden one.
    """
    logger = make_logger(settings.log.level)
    for provider in providers(settings).values():
        for name, forbidden in sorted(provider.policy.twins.items()):
            logger.warning(
                "field closed", detail=f"{name}: made from the same column as {forbidden}, which is forbidden"
            )
    async with open_redis(settings):
        pass  # Finds a URL that the library does not take.
    stores = await open_stores(settings, open_the_vault(settings))
    await stores.close()


def hub_faults(settings: Settings) -> list[str]:
    """Returns the faults in the settings of the Hub."""
    known = {operation.id for operation in OPERATIONS}
    return [f"hub.operations: there is no operation {name}" for name in settings.hub.operations if name not in known]


def dashboard_faults(settings: Settings) -> list[str]:
    """Returns the faults in the settings of the dashboard."""
    text = settings.dashboard.password.get_secret_value()
    fault = fault_of(text) if text else ""
    return [f"GATEWAY_DASHBOARD_PASSWORD: {fault}"] if fault else []
