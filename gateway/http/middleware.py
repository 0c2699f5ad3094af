"""The outermost ASGI layer: gives every request an id, limits, a log line, metrics, and an answer to any error."""

from collections.abc import Callable
from datetime import datetime

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import BadRequest, GatewayError
from gateway.http.context import CONTEXT, RequestContext
from gateway.http.request_observer import RequestObserver
from gateway.http.response import error_body, error_headers, status_of


class RequestMiddleware:
    """Answers every `GatewayError` with its status, and any other error with 500 and a line in the log."""

    def __init__(
        self,
        app: ASGIApp,
        observer: RequestObserver,
        *,
        now: Callable[[], datetime],
        max_query_bytes: int,
        max_header_bytes: int,
        address_header: str = "",
    ) -> None:
        """`address_header` is where the operator's proxy sends the client's address; empty for no proxy."""
        self.app = app
        self._observer = observer
        self._now = now
        self._max_query_bytes = max_query_bytes
        self._max_header_bytes = max_header_bytes
        self._address_header = address_header.encode() or None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        context = self._observer.begin()
        scope[CONTEXT] = context
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
            self._observer.end(context, scope["method"], unexpected)

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
