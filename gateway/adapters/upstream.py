"""The only HTTP client: httpx's interface over aiohttp's connection pool.

httpx's own pool loses a slot for ever when a request is cancelled while it connects (encode/httpcore #1093), and
costs three times the CPU; callers that hang up are a gateway's daily bread.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic
from types import TracebackType
from typing import Self

import aiohttp
import httpx
from httpx_aiohttp import HttpxAiohttpClient

from connectors.exchange import Answer, Request
from gateway.core.errors import ProviderError, VendorAnswerTooLarge, VendorFailure
from gateway.metrics import Metrics


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """Seconds to connect and between two reads, connections in all, and bytes of the largest answer."""

    connect_timeout: float
    read_timeout: float
    connections: int
    max_body_bytes: int


class HttpUpstream:
    """Implements `core.model.Upstream`. Follows no redirects and keeps no cookies, so accounts share nothing."""

    def __init__(self, limits: UpstreamLimits, metrics: Metrics, names: Mapping[str, str]) -> None:
        """`names` gives the provider's label in metrics for each base URL."""
        self._limits = limits
        self._metrics = metrics
        self._names = names
        self._client = HttpxAiohttpClient(
            timeout=httpx.Timeout(limits.read_timeout, connect=limits.connect_timeout, pool=limits.connect_timeout),
            limits=httpx.Limits(max_connections=limits.connections, max_keepalive_connections=limits.connections),
            follow_redirects=False,
            trust_env=False,
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
        began = monotonic()
        name = self._names.get(base_url, "other")
        outcome = "none"
        try:
            answer = await self._exchange(base_url, request)
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            raise VendorFailure(
                f"The provider could not be reached: {_kind(error)}.",
                provider_errors=[ProviderError(0, request.path, type(error).__name__)],
            ) from error
        else:
            outcome = str(answer.status)
            return answer
        finally:
            self._metrics.upstream_requests.labels(name, outcome).inc()
            self._metrics.upstream_seconds.labels(name).observe(monotonic() - began)

    async def _exchange(self, base_url: str, request: Request) -> Answer:
        message = self._client.build_request(
            request.method,
            base_url + request.path,
            params=request.query or None,
            headers=dict(request.headers),
            content=request.body,
        )
        response = await self._client.send(message, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._limits.max_body_bytes:
                    raise VendorAnswerTooLarge(
                        f"The provider's answer is larger than {self._limits.max_body_bytes} bytes.",
                        provider_errors=[ProviderError(response.status_code, request.path)],
                    )
            return Answer(response.status_code, dict(response.headers), bytes(body))
        finally:
            await response.aclose()


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
