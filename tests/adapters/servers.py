"""A Redis of a test's own, which it may freeze, end and start again."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.adapters.embedded import server_programs


class RedisServer:
    """Listens on a socket in a directory; `options` are the server's own."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.socket = directory / "r.sock"
        fixed = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(directory)]
        self.process = subprocess.Popen([server_programs()[0], *fixed, *options], stdout=subprocess.DEVNULL)
        while not self.socket.exists():
            assert self.process.poll() is None, "the server has ended"
            time.sleep(0.01)

    def freeze(self) -> None:
        """Stop it in its tracks, as a machine that swaps or a paused container is."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        self.thaw()
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)


async def until(happens: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it has happened."""
    async with asyncio.timeout(60):
        while True:
            if await happens():
                return
            await asyncio.sleep(0.02)
