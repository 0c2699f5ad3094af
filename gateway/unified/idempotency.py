"""Idempotency keys: a write under a key is done once, and repeated requests get the answer of the first one."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import orjson

from gateway.errors import BadRequest, Conflict, StoreUnavailable, Unprocessable
from gateway.model import Clock, IdempotencyKey, IdempotencyRecord, IdempotencyState, LinkedAccount, Unsealable
from gateway.unified.idempotency_store import IdempotencyStore
from gateway.unified.write_admission import AdmittedWrite

REMEMBERED = timedelta(hours=24)
LONGEST_WRITE = timedelta(minutes=5)
"""A write that has not ended after this time was cut off: no process works at it any more."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The answer to a write: its status, JSON ready to send, whether it is a replay, and its calls to the vendor."""

    status: int
    body: bytes
    replayed: bool
    upstream_calls: int


class Idempotency:
    """Reserves keys before a write, and stores what became of it."""

    def __init__(self, store: IdempotencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def reserve(self, key: IdempotencyKey, linked: LinkedAccount) -> WriteResult | None:
        """Reserves a key, or returns the answer that was given under it before.

        Raises `Unprocessable` where the key was used for another request, and `Conflict` where the same request is
        being carried out or its outcome is not known.
        """
        now = self._clock.now()
        earlier = await self._store.begin(key, now, now - REMEMBERED)
        return None if earlier is None else _replay(key, earlier, linked, now)

    async def complete(self, key: IdempotencyKey, linked: LinkedAccount, result: WriteResult) -> None:
        """Stores the answer. If that fails, the caller still gets it, and a repetition is a conflict."""
        sealed = linked.cipher.seal(result.body, _context(key))
        with suppress(StoreUnavailable):
            await self._store.end(key, IdempotencyState.DONE, result.status, sealed)

    async def fail(self, key: IdempotencyKey, *, uncertain: bool) -> None:
        """Releases the key of a write that was not done, so that it can be tried again.

        If it is `uncertain` whether it was done, the key stays reserved, and a repetition is a conflict.
        """
        with suppress(StoreUnavailable):
            if uncertain:
                await self._store.end(key, IdempotencyState.UNKNOWN)
            else:
                await self._store.release(key)


def idempotency_key(admitted: AdmittedWrite) -> IdempotencyKey | None:
    """Returns the key of a write with the digest of what is asked; None where there is no key or it is not needed.

    Only creations need one: to repeat a change or a cancellation does no harm. Raises `BadRequest`.
    """
    call = admitted.call
    if call.idempotency_key is None or call.operation.kind != "create":
        return None
    if not _KEY.fullmatch(call.idempotency_key):
        raise BadRequest("Idempotency-Key must be 1 to 255 visible characters of ASCII.")
    asked = orjson.dumps(admitted.asked, option=orjson.OPT_SORT_KEYS)
    about = f"{call.operation.id}\0{admitted.order.employee}\0{admitted.order.key}"
    return IdempotencyKey(
        admitted.linked.account.id,
        sha256(call.idempotency_key.encode()).hexdigest(),
        sha256(about.encode() + b"\0" + asked).hexdigest(),
    )


def _context(key: IdempotencyKey) -> bytes:
    return b"idempotency:" + key.key.encode()


def _replay(key: IdempotencyKey, earlier: IdempotencyRecord, linked: LinkedAccount, now: datetime) -> WriteResult:
    if earlier.request != key.request:
        raise Unprocessable(
            "This Idempotency-Key was used for another request within the last 24 hours: take a new one.",
            code="IdempotencyKeyReusedError",
        )
    if earlier.state is IdempotencyState.DONE:
        try:
            body = linked.cipher.open(earlier.sealed, _context(key))
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
