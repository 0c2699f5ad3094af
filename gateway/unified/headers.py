"""How fresh an answer is and what it leaves out, as HTTP headers (RFC 9110, RFC 9111, RFC 9211)."""

from gateway.cache.freshness import Freshness
from gateway.http.response import Headers
from gateway.unified.call import Page

CACHE_NAME = "hris-gateway"
"""Our name in `Cache-Status`."""


def page_headers(page: Page, coding: str) -> Headers:
    """Say how fresh an answer is and what it leaves out. `private`: no cache on the way may share it."""
    fresh = page.freshness
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"age", str(fresh.age).encode()),
        (b"cache-status", cache_status(fresh).encode()),
        (b"cache-control", f"private, max-age={fresh.lifetime}".encode()),
        (b"etag", etag(page.kept.etag, coding)),
        (b"vary", b"authorization, x-account-id, accept-encoding"),
    ]
    if coding:
        headers.append((b"content-encoding", coding.encode()))
    if page.kept.withheld:
        headers.append((b"x-withheld-fields", ", ".join(page.kept.withheld).encode()))
    return headers


def etag(digest: str, coding: str) -> bytes:
    """Write a strong validator: of the same answer in another coding it is another (RFC 9110, section 8.8.3.3)."""
    return f'"{digest}-{coding}"'.encode() if coding else f'"{digest}"'.encode()


def cache_status(fresh: Freshness) -> str:
    """Write a `Cache-Status` member (RFC 9211)."""
    words = [CACHE_NAME, f"fwd={fresh.forwarded}" if fresh.forwarded else "hit"]
    if fresh.failed is not None and fresh.failed.provider_errors:
        words.append(f"fwd-status={fresh.failed.provider_errors[0].status}")
    if not fresh.forwarded or fresh.forwarded == "stale":
        words.append(f"ttl={fresh.ttl}")
    if fresh.stored:
        words.append("stored")
    if fresh.collapsed:
        words.append("collapsed")
    if fresh.detail:
        words.append(f"detail={fresh.detail}")
    return "; ".join(words)
