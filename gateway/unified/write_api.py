"""Writes over HTTP: reads headers and body, and answers with the contract's result."""

from functools import partial

from starlette.types import Receive, Scope, Send

from gateway.auth.credentials import credentials_of
from gateway.errors import BadRequest
from gateway.http.endpoint import ApiRequest, Endpoint
from gateway.unified.router import Match
from gateway.unified.write import WriteService
from gateway.unified.write_admission import WriteCall


class WritesApi:
    """Answers matched writes. Bodies larger than `max_body_bytes` are refused."""

    def __init__(self, writes: WriteService, max_body_bytes: int) -> None:
        self._writes = writes
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send, match: Match) -> None:
        endpoint = Endpoint(match.operation.id, partial(self._write, match), self._max_body_bytes)
        await endpoint(scope, receive, send)

    async def _write(self, match: Match, request: ApiRequest) -> tuple[int, bytes]:
        headers, operation, context = request.headers, match.operation, request.context
        secret, account_id = credentials_of(headers)

        async def body() -> bytes:
            _check_headers(headers)
            return await request.body()

        call = WriteCall(
            secret=secret,
            account_id=account_id,
            operation=operation,
            key="" if operation.kind == "create" else match.values[-1],
            employee=match.values[0] if operation.of_employee else "",
            body=body,
            parameters=request.scope["query_string"] != b"",
            idempotency_key=_text(headers, b"idempotency-key"),
            request_id=context.request_id,
        )
        result = await self._writes.write(call)
        context.account_id = account_id or ""
        context.upstream_calls = result.upstream_calls
        if result.replayed:
            context.extra.append((b"idempotency-replayed", b"true"))
        return result.status, result.body


def _check_headers(headers: dict[bytes, bytes]) -> None:
    kind = (_text(headers, b"content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise BadRequest(f"The body must be JSON, with content-type: application/json, and not {kind[:60] or 'none'}.")
    if (_text(headers, b"content-encoding") or "identity").lower() != "identity":
        raise BadRequest("The body must not be compressed.")


def _text(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")
