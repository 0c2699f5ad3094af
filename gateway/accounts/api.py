"""The platform API over HTTP: linked accounts, what connectors and accounts can do, and webhooks."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from starlette.routing import Route

from connectors.contract import Operation
from gateway.accounts.service import PlatformCall
from gateway.auth.authentication import Authenticator
from gateway.auth.credentials import credentials_of
from gateway.contract.body import parse_json
from gateway.http.endpoint import ApiRequest, Endpoint
from gateway.policy.policy import Operator


class PlatformApi:
    """Admits each call and passes it to a service, which returns a JSON value."""

    def __init__(
        self,
        answer: Callable[[PlatformCall], Awaitable[Any]],
        operations: Iterable[Operation],
        *,
        authenticator: Authenticator,
        operator: Operator,
        max_body_bytes: int,
    ) -> None:
        self._answer = answer
        self._operations = tuple(operations)
        self._authenticator = authenticator
        self._operator = operator
        self._max_body_bytes = max_body_bytes

    def routes(self) -> list[Route]:
        return [
            Endpoint(each.id, partial(self._handle, each), self._max_body_bytes).route(each.method, each.path)
            for each in self._operations
        ]

    async def _handle(self, operation: Operation, request: ApiRequest) -> tuple[int, Any]:
        secret, _ = credentials_of(request.headers)
        key = await self._authenticator.admit_key(secret, operation, self._operator)

        async def body() -> Mapping[str, Any]:
            return parse_json(await request.body())

        found = await self._answer(
            PlatformCall(
                key=key,
                operation=operation,
                named=next(iter(request.path.values()), ""),
                pairs=request.query(),
                address=request.address,
                body=body,
            )
        )
        if operation.resource == "accounts":
            # The account was found, so its id may stand in the log.
            request.context.account_id = request.path.get("id", "")
        return operation.status, found
