"""The Hub's templates with their filters, its static files, and a logo for each provider."""

import re
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup, escape
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.connector import Connector
from gateway.errors import NotFound
from gateway.http.html import Renderer, StaticFile, static_routes

_FOLDER = Path(__file__).parent
_BUTTON = re.compile(r"\*([^*]+)\*")
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
    """Returns the renderer of the Hub's pages. `product` is the name of the operator's product, or empty."""
    return Renderer(_FOLDER / "templates", {"product": product}, {"buttons": _mark_buttons, "article": _with_article})


def asset_routes(connectors: Mapping[str, Connector]) -> list[Route]:
    """Returns the routes of scripts, style sheet and logos. Pages of products that embed the Hub load them too."""
    files = static_routes(_FOLDER / "static", "/connect", "connect", shared=True)
    logos = {key: _draw_logo(connector.name) for key, connector in connectors.items()}
    return [*files, Route("/hub/logos/{provider}", _Logos(logos), methods=["GET"])]


class _Logos:
    """Logos that the gateway draws, so that no page loads one from another host."""

    def __init__(self, logos: Mapping[str, bytes]) -> None:
        self._logos = {key: StaticFile("hub_logo", body, "image/svg+xml", shared=True) for key, body in logos.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        logo = self._logos.get(scope["path_params"]["provider"])
        if logo is None:
            raise NotFound("There is no such provider.", code="ConnectorNotFoundError")
        await logo(scope, receive, send)


def _draw_logo(name: str) -> bytes:
    colour = _COLOURS[sum(name.encode()) % len(_COLOURS)]
    return _LOGO.format(name=escape(name), letter=escape(name[:1].upper()), colour=colour).encode()


def _mark_buttons(text: str) -> Markup:
    """Returns a text with `*names*` of buttons in bold."""
    return Markup(_BUTTON.sub(r"<strong>\1</strong>", str(escape(text))))  # noqa: S704 - it has been escaped


def _with_article(noun: str) -> str:
    return f"{'an' if noun[:1].upper() in _VOWELS else 'a'} {noun}"
