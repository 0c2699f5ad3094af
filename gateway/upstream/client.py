"""The only HTTP client: httpx's interface over aiohttp's connection pool.

httpx's own pool loses a slot for ever when a request is cancelled while it connects (encode/httpcore #1093), and
costs three times the CPU; callers that hang up are a gateway's daily bread.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLContext
from time import monotonic
from types import TracebackType
from typing import Self

import aiohttp
import httpx
from httpx_aiohttp import HttpxAiohttpClient

from connectors.exchange import Answer, Request
from gateway.errors import ProviderError, RateLimited, VendorAnswerTooLarge, VendorFailure
from gateway.observability.metrics import Metrics
from gateway.upstream.account_share import Shares
from gateway.upstream.redaction import Redaction, credential_in


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """Seconds to connect and between two reads, connections in all, and bytes of the largest answer.

    `share` is how many of the connections the calls with one credential may hold.
    """

    connect_timeout: float
    read_timeout: float
    connections: int
    max_body_bytes: int
    share: int


@cache
def _trust() -> SSLContext:
    """Read whose certificates are good: once a process, for it takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


class HttpUpstream:
    """Implements `core.model.Upstream`. Follows no redirects and keeps no cookies, so accounts share nothing."""

    def __init__(self, limits: UpstreamLimits, metrics: Metrics, names: Mapping[str, str]) -> None:
        """`names` gives the provider's label in metrics for each base URL."""
        self._limits = limits
        self._metrics = metrics
        self._names = names
        self._shares = Shares(limits.share)
        self._client = HttpxAiohttpClient(
            timeout=httpx.Timeout(limits.read_timeout, connect=limits.connect_timeout, pool=limits.connect_timeout),
            limits=httpx.Limits(max_connections=limits.connections, max_keepalive_connections=limits.connections),
            follow_redirects=False,
            trust_env=False,
            verify=_trust(),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"user-agent": "hris-gateway"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    async def send(self, base_url: str, request: Request) -> Answer:
        """Make one call. Raises `VendorFailure` when no complete answer comes back."""
        answer = await self.open(base_url, request)
        try:
            body = bytearray()
            async for chunk in answer.chunks():
                body += chunk
                if len(body) > self._limits.max_body_bytes:
                    raise VendorAnswerTooLarge(
                        f"The provider's answer is larger than {self._limits.max_body_bytes} bytes.",
                        provider_errors=[ProviderError(answer.status, request.path)],
                    )
            return Answer(answer.status, answer.headers, bytes(body))
        finally:
            await answer.close()

    async def open(self, base_url: str, request: Request) -> "Incoming":
        """Make one call and give its answer when status and headers are there; the caller closes it.

        Raises `RateLimited` where calls with the same credential hold their share of the connections for too long.
        """
        secret = credential_in(request.headers)
        if not await self._shares.take(secret, self._limits.read_timeout):
            raise RateLimited(
                "Too many calls of this account to its provider are under way: try again in a second.", retry_after=1
            )
        release = partial(self._shares.give_back, secret)
        try:
            return await self._open(base_url, request, Redaction(secret), release)
        except BaseException:
            release()
            raise

    async def _open(
        self, base_url: str, request: Request, redaction: Redaction, release: Callable[[], None]
    ) -> "Incoming":
        began = monotonic()
        name = self._names.get(base_url, "other")
        outcome = "none"
        message = self._client.build_request(
            request.method,
            base_url + request.path,
            params=request.query or None,
            headers=dict(request.headers),
            content=request.body,
        )
        try:
            response = await self._client.send(message, stream=True)
        except _FAULTS as error:
            raise _unreachable(error, request.path) from error
        else:
            outcome = str(response.status_code)
            return Incoming(response, request.path, redaction, release)
        finally:
            self._metrics.upstream_requests.labels(name, outcome).inc()
            self._metrics.upstream_seconds.labels(name).observe(monotonic() - began)


class Incoming:
    """Implements `core.model.OpenAnswer`."""

    def __init__(self, response: httpx.Response, path: str, redaction: Redaction, release: Callable[[], None]) -> None:
        """`release` gives back the place among the connections, once."""
        self._response = response
        self._path = path
        self._redaction = redaction
        self._release: Callable[[], None] | None = release
        self.status = response.status_code
        self.headers: Mapping[str, str] = redaction.of_headers(response.headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._redaction.of_chunks(self._response.aiter_bytes()):
                yield chunk
        except _FAULTS as error:
            raise _unreachable(error, self._path) from error

    async def close(self) -> None:
        release, self._release = self._release, None
        try:
            with suppress(*_FAULTS):
                await self._response.aclose()
        finally:
            if release:
                release()


_FAULTS = (httpx.HTTPError, aiohttp.ClientError, OSError)


def _unreachable(error: Exception, path: str) -> VendorFailure:
    return VendorFailure(
        f"The provider could not be reached: {_kind(error)}.",
        provider_errors=[ProviderError(0, path, type(error).__name__)],
    )


# The library's text may hold addresses, so we say it in words of our own. The most telling kind comes first; what
# the bridge between httpx and aiohttp makes of it is not told apart (a broken connection is a timeout to it).
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "connecting took too long"),
    (aiohttp.ServerTimeoutError, "it stopped answering"),
    (aiohttp.ClientConnectorDNSError, "its name cannot be resolved"),
    (aiohttp.ClientConnectorCertificateError, "its certificate is not valid"),
    (aiohttp.ClientConnectorError, "it does not accept connections"),
    (httpx.PoolTimeout, "all connections to it are in use"),
)


def _kind(error: Exception) -> str:
    cause = error.__cause__ or error
    return next((words for kind, words in _WORDS if isinstance(cause, kind)), "the connection broke off")
