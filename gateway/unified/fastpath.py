"""The short way for a call that was answered before: same words, same answer, if nothing has changed and it is near.

It decides nothing. What was decided for the same words is remembered together with the key and the account that it
was decided for, and holds as long as these are the same; anything else takes the long way.
"""

import secrets
from dataclasses import dataclass
from hashlib import blake2b

from starlette.types import Scope

from gateway.cache.lru import Lru
from gateway.unified.call import FastPathTicket

REMEMBERED = 10_000
_PLAIN = frozenset({b"authorization", b"x-account-id", b"accept-encoding", b"if-none-match"})
_LONG_WAY = frozenset({b"cache-control", b"content-type", b"content-encoding", b"idempotency-key"})


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A digest of all of a request that its answer depends on, and in which form the caller takes it."""

    digest: bytes
    accepted: bytes
    known: bytes


@dataclass(frozen=True, slots=True)
class FastPathEntry:
    """A ticket, and the name of the operation for logs."""

    ticket: FastPathTicket
    operation: str


class FastPath:
    """Remembers tickets by the words of their calls: by a digest alone, under a key of this process.

    So callers who send long queries take no more memory than others, and the least recently used ticket goes first.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._stubs: Lru[bytes, FastPathEntry] = Lru(REMEMBERED)

    def read(self, scope: Scope) -> Fingerprint | None:
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
        key, account = found.get(b"authorization", b""), found.get(b"x-account-id", b"")
        path, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
        # With the lengths no two requests are one text.
        text = b"%d,%d,%d:%b%b%b%b" % (len(key), len(account), len(path), key, account, path, query)
        digest = blake2b(text, digest_size=16, key=self._key).digest()
        return Fingerprint(digest, found.get(b"accept-encoding", b""), found.get(b"if-none-match", b""))

    def find(self, words: Fingerprint) -> FastPathEntry | None:
        return self._stubs.get(words.digest)

    def remember(self, words: Fingerprint, stub: FastPathEntry) -> None:
        self._stubs.put(words.digest, stub)
