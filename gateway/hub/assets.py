"""The Hub's templates with the words that they use, its fixed files, and a mark for each provider."""

import re
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup, escape
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.connector import Connector
from gateway.errors import NotFound
from gateway.http.html import Fixed, Renderer, read_static

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


def hub_renderer(product: str) -> Renderer:
    """`product` is what the operator calls the product that asks; empty where it has no name."""
    return Renderer(_HERE / "templates", {"product": product}, {"buttons": _buttons, "article": _article})


def static_routes(connectors: Mapping[str, Connector]) -> list[Route]:
    """Give the routes of what never changes: scripts, the style sheet, and the logos."""
    # Pages of the products that embed us load these.
    files = [
        Route(
            f"/connect/{name}",
            Fixed(f"connect_{name.partition('.')[0]}", read_static(_HERE / "static" / name), kind, shared=True),
            methods=["GET"],
        )
        for name, kind in _KINDS.items()
    ]
    logos = {key: _logo(connector.name) for key, connector in connectors.items()}
    return [*files, Route("/hub/logos/{provider}", _Logos(logos), methods=["GET"])]


class _Logos:
    """A mark of our own for each provider, so that no page has to ask another host for one."""

    def __init__(self, logos: Mapping[str, bytes]) -> None:
        self._logos = {key: Fixed("hub_logo", body, "image/svg+xml", shared=True) for key, body in logos.items()}

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
