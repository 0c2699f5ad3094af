"""A fixed window of requests for each token."""

from __future__ import annotations

from math import ceil
from time import monotonic

from deploy.sandbox.choices import Choices


class RateLimiter:
    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def wait(self, token_name: str, choices: Choices) -> int | None:
        """Count one request; whole seconds to wait if it is one too many, None if it may pass."""
        if not choices.rate_limit_requests:
            return None
        now = monotonic()
        ends, used = self._windows.get(token_name, (0.0, 0))
        if now >= ends:
            ends, used = now + choices.rate_limit_window_seconds, 0
        if used >= choices.rate_limit_requests:
            return max(1, ceil(ends - now))
        self._windows[token_name] = (ends, used + 1)
        return None

    def reset(self) -> None:
        self._windows.clear()
