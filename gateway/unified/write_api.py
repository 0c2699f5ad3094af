"""Writes over HTTP: body and headers in, the contract's result out. The method has been matched before."""

from starlette.types import Receive, Scope, Send

from gateway.auth.credentials import credentials_of
from gateway.errors import BadRequest
from gateway.http.middleware import context_of
from gateway.http.request import read_body, read_headers
from gateway.http.response import Headers
from gateway.unified.router import Match
from gateway.unified.write import WriteCall, WriteResult, WriteService


class WritesApi:
    """Answers matched writes. Bodies larger than `most` bytes are refused."""

    def __init__(self, writes: WriteService, most: int) -> None:
        self._writes = writes
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send, match: Match) -> None:
        context = context_of(scope)
        headers = read_headers(scope)
        secret, account_id = credentials_of(headers)
        operation = match.operation

        async def body() -> bytes:
            _check_headers(headers)
            return await read_body(scope, receive, self._most)

        call = WriteCall(
            secret=secret,
            account_id=account_id,
            operation=operation,
            key="" if operation.kind == "create" else match.values[-1],
            employee=match.values[0] if operation.of_employee else "",
            body=body,
            parameters=scope["query_string"] != b"",
            idempotency_key=_text(headers, b"idempotency-key"),
            request_id=context.request_id,
        )
        receipt = await self._writes.answer(call)
        context.account_id = account_id or ""
        context.upstream_calls = receipt.upstream_calls
        await context.respond(send, receipt.status, receipt_headers(receipt), receipt.body)


def receipt_headers(receipt: WriteResult) -> Headers:
    headers: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    return [*headers, (b"idempotency-replayed", b"true")] if receipt.replayed else headers


def _check_headers(headers: dict[bytes, bytes]) -> None:
    kind = (_text(headers, b"content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise BadRequest(f"The body must be JSON, with content-type: application/json, and not {kind[:60] or 'none'}.")
    if (_text(headers, b"content-encoding") or "identity").lower() != "identity":
        raise BadRequest("The body must not be compressed.")


def _text(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")
