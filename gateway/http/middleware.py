"""The outermost ASGI layer: gives every request an id, limits, a log line, metrics, and an answer to any error."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import BadRequest, GatewayError
from gateway.http.response import Headers, error_body, error_headers, status_of, with_length
from gateway.observability.metrics import Metrics

_KEY = "gateway.context"
NOSNIFF = (b"x-content-type-options", b"nosniff")
"""On every answer, so that no browser takes JSON with a customer's text for a page."""


@dataclass(slots=True)
class RequestContext:
    """The bookkeeping of one request, for its log line and metrics. Holds ids only.

    `account_id` is set once the account is found, since a caller may send any text as one. `extra` are headers of the
    answer, whatever it will be.
    """

    request_id: str
    began: float = field(default_factory=perf_counter)
    operation: str = ""
    account_id: str = ""
    cache: str = ""
    upstream_calls: int = 0
    status: int = 0
    error: str = ""
    extra: Headers = field(default_factory=list)

    async def respond(self, send: Send, status: int, headers: Headers, body: bytes) -> None:
        """Sends a whole answer."""
        await self.begin(send, status, with_length(headers, body))
        await send({"type": "http.response.body", "body": body})

    async def begin(self, send: Send, status: int, headers: Headers) -> None:
        """Sends status and headers. The caller sends the body."""
        self.status = status
        own = (b"x-request-id", self.request_id.encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, own, NOSNIFF, *self.extra]})


def context_of(scope: Scope) -> RequestContext:
    """Returns the bookkeeping of the request that the middleware has put into the scope."""
    context: RequestContext = scope[_KEY]
    return context


def address_of(scope: Scope) -> str:
    """Returns the client's address, from the connection or from the header that the operator's proxy sets."""
    client = scope.get("client")
    return str(client[0]) if client else ""


class RequestMiddleware:
    """Answers every `GatewayError` with its status, and any other error with 500 and a line in the log."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        *,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        log: Callable[[RequestContext, str, BaseException | None], None],
        max_query_bytes: int,
        max_header_bytes: int,
        address_header: str = "",
    ) -> None:
        """`log` takes a finished request, its method, and the error if it was unexpected.

        `address_header` is where the operator's reverse proxy sends the client's address; empty for no proxy.
        """
        self.app = app
        self._metrics = metrics
        self._new_id = new_id
        self._now = now
        self._log = log
        self._max_query_bytes = max_query_bytes
        self._max_header_bytes = max_header_bytes
        self._address_header = address_header.encode() or None
        self._meters: dict[tuple[str, int, str], tuple[Callable[[], None], Callable[[float], None]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        context = RequestContext(self._new_id())
        scope[_KEY] = context
        unexpected: BaseException | None = None
        try:
            self._check(scope)
            await self.app(scope, receive, send)
        except GatewayError as error:
            context.error = error.code
            context.upstream_calls = error.upstream_calls
            context.account_id = context.account_id or error.account_id
            await self._fail(context, error, status_of(error), send)
        except Exception as error:  # noqa: BLE001 - the outermost layer answers whatever happens
            unexpected = error
            context.error = type(error).__name__
            fault = GatewayError(
                f"The gateway failed. Tell its operator the request id {context.request_id}.",
                code="InternalServerError",
            )
            if not context.status:
                await self._fail(context, fault, 500, send)
        finally:
            self._count(context)
            self._log(context, scope["method"], unexpected)

    def _check(self, scope: Scope) -> None:
        if len(scope["query_string"]) > self._max_query_bytes:
            raise BadRequest(f"The query is longer than {self._max_query_bytes} bytes.")
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name == self._address_header:
                # The proxy adds the address at the end; the client may have sent anything before it.
                scope["client"] = (value.rpartition(b",")[2].strip().decode("latin-1"), 0)
        if size > self._max_header_bytes:
            raise BadRequest(f"The headers are longer than {self._max_header_bytes} bytes together.")

    async def _fail(self, context: RequestContext, error: GatewayError, status: int, send: Send) -> None:
        if context.status:  # The answer has begun, so it cannot be replaced.
            return
        body = error_body(error, status, self._now())
        await context.respond(send, status, error_headers(error), body)

    def _count(self, context: RequestContext) -> None:
        seconds = perf_counter() - context.began
        # Finding a counter by its labels costs more than counting, and there are few of them.
        key = (context.operation, context.status, context.cache)
        meters = self._meters.get(key)
        if meters is None:
            cache = context.cache or "none"
            requests = self._metrics.requests.labels(context.operation or "other", context.status, cache)
            meters = self._meters[key] = (requests.inc, self._metrics.seconds.labels(cache).observe)
        count, observe = meters
        count()
        observe(seconds)
