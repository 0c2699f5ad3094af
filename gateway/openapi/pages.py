"""The document, and the page that shows it, over HTTP. Both are open to everybody.

Each is made at the first request for it: most workers never get one, and would start 70 ms later.
"""

import asyncio
import re
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.cache.compression import pack, pack_gzip
from gateway.http.codings import coding_for, matches
from gateway.http.context import context_of
from gateway.http.response import Headers
from gateway.openapi.page_view import DocumentView, by_vendor, curl
from gateway.openapi.schemas import Schema
from gateway.unified.headers import etag

_QUOTED = re.compile("`([^`]*)`")
_HERE = Path(__file__).parent
_NO_REFERRER = (b"referrer-policy", b"no-referrer")
# Nothing is loaded but our own style sheet, nothing is sent, and no other page shows this one within itself.
_PAGE_ONLY = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)


class EncodedContent:
    """Bytes that never change, in each content coding."""

    def __init__(self, plain: bytes) -> None:
        self._forms = {"": plain, "zstd": pack(plain), "gzip": pack_gzip(plain)}
        self._digest = sha256(plain).hexdigest()[:32]

    def form(self, coding: str) -> tuple[bytes, bytes]:
        """Returns the bytes in a coding, and their validator."""
        return self._forms[coding], etag(self._digest, coding)


class StaticContent:
    """An endpoint that always answers with the same bytes, or with 304 to callers that have them."""

    def __init__(self, name: str, make: Callable[[], bytes], kind: bytes, headers: Headers) -> None:
        self.name = name
        self._coded = cache(lambda: EncodedContent(make()))
        # Caches must ask again each time, since the next release changes it.
        self._headers: Headers = [
            (b"content-type", kind),
            (b"cache-control", b"no-cache"),
            (b"vary", b"accept-encoding"),
            _NO_REFERRER,
            *headers,
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        context = context_of(scope)
        context.operation = self.name
        # In a thread, so that other requests are answered meanwhile.
        coded = await asyncio.to_thread(self._coded)
        given = dict(scope["headers"])
        coding = coding_for(given.get(b"accept-encoding", b""))
        body, tag = coded.form(coding)
        headers: Headers = [*self._headers, (b"etag", tag)]
        if matches(given.get(b"if-none-match", b""), tag):
            await context.begin(send, 304, headers)
            await send({"type": "http.response.body", "body": b""})
            return
        if coding:
            headers.append((b"content-encoding", coding.encode()))
        await context.respond(send, 200, headers, body)


def documentation(describe: Callable[[], Schema]) -> list[Route]:
    """Returns the routes. `describe` makes the document, once for each of the two forms."""
    fixed = {
        "/openapi.json": StaticContent("openapi", lambda: orjson.dumps(describe()), b"application/json", []),
        "/docs": StaticContent("docs", lambda: render_page(describe()), b"text/html; charset=utf-8", [_PAGE_ONLY]),
        "/docs/style.css": StaticContent(
            "docs_style", (_HERE / "style.css").read_bytes, b"text/css; charset=utf-8", []
        ),
    }
    return [Route(path, each, methods=["GET"], name=each.name) for path, each in fixed.items()]


def render_page(document: Schema) -> bytes:
    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"code": _code, "by_vendor": by_vendor}
    view = DocumentView(document)
    return environment.get_template("docs.html").render(document=document, view=view, curl=curl).encode()


def _code(text: str) -> Markup:
    """Marks the text between backquotes as code."""
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it has been escaped
