"""Where a Redis server is and how a connection to it begins. URLs, TLS and passwords are read by the library."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from redis.asyncio.connection import SSLConnection, parse_url

Word = str | bytes | int
P = TypeVar("P", bound=asyncio.Protocol)


class RedisAddress:
    """The server of a URL: `redis://`, `rediss://` or `unix://`."""

    def __init__(self, url: str) -> None:
        self._where: Mapping[str, Any] = parse_url(url)

    async def connect(self, make: Callable[[], P]) -> P:
        """Open a connection. Raises `OSError`; the greeting is still to be sent."""
        loop, where = asyncio.get_running_loop(), self._where
        if "path" in where:
            _, protocol = await loop.create_unix_connection(make, where["path"])
        else:
            host, port = where.get("host", "localhost"), where.get("port", 6379)
            _, protocol = await loop.create_connection(make, host, port, ssl=_tls(where))
        return protocol

    def greeting(self) -> tuple[tuple[Word, ...], ...]:
        """Give the commands that a new connection begins with."""
        where = self._where
        commands: list[tuple[Word, ...]] = []
        if where.get("password"):
            user = (where["username"],) if where.get("username") else ()
            commands.append(("AUTH", *user, where["password"]))
        if where.get("db"):
            commands.append(("SELECT", where["db"]))
        return tuple(commands)


def _tls(where: Mapping[str, Any]) -> ssl.SSLContext | None:
    """Make the context that a `rediss://` URL asks for; the certificate is checked unless the URL says otherwise."""
    if where.get("connection_class") is not SSLConnection:
        return None
    authorities = where.get("ssl_ca_certs")
    context = ssl.create_default_context(cafile=Path(authorities) if authorities else None)
    if where.get("ssl_cert_reqs") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if where.get("ssl_certfile"):
        context.load_cert_chain(where["ssl_certfile"], where.get("ssl_keyfile"))
    return context
