"""The Hub's pages as bytes: templates that escape everything, headers that let in nothing foreign, and fixed files."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.spec import Connector
from gateway.core.errors import NotFound
from gateway.web.edge import exchange_of
from gateway.web.render import Headers

_HERE = Path(__file__).parent
_QUOTED = re.compile(r"\*([^*]+)\*")
_KINDS = {"embed.js": "text/javascript", "connected.js": "text/javascript", "style.css": "text/css"}
_VOWELS = "AEIOU"
_LOGO = """\
<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96" viewBox="0 0 96 96" role="img" aria-label="{name}">
<rect width="96" height="96" rx="20" fill="#{colour}"/>
<text x="48" y="66" font-family="system-ui, sans-serif" font-size="54" font-weight="700" text-anchor="middle"
 fill="#ffffff">{letter}</text>
</svg>
"""
_COLOURS = ("3b4cca", "0f766e", "9a3412", "7e22ce", "1d4ed8")


class Renderer:
    """`product` is what the operator calls the product that asks; empty where it has no name."""

    def __init__(self, product: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self._environment.filters["buttons"] = _buttons
        self._environment.filters["article"] = _article
        self._environment.globals["product"] = product

    def page(self, template: str, values: Mapping[str, Any]) -> bytes:
        return self._environment.get_template(template).render(values).encode()

    def headers(self, origins: Sequence[str], *, scripts: bool = False) -> Headers:
        """Give the headers of a page: it loads from us alone, sends to us alone, and is shown by `origins` alone."""
        shown_by = " ".join(origins) or "'none'"
        policy = [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {shown_by}",
            *(["script-src 'self'"] if scripts else []),
        ]
        return [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", "; ".join(policy).encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
        ]


def static_routes(connectors: Mapping[str, Connector]) -> list[Route]:
    """Give the routes of what never changes: scripts, the style sheet, and the logos."""
    files = [
        Route(
            f"/connect/{name}",
            _Fixed(f"connect_{name.partition('.')[0]}", (_HERE / "static" / name).read_bytes(), kind),
            methods=["GET"],
        )
        for name, kind in _KINDS.items()
    ]
    logos = {key: _logo(connector.name) for key, connector in connectors.items()}
    return [*files, Route("/hub/logos/{provider}", _Logos(logos), methods=["GET"])]


class _Fixed:
    def __init__(self, name: str, body: bytes, kind: str) -> None:
        self._name = name
        self._body = body
        self._kind = kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        exchange = exchange_of(scope)
        exchange.operation = self._name
        headers: Headers = [
            (b"content-type", f"{self._kind}; charset=utf-8".encode()),
            (b"cache-control", b"public, max-age=300"),
            (b"x-content-type-options", b"nosniff"),
            # Pages of the products that embed us load these.
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"content-security-policy", b"default-src 'none'"),
        ]
        await exchange.respond(send, 200, headers, self._body)


class _Logos:
    """A mark of our own for each provider, so that no page has to ask another host for one."""

    def __init__(self, logos: Mapping[str, bytes]) -> None:
        self._logos = {key: _Fixed("hub_logo", body, "image/svg+xml") for key, body in logos.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._logos.get(scope["path_params"]["provider"])
        if found is None:
            raise NotFound("There is no such provider.", code="ConnectorNotFoundError")
        await found(scope, receive, send)


def _logo(name: str) -> bytes:
    colour = _COLOURS[sum(name.encode()) % len(_COLOURS)]
    return _LOGO.format(name=escape(name), letter=escape(name[:1].upper()), colour=colour).encode()


def _buttons(text: str) -> Markup:
    """Show what stands between asterisks as what is written on a button."""
    return Markup(_QUOTED.sub(r"<strong>\1</strong>", str(escape(text))))  # noqa: S704 - it has been escaped


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].upper() in _VOWELS else 'a'} {noun}"
