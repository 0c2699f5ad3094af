"""Passing a call through to the vendor: the caller chooses method, path, query and body, the rules decide."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from connectors.exchange import Request
from gateway.accounts.token_rejection import TokenRejections
from gateway.auth.authentication import Authenticator, Caller, about, forbidden, must_be_active
from gateway.errors import DeadlineExceeded, Forbidden, GatewayError, VendorFailure
from gateway.model import Linked, OpenAnswer, Stream
from gateway.policy.policy import Denied, Withheld
from gateway.policy.provider import Provider
from gateway.policy.proxy_access import closings
from gateway.proxy.envelope import envelop, limited
from gateway.proxy.path import Target, read_target
from gateway.proxy.request import ProxyRequest, read_proxy_request
from gateway.upstream.vendor import UNCERTAIN


@dataclass(frozen=True, slots=True)
class ProxyCall:
    """A call to pass through, as it came in; `body` is the JSON of the request."""

    secret: str | None
    account_id: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class ProxyLimits:
    """Seconds until the whole answer must be there, by this clock, and bytes of the largest one."""

    deadline: float
    most_bytes: int
    monotonic: Callable[[], float]


Invalidate = Callable[[Linked, frozenset[str] | None], Awaitable[None]]
"""Forgets what is kept of an account's resources, or of all."""


class ProxyService:
    """Passes calls through. `invalidate` is called after something may have been written."""

    def __init__(
        self,
        authenticator: Authenticator,
        stream: Stream,
        checks: TokenRejections,
        limits: ProxyLimits,
        invalidate: Invalidate,
    ) -> None:
        self._authenticator = authenticator
        self._stream = stream
        self._checks = checks
        self._limits = limits
        self._invalidate = invalidate

    async def answer(self, call: ProxyCall) -> AsyncGenerator[bytes, None]:
        """Returns the answer's bytes as they come. Raises a `GatewayError` before the first of them, not after."""
        until = self._limits.monotonic() + self._limits.deadline
        caller = await self._authenticator.find_caller(call.secret, call.account_id)
        linked, provider = caller.linked, caller.provider
        with about(linked.account):
            wanted = read_proxy_request(call.body)
            target = _admit(caller, wanted)
            answer = await self._open_in_time(linked, provider, target, wanted, until)
        return self._body(answer, provider, target, wanted, until)

    async def _open_in_time(
        self, linked: Linked, provider: Provider, target: Target, wanted: ProxyRequest, until: float
    ) -> OpenAnswer:
        """Returns the answer once its head is there. A write that is on its way is not broken off with its caller."""
        opening = asyncio.ensure_future(self._open(linked, provider, target, wanted))
        try:
            async with asyncio.timeout(until - self._limits.monotonic()):
                return await (opening if wanted.method == "GET" else asyncio.shield(opening))
        except TimeoutError as error:
            opening.add_done_callback(_close)
            raise self._late(provider, target, wanted) from error
        except asyncio.CancelledError:
            opening.add_done_callback(_close)
            raise

    async def _open(self, linked: Linked, provider: Provider, target: Target, wanted: ProxyRequest) -> OpenAnswer:
        connector = provider.connector
        headers = {"accept": "application/json", **wanted.headers, **connector.auth.headers(linked.credential.reveal)}
        request = Request(wanted.method, target.path, target.query, headers, wanted.body)
        try:
            answer = await self._stream.open(connector.base_url, request)
        finally:
            # Also when it failed or was cut off: it may have been written.
            if wanted.method != "GET":
                await self._invalidate(linked, connector.touched([target.path]))
        if answer.status == 401:
            await answer.close()
            raise await self._checks.explain(linked, connector)
        return answer

    async def _body(
        self, answer: OpenAnswer, provider: Provider, target: Target, wanted: ProxyRequest, until: float
    ) -> AsyncGenerator[bytes, None]:
        late = self._late(provider, target, wanted)
        chunks = limited(self._in_time(answer, until, late), self._limits.most_bytes, target.path)
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
                async with asyncio.timeout(until - self._limits.monotonic()):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise late from error
            yield chunk

    def _late(self, provider: Provider, target: Target, wanted: ProxyRequest) -> GatewayError:
        said = f"{provider.connector.name} did not answer {target.path} within {self._limits.deadline:g} seconds"
        if wanted.method == "GET":
            return DeadlineExceeded(f"{said}; try again.", retry_after=1)
        return VendorFailure(f"{said}. {UNCERTAIN}")


def _close(opening: "asyncio.Task[OpenAnswer]") -> None:
    """Closes an answer that nobody waits for any more."""
    if not opening.cancelled() and opening.exception() is None:
        _ = asyncio.ensure_future(opening.result().close())  # noqa: RUF006 - its end concerns nobody


def _admit(caller: Caller, wanted: ProxyRequest) -> Target:
    """Returns where the call goes. Raises `Forbidden` with all that closes it, before the vendor is asked."""
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
            Denied(
                f"{wanted.method} {target.rule.path} needs the {connector.name} scope {need}, which the linked "
                f"account's token lacks. It can be granted by {connector.granter}.",
                need,
            )
        )
    return target


def _closed(what: str, closed: tuple[Withheld, ...], hidden: "dict[str, Withheld]") -> Forbidden:
    lines = [f"{what} needs {why.needs}, to be had from {why.granter}" for why in closed]
    if hidden:
        names = ", ".join(sorted(hidden))
        lines.append(f"the proxy shows the provider's records whole, and this key may not see {names}")
    return Forbidden("; ".join(lines) + ".", errors=[f"missing scope: {why.needs}" for why in closed])
