"""One JSON line an event, on standard error. Only named fields get through: what is not on the list is dropped.

So a log line holds ids and numbers, and never a name, a query, a body, a header or a key.
"""

import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog

FIELDS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "request_id",
        "method",
        "operation",
        "status",
        "error",
        "account",
        "key",
        "by",
        "cache",
        "upstream_calls",
        "milliseconds",
        "exception",
        "where",
        "address",
        "workers",
        "detail",
    }
)

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def only_listed(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value for key, value in event.items() if key in FIELDS}


def make_logger(level: str, stream: TextIO | None = None) -> structlog.typing.FilteringBoundLogger:
    """Make a logger that writes to a stream, standard error if none is named; `level` is the least that is written."""
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger((stream or sys.stderr).buffer),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_listed,
            structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event, default=str)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    return logger


def where(error: BaseException) -> str:
    """Say where an unexpected error arose: file and line of its last frame, without its text, which may hold data."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
