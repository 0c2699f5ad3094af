"""The document, and the page that shows it, over HTTP: bytes which anyone may read.

They are made when somebody first asks, and kept: most workers are never asked, and would start 70 ms later.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.web.codings import matches
from gateway.web.edge import exchange_of
from gateway.web.openapi.schemas import Schema
from gateway.web.openapi.view import make_view

_QUOTED = re.compile("`([^`]*)`")
_HERE = Path(__file__).parent
_SAFE = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
# Nothing is loaded but our own style sheet, nothing is sent, and no other page shows this one within itself.
_PAGE_ONLY = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}


@dataclass(frozen=True, slots=True)
class Fixed:
    """An endpoint that always gives the same bytes, or 304 to those who have them."""

    name: str
    make: Callable[[], bytes]
    kind: str
    headers: Mapping[str, str]

    async def __call__(self, request: Request) -> Response:
        exchange = exchange_of(request.scope)
        exchange.operation = self.name
        # In a thread: others are answered meanwhile.
        body = await asyncio.to_thread(self.make)
        tag = f'"{sha256(body).hexdigest()[:32]}"'
        known = request.headers.get("if-none-match", "").encode("latin-1")
        exchange.status = 304 if matches(known, tag.encode()) else 200
        headers = {
            **self.headers,
            **_SAFE,
            "etag": tag,
            "cache-control": "no-cache",  # It may be kept, but the next release changes it.
            "x-request-id": exchange.request_id,
        }
        if exchange.status == 304:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=self.kind, headers=headers)


def documentation(describe: Callable[[], Schema]) -> list[Route]:
    """Give the routes; `describe` makes the document, and is called once for each of the two."""
    fixed = {
        "/openapi.json": Fixed("openapi", cache(lambda: orjson.dumps(describe())), "application/json", {}),
        "/docs": Fixed("docs", cache(lambda: render_page(describe())), "text/html", _PAGE_ONLY),
        "/docs/style.css": Fixed("docs_style", cache((_HERE / "style.css").read_bytes), "text/css", {}),
    }
    return [Route(path, each.__call__, methods=["GET"], name=each.name) for path, each in fixed.items()]


def render_page(document: Schema) -> bytes:
    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    environment.filters["code"] = _code
    return environment.get_template("docs.html").render(view=make_view(document)).encode()


def _code(text: str) -> Markup:
    """Show what stands between backquotes as code."""
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it has been escaped
