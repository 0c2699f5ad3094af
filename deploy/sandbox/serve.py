"""Serves one sandbox on one port until a signal ends it."""

from __future__ import annotations

import signal
import socket

import uvicorn

from deploy.sandbox.api import BASE
from deploy.sandbox.app import Sandbox

_GRACE_SECONDS = 2


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            host, port = listening.getsockname()[:2]
            print(f"sandbox listening on http://{host}:{port}{BASE}", flush=True)


def bind(host: str, port: int) -> socket.socket:
    """Returns a listening socket. Raises `OSError` where the address cannot be used."""
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except OSError:
        listening.close()
        raise
    return listening


def serve(app: Sandbox, listening: socket.socket) -> None:
    """Serves the sandbox until a signal ends it."""
    config = uvicorn.Config(
        app, access_log=False, log_level="warning", timeout_graceful_shutdown=_GRACE_SECONDS, lifespan="on"
    )
    # uvicorn raises the signal again when it is done: being asked to stop is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _Server(config).run(sockets=[listening])
