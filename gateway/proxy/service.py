"""Passes a call through to the vendor: the caller sets method, path, query and body, and the rules decide."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from connectors.exchange import Request
from gateway.accounts.token_rejection import TokenRejections
from gateway.auth.authentication import Authenticator, Caller, about, forbidden, must_be_active
from gateway.errors import DeadlineExceeded, Forbidden, GatewayError, VendorFailure
from gateway.model import LinkedAccount, OpenAnswer, Stream
from gateway.policy.policy import Denial, WithheldReason
from gateway.policy.provider import Provider
from gateway.policy.proxy_access import closings
from gateway.proxy.envelope import envelop, limited
from gateway.proxy.path import Target, read_target
from gateway.proxy.request import ProxyRequest, read_proxy_request
from gateway.upstream.vendor import UNCERTAIN


@dataclass(frozen=True, slots=True)
class ProxyCall:
    """A call as it came in; `body` is the JSON of the request."""

    secret: str | None
    account_id: str | None
    body: bytes


Invalidate = Callable[[LinkedAccount, frozenset[str] | None], Awaitable[None]]
"""Invalidates what is cached of some resources of an account, or of all."""


class ProxyService:
    """Passes calls through. `invalidate` is called after something may have been written."""

    def __init__(
        self,
        authenticator: Authenticator,
        stream: Stream,
        token_rejections: TokenRejections,
        invalidate: Invalidate,
        *,
        deadline: float,
        max_answer_bytes: int,
        monotonic: Callable[[], float],
    ) -> None:
        """`deadline` is how many seconds an answer may take until its last byte, by the clock `monotonic`."""
        self._authenticator = authenticator
        self._stream = stream
        self._token_rejections = token_rejections
        self._invalidate = invalidate
        self._deadline = deadline
        self._max_answer_bytes = max_answer_bytes
        self._monotonic = monotonic

    async def answer(self, call: ProxyCall) -> AsyncGenerator[bytes, None]:
        """Returns the answer's bytes as they come. Raises a `GatewayError` only before the first of them."""
        until = self._monotonic() + self._deadline
        caller = await self._authenticator.find_caller(call.secret, call.account_id)
        linked, provider = caller.linked, caller.provider
        with about(linked.account):
            wanted = read_proxy_request(call.body)
            target = _admit(caller, wanted)
            answer = await self._open_in_time(linked, provider, target, wanted, until)
        return self._body(answer, provider, target, wanted, until)

    async def _open_in_time(
        self, linked: LinkedAccount, provider: Provider, target: Target, wanted: ProxyRequest, until: float
    ) -> OpenAnswer:
        """Returns the answer once its head has come. A write that was sent goes on even if its caller hangs up."""
        opening = asyncio.ensure_future(self._open(linked, provider, target, wanted))
        try:
            async with asyncio.timeout(until - self._monotonic()):
                return await (opening if wanted.method == "GET" else asyncio.shield(opening))
        except TimeoutError as error:
            opening.add_done_callback(_close)
            raise self._late(provider, target, wanted) from error
        except asyncio.CancelledError:
            opening.add_done_callback(_close)
            raise

    async def _open(
        self, linked: LinkedAccount, provider: Provider, target: Target, wanted: ProxyRequest
    ) -> OpenAnswer:
        connector = provider.connector
        headers = {"accept": "application/json", **wanted.headers, **connector.auth.headers(linked.credential.reveal)}
        request = Request(wanted.method, target.path, target.query, headers, wanted.body)
        try:
            answer = await self._stream.open(connector.base_url, request)
        finally:
            # Also after a failure, since the vendor may have done the write.
            if wanted.method != "GET":
                await self._invalidate(linked, connector.touched([target.path]))
        if answer.status == 401:
            await answer.close()
            raise await self._token_rejections.explain(linked, connector)
        return answer

    async def _body(
        self, answer: OpenAnswer, provider: Provider, target: Target, wanted: ProxyRequest, until: float
    ) -> AsyncGenerator[bytes, None]:
        late = self._late(provider, target, wanted)
        chunks = limited(self._in_time(answer, until, late), self._max_answer_bytes, target.path)
        hides = target.rule.hides
        try:
            async with aclosing(envelop(answer, target.path, chunks, hides)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            await answer.close()

    async def _in_time(self, answer: OpenAnswer, until: float, late: GatewayError) -> AsyncIterator[bytes]:
        chunks = answer.chunks()
        while True:
            try:
                async with asyncio.timeout(until - self._monotonic()):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise late from error
            yield chunk

    def _late(self, provider: Provider, target: Target, wanted: ProxyRequest) -> GatewayError:
        said = f"{provider.connector.name} did not answer {target.path} within {self._deadline:g} seconds"
        if wanted.method == "GET":
            return DeadlineExceeded(f"{said}; try again.", retry_after=1)
        return VendorFailure(f"{said}. {UNCERTAIN}")


def _close(opening: "asyncio.Task[OpenAnswer]") -> None:
    """Closes an answer that comes too late for its caller."""
    if not opening.cancelled() and opening.exception() is None:
        _ = asyncio.ensure_future(opening.result().close())  # noqa: RUF006 - nothing waits for its end


def _admit(caller: Caller, wanted: ProxyRequest) -> Target:
    """Returns the target of the call. Raises `Forbidden` with all reasons, before the vendor is asked."""
    policy, connector = caller.provider.policy, caller.provider.connector
    key, account = caller.key.scopes, caller.linked.account
    target = read_target(wanted, connector)
    closed = closings(policy, target.rule, wanted.method, key)
    if closed:
        raise _closed(f"{wanted.method} {target.rule.path}", closed, policy.hidden_from(key))
    must_be_active(account, connector.name)
    if not target.need.met_by(account.grant.opens):
        need = str(target.need)
        raise forbidden(
            Denial(
                f"{wanted.method} {target.rule.path} needs the {connector.name} scope {need}, which the linked "
                f"account's token lacks. It can be granted by {connector.granter}.",
                need,
            )
        )
    return target


def _closed(what: str, closed: tuple[WithheldReason, ...], hidden: dict[str, WithheldReason]) -> Forbidden:
    lines = [f"{what} needs {why.needs}, to be had from {why.granter}" for why in closed]
    if hidden:
        names = ", ".join(sorted(hidden))
        lines.append(f"the proxy shows the provider's records whole, and this key may not see {names}")
    return Forbidden("; ".join(lines) + ".", errors=[f"missing scope: {why.needs}" for why in closed])
