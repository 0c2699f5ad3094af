"""Calls to a vendor: with retries, the answer decoded, and the vendor's errors as ours.

A vendor's body is never repeated in an error, except its own one-line error message, shortened by the connector.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from connectors.connector import Connector
from connectors.exchange import Answer, Request
from connectors.paging import Malformed
from gateway.errors import (
    BadRequest,
    GatewayError,
    ProviderError,
    RateLimited,
    VendorAnswerTooLarge,
    VendorFailure,
)
from gateway.model import Clock, LinkedAccount, Upstream
from gateway.upstream.decoding import decode, is_json, media_type
from gateway.upstream.retry import Failure, RetryPolicy, retry_after, retry_after_seconds, wait_before_retry


class VendorRefusal(Exception):
    """The vendor answered 401, 403 or 404. What that means to a caller depends on what was asked.

    403 and 404 are in the vendor's own error format: an answer of a firewall on the way is a `VendorFailure`.
    """

    def __init__(self, status: int, provider: ProviderError) -> None:
        super().__init__(f"the vendor answered {status}")
        self.status = status
        self.provider = provider


@dataclass(frozen=True, slots=True)
class RawCall:
    """A read that the vendor has answered, with its decoded body, unaltered."""

    request: Request
    body: Any = field(repr=False)


@dataclass(slots=True)
class VendorSession:
    """The calls to a vendor for one request, which end at `deadline` (monotonic). `extra` are `proxy` parameters."""

    connector: Connector
    linked: LinkedAccount
    deadline: float
    extra: tuple[tuple[str, str], ...] = ()
    record_raw: bool = False
    calls: int = 0
    raw: list[RawCall] = field(default_factory=list)

    def fresh(self) -> "VendorSession":
        """Returns a session with the same vendor in which no call has been made."""
        return replace(self, calls=0, raw=[])


class VendorClient:
    """Makes calls, and repeats reads where that may help. Stores nothing between calls."""

    def __init__(self, upstream: Upstream, retries: RetryPolicy, clock: Clock) -> None:
        self._upstream = upstream
        self._retries = retries
        self.clock = clock

    async def get(self, session: VendorSession, request: Request) -> Any:
        """Returns the decoded JSON of a 2xx answer to a read. Raises what `ask` and `decoded` raise."""
        return self.decoded(session, request, await self.ask(session, request))

    async def ask(self, session: VendorSession, request: Request) -> Answer:
        """Returns a 2xx answer to a read.

        Raises `VendorRefusal` for 401, and for 403 and 404 in the vendor's own error format; `RateLimited`;
        `BadRequest` where the vendor rejects the caller's `proxy` parameters; `VendorFailure` for everything else.
        """
        signed = Request(
            request.method,
            request.path,
            request.query,
            {"accept": "application/json", **session.connector.auth.headers(session.linked.credential.reveal)},
        )
        answer = await self._send(session, signed)
        if answer.status // 100 == 2:
            return answer
        raise self._failure(session, request, answer)

    def decoded(self, session: VendorSession, request: Request, answer: Answer) -> Any:
        """Returns the decoded JSON of a 2xx answer. Raises `VendorFailure` where it is none."""
        body = self._decode(session, request, answer)
        if session.record_raw:
            session.raw.append(RawCall(request, body))
        return body

    async def _send(self, session: VendorSession, request: Request) -> Answer:
        tries = 0
        while True:
            tries += 1
            session.calls += 1
            fault: VendorFailure | None = None
            try:
                answer = await self._upstream.send(session.connector.base_url, request)
                if answer.status // 100 == 2:
                    return answer
                wait_hint = retry_after(answer.headers.get("retry-after"), self.clock.now())
                failure = Failure(answer.status, wait_hint)
            except VendorAnswerTooLarge:
                raise
            except VendorFailure as error:
                fault, failure = error, Failure(None)
            remaining = session.deadline - self.clock.monotonic()
            wait = wait_before_retry(self._retries, tries, failure, remaining, self.clock.jitter())
            if wait is None:
                if fault is not None:
                    raise fault
                return answer
            await asyncio.sleep(wait)

    def _decode(self, session: VendorSession, request: Request, answer: Answer) -> Any:
        kind = media_type(answer.headers)
        if not is_json(kind):
            raise _garbage(session, request, answer.status, f"it is {kind[:60] or 'of no stated type'}, not JSON")
        try:
            return decode(answer.body)
        except ValueError as error:
            raise _garbage(session, request, answer.status, "its JSON is broken or cut short") from error

    def _failure(self, session: VendorSession, request: Request, answer: Answer) -> Exception:
        """Returns the exception for an answer that is not a success."""
        name, status = session.connector.name, answer.status
        try:
            body = decode(answer.body)
        except ValueError:
            body = None
        said = session.connector.fault_text(body)
        provider = ProviderError(status, request.path, said)
        if status == 401:
            return VendorRefusal(status, provider)
        if status in {403, 404}:
            if is_json(media_type(answer.headers)) and session.connector.is_fault(body):
                return VendorRefusal(status, provider)
            # Perhaps a firewall or proxy between us and the vendor: it says nothing about what the token may see.
            return VendorFailure(
                f"{name} answered {status} to {request.path}, but not in the form of its own errors: something "
                "between the gateway and it may have answered instead.",
                provider_errors=[provider],
            )
        if status == 429:
            seconds = retry_after_seconds(answer.headers.get("retry-after"), self.clock.now())
            return RateLimited(
                f"{name} limits how often this account may be asked; try again in {seconds} seconds.",
                retry_after=seconds,
                provider_errors=[provider],
            )
        if status in {400, 422} and session.extra:
            names = ", ".join(sorted({key for key, _ in session.extra}))
            return BadRequest(f"{name} does not accept proxy parameters {names}: {said}", provider_errors=[provider])
        return VendorFailure(f"{name} answered {status} to {request.path}.", provider_errors=[provider])


def _garbage(session: VendorSession, request: Request, status: int, why: str) -> GatewayError:
    return VendorFailure(
        f"{session.connector.name} answered {request.path} with something that cannot be read: {why}.",
        provider_errors=[ProviderError(status, request.path)],
    )


def encode(value: Any) -> bytes:
    """Returns JSON. Raises `VendorFailure` where a vendor's value is nested deeper than the encoder goes."""
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise VendorFailure("The provider's answer is nested too deeply to be handed on.") from error


def malformed(session: VendorSession, path: str, error: Malformed) -> GatewayError:
    """Returns the error for JSON of another shape than expected."""
    return VendorFailure(
        f"{session.connector.name} answered {path} in an unknown shape: {error}.",
        provider_errors=[ProviderError(200, path)],
    )


def without(rows: Sequence[Mapping[str, Any]], never: frozenset[str]) -> list[dict[str, Any]]:
    """Returns copies of rows without the columns that must never leave the vendor's answer."""
    return [{key: value for key, value in row.items() if key not in never} for row in rows]


UNCERTAIN = "It may have been done all the same: read before trying again."
