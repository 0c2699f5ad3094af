"""Joins what answers reads from caches and keeps them coherent, for `gateway.app.build` alone."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from gateway.accounts.token_rejection import TokenRejections
from gateway.accounts.unlink import AccountPurge, PurgeTarget
from gateway.app.stores import Stores
from gateway.auth.authentication import Authenticator
from gateway.cache.account_cache import AccountCache
from gateway.cache.freshness import Windows
from gateway.cache.local import LocalCache, LocalCacheLimits
from gateway.cache.redis_client import RedisClient
from gateway.cache.redis_pubsub import PubSub
from gateway.cache.singleflight import Leases, SingleFlight
from gateway.cache.tombstones import Tombstones
from gateway.contract.query import PageLimits
from gateway.model import Cache, Invalidation, Linked
from gateway.observability.metrics import Metrics
from gateway.settings.load import Settings
from gateway.unified.collections import Collections, Retention, Sharing
from gateway.unified.compose import Composer
from gateway.unified.cursor import CursorSigner
from gateway.unified.decoded import DecodedListCache
from gateway.unified.read import Around, Caches, Limits, ReadService
from gateway.unified.write import Invalidate
from gateway.upstream.vendor import VendorClient
from gateway.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class CachingParts:
    """What reading shares with the rest of the gateway."""

    authenticator: Authenticator
    stores: Stores
    redis: RedisClient | None
    cache: Cache
    forgetting: AccountPurge
    asker: VendorClient
    checks: TokenRejections
    vault: Vault
    metrics: Metrics


def open_gateway(
    settings: Settings, parts: CachingParts, stack: AsyncExitStack
) -> tuple[ReadService, Invalidate, Collections]:
    """Give what answers reads, what ends all that is kept of some resources of an account, and what reads lists."""
    clock = parts.asker.clock
    flights = SingleFlight()
    # For as long as a request lives that had begun before: what it reads is not held afterwards.
    closed = Tombstones(clock.monotonic, settings.accounts.cache_seconds + settings.upstream.deadline_seconds + 1)
    lists = DecodedListCache(_near_bytes(settings) * 3 // 4, closed)
    near = open_near(settings, parts, stack)
    parts.forgetting.holds(PurgeTarget.ANSWERS, near.drop)
    parts.forgetting.holds(PurgeTarget.LISTS, closing(lists, closed))
    caches = Caches(parts.cache, near, flights)
    sweeps = Collections(
        parts.asker,
        Retention(*windows_of(settings), int(settings.cache.cursor_seconds), parts.vault.derive(b"sweeps")),
        Sharing(flights, Leases(parts.cache, settings.cache.lease_seconds, clock.monotonic), lists),
        settings.upstream.page_concurrency,
    )
    signer = CursorSigner(parts.vault.derive(b"cursor"), int(settings.cache.cursor_seconds))
    paging = PageLimits(settings.paging.default_page_size, settings.paging.max_page_size)
    limits = Limits(
        settings.upstream.deadline_seconds, settings.cache.stale_wait_seconds, paging, settings.cache.max_value_bytes
    )
    counted = parts.metrics.unreadable_values
    reads = Composer(
        parts.asker, sweeps, signer, lambda provider, resource, count: counted.labels(provider, resource).inc(count)
    )
    gateway = ReadService(parts.authenticator, caches, reads, Around(clock, limits, parts.checks))
    stack.push_async_callback(flights.close)
    return gateway, make_invalidate(parts.cache, near), sweeps


def windows_of(settings: Settings) -> tuple[dict[str, Windows], Windows]:
    """Give the windows of each resource, and of all that have no row."""
    cache = settings.cache
    default = Windows(
        cache.default_fresh_seconds, cache.default_stale_while_revalidate_seconds, cache.default_stale_if_error_seconds
    )
    rows = {
        name: Windows(fresh, cache.stale_while_revalidate_seconds[name], cache.stale_if_error_seconds[name])
        for name, fresh in cache.fresh_seconds.items()
    }
    return rows, default


def open_near(settings: Settings, parts: CachingParts, stack: AsyncExitStack) -> LocalCache:
    """Open the near-cache, and listen for changes that others make."""
    chosen = settings.cache
    limits = LocalCacheLimits(_near_bytes(settings) // 4, chosen.local_seconds, chosen.local_unsubscribed_seconds)
    monotonic = parts.asker.clock.monotonic
    if parts.redis is None:
        return LocalCache(limits, monotonic, lambda: False)
    channel: PubSub | None = None
    near = LocalCache(limits, monotonic, lambda: channel is not None and channel.works())
    heard = hearing(parts, near)
    channel = PubSub(parts.redis, on_message=heard, on_subscribe=near.clear)
    channel.open()
    stack.push_async_callback(channel.close)
    return near


def _near_bytes(settings: Settings) -> int:
    """Give the bytes for answers, a quarter, and for lists, the rest. Who keeps nothing keeps nothing near."""
    # Without a channel other workers would not hear of changes.
    alone = settings.redis.url or settings.server.workers == 1
    return settings.cache.local_bytes if settings.cache.enabled and alone else 0


def closing(lists: DecodedListCache, closed: Tombstones) -> Callable[[str], None]:
    """Make what has the lists of an account forgotten, and those too that are being read now."""

    def close(account_id: str) -> None:
        closed.add(account_id)
        lists.drop(account_id)

    return close


def hearing(parts: CachingParts, near: LocalCache) -> Callable[[Invalidation, str], None]:
    """Make what is done when a change is heard of."""

    def heard(news: Invalidation, name: str) -> None:
        if news in {Invalidation.GONE, Invalidation.UNCACHED}:
            parts.forgetting.here(news, name)
        elif news is Invalidation.KEY:
            parts.stores.keys.purge(name)
        else:
            if news is Invalidation.ACCOUNT:
                parts.stores.accounts.purge(name)
            near.drop(name)

    return heard


def make_invalidate(cache: Cache, near: LocalCache) -> Invalidate:
    """Make what ends what is kept of an account, under a word that nobody else has."""

    async def invalidate(linked: Linked, resources: frozenset[str] | None, new_id: str) -> bool:
        told = await AccountCache(cache, linked, 0, new_id).invalidate(resources)
        near.drop(linked.account.id)
        return told

    return invalidate
