"""The rate limit: a fixed window of requests for each token."""

from __future__ import annotations

from math import ceil
from time import monotonic

from deploy.sandbox.choices import Choices


class RateLimiter:
    """Counts the requests of each token."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def wait(self, token_name: str, choices: Choices) -> int | None:
        """Counts a request. Returns the whole seconds to wait if it is over the limit, else None."""
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
        """Deletes all counts."""
        self._windows.clear()
