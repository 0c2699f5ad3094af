"""Joins the parts that watch vendors' lists for the product: a corner of `gateway.app.build`, which alone knows it."""

import asyncio
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import structlog

import connectors
import gateway
from gateway.accounts.link import LinkContext, verify
from gateway.accounts.token_rejection import TokenRejections
from gateway.app.stores import Stores
from gateway.auth.authentication import Authenticator
from gateway.model import AT_A_CHECK, Cache, Clock
from gateway.observability.logs import where
from gateway.observability.metrics import Metrics
from gateway.record_events.detector import Around, Keeping
from gateway.record_events.snapshot import Hashing, SnapshotReader
from gateway.record_events.watcher import Pace, Watcher
from gateway.settings.load import Settings
from gateway.unified.collections import Collections
from gateway.unified.write import Invalidate
from gateway.vault.vault import Vault

WAY_OF_RECORDS = ("unified/mapping.py", "record_events/snapshot.py", "record_events/subject.py")
"""What of the gateway has a say in what a record's hash is made of, besides all connectors."""


@dataclass(frozen=True, slots=True)
class RecordParts:
    """What watching shares with the rest of the gateway."""

    authenticator: Authenticator
    stores: Stores
    cache: Cache
    sweeps: Collections
    invalidate: Invalidate
    linking: LinkContext
    checks: TokenRejections
    vault: Vault
    clock: Clock
    metrics: Metrics
    logger: structlog.typing.FilteringBoundLogger


def watch_records(settings: Settings, stack: AsyncExitStack, parts: RecordParts) -> Watcher:
    """Begin to watch, until the stack is closed; give what hears of changes."""
    watcher = make_watcher(settings, parts)
    if settings.record_events.enabled:
        task = asyncio.ensure_future(watcher.run())

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        stack.push_async_callback(end)
    return watcher


def make_watcher(settings: Settings, parts: RecordParts) -> Watcher:
    chosen, metrics, logger = settings.record_events, parts.metrics, parts.logger
    pace = Pace(
        poll=chosen.poll_seconds, settle=chosen.settle_seconds, look=chosen.scan_seconds, at_once=chosen.concurrency
    )
    around = Around(
        clock=parts.clock,
        wait=asyncio.sleep,
        new_id=lambda: secrets.token_hex(12),
        counted=lambda resource, outcome: metrics.record_watches.labels(resource, outcome).inc(),
        check=lambda linked: verify(
            parts.authenticator.providers[linked.account.provider].connector, linked, parts.linking, AT_A_CHECK
        ),
        checks=parts.checks,
        invalidate=parts.invalidate,
        told=lambda event: metrics.record_events.labels(event).inc(),
        failed=lambda error: logger.error("watching failed", error=type(error).__name__, where=where(error)),
    )
    hashing = Hashing(parts.vault.derive(b"record events"), version_of_records())
    reading = SnapshotReader(parts.sweeps, hashing), Keeping(parts.cache, settings.cache.max_value_bytes)
    return Watcher(parts.stores.record_watches, parts.authenticator, reading, pace, around)


def version_of_records() -> str:
    """Name the way in which this version makes records: a digest of the sources that have a say in it.

    A number kept by hand would be forgotten, and then a new version would call every record changed.
    """
    tables, here = Path(connectors.__path__[0]), Path(gateway.__path__[0])
    digest = blake2b(digest_size=8)
    for file in (*sorted(tables.rglob("*.py")), *(here / name for name in WAY_OF_RECORDS)):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
