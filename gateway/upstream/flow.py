"""Runs a connector's flow: signs and sends its requests and hands back the answers, until it has a result."""

from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import TypeVar

from connectors.connector import Connector
from connectors.exchange import Answer, Request
from gateway.errors import RateLimited, VendorFailure
from gateway.model import Secret, Upstream
from gateway.upstream.retry import retry_after

Result = TypeVar("Result")


def take_any(request: Request, answer: Answer) -> None:
    """Checks nothing: the flow judges every status itself."""


async def follow(
    flow: Generator[Request, Answer, Result],
    connector: Connector,
    credential: Secret,
    upstream: Upstream,
    check: Callable[[Request, Answer], None] = take_any,
) -> Result:
    """Returns the result of a flow. Raises `VendorFailure` where no answer comes back, and what `check` raises."""
    headers = {"accept": "application/json", **connector.auth.headers(credential.reveal)}
    try:
        request = next(flow)
        while True:
            signed = replace(request, headers={**request.headers, **headers})
            answer = await upstream.send(connector.base_url, signed)
            check(request, answer)
            request = flow.send(answer)
    except StopIteration as end:
        found: Result = end.value
        return found


async def judge_token(
    flow: Generator[Request, Answer, Result],
    connector: Connector,
    credential: Secret,
    upstream: Upstream,
    clock: Callable[[], datetime],
) -> Result:
    """Returns the result of a flow that asks about a token.

    Raises `RateLimited` and `VendorFailure` where the vendor is overloaded or failing, or no answer comes back.
    """

    def check(request: Request, answer: Answer) -> None:
        _must_be_well(connector, request, answer, clock())

    return await follow(flow, connector, credential, upstream, check)


def _must_be_well(connector: Connector, request: Request, answer: Answer, now: datetime) -> None:
    """Raises where the vendor is overloaded or failing: such an answer says nothing about the token, good or bad."""
    if answer.status == 429:
        wait = retry_after(answer.headers.get("retry-after"), now)
        raise RateLimited(
            f"{connector.name} allows no more requests for now: try again later",
            retry_after=None if wait is None else ceil(wait),
        )
    if answer.status >= 500:
        raise VendorFailure(f"{connector.name} answered {request.path} with {answer.status}: try again later")
