"""Builds the detection of changed records, which endpoints of the product ask for."""

from hashlib import blake2b
from pathlib import Path

import connectors
import gateway
from gateway.app.services import Services
from gateway.background import ClaimLoop, Supervisor
from gateway.model import AT_A_CHECK, LinkedAccount
from gateway.record_events.detector import ChangeDetector
from gateway.record_events.snapshot import RecordHasher, SnapshotReader
from gateway.record_events.watcher import Watcher
from gateway.unified.collections import Collections
from gateway.unified.write import Invalidate

RECORD_SOURCES = ("unified/mapping.py", "record_events/snapshot.py", "record_events/subject.py")
"""The files of the gateway, besides all connectors, that determine what a record's hash is made of."""


def open_watcher(services: Services, collections: Collections, invalidate: Invalidate) -> Watcher:
    """Starts to watch lists, until the stack ends, unless it is switched off; returns what is told of changes."""
    chosen, clock = services.settings.record_events, services.clock
    watcher = Watcher(
        services.stores.record_watches,
        services.authenticator,
        _detector(services, collections, invalidate),
        poll=chosen.poll_seconds,
        settle=chosen.settle_seconds,
        clock=clock,
        metrics=services.metrics,
    )
    if chosen.enabled:
        name, supervisor = "record events", Supervisor(services.stack, services.logger)
        loop = ClaimLoop(
            watcher.claim,
            watcher.process,
            concurrency=chosen.concurrency,
            # Jitter, so that workers that start together do not keep step.
            idle_wait=lambda: chosen.scan_seconds * (0.75 + clock.jitter() / 2),
            log_error=lambda error: supervisor.log_error(name, error),
        )
        supervisor.start(name, loop.run)
    return watcher


def _detector(services: Services, collections: Collections, invalidate: Invalidate) -> ChangeDetector:
    reader = SnapshotReader(
        collections,
        RecordHasher(services.vault.derive(b"record events"), version_of_records()),
        cache=services.cache,
        max_value_bytes=services.settings.cache.max_value_bytes,
        clock=services.clock,
    )

    async def verify_account(linked: LinkedAccount) -> None:
        connector = services.authenticator.providers[linked.account.provider].connector
        await services.linker.verify(connector, linked, AT_A_CHECK)

    return ChangeDetector(
        services.stores.record_watches,
        services.authenticator,
        reader,
        verify=verify_account,
        token_rejections=services.token_rejections,
        invalidate=invalidate,
        clock=services.clock,
        metrics=services.metrics,
    )


def version_of_records() -> str:
    """Returns a digest of the sources that determine how records are made.

    Nobody would remember to raise a number, and then a new release would report every record as updated.
    """
    tables, here = Path(connectors.__path__[0]), Path(gateway.__path__[0])
    digest = blake2b(digest_size=8)
    for file in (*sorted(tables.rglob("*.py")), *(here / name for name in RECORD_SOURCES)):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
