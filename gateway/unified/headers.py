"""The headers of an answer: its freshness, and the fields that it leaves out (RFC 9110, RFC 9111, RFC 9211)."""

from gateway.cache.freshness import Freshness
from gateway.http.codings import matches
from gateway.http.response import Headers
from gateway.unified.call import Page

CACHE_NAME = "hris-gateway"
"""Our name in `Cache-Status`."""
_BODY_HEADERS = frozenset({b"content-type", b"content-encoding"})


def page_headers(page: Page, coding: str) -> Headers:
    """Returns the headers of a page. `private`: no cache between us and the caller may share it."""
    fresh = page.freshness
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"age", str(fresh.age).encode()),
        (b"cache-status", cache_status(fresh).encode()),
        (b"cache-control", f"private, max-age={fresh.lifetime}".encode()),
        (b"etag", etag(page.entry.etag, coding)),
        (b"vary", b"authorization, x-account-id, accept-encoding"),
    ]
    if coding:
        headers.append((b"content-encoding", coding.encode()))
    if page.entry.withheld:
        headers.append((b"x-withheld-fields", ", ".join(page.entry.withheld).encode()))
    return headers


def answer_head(page: Page, coding: str, if_none_match: bytes) -> tuple[int, Headers]:
    """Returns status and headers of a page: 200, or 304 where the caller has it already.

    `coding` is that of the body that is sent.
    """
    headers = page_headers(page, coding)
    if if_none_match and matches(if_none_match, etag(page.entry.etag, coding)):
        return 304, [each for each in headers if each[0] not in _BODY_HEADERS]
    return 200, headers


def etag(digest: str, coding: str) -> bytes:
    """Returns a strong validator, a different one for each content coding (RFC 9110, section 8.8.3.3)."""
    return f'"{digest}-{coding}"'.encode() if coding else f'"{digest}"'.encode()


def cache_status(fresh: Freshness) -> str:
    """Returns a `Cache-Status` member (RFC 9211)."""
    parts = [CACHE_NAME, f"fwd={fresh.forwarded}" if fresh.forwarded else "hit"]
    if fresh.failed is not None and fresh.failed.provider_errors:
        parts.append(f"fwd-status={fresh.failed.provider_errors[0].status}")
    if not fresh.forwarded or fresh.forwarded == "stale":
        parts.append(f"ttl={fresh.ttl}")
    if fresh.stored:
        parts.append("stored")
    if fresh.collapsed:
        parts.append("collapsed")
    if fresh.why:
        parts.append(f"detail={fresh.why}")
    return "; ".join(parts)
