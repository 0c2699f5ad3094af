"""The fast path: answers a repeated GET from the local cache, without parsing it again.

The fast path decides nothing. The decision for an equal request is remembered together with the key and the account
that it was made for, and is valid while these are unchanged. Every other request takes the full path.
"""

import secrets
from dataclasses import dataclass
from hashlib import blake2b

from starlette.types import Scope

from gateway.cache.lru import Lru
from gateway.unified.call import FastPathTicket

REMEMBERED_TICKETS = 10_000
_PART_OF_REQUEST = frozenset({b"authorization", b"x-account-id", b"accept-encoding", b"if-none-match"})
_FULL_PATH_ONLY = frozenset({b"cache-control", b"content-type", b"content-encoding", b"idempotency-key"})


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A digest of all that the answer to a request depends on, and the headers that choose its form."""

    digest: bytes
    accept_encoding: bytes
    if_none_match: bytes


@dataclass(frozen=True, slots=True)
class FastPathEntry:
    """A ticket, and the operation's id for logs."""

    ticket: FastPathTicket
    operation: str


class FastPath:
    """Remembers tickets by a digest of their requests, keyed by a secret of this process.

    So a long query takes no more memory than a short one, and a caller cannot craft requests whose digests collide.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._tickets: Lru[bytes, FastPathEntry] = Lru(REMEMBERED_TICKETS)

    def fingerprint(self, scope: Scope) -> Fingerprint | None:
        """Returns the fingerprint of a request, or None for one that has to take the full path."""
        if scope["method"] != "GET":
            return None
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in _PART_OF_REQUEST:
                if name in found:
                    return None
                found[name] = value
            elif name in _FULL_PATH_ONLY:
                return None
        key, account = found.get(b"authorization", b""), found.get(b"x-account-id", b"")
        path, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
        # With the lengths in front, no two requests give the same text.
        text = b"%d,%d,%d:%b%b%b%b" % (len(key), len(account), len(path), key, account, path, query)
        digest = blake2b(text, digest_size=16, key=self._key).digest()
        return Fingerprint(digest, found.get(b"accept-encoding", b""), found.get(b"if-none-match", b""))

    def find(self, fingerprint: Fingerprint) -> FastPathEntry | None:
        """Returns the entry of an equal earlier request, or None."""
        return self._tickets.get(fingerprint.digest)

    def remember(self, fingerprint: Fingerprint, entry: FastPathEntry) -> None:
        """Stores the entry of a request for equal later ones."""
        self._tickets.put(fingerprint.digest, entry)
