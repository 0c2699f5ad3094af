"""Following a connector's flow: its requests are signed and sent and the answers handed back, until it has a result."""

from collections.abc import Generator
from dataclasses import replace
from typing import TypeVar

from connectors.exchange import Answer, Request
from connectors.spec import Connector
from gateway.core.model import Secret, Upstream

Result = TypeVar("Result")


async def follow(
    flow: Generator[Request, Answer, Result], connector: Connector, credential: Secret, upstream: Upstream
) -> Result:
    """Give the result of a flow. Raises `VendorFailure` where no answer comes back."""
    headers = {"accept": "application/json", **connector.auth.headers(credential.reveal)}
    try:
        request = next(flow)
        while True:
            signed = replace(request, headers={**request.headers, **headers})
            request = flow.send(await upstream.send(connector.base_url, signed))
    except StopIteration as end:
        found: Result = end.value
        return found
