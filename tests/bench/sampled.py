"""Our gateway, with a look taken at it for each few milliseconds of processor time: which of our parts is at work?

The first SIGUSR1 begins, the second ends it and writes what was found to the file named on the command line.
"""

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from gateway.__main__ import main as gateway_main

INTERVAL = 0.001
"""Seconds of processor time; the kernel looks at its own pace, so it may be more."""

PARTS = (
    ("/redis/", "Redis: redis-py"),
    ("/gateway/cache/redis_", "Redis: our side"),
    ("/gateway/vault/", "decrypt"),
    ("/gateway/cache/", "cache"),
    ("/sqlalchemy/", "key and account: database"),
    ("/aiosqlite/", "key and account: database"),
    ("/gateway/auth/", "key and account: memory"),
    ("/gateway/accounts/", "key and account: memory"),
    ("/gateway/db/ttl_cache.py", "key and account: memory"),
    ("/gateway/unified/", "unified API"),
    ("/gateway/http/", "edge: id, limits, sending"),
    ("/gateway/app/", "edge: id, limits, sending"),
    ("/gateway/observability/", "metrics and log"),
    ("/prometheus_client/", "metrics and log"),
    ("/asyncio/streams.py", "Redis: redis-py"),  # Of all that is used here, only it has streams.
    ("/gateway/server", "protocol"),
    ("/uvicorn/", "uvicorn"),
)
"""Parts of a file's path, the first that fits; a file that fits none counts for what called it."""
ELSEWHERE = "event loop and sockets"
OUTERMOST = ("/gateway/__main__.py", "/gateway/server.py", "/uvicorn/server.py", "/uvicorn/_compat.py")
"""Files that are on every stack, and say nothing."""


class Sampler:
    """Counts the innermost known part at each look."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._found: Counter[str] = Counter()
        self._part_of: dict[str, str | None] = {}
        self._running = False

    def turn(self, _number: int, _frame: FrameType | None) -> None:
        interval = 0.0 if self._running else INTERVAL
        signal.setitimer(signal.ITIMER_PROF, interval, interval)
        if self._running:
            draft = self._file.with_suffix(".draft")
            draft.write_text(json.dumps(self._found))
            draft.rename(self._file)
        self._running = not self._running

    def look(self, _number: int, frame: FrameType | None) -> None:
        while frame is not None:
            part = self._part(frame.f_code.co_filename)
            if part is not None:
                self._found[part] += 1
                return
            frame = frame.f_back
        self._found[ELSEWHERE] += 1

    def _part(self, file: str) -> str | None:
        if file not in self._part_of:
            outermost = file.endswith(OUTERMOST)
            part = None if outermost else next((name for path, name in PARTS if path in file), None)
            self._part_of[file] = part
        return self._part_of[file]


if __name__ == "__main__":
    sampler = Sampler(Path(sys.argv[1]))
    signal.signal(signal.SIGUSR1, sampler.turn)
    signal.signal(signal.SIGPROF, sampler.look)
    sys.exit(gateway_main(["serve"]))
