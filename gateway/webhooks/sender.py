"""Sends webhook deliveries over HTTP to URLs that callers chose, which must not reach the operator's network.

Every name is resolved here and every address is checked; the connection goes to the address that was checked, so a
second look-up cannot lead elsewhere. Redirects are not followed, and only the status of an answer is used.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.upstream.retry import retry_after
from gateway.webhooks.deliveries import Reply
from gateway.webhooks.targets import Targets

MOST_READ = 16384
"""Bytes of an answer that are read, so that most receivers can finish it; then the connection is closed."""
READ_SECONDS = 1.0

Lookup = Callable[[str, int], Sequence[str]]


class AddressRefused(OSError):
    """An address that deliveries must not reach."""


def look_up(host: str, port: int) -> Sequence[str]:
    """Returns the addresses of a name, from the system. Blocks for as long as the name server takes."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class WebhookSender:
    """An async context manager. Each attempt opens its own connection, to an address that was just checked."""

    def __init__(
        self,
        targets: Targets,
        *,
        connect_timeout: float,
        timeout: float,
        lookups: int,
        now: Callable[[], datetime],
        lookup: Lookup = look_up,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Timeouts in seconds, `timeout` for a whole attempt. Up to `lookups` names are resolved at a time.

        They have threads of their own, so that a slow name server does not hold up the rest of the process.
        """
        self._targets = targets
        self._now = now
        self._threads = ThreadPoolExecutor(lookups, thread_name_prefix="webhook-names")
        self._resolver = _CheckedResolver(targets, lookup, self._threads)
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=connect_timeout)
        # True: the library's own context, made once for the process, as making one takes 20 ms.
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
        """Sends one attempt. Network errors are a word in the reply."""
        if self._session is None or self._targets.fault(url):
            return Reply(status=None, error="url_refused")
        try:
            async with self._session.post(url, headers=headers, data=body, allow_redirects=False) as answer:
                with suppress(*_FAULTS):
                    async with asyncio.timeout(READ_SECONDS):
                        await answer.content.read(MOST_READ)
                wait = retry_after(answer.headers.get("retry-after"), self._now())
                return Reply(status=answer.status, error=_status_error_word(answer.status), retry_after=wait)
        except _FAULTS as error:
            return Reply(status=None, error=_error_word(error))

    def _open_socket(self, address: Any) -> socket.socket:
        """Opens the socket of a connection. The last check of its address, however it was found."""
        family, kind, protocol, _, (host, *_) = address
        if not self._targets.admits(host):
            raise AddressRefused
        return socket.socket(family, kind, protocol)


class _CheckedResolver(AbstractResolver):
    """Resolves a name to those of its addresses that deliveries may reach."""

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
        admitted = [each for each in found if self._targets.admits(each)]
        if not admitted:
            raise _NoneAdmitted
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for each in admitted
        ]

    async def close(self) -> None:
        """Does nothing: the threads belong to the sender."""


class _NoneAdmitted(Exception):
    """A name has addresses, none of which a delivery may reach. Not an `OSError`: the library would wrap that."""


_FAULTS = (aiohttp.ClientError, OSError, TimeoutError, _NoneAdmitted, ValueError)
# The library's texts may hold addresses, so the delivery log has words of its own. The most specific kind comes first.
_ERROR_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (_NoneAdmitted, "address_refused"),
    (aiohttp.InvalidURL, "url_refused"),
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "name_not_found"),
    (aiohttp.ClientSSLError, "tls_failed"),
    (aiohttp.ClientConnectorError, "connect_failed"),
)


def _error_word(error: BaseException) -> str:
    if isinstance(error.__cause__, AddressRefused):
        return "address_refused"
    return next((word for kind, word in _ERROR_WORDS if isinstance(error, kind)), "connection_lost")


def _status_error_word(status: int) -> str | None:
    if 300 <= status < 400:
        return "redirect_not_followed"
    return None if 200 <= status < 300 else "status"
