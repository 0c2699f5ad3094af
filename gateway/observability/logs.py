"""Logs one JSON line an event, on standard error. Fields that are not in `FIELDS` are dropped.

So a line holds ids and numbers, and never a person's name, a query, a body, a header or a key.
"""

import sys
from collections.abc import MutableMapping
from typing import Any, TypeAlias

import orjson
import structlog

Logger: TypeAlias = structlog.typing.FilteringBoundLogger

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
        "task",
        "detail",
    }
)

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def only_listed(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value for key, value in event.items() if key in FIELDS}


def make_logger(level: str) -> Logger:
    """Returns a logger that writes to standard error; `level` is the lowest level that is written."""
    logger: Logger = structlog.wrap_logger(
        structlog.BytesLogger(sys.stderr.buffer),
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
    """Returns file and line of an error's last frame. The error's text is left out: it may hold customer data."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
