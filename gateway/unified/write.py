"""One write from start to end: all is decided before anything is sent, it is sent once, and what was done is said."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from connectors import ids
from connectors.contract import Operation
from connectors.writes import PASSTHROUGH, Order, Sorted, Write, sort_out
from gateway.auth.authentication import Authenticator, about, forbidden, must_be_active
from gateway.contract.body import check_body, parse_json
from gateway.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    GatewayError,
    NotFound,
    NotImplementedHere,
    StoreUnavailable,
    Unprocessable,
)
from gateway.model import (
    ClientKey,
    Clock,
    IdempotencyKey,
    IdempotencyRecord,
    IdempotencyState,
    Linked,
    Repeats,
    Unsealable,
)
from gateway.policy.access import AccessReport
from gateway.policy.policy import Withheld
from gateway.policy.provider import Provider
from gateway.unified.write_steps import StepRunner, WriteProgress
from gateway.upstream.vendor import VendorSession

REMEMBERED = timedelta(hours=24)
LONGEST_WRITE = timedelta(minutes=5)
"""After so long a write that has not ended has been cut off: nobody is at it any more."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_VERBS = {"create": "created", "update": "changed", "cancel": "cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCall:
    """A write as it came in: who asks, for which account, which operation, about which records, with which body.

    The body is fetched when it is known who asks, and that they may.
    """

    secret: str | None
    account_id: str | None
    operation: Operation
    key: str = ""
    employee: str = ""
    body: Callable[[], Awaitable[bytes]]
    parameters: bool = False
    idempotency_key: str | None = None
    request_id: str


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The answer to a write: its status, JSON ready to send, whether it is a repeated one, and its cost upstream."""

    status: int
    body: bytes
    replayed: bool
    upstream_calls: int


@dataclass(frozen=True, slots=True)
class AdmittedWrite:
    """A write that may be done: everything is checked, and nothing sent."""

    call: WriteCall
    linked: Linked
    provider: Provider
    write: Write
    order: Order
    asked: Mapping[str, Any]


Invalidate = Callable[[Linked, frozenset[str] | None, str], Coroutine[Any, Any, bool]]
"""Ends what is kept of some resources of an account, or of all, under a new word; false where that was not taken."""


class WriteService:
    """Answers writes. `seconds` is how long its reads may go on; a writing step is never cut off."""

    def __init__(
        self,
        authenticator: Authenticator,
        driver: StepRunner,
        idempotency: Repeats,
        invalidate: Invalidate,
        around: tuple[Clock, float],
    ) -> None:
        self._authenticator = authenticator
        self._driver = driver
        self._idempotency = idempotency
        self._invalidate = invalidate
        self._clock, self._seconds = around
        self._running: set[asyncio.Task[WriteResult]] = set()

    async def answer(self, call: WriteCall) -> WriteResult:
        """Do a write, or raise a `GatewayError` that says what to do. A caller who hangs up does not stop it."""
        key = await self._authenticator.authenticate(call.secret)
        linked, provider = await self._authenticator.find_account(key, call.account_id)
        with about(linked.account):
            admitted = await self._admit(call, key, linked, provider)
            task = asyncio.ensure_future(self._once(admitted))
            self._running.add(task)
            task.add_done_callback(self._ended)
            return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what has been begun."""
        await asyncio.gather(*self._running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[WriteResult]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # Of a caller who has hung up nobody else would ask for it.

    # --- before anything is sent ----------------------------------------------------------------------------

    async def _admit(self, call: WriteCall, key: ClientKey, linked: Linked, provider: Provider) -> AdmittedWrite:
        denied = provider.policy.admit_key(call.operation, key.scopes)
        if denied:
            raise forbidden(denied)
        must_be_active(linked.account, provider.connector.name)
        write = provider.connector.write(call.operation)
        if write is None:
            why = provider.connector.why_unanswered(call.operation)
            why = why or f"The {provider.connector.name} connector does not do it."
            raise NotImplementedHere(f"{call.operation.id} cannot be done: {why}")
        if call.parameters:
            raise BadRequest("This operation takes no parameters in the query.")
        asked = parse_json(await call.body()) if write.body else {}
        body = check_body(asked, write.body) if write.body else {}
        found = sort_out(write, body)
        _must_be_allowed(call.operation, found, AccessReport(provider.policy, key.scopes, linked.account.grant.opens))
        if found.faults:
            raise BadRequest("The body cannot be carried out: " + "; ".join(found.faults), errors=found.faults)
        employee = _remote_id("employee", call.employee)
        order = Order(
            employee=employee,
            key=_remote_id(write.kind, call.key),
            parts=found.parts,
            today=self._clock.now().date(),
        )
        return AdmittedWrite(call, linked, provider, write, order, asked)

    # --- once -----------------------------------------------------------------------------------------------

    async def _once(self, admitted: AdmittedWrite) -> WriteResult:
        """Do it, but not again under a key under which it was done before."""
        call, progress = admitted.call, WriteProgress()
        if call.idempotency_key is None or call.operation.kind != "create":
            return await self._carry_out(admitted, progress)
        turn = _turn(admitted, call.idempotency_key)
        now = self._clock.now()
        earlier = await self._idempotency.begin(turn, now, now - REMEMBERED)
        if earlier is not None:
            return _replay(turn, earlier, admitted.linked, now)
        try:
            receipt = await self._carry_out(admitted, progress)
        except GatewayError:
            with suppress(StoreUnavailable):
                await (
                    self._idempotency.end(turn, IdempotencyState.UNKNOWN)
                    if progress.uncertain
                    else self._idempotency.release(turn)
                )
            raise
        sealed = admitted.linked.cipher.seal(receipt.body, _context(turn))
        # It was done: that it could not be noted makes a repeat a conflict, and this answer no worse.
        with suppress(StoreUnavailable):
            await self._idempotency.end(turn, IdempotencyState.DONE, receipt.status, sealed)
        return receipt

    async def _carry_out(self, admitted: AdmittedWrite, progress: WriteProgress) -> WriteResult:
        connector, linked = admitted.provider.connector, admitted.linked
        session = VendorSession(connector, linked, self._clock.monotonic() + self._seconds)
        told = True
        try:
            remote_id = await self._driver.drive(session, admitted.write, admitted.write.flow(admitted.order), progress)
        except GatewayError as error:
            error.upstream_calls = session.calls
            raise
        finally:
            if progress.sent:
                told = await self._invalidate(linked, connector.touched(progress.sent), admitted.call.request_id)
        warnings = [] if told else [_STALE]
        body = _body(admitted, remote_id, progress, warnings, self._clock.now())
        return WriteResult(
            admitted.call.operation.status, orjson.dumps(body), replayed=False, upstream_calls=session.calls
        )


_STALE = (
    "The cache could not be told of this write: for as long as kept answers stay fresh, other workers may answer "
    "as of before. Cache-Control: no-cache asks anew."
)


def _must_be_allowed(operation: Operation, found: Sorted, abilities: AccessReport) -> None:
    """Raise for whatever closes the operation, or a field that is given, naming every scope that is missing."""
    ability = abilities.of(operation)
    if ability is None:  # pragma: no cover - it has a write, so it can be done
        raise NotImplementedHere(f"{operation.id} cannot be done.")
    standings = {standing.path: standing for standing in ability.fields}
    closed: dict[Withheld, list[str]] = {why: [] for why in ability.closings}
    if not found.paths and not closed:
        return
    for path in found.paths:
        standing = standings.get(PASSTHROUGH if path.startswith(f"{PASSTHROUGH}.") else path)
        for why in standing.closings if standing else ():
            closed.setdefault(why, []).append(path)
    if not closed:
        return
    lines = [
        f"{', '.join(paths) if paths and why not in ability.closings else operation.id} needs {why.needs}, "
        f"to be had from {why.granter}"
        for why, paths in closed.items()
    ]
    raise Forbidden("; ".join(lines) + ".", errors=[f"missing scope: {why.needs}" for why in closed])


def _remote_id(kind: str, given: str) -> str:
    """Give the vendor's id of a record in the path; nothing for nothing."""
    if not given:
        return ""
    found = ids.decode(kind, given)
    if found is None or not _ID.fullmatch(found):
        raise NotFound(f"There is no such {kind.replace('_', ' ')}, or this account's token may not see it.")
    return found


def _turn(admitted: AdmittedWrite, key: str) -> IdempotencyKey:
    if not _KEY.fullmatch(key):
        raise BadRequest("Idempotency-Key must be 1 to 255 visible characters of ASCII.")
    call = admitted.call
    asked = orjson.dumps(admitted.asked, option=orjson.OPT_SORT_KEYS)
    about = f"{call.operation.id}\0{admitted.order.employee}\0{admitted.order.key}"
    return IdempotencyKey(
        admitted.linked.account.id, sha256(key.encode()).hexdigest(), sha256(about.encode() + b"\0" + asked).hexdigest()
    )


def _context(turn: IdempotencyKey) -> bytes:
    return b"idempotency:" + turn.key.encode()


def _replay(turn: IdempotencyKey, earlier: IdempotencyRecord, linked: Linked, now: datetime) -> WriteResult:
    if earlier.request != turn.request:
        raise Unprocessable(
            "This Idempotency-Key was used for another request within the last 24 hours: take a new one.",
            code="IdempotencyKeyReusedError",
        )
    if earlier.state is IdempotencyState.DONE:
        try:
            body = linked.cipher.open(earlier.sealed, _context(turn))
        except Unsealable as error:
            raise Conflict(
                "This was done before, and its answer can no longer be read, as the account was linked anew since: "
                "read before trying again.",
                code="IdempotencyOutcomeUnknownError",
            ) from error
        return WriteResult(earlier.status, body, replayed=True, upstream_calls=0)
    if earlier.state is IdempotencyState.STARTED and now - earlier.created_at < LONGEST_WRITE:
        raise Conflict(
            "The same request is being carried out now: wait for its answer.", code="IdempotencyInProgressError"
        )
    raise Conflict(
        "This was begun before, and what became of it is not known: read before trying again, with a new "
        "Idempotency-Key.",
        code="IdempotencyOutcomeUnknownError",
    )


def _body(
    admitted: AdmittedWrite, remote_id: str, progress: WriteProgress, warnings: list[str], now: datetime
) -> Mapping[str, Any]:
    """Make the contract's answer; what was not done stands beside it."""
    operation, kind = admitted.call.operation, admitted.write.kind
    message = f"The {kind.replace('_', ' ')} was {_VERBS.get(operation.kind, 'written')}."
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
