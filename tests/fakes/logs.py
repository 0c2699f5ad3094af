"""A logger whose lines are a list."""

from collections.abc import MutableMapping
from typing import Any

import structlog


class LogLines:
    """Lines as (event, fields), the level among the fields."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
            None, processors=[self._add], wrapper_class=structlog.make_filtering_bound_logger(10)
        )

    def _add(self, _logger: object, level: str, event: MutableMapping[str, Any]) -> str:
        fields = dict(event)
        self.lines.append((fields.pop("event"), {**fields, "level": level}))
        raise structlog.DropEvent
