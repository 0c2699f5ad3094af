"""The fast path: answers a repeated GET from the local cache, without parsing it again.

The fast path decides nothing. The full path answers a request first; what it decided is remembered under a keyed digest
of the request's head, and is used while key, account, day and stored answer are as they were. Every other request takes
the full path.

A head is the text before a request's body, with the empty line that ends it (RFC 9112, section 2.1).
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from starlette.types import Scope

from gateway.cache.entry import CacheEntry
from gateway.cache.freshness import Freshness
from gateway.cache.lru import Lru
from gateway.http.codings import coding_for
from gateway.http.context import headers_with_id
from gateway.http.request_observer import RequestObserver
from gateway.http.response import render_head, with_length
from gateway.unified.call import FastPathTicket, Page
from gateway.unified.headers import answer_head
from gateway.unified.read import ReadService

FAST_PATH = "fast_path"
"""Its name in the lifespan state of the ASGI app, where the server's connections find it."""
REMEMBERED_TICKETS = 10_000
"""A ticket takes about 600 bytes, whatever the request was."""
LONGEST_HEAD = 8192
"""Bytes. Far below the limits of the full path, so that no request gets around those."""
_HEAD = re.compile(
    rb"GET /unified/hris/[!-~]* HTTP/1\.[01]\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+\r\n"
)
"""A request line, field lines that each end with CRLF and are not folded, and an empty line (RFC 9112)."""
_IGNORED = (
    *("baggage", "cf-connecting-ip", "cf-ray", "forwarded", "sentry-trace", "traceparent", "tracestate"),
    *("true-client-ip", "user-agent", "via", "x-amzn-trace-id", "x-cloud-trace-context", "x-correlation-id"),
    *("x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-server"),
    *("x-real-ip", "x-request-id"),
)
"""Fields that clients and proxies add to a head and that no answer depends on."""
_IGNORED_LINES = re.compile(
    rb"\r\n(?:%b):[^\r]*" % "|".join(form for name in _IGNORED for form in (name, name.title())).encode()
)
"""Such lines, with their names in the two spellings that are common. In another one, they count as others do."""
_DECIDING = frozenset({b"authorization", b"x-account-id", b"accept-encoding", b"if-none-match"})
_FULL_PATH_ONLY = frozenset(
    {
        *(b"cache-control", b"content-type", b"content-encoding", b"idempotency-key"),
        *(b"content-length", b"transfer-encoding", b"te", b"trailer", b"expect", b"upgrade", b"http2-settings"),
    }
)
_ID = b"\0"
"""Stands for the request id in a head that is made once and used for many requests."""
_EXTENSION = "hris-gateway.head"
"""Our entry among the extensions of an ASGI scope."""


@dataclass(frozen=True, slots=True)
class Head:
    """The digest of a request's head, and whether its connection stays open after the answer."""

    digest: bytes
    keep_alive: bool


@dataclass(slots=True)
class _Entry:
    """What the full path decided for a head, and the head of the last answer to it, which changes once a second."""

    ticket: FastPathTicket
    operation: str
    coding: str
    if_none_match: bytes
    keep_alive: bool
    status: int = 0
    etag: str = ""
    age: int = -1
    ttl: int = 0
    by_webhook: bool = False
    server_headers: object = None
    before_id: bytes = b""
    after_id: bytes = b""


class FastPath:
    """Remembers tickets by the digest of a head, keyed by a secret of this process.

    So a long head takes no more memory than a short one, and a caller cannot craft heads whose digests collide.
    """

    def __init__(self, reads: ReadService, observer: RequestObserver, now: Callable[[], float]) -> None:
        """`now` returns seconds since the epoch."""
        self._reads = reads
        self._observer = observer
        self._now = now
        self._key = secrets.token_bytes(32)
        self._entries: Lru[bytes, _Entry] = Lru(REMEMBERED_TICKETS)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, digest: bytes) -> bool:
        return self._entries.get(digest) is not None

    def digest(self, data: bytes) -> bytes | None:
        """Returns the digest of a head if `data` is one whole head of a unified GET and nothing else, else None.

        Two heads have one digest only if they differ in ignored lines alone. Their other lines are the same bytes in
        the same order, so the full path reads them in the same way.
        """
        if len(data) > LONGEST_HEAD or _HEAD.fullmatch(data) is None:
            return None
        return blake2b(_IGNORED_LINES.sub(b"", data), digest_size=16, key=self._key).digest()

    def answer(self, digest: bytes, server_headers: list[tuple[bytes, bytes]]) -> tuple[list[bytes], bool] | None:
        """Returns the answer to a head in pieces, and whether the connection stays open; None for the full path.

        `server_headers` are those that the server puts in front, in a new list whenever they change.
        """
        found = self._entries.get(digest)
        if found is None:
            return None
        now = self._now()
        stored = self._reads.fast_path(found.ticket, now)
        if stored is None:
            return None
        context = self._observer.begin()
        context.operation, context.account_id, context.cache = found.operation, found.ticket.account_id, "hit"
        times = stored.times
        age, ttl, by_webhook = int(now - times.made_at), int(times.fresh_until - now), 0 < times.webhook_from <= now
        if (
            found.age != age
            or found.ttl != ttl
            or found.by_webhook is not by_webhook
            or found.server_headers is not server_headers
            or found.etag is not stored.etag
        ):
            found.age, found.ttl, found.by_webhook = age, ttl, by_webhook
            found.server_headers, found.etag = server_headers, stored.etag
            self._make_head(found, stored, now, server_headers)
        context.status = found.status
        self._observer.end(context, "GET")
        answer = [found.before_id, context.request_id.encode(), found.after_id]
        if found.status != 304:
            answer.append(stored.coded(found.coding)[0])
        return answer, found.keep_alive

    def remember(self, scope: Scope, ticket: FastPathTicket, operation: str) -> None:
        """Remembers what the full path has decided, for equal requests to come."""
        head = head_of(scope)
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in _FULL_PATH_ONLY or (name in _DECIDING and name in headers):
                return
            headers[name] = value
        if head is None:
            return
        coding = coding_for(headers.get(b"accept-encoding", b""))
        entry = _Entry(ticket, operation, coding, headers.get(b"if-none-match", b""), head.keep_alive)
        self._entries.put(head.digest, entry)

    def _make_head(
        self, entry: _Entry, stored: CacheEntry, now: float, server_headers: list[tuple[bytes, bytes]]
    ) -> None:
        page = Page(stored, Freshness(times=stored.times, now=now, detail="local"))
        body, coding = stored.coded(entry.coding)
        entry.status, headers = answer_head(page, coding, entry.if_none_match)
        if entry.status == 200:
            headers = with_length(headers, body)
        headers = [*server_headers, *headers_with_id(headers, _ID)]
        entry.before_id, _, entry.after_id = render_head(entry.status, headers, entry.keep_alive).partition(_ID)


def put_head(scope: Scope, head: Head) -> None:
    """Puts the head's digest into the scope of its request, where `remember` finds it."""
    scope["extensions"] = {_EXTENSION: head}


def head_of(scope: Scope) -> Head | None:
    """Returns what `put_head` has put."""
    found: Head | None = scope.get("extensions", {}).get(_EXTENSION)
    return found
