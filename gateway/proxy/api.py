"""`POST /unified/proxy` over HTTP: the body in, the envelope out as it comes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.platform import PROXY
from gateway.auth.credentials import credentials_of
from gateway.http.middleware import RequestContext, context_of
from gateway.http.request import read_body, read_headers
from gateway.proxy.service import ProxyCall, ProxyService

HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
HUNG_UP = "ClientDisconnected"


class ProxyApi:
    """Answers the one path of the proxy. Bodies larger than `most` bytes are refused."""

    def __init__(self, passthrough: ProxyService, most: int) -> None:
        self._passthrough = passthrough
        self._most = most

    def routes(self) -> list[Route]:
        return [Route(PROXY.path, self, methods=[PROXY.method], name=PROXY.id)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = context_of(scope)
        context.operation = PROXY.id
        secret, account_id = credentials_of(read_headers(scope))
        call = ProxyCall(secret, account_id, await read_body(scope, receive, self._most))
        work = asyncio.ensure_future(self._pass_through(context, call, send))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                context.error = HUNG_UP
        finally:
            # Nobody reads on: what is still asked of the vendor ends with its caller.
            for task in (gone, work):
                if not task.done():
                    task.cancel()
            with suppress(asyncio.CancelledError):
                await work

    async def _pass_through(self, context: RequestContext, call: ProxyCall, send: Send) -> None:
        chunks = await self._passthrough.answer(call)
        context.account_id = call.account_id or ""
        context.upstream_calls = 1
        await _send(context, chunks, send)


async def _disconnected(receive: Receive) -> None:
    """Returns when the caller has hung up. The body has been read, so nothing else is to come."""
    message = await receive()
    if message["type"] != "http.disconnect":
        await asyncio.Event().wait()


async def _send(context: RequestContext, chunks: AsyncGenerator[bytes, None], send: Send) -> None:
    """Send chunks as they come. A fault before the first is an error; after it the connection is broken off.

    Whoever reads an answer that was cut off must not take it for a whole one.
    """
    async with aclosing(chunks):
        first = await anext(chunks)
        await context.begin(send, 200, HEADERS)
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
