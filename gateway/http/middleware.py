"""What every request needs, around all else: an id, limits, a log line, metrics, and an answer whatever happens."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import BadRequest, GatewayError
from gateway.http.response import Headers, error_body, error_headers, status_of, with_length
from gateway.observability.metrics import Metrics

_KEY = "gateway.exchange"
NOSNIFF = (b"x-content-type-options", b"nosniff")
"""On every answer: a browser must take JSON that holds a customer's text for JSON, and never for a page."""


@dataclass(slots=True)
class RequestContext:
    """One request and what became of it: the material of its log line and metrics. Holds ids only.

    `account_id` is set once there is known to be such an account: what a caller calls one may be any text.

    `extra` are headers of its answer, whatever that will be.
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
        """Send a whole answer."""
        await self.begin(send, status, with_length(headers, body))
        await send({"type": "http.response.body", "body": body})

    async def begin(self, send: Send, status: int, headers: Headers) -> None:
        """Send status and headers; the body is the caller's to send."""
        self.status = status
        own = (b"x-request-id", self.request_id.encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, own, NOSNIFF, *self.extra]})


def context_of(scope: Scope) -> RequestContext:
    context: RequestContext = scope[_KEY]
    return context


def address_of(scope: Scope) -> str:
    """Give the client's address: what the connection says, or the header that the operator's proxy sets."""
    client = scope.get("client")
    return str(client[0]) if client else ""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Bytes of a request's query, and of its headers together."""

    query: int
    headers: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time, chance and ears: `log` takes one finished exchange with the unexpected error, if there was one.

    `address_header` is the header in which the operator's reverse proxy names the client; empty for none.
    """

    new_id: Callable[[], str]
    now: Callable[[], datetime]
    log: Callable[[RequestContext, str, BaseException | None], None]
    address_header: str = ""


class RequestMiddleware:
    """The outermost ASGI app. Every `GatewayError` becomes its answer here; anything else is a 500 and a log line."""

    def __init__(self, app: ASGIApp, limits: RequestLimits, metrics: Metrics, around: Surroundings) -> None:
        self.app = app
        self._limits = limits
        self._metrics = metrics
        self._around = around
        self._named_in = around.address_header.encode() or None
        self._meters: dict[tuple[str, int, str], tuple[Callable[[], None], Callable[[float], None]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        context = RequestContext(self._around.new_id())
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
        except Exception as error:  # noqa: BLE001 - the edge answers whatever happens
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
            self._around.log(context, scope["method"], unexpected)

    def _check(self, scope: Scope) -> None:
        if len(scope["query_string"]) > self._limits.query:
            raise BadRequest(f"The query is longer than {self._limits.query} bytes.")
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name == self._named_in:
                # What a client itself has sent stands before what the proxy adds.
                scope["client"] = (value.rpartition(b",")[2].strip().decode("latin-1"), 0)
        if size > self._limits.headers:
            raise BadRequest(f"The headers are longer than {self._limits.headers} bytes together.")

    async def _fail(self, context: RequestContext, error: GatewayError, status: int, send: Send) -> None:
        if context.status:  # The answer has begun: it cannot be taken back.
            return
        body = error_body(error, status, self._around.now())
        await context.respond(send, status, error_headers(error), body)

    def _count(self, context: RequestContext) -> None:
        seconds = perf_counter() - context.began
        # Looking a counter up by its labels costs more than counting; there are few of them.
        key = (context.operation, context.status, context.cache)
        meters = self._meters.get(key)
        if meters is None:
            cache = context.cache or "none"
            requests = self._metrics.requests.labels(context.operation or "other", context.status, cache)
            meters = self._meters[key] = (requests.inc, self._metrics.seconds.labels(cache).observe)
        count, observe = meters
        count()
        observe(seconds)
