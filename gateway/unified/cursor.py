"""Page cursors: opaque, signed, and bound to account, operation and query.

A cursor names the snapshot of the list that a walk through its pages reads, and the position that it has reached. If
that snapshot is no longer stored, the walk may continue in a newer one: `last` and `total` tell whether that has the
same record at the same position.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import astuple, dataclass
from hashlib import sha256
from json import dumps, loads

from gateway.errors import BadRequest

_MAC_BYTES = 16
_STEPS = 10
"""`made_at` is rounded down to a tenth of the lifetime, so a cursor is valid for at least nine tenths of it."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a snapshot.

    `position` is the row after the last one sent, `total` the length of the list, and `last` the digest of the last id
    sent. `made_at` is in seconds since the epoch, rounded down.
    """

    snapshot: str
    position: int
    total: int
    last: str
    made_at: int


@dataclass(frozen=True, slots=True)
class CursorSigner:
    """Signs with a key that all workers share. Cursors older than `lifetime` seconds are refused."""

    key: bytes
    lifetime: int

    def __repr__(self) -> str:
        return f"CursorSigner(lifetime={self.lifetime})"

    def moment(self, now: float) -> int:
        """Returns the time to write into a cursor: rounded down, so that an unchanged page has an unchanged cursor."""
        step = max(1, self.lifetime // _STEPS)
        return int(now) // step * step

    def write(self, cursor: Cursor, bound_to: str) -> str:
        """Returns the signed text of a cursor."""
        plain = dumps(astuple(cursor), separators=(",", ":")).encode()
        return _text(self._mac(plain, bound_to) + plain)

    def read(self, text: str, bound_to: str, now: float) -> Cursor:
        """Returns the cursor of a text.

        Raises `BadRequest` for a cursor that is damaged, of another account or query, or too old.
        """
        try:
            sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError:
            sealed = b""
        mac, plain = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        # Decoding ignores stray characters; comparing the text again does not.
        if not hmac.compare_digest(mac, self._mac(plain, bound_to)) or _text(sealed) != text:
            raise BadRequest(
                "next is not a cursor of this list. Send the `next` of the previous page unchanged, for the same "
                "account and with the same fields, filters, expand and include."
            )
        cursor = Cursor(*loads(plain))
        if now - cursor.made_at > self.lifetime:
            raise stale_cursor(f"it is older than {self.lifetime} seconds")
        return cursor

    def _mac(self, plain: bytes, bound_to: str) -> bytes:
        return hmac.digest(self.key, bound_to.encode() + b"\0" + plain, sha256)[:_MAC_BYTES]


def _text(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


class SnapshotLost(Exception):
    """The snapshot that a cursor names is no longer stored, and the list has changed since."""


def stale_cursor(why: str) -> BadRequest:
    """Returns the error for a cursor that can no longer be used."""
    return BadRequest(f"next has gone stale: {why}. Start the walk again without next.", code="StaleCursorError")


def mark(key: str) -> str:
    """Returns a short one-way digest of a record's id."""
    return sha256(key.encode()).hexdigest()[:12]
