"""The access log: the ids of requests, and a line for each."""

import itertools
import secrets
import time
from collections.abc import Callable

from gateway.http.context import RequestContext
from gateway.http.request_observer import LogRequest
from gateway.observability.logs import Logger, where


def request_ids() -> Callable[[], str]:
    """Returns a source of ids: random characters for this process, then a count."""
    process, count = secrets.token_hex(5), itertools.count(1)
    return lambda: f"{process}{next(count):06x}"


def request_log(logger: Logger, *, each: bool) -> LogRequest:
    """Returns a function that writes a line for each request, or only for unexpected errors."""

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
