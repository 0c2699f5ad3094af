"""`POST /unified/proxy` over HTTP: the body in, the envelope out as it comes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.platform import PROXY
from gateway.auth.credentials import credentials_of
from gateway.http.context import RequestContext
from gateway.http.endpoint import ApiRequest
from gateway.http.response import JSON_HEADERS
from gateway.proxy.service import ProxyCall, ProxyService

HUNG_UP = "ClientDisconnected"


class ProxyApi:
    """Answers the one path of the proxy, piece by piece. Request bodies over `max_body_bytes` are refused."""

    def __init__(self, proxy: ProxyService, max_body_bytes: int) -> None:
        self._proxy = proxy
        self._max_body_bytes = max_body_bytes

    def routes(self) -> list[Route]:
        """Returns the route of the proxy."""
        return [Route(PROXY.path, self, methods=[PROXY.method], name=PROXY.id)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = ApiRequest(scope, receive, self._max_body_bytes)
        context = request.context
        context.operation = PROXY.id
        secret, account_id = credentials_of(request.headers)
        call = ProxyCall(secret, account_id, await request.body())
        work = asyncio.ensure_future(self._pass_through(context, call, send))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                context.error = HUNG_UP
        finally:
            # The caller has hung up or has the whole answer: a call to the vendor that still runs is of no use.
            for task in (gone, work):
                if not task.done():
                    task.cancel()
            with suppress(asyncio.CancelledError):
                await work

    async def _pass_through(self, context: RequestContext, call: ProxyCall, send: Send) -> None:
        chunks = await self._proxy.answer(call)
        context.account_id = call.account_id or ""
        context.upstream_calls = 1
        await _send(context, chunks, send)


async def _disconnected(receive: Receive) -> None:
    """Returns when the caller has hung up. The request's body has been read before."""
    message = await receive()
    if message["type"] != "http.disconnect":
        await asyncio.Event().wait()


async def _send(context: RequestContext, chunks: AsyncGenerator[bytes, None], send: Send) -> None:
    """Sends chunks as they come. Raises errors before the first chunk.

    After it an error breaks off the connection, so that no caller takes half an answer for a whole one.
    """
    async with aclosing(chunks):
        first = await anext(chunks)
        await context.begin(send, 200, JSON_HEADERS)
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
