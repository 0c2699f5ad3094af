"""The unified API over HTTP: turns headers, path and query into a `Call`, and a `Page` into a response."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from starlette.types import Receive, Scope, Send

from connectors.contract import Operation
from gateway.auth.credentials import credentials_of
from gateway.cache.freshness import directives
from gateway.errors import NotFound
from gateway.http.codings import coding_for
from gateway.http.context import RequestContext, context_of
from gateway.http.request import read_headers, read_query
from gateway.http.response import MethodNotAllowed
from gateway.unified.call import Call, Page
from gateway.unified.fastpath import FastPath
from gateway.unified.headers import answer_head
from gateway.unified.read import ReadService
from gateway.unified.router import Match, Matcher

Handler: TypeAlias = Callable[[Scope, Receive, Send, Match], Awaitable[None]]


class UnifiedApi:
    """An ASGI app for `/unified/hris/*`. Raises every `GatewayError` to the middleware around it."""

    def __init__(
        self, reads: ReadService, write: Handler, operations: Iterable[Operation], fast_path: FastPath
    ) -> None:
        self._reads = reads
        self._write = write
        self._fast_path = fast_path
        self._matcher = Matcher(operations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = context_of(scope)
        match = self._match(scope)
        context.operation = match.operation.id
        if match.operation.method != "GET":
            await self._write(scope, receive, send, match)
            return
        call = read_call(scope, match, context)
        page = await self._reads.read(call)
        context.account_id = call.account_id or ""
        context.upstream_calls = page.upstream_calls
        if page.ticket is not None:
            self._fast_path.remember(scope, page.ticket, match.operation.id)
        headers = dict(scope["headers"])
        await respond(context, send, page, headers.get(b"accept-encoding", b""), headers.get(b"if-none-match", b""))

    def _match(self, scope: Scope) -> Match:
        path = scope.get("raw_path") or scope["path"].encode()
        found = self._matcher.find(scope["method"], path)
        if isinstance(found, Match):
            return found
        if found is None:
            raise NotFound("There is no such path. The operations are listed by `python -m gateway rules`.")
        raise MethodNotAllowed.instead_of(scope["method"], found)


async def respond(
    context: RequestContext, send: Send, page: Page, accept_encoding: bytes, if_none_match: bytes
) -> None:
    """Sends a page in a content coding that the caller accepts, or 304 where the caller has it already."""
    context.cache = page.freshness.outcome
    body, coding = page.entry.coded(coding_for(accept_encoding) if accept_encoding else "")
    status, headers = answer_head(page, coding, if_none_match)
    if status == 304:
        await context.begin(send, 304, headers)
        await send({"type": "http.response.body", "body": b""})
        return
    await context.respond(send, 200, headers, body)


def read_call(scope: Scope, match: Match, context: RequestContext) -> Call:
    """Returns the call that a request makes. Raises `BadRequest` where it is malformed."""
    headers = read_headers(scope)
    secret, account_id = credentials_of(headers)
    return Call(
        secret=secret,
        account_id=account_id,
        operation=match.operation,
        key="" if match.operation.kind in {"list", "create"} else match.values[-1],
        employee=match.values[0] if match.operation.of_employee else "",
        pairs=read_query(scope["query_string"]),
        directives=directives(headers.get(b"cache-control", b"").decode("latin-1")),
        request_id=context.request_id,
    )
