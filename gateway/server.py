"""`serve`: the server process, its workers, and a private Redis if no other is configured."""

import asyncio
import errno
import os
import signal
import socket
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from gateway.app.build import Application
from gateway.app.services import prepare
from gateway.cache.embedded_redis import NoEmbeddedServer, embedded_server
from gateway.connection import Connection
from gateway.settings.load import Settings, SettingsError

BACKLOG = 2048
GRACE_SECONDS = 10
"""Time that requests in flight have after SIGTERM."""


def serve(settings: Settings) -> None:
    """Serves requests until SIGTERM or Ctrl-C. Raises `SettingsError` if it cannot start."""
    # uvicorn raises the signal again at its end; as an exception it lets the exit stack close everything.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(settings.server.host, settings.server.port))
        # Reports faults and migrates the database once, before any worker starts.
        asyncio.run(prepare(settings))
        if settings.cache.enabled and not settings.redis.url:
            try:
                url = stack.enter_context(embedded_server())
            except NoEmbeddedServer as error:
                raise SettingsError([str(error)]) from error
            settings = settings.model_copy(update={"redis": settings.redis.model_copy(update={"url": url})})
            os.environ["GATEWAY_REDIS_URL"] = url  # Workers read the environment.
        host, port = listener.getsockname()[:2]
        print(f"gateway listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)  # noqa: T201 - a command line
        if settings.server.workers == 1:
            uvicorn.Server(_config(settings, Application(settings))).run(sockets=[listener])
        else:
            _serve_with_workers(settings, listener, stack)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # The address is printed next, so it must accept connections.
    except OSError as error:
        listener.close()
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise SettingsError([f"{host} port {port} {why}: set GATEWAY_SERVER_PORT or GATEWAY_SERVER_HOST"]) from error
    listener.set_inheritable(True)
    return listener


def _serve_with_workers(settings: Settings, listener: socket.socket, stack: ExitStack) -> None:
    counts = stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
    config = _config(settings, "gateway.app.build:worker", factory=True, workers=settings.server.workers)
    Multiprocess(config, sockets=[listener]).run()


def _config(
    settings: Settings, app: Application | str, *, factory: bool = False, workers: int | None = None
) -> uvicorn.Config:
    limits = settings.limits
    # uvicorn wants a class here, and calls it: a class with some of its arguments serves as well.
    connection: Any = partial(Connection, head_seconds=limits.head_seconds, body_seconds=limits.body_seconds)
    return uvicorn.Config(
        app,
        factory=factory,
        workers=workers,
        loop="uvloop",
        http=connection,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        # The gateway reads the client address from server.address_header itself.
        proxy_headers=False,
        date_header=True,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
    )
