"""The steps of a unified write: everything is checked before anything is sent, and each change is sent once."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any

import orjson

from connectors import ids
from gateway.auth.authentication import Authenticator, about
from gateway.errors import GatewayError
from gateway.model import Clock, LinkedAccount
from gateway.unified.idempotency import Idempotency, WriteResult, idempotency_key
from gateway.unified.write_admission import AdmittedWrite, WriteCall, admit_write
from gateway.unified.write_steps import StepRunner, WriteProgress
from gateway.upstream.vendor import VendorSession

VERBS = {"create": "created", "update": "changed", "cancel": "cancelled"}
NOT_INVALIDATED = (
    "The cache could not be told of this write: while cached answers stay fresh, other workers may answer with older "
    "data. Cache-Control: no-cache asks the provider again."
)

Invalidate = Callable[[LinkedAccount, frozenset[str] | None, str], Coroutine[Any, Any, bool]]
"""Invalidates the cache entries of some resources of an account, or of all for None, with a new unique generation.

Returns False where the shared cache did not store it.
"""


class WriteService:
    """Carries out unified writes."""

    def __init__(
        self,
        authenticator: Authenticator,
        steps: StepRunner,
        idempotency: Idempotency,
        invalidate: Invalidate,
        clock: Clock,
        *,
        deadline: float,
    ) -> None:
        """`deadline` limits the reads of a write, in seconds. A writing step is never cut off."""
        self._authenticator = authenticator
        self._steps = steps
        self._idempotency = idempotency
        self._invalidate = invalidate
        self._clock = clock
        self._deadline = deadline
        self._running: set[asyncio.Task[WriteResult]] = set()

    async def write(self, call: WriteCall) -> WriteResult:
        """Carries out a write and returns its result. Raises a `GatewayError` that says what to do."""
        # 1. Who calls, 2. for which account, and may they?  401 400 404 403 412
        caller = await self._authenticator.admit(call.secret, call.account_id, call.operation)
        with about(caller.linked.account):
            admitted = await admit_write(call, caller, self._clock.now().date())  # 3. May it be done?  400 403 404 501
            # A task of its own, so that a caller who disconnects does not stop a write half-way.
            task = asyncio.ensure_future(self._write_once(admitted))
            self._running.add(task)
            task.add_done_callback(self._end)
            return await asyncio.shield(task)

    async def close(self) -> None:
        """Waits for the writes that have begun."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _write_once(self, admitted: AdmittedWrite) -> WriteResult:
        progress, linked = WriteProgress(), admitted.linked
        key = idempotency_key(admitted)
        if key is None:
            return await self._carry_out(admitted, progress)
        earlier = await self._idempotency.reserve(key, linked)  # 4. Was it done before?  409 422
        if earlier is not None:
            return earlier
        try:
            result = await self._carry_out(admitted, progress)
        except GatewayError:
            await self._idempotency.fail(key, uncertain=progress.uncertain)
            raise
        await self._idempotency.complete(key, linked, result)
        return result

    async def _carry_out(self, admitted: AdmittedWrite, progress: WriteProgress) -> WriteResult:
        connector, linked = admitted.provider.connector, admitted.linked
        session = VendorSession(connector, linked, self._clock.monotonic() + self._deadline)
        invalidated = True
        try:
            flow = admitted.write.flow(admitted.order)
            remote_id = await self._steps.run(session, admitted.write, flow, progress)  # 5. Ask the vendor.  4xx 502
        except GatewayError as error:
            error.upstream_calls = session.calls
            raise
        finally:
            if progress.sent:  # 6. Invalidate: also where it failed half-way.
                resources = connector.touched(progress.sent)
                invalidated = await self._invalidate(linked, resources, admitted.call.request_id)
        warnings = [] if invalidated else [NOT_INVALIDATED]
        body = write_body(admitted, remote_id, progress, warnings, self._clock.now())
        return WriteResult(
            admitted.call.operation.status, orjson.dumps(body), replayed=False, upstream_calls=session.calls
        )

    def _end(self, task: asyncio.Task[WriteResult]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Read, or asyncio logs the exception where the caller has disconnected.
            task.exception()


def write_body(
    admitted: AdmittedWrite, remote_id: str, progress: WriteProgress, warnings: list[str], now: datetime
) -> Mapping[str, Any]:
    """Returns the answer in the contract's shape, with what was not done beside it."""
    operation, kind = admitted.call.operation, admitted.write.kind
    message = f"The {kind.replace('_', ' ')} was {VERBS.get(operation.kind, 'written')}."
    if progress.undone:
        message += " Not all that was asked for was done: see unified_warnings."
        done = "; ".join(progress.done)
        warnings = [f"Done: {done}. Not done: {each.does}. {each.error.message}" for each in progress.undone] + warnings
    body: dict[str, Any] = {
        "statusCode": operation.status,
        "message": message,
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if operation.result == "CreateResult":
        body["data"] = {"id": ids.encode(kind, remote_id), "remote_id": remote_id}
    if progress.undone:
        body["provider_errors"] = [
            {"status": said.status, "url": said.url, "raw": {"message": said.message}, "headers": {}}
            for each in progress.undone
            for said in each.error.provider_errors
        ]
    if warnings:
        body["unified_warnings"] = [{"message": warning} for warning in warnings]
    return body
