"""The bookkeeping of one request, which the middleware puts into the ASGI scope."""

from dataclasses import dataclass, field
from time import perf_counter

from starlette.types import Scope, Send

from gateway.http.response import Headers, with_length

CONTEXT = "gateway.context"
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
        headers = headers_with_id(headers, self.request_id.encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, *self.extra]})


def headers_with_id(headers: Headers, request_id: bytes) -> Headers:
    """Returns the headers of an answer with those that every answer has."""
    return [*headers, (b"x-request-id", request_id), NOSNIFF]


def context_of(scope: Scope) -> RequestContext:
    """Returns the bookkeeping of the request that the middleware has put into the scope."""
    context: RequestContext = scope[CONTEXT]
    return context


def address_of(scope: Scope) -> str:
    """Returns the client's address, from the connection or from the header that the operator's proxy sets."""
    client = scope.get("client")
    return str(client[0]) if client else ""
