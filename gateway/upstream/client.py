"""The only HTTP client for vendors: aiohttp's session and its connection pool.

httpx's own pool loses a slot for ever when a request is cancelled while it connects (encode/httpcore #1093), which
happens whenever a caller hangs up; and its requests, URLs and headers take three times the CPU of the call itself.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from ssl import SSLContext
from time import monotonic
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import aiohttp
import httpx

from connectors.exchange import Answer, Request
from gateway.errors import ProviderError, RateLimited, VendorAnswerTooLarge, VendorFailure
from gateway.observability.metrics import Metrics
from gateway.upstream.account_share import AccountShares
from gateway.upstream.redaction import Redaction, credential_in

_IDLE_SECONDS = 5.0
"""For how long a connection that is not in use is kept: less than servers do, so that a write does not meet its end."""


@cache
def _trust() -> SSLContext:
    """Loads the trusted certificates, once for the process: it takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


class HttpUpstream:
    """Sends requests to vendors. Follows no redirects and stores no cookies, so accounts share nothing."""

    def __init__(
        self,
        metrics: Metrics,
        names: Mapping[str, str],
        *,
        connect_timeout: float,
        read_timeout: float,
        max_connections: int,
        account_connections: int,
        max_body_bytes: int,
    ) -> None:
        """`names` are the labels of providers in metrics by base URL. Timeouts are in seconds, one for each read.

        Of `max_connections`, calls with one credential may use `account_connections` at a time.
        """
        self._metrics = metrics
        self._names = names
        self._read_timeout = read_timeout
        self._max_body_bytes = max_body_bytes
        self._shares = AccountShares(account_connections)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=max_connections, keepalive_timeout=_IDLE_SECONDS, ssl=_trust()),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"accept": "*/*", "accept-encoding": "gzip, deflate", "user-agent": "hris-gateway"},
            timeout=aiohttp.ClientTimeout(
                total=None, connect=connect_timeout, sock_connect=connect_timeout, sock_read=read_timeout
            ),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections."""
        await self._session.close()

    async def send(self, base_url: str, request: Request) -> Answer:
        """Returns the answer to a request. Raises `VendorFailure` where no complete answer comes back."""
        answer = await self.open(base_url, request)
        try:
            return Answer(answer.status, answer.headers, await answer.body(self._max_body_bytes))
        finally:
            await answer.close()

    async def open(self, base_url: str, request: Request) -> "StreamedAnswer":
        """Returns an answer as soon as its status and headers are there. The caller must close it.

        Raises `RateLimited` where other calls with the same credential use its share of the connections for too long.
        """
        secret = credential_in(request.headers)
        if not await self._shares.acquire(secret, self._read_timeout):
            raise RateLimited(
                "Too many calls of this account to its provider are under way: try again in a second.", retry_after=1
            )
        release = partial(self._shares.release, secret)
        try:
            return await self._open(base_url, request, Redaction(secret), release)
        except BaseException:
            release()
            raise

    async def _open(
        self, base_url: str, request: Request, redaction: Redaction, release: Callable[[], None]
    ) -> "StreamedAnswer":
        began = monotonic()
        name = self._names.get(base_url, "other")
        outcome = "none"
        query = f"?{urlencode(request.query)}" if request.query else ""
        try:
            response = await self._session.request(
                request.method,
                base_url + request.path + query,
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
            )
        except _FAULTS as error:
            raise _unreachable(error, request.path) from error
        else:
            outcome = str(response.status)
            return StreamedAnswer(response, request.path, redaction, release)
        finally:
            self._metrics.upstream_requests.labels(name, outcome).inc()
            self._metrics.upstream_seconds.labels(name).observe(monotonic() - began)


class StreamedAnswer:
    """An answer whose body is still coming."""

    def __init__(
        self, response: aiohttp.ClientResponse, path: str, redaction: Redaction, release: Callable[[], None]
    ) -> None:
        """`release` frees the place among the account's connections; it is called once."""
        self._response = response
        self._path = path
        self._redaction = redaction
        self._release: Callable[[], None] | None = release
        self.status = response.status
        self.headers: Mapping[str, str] = redaction.of_headers(response.raw_headers)

    async def body(self, max_bytes: int) -> bytes:
        """Returns the whole body, without the credential. Raises `VendorFailure` where it is too large or cut short."""
        chunks, size = [], 0
        async for chunk in self._received():
            size += len(chunk)
            if size > max_bytes:
                raise VendorAnswerTooLarge(
                    f"The provider's answer is larger than {max_bytes} bytes.",
                    provider_errors=[ProviderError(self.status, self._path)],
                )
            chunks.append(chunk)
        return self._redaction.of(b"".join(chunks))

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body in chunks, without the credential."""
        async for chunk in self._redaction.of_chunks(self._received()):
            yield chunk

    async def close(self) -> None:
        """Closes the response. A connection whose answer was not read to its end is not used again."""
        release, self._release = self._release, None
        try:
            self._response.release()
            with suppress(*_FAULTS):
                await self._response.wait_for_close()
        finally:
            if release:
                release()

    async def _received(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except _FAULTS as error:
            raise _unreachable(error, self._path) from error


_FAULTS = (aiohttp.ClientError, OSError)


def _unreachable(error: Exception, path: str) -> VendorFailure:
    return VendorFailure(
        f"The provider could not be reached: {_kind(error)}.",
        provider_errors=[ProviderError(0, path, type(error).__name__)],
    )


# The library's text may contain addresses, so we use words of our own. The most specific kind comes first.
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "connecting took too long"),
    (aiohttp.ServerTimeoutError, "it stopped answering"),
    (aiohttp.ClientConnectorDNSError, "its name cannot be resolved"),
    (aiohttp.ClientConnectorCertificateError, "its certificate is not valid"),
    (aiohttp.ClientConnectorError, "it does not accept connections"),
)


def _kind(error: Exception) -> str:
    return next((words for kind, words in _WORDS if isinstance(error, kind)), "the connection broke off")
