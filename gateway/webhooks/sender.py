"""The way to the endpoints of products, whose addresses are their own to choose.

Each name is resolved here, and connected to is what was resolved and found open: no second look-up can lead elsewhere.
Nothing is followed, and of an answer the status alone is read.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.upstream.retry import retry_after
from gateway.webhooks.deliveries import Reply
from gateway.webhooks.targets import Targets

MOST_READ = 16384
"""Bytes of an answer that are taken in, so that its sender is not cut off; then the connection is closed."""
READ_SECONDS = 1.0

Lookup = Callable[[str, int], Sequence[str]]


class AddressRefused(OSError):
    """An address that no delivery may go to."""


@dataclass(frozen=True, slots=True)
class SenderLimits:
    """Seconds to connect, and for an attempt in all; and names looked up at a time.

    Names have threads of their own, which are made when there is need: a slow name server holds up nobody else.
    """

    connect: float
    total: float
    lookups: int


def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a name. It may take as long as a name server likes."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class WebhookSender:
    """Implements the door `Receivers`. Each attempt has a connection of its own, to an address just checked."""

    def __init__(
        self,
        targets: Targets,
        limits: SenderLimits,
        now: Callable[[], datetime],
        *,
        lookup: Lookup = look_up,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._targets = targets
        self._now = now
        self._threads = ThreadPoolExecutor(limits.lookups, thread_name_prefix="webhook-names")
        self._resolver = _CheckedResolver(targets, lookup, self._threads)
        self._timeout = aiohttp.ClientTimeout(total=limits.total, sock_connect=limits.connect)
        # The library's own context is made once: to make one takes 20 ms.
        self._trust = trust or True
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            socket_factory=self._open_socket,
            use_dns_cache=False,
            force_close=True,
            limit=0,
            ssl=self._trust,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            headers={"user-agent": "hris-gateway-webhooks"},
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Reply:
        if self._session is None or self._targets.fault(url):
            return Reply(status=None, error="url_refused")
        try:
            async with self._session.post(url, headers=headers, data=body, allow_redirects=False) as answer:
                with suppress(*_FAULTS):
                    async with asyncio.timeout(READ_SECONDS):
                        await answer.content.read(MOST_READ)
                wait = retry_after(answer.headers.get("retry-after"), self._now())
                return Reply(status=answer.status, error=_word_of(answer.status), retry_after=wait)
        except _FAULTS as error:
            return Reply(status=None, error=_word(error))

    def _open_socket(self, address: Any) -> socket.socket:
        """Open the socket of a connection: the last word on its address, whichever way it was found."""
        family, kind, protocol, _, (host, *_) = address
        if not self._targets.admits(host):
            raise AddressRefused
        return socket.socket(family, kind, protocol)


class _CheckedResolver(AbstractResolver):
    """Gives of a name's addresses those that are open."""

    def __init__(self, targets: Targets, lookup: Lookup, threads: ThreadPoolExecutor) -> None:
        self._targets = targets
        self._lookup = lookup
        self._threads = threads

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the library's signature
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host, port)
        if not found:
            raise socket.gaierror(socket.EAI_NODATA, "a name without addresses")
        open_ones = [each for each in found if self._targets.admits(each)]
        if not open_ones:
            raise _NoneOpen
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for each in open_ones
        ]

    async def close(self) -> None:
        """Nothing of it is open."""


class _NoneOpen(Exception):
    """A name has addresses, and no delivery may go to any of them. No `OSError`, which the library would rename."""


_FAULTS = (aiohttp.ClientError, OSError, TimeoutError, _NoneOpen, ValueError)
# The library's text may hold addresses, so the log has words of our own. The most telling kind comes first.
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (_NoneOpen, "address_refused"),
    (aiohttp.InvalidURL, "url_refused"),
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "name_not_found"),
    (aiohttp.ClientSSLError, "tls_failed"),
    (aiohttp.ClientConnectorError, "connect_failed"),
)


def _word(error: BaseException) -> str:
    if isinstance(error.__cause__, AddressRefused):
        return "address_refused"
    return next((word for kind, word in _WORDS if isinstance(error, kind)), "connection_lost")


def _word_of(status: int) -> str | None:
    if 300 <= status < 400:
        return "redirect_not_followed"
    return None if 200 <= status < 300 else "status"
