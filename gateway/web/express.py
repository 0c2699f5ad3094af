"""The short way for a call that was answered before: same words, same answer, if nothing has changed and it is near.

It decides nothing. What was decided for the same words is remembered together with the key and the account that it
was decided for, and holds as long as these are the same; anything else takes the long way.
"""

import secrets
from dataclasses import dataclass
from hashlib import blake2b

from starlette.types import Scope

from gateway.core.call import Ticket

REMEMBERED = 10_000
_PLAIN = frozenset({b"authorization", b"x-account-id", b"accept-encoding", b"if-none-match"})
_LONG_WAY = frozenset({b"cache-control", b"content-type", b"content-encoding", b"idempotency-key"})


@dataclass(frozen=True, slots=True)
class Words:
    """All of a request that its answer depends on, and in which form the caller takes it."""

    fingerprint: tuple[bytes, bytes, bytes]
    accepted: bytes
    known: bytes


@dataclass(frozen=True, slots=True)
class Stub:
    """A ticket, and the name of the operation for logs."""

    ticket: Ticket
    operation: str


class Express:
    """Remembers tickets by the words of their calls; of keys only a digest, under a key of this process alone."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._stubs: dict[tuple[bytes, bytes, bytes], Stub] = {}

    def read(self, scope: Scope) -> Words | None:
        """Give the words of a request, or None for one that has to take the long way."""
        if scope["method"] != "GET":
            return None
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in _PLAIN:
                if name in found:
                    return None
                found[name] = value
            elif name in _LONG_WAY:
                return None
        who = found.get(b"authorization", b"") + b"\0" + found.get(b"x-account-id", b"")
        digest = blake2b(who, digest_size=16, key=self._key).digest()
        fingerprint = (scope.get("raw_path") or scope["path"].encode(), scope["query_string"], digest)
        return Words(fingerprint, found.get(b"accept-encoding", b""), found.get(b"if-none-match", b""))

    def find(self, words: Words) -> Stub | None:
        return self._stubs.get(words.fingerprint)

    def remember(self, words: Words, stub: Stub) -> None:
        if len(self._stubs) >= REMEMBERED:
            self._stubs.clear()
        self._stubs[words.fingerprint] = stub
