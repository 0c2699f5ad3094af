"""Builds the detection of changed records, which endpoints of the product ask for."""

from contextlib import AsyncExitStack
from hashlib import blake2b
from pathlib import Path

import structlog

import connectors
import gateway
from gateway.accounts.link import Linker
from gateway.accounts.token_rejection import TokenRejections
from gateway.auth.authentication import Authenticator
from gateway.background import ClaimLoop, Supervisor
from gateway.model import AT_A_CHECK, Clock, Linked
from gateway.observability.metrics import Metrics
from gateway.record_events.detector import ChangeDetector
from gateway.record_events.model import WatchStore
from gateway.record_events.snapshot import Hashing, SnapshotReader
from gateway.record_events.watcher import Watcher
from gateway.settings.load import Settings
from gateway.unified.write import Invalidate
from gateway.vault.vault import Vault

RECORD_SOURCES = ("unified/mapping.py", "record_events/snapshot.py", "record_events/subject.py")
"""The files of the gateway, besides all connectors, that determine what a record's hash is made of."""


def make_detector(
    store: WatchStore,
    authenticator: Authenticator,
    reader: SnapshotReader,
    *,
    linker: Linker,
    token_rejections: TokenRejections,
    invalidate: Invalidate,
    clock: Clock,
    metrics: Metrics,
) -> ChangeDetector:
    async def verify_account(linked: Linked) -> None:
        connector = authenticator.providers[linked.account.provider].connector
        await linker.verify(connector, linked, AT_A_CHECK)

    return ChangeDetector(
        store,
        authenticator,
        reader,
        verify=verify_account,
        token_rejections=token_rejections,
        invalidate=invalidate,
        clock=clock,
        metrics=metrics,
    )


def open_watcher(
    settings: Settings,
    stack: AsyncExitStack,
    store: WatchStore,
    authenticator: Authenticator,
    detector: ChangeDetector,
    *,
    clock: Clock,
    metrics: Metrics,
    logger: structlog.typing.FilteringBoundLogger,
) -> Watcher:
    """Starts to watch, until the stack ends, unless it is switched off; returns what hears of known changes."""
    chosen = settings.record_events
    watcher = Watcher(
        store,
        authenticator,
        detector,
        poll=chosen.poll_seconds,
        settle=chosen.settle_seconds,
        clock=clock,
        metrics=metrics,
    )
    if chosen.enabled:
        name, supervisor = "record events", Supervisor(stack, logger)
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


def make_hashing(vault: Vault) -> Hashing:
    return Hashing(vault.derive(b"record events"), version_of_records())


def version_of_records() -> str:
    """Returns a digest of the sources that determine how records are made.

    Nobody would remember to raise a number, and then a new release would report every record as updated.
    """
    tables, here = Path(connectors.__path__[0]), Path(gateway.__path__[0])
    digest = blake2b(digest_size=8)
    for file in (*sorted(tables.rglob("*.py")), *(here / name for name in RECORD_SOURCES)):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
