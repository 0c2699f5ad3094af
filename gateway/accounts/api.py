"""The platform API over HTTP: linked accounts, what connectors and accounts can do, and webhooks."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import orjson
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.contract import Operation
from gateway.accounts.service import PlatformCall
from gateway.auth.credentials import credentials_of
from gateway.contract.body import parse_json
from gateway.http.middleware import address_of, context_of
from gateway.http.request import read_body, read_headers, read_query

HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class Platform(Protocol):
    """Who answers the calls, with values that are ready to become JSON."""

    async def answer(self, call: PlatformCall) -> Any: ...


class PlatformApi:
    """Has a route for each operation. Bodies larger than `most` bytes are refused."""

    def __init__(self, platform: Platform, operations: Iterable[Operation], most: int) -> None:
        self._platform = platform
        self._operations = tuple(operations)
        self._most = most

    def routes(self) -> list[Route]:
        return [
            Route(each.path, _Door(self._platform, each, self._most), methods=[each.method], name=each.id)
            for each in self._operations
        ]


class _Door:
    """Answers one operation."""

    def __init__(self, platform: Platform, operation: Operation, most: int) -> None:
        self._platform = platform
        self._operation = operation
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = context_of(scope)
        context.operation = self._operation.id
        secret, _ = credentials_of(read_headers(scope))

        async def body() -> Mapping[str, Any]:
            return parse_json(await read_body(scope, receive, self._most))

        found = await self._platform.answer(
            PlatformCall(
                secret=secret,
                operation=self._operation,
                named=next(iter(scope["path_params"].values()), ""),
                pairs=read_query(scope["query_string"]),
                address=address_of(scope),
                body=body,
            )
        )
        if self._operation.resource == "accounts":
            context.account_id = scope["path_params"].get("id", "")
        await context.respond(send, self._operation.status, HEADERS, orjson.dumps(found))
