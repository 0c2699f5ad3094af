"""The one adapter between ASGI and the JSON APIs: a handler takes a request and returns a status and a JSON value."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import orjson
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.http.context import RequestContext, address_of, context_of
from gateway.http.request import read_body, read_headers, read_query
from gateway.http.response import JSON_HEADERS


class ApiRequest:
    """One request to an API, read as far as the handler asks for it. Reading raises `BadRequest`."""

    def __init__(self, scope: Scope, receive: Receive, max_body_bytes: int) -> None:
        self.scope = scope
        self._receive = receive
        self._max_body_bytes = max_body_bytes

    @property
    def context(self) -> RequestContext:
        """Returns the bookkeeping of the request."""
        return context_of(self.scope)

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Returns the headers by lower-case name."""
        return read_headers(self.scope)

    @property
    def address(self) -> str:
        """The client's address."""
        return address_of(self.scope)

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters in the path, by name."""
        found: Mapping[str, str] = self.scope["path_params"]
        return found

    def query(self) -> tuple[tuple[str, str], ...]:
        """Returns the decoded pairs of the query."""
        return read_query(self.scope["query_string"])

    async def body(self) -> bytes:
        """Returns the whole body, read up to the size limit of the endpoint."""
        return await read_body(self.scope, self._receive, self._max_body_bytes)


Handler: TypeAlias = Callable[[ApiRequest], Awaitable[tuple[int, Any]]]
"""Returns the status and a JSON value, or JSON as bytes."""


class Endpoint:
    """An ASGI app for one operation. Errors are raised to `RequestMiddleware`, which answers them."""

    def __init__(self, operation: str, handler: Handler, max_body_bytes: int) -> None:
        """`operation` is the name in logs and metrics."""
        self._operation = operation
        self._handler = handler
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = context_of(scope)
        context.operation = self._operation
        status, value = await self._handler(ApiRequest(scope, receive, self._max_body_bytes))
        body = value if isinstance(value, bytes) else orjson.dumps(value)
        await context.respond(send, status, JSON_HEADERS, body)

    def route(self, method: str, path: str) -> Route:
        """Returns the route of this endpoint."""
        return Route(path, self, methods=[method], name=self._operation)
