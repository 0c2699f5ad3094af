"""What can be seen of a running gateway: ids of requests, their lines in the log, counts, and whether it is well."""

import itertools
import os
import secrets
import time
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.http.middleware import RequestContext
from gateway.observability.logs import where
from gateway.observability.metrics import Metrics


def request_ids() -> Callable[[], str]:
    """Make a source of ids: a random word for this process, then a count."""
    process, count = secrets.token_hex(5), itertools.count(1)
    return lambda: f"{process}{next(count):06x}"


def shown(metrics: Metrics) -> CollectorRegistry:
    """Give the counts of all workers where there are several, else our own."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return metrics.registry
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # the library has no types there
    return registry


def request_log(
    logger: structlog.typing.FilteringBoundLogger, *, each: bool
) -> Callable[[RequestContext, str, BaseException | None], None]:
    """Make what writes a line for each request, or only for unexpected errors."""

    def log(context: RequestContext, method: str, unexpected: BaseException | None) -> None:
        if not each and unexpected is None:
            return
        fields = {
            "request_id": context.request_id,
            "method": method,
            "operation": context.operation,
            "status": context.status,
            "account": context.account_id,
            "cache": context.cache,
            "upstream_calls": context.upstream_calls,
            "milliseconds": round((time.perf_counter() - context.began) * 1000, 2),
            "error": context.error,
        }
        if unexpected is None:
            logger.info("request", **fields)
        else:
            logger.error("request failed", **fields, where=where(unexpected))

    return log
