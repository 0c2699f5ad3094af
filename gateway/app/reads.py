"""Builds what answers reads from caches, and what keeps the caches coherent."""

from collections.abc import Callable

from gateway.accounts.unlink import AccountPurge, PurgePlace
from gateway.app.services import Services
from gateway.cache.account_cache import AccountCache
from gateway.cache.freshness import Windows
from gateway.cache.local import LocalCache
from gateway.cache.redis_pubsub import PubSub
from gateway.cache.singleflight import Leases, SingleFlight
from gateway.cache.tombstones import Tombstones
from gateway.model import Cache, Invalidation, LinkedAccount
from gateway.settings.load import Settings
from gateway.unified.answer_cache import AnswerCache
from gateway.unified.block_cache import BlockCache
from gateway.unified.collections import Collections, WebhookFreshness
from gateway.unified.compose import Composer
from gateway.unified.cursor import CursorSigner
from gateway.unified.plan import Planner
from gateway.unified.read import ReadService
from gateway.unified.snapshot_store import SnapshotStore
from gateway.unified.write import Invalidate


def open_reads(services: Services, receiving_since: Callable[[], float]) -> tuple[ReadService, Invalidate, Collections]:
    """Returns what answers reads, what invalidates an account's entries, and what reads vendors' lists.

    `receiving_since` returns since when, in seconds since the epoch, no delivery of a vendor webhook was missed.
    """
    settings, clock, cache = services.settings, services.clock, services.settings.cache
    flights = SingleFlight()
    services.stack.push_async_callback(flights.close)
    local = open_local_cache(services)
    # For as long as a request that began before may live: the lists that it reads are not put back.
    purged = Tombstones(clock.monotonic, settings.accounts.cache_seconds + settings.upstream.deadline_seconds + 1)
    lists = BlockCache(_local_bytes(settings) * 3 // 4, purged)
    services.purge.register(PurgePlace.LOCAL_ANSWERS, local.invalidate)
    services.purge.register(PurgePlace.DECODED_LISTS, list_purge(lists, purged))
    cursor_seconds, derive = int(cache.cursor_seconds), services.vault.derive
    collections = Collections(
        services.client,
        SnapshotStore(lists, lambda: clock.now().timestamp(), cursor_seconds, derive(b"snapshots")),
        flights,
        Leases(services.cache, cache.lease_seconds, clock.monotonic),
        windows_of(settings),
        concurrency=settings.upstream.page_concurrency,
        whole_seconds=cache.whole_read_seconds,
        webhooks=WebhookFreshness(
            lambda resource: cache.webhook_fresh_seconds.get(resource, cache.default_webhook_fresh_seconds),
            receiving_since,
        ),
    )
    unreadable = services.metrics.unreadable_values
    composer = Composer(
        services.client,
        collections,
        CursorSigner(derive(b"cursor"), cursor_seconds),
        services.token_rejections,
        lambda provider, resource, count: unreadable.labels(provider, resource).inc(count),
    )
    reads = ReadService(
        services.authenticator,
        Planner(services.page_limits),
        AnswerCache(services.cache, local, clock, cache.max_value_bytes, receiving_since),
        composer,
        flights,
        clock,
        deadline=settings.upstream.deadline_seconds,
        stale_wait=cache.stale_wait_seconds,
    )
    return reads, make_invalidate(services.cache, local), collections


def windows_of(settings: Settings) -> Callable[[str], Windows]:
    """Returns how long a resource may be used; resources without a row in the settings have the default."""
    cache = settings.cache
    default = Windows(
        cache.default_fresh_seconds, cache.default_stale_while_revalidate_seconds, cache.default_stale_if_error_seconds
    )
    rows = {
        name: Windows(fresh, cache.stale_while_revalidate_seconds[name], cache.stale_if_error_seconds[name])
        for name, fresh in cache.fresh_seconds.items()
    }
    return lambda resource: rows.get(resource, default)


def open_local_cache(services: Services) -> LocalCache:
    """Returns the local cache, subscribed to the invalidations that other workers announce."""
    cache, stores = services.settings.cache, services.stores
    channel: PubSub | None = None
    local = LocalCache(
        services.clock.monotonic,
        lambda: channel is not None and channel.works(),
        max_bytes=_local_bytes(services.settings) // 4,
        seconds=cache.local_seconds,
        unsubscribed_seconds=cache.local_unsubscribed_seconds,
    )
    if services.redis is not None:
        handler = invalidation_handler(services.purge, stores.accounts.purge, stores.keys.purge, local)
        channel = PubSub(services.redis, on_message=handler, on_subscribe=local.clear)
        channel.open()
        services.stack.push_async_callback(channel.close)
    return local


def _local_bytes(settings: Settings) -> int:
    """Returns the bytes for answers (a quarter) and vendors' lists (the rest); 0 where nothing may be cached."""
    # Without Redis there is no channel, and other workers could not announce their invalidations.
    alone = settings.redis.url or settings.server.workers == 1
    return settings.cache.local_bytes if settings.cache.enabled and alone else 0


def list_purge(lists: BlockCache, purged: Tombstones) -> Callable[[str], None]:
    """Returns a function that removes an account's lists from memory, and keeps out those that are being read now."""

    def purge(account_id: str) -> None:
        purged.add(account_id)
        lists.purge(account_id)

    return purge


def invalidation_handler(
    purge: AccountPurge, purge_account: Callable[[str], None], purge_key: Callable[[str], None], local: LocalCache
) -> Callable[[Invalidation, str], None]:
    """Returns the function that handles an invalidation which another worker has announced."""

    def handle(kind: Invalidation, name: str) -> None:
        if kind in {Invalidation.GONE, Invalidation.UNCACHED}:
            purge.purge_local(kind, name)
        elif kind is Invalidation.KEY:
            purge_key(name)
        else:
            if kind is Invalidation.ACCOUNT:
                purge_account(name)
            local.invalidate(name)

    return handle


def make_invalidate(cache: Cache, local: LocalCache) -> Invalidate:
    """Returns a function that invalidates an account's cache entries, everywhere."""

    async def invalidate(linked: LinkedAccount, resources: frozenset[str] | None, generation: str) -> bool:
        announced = await AccountCache(cache, linked, 0, generation).invalidate(resources)
        local.invalidate(linked.account.id)
        return announced

    return invalidate
