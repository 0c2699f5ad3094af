"""The dashboard's templates with their filters, and its static files."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape
from starlette.routing import Route

from gateway.dashboard.site import HOME
from gateway.dashboard.text import actor_text, address_text, detail_texts, event_text, hit_ratio
from gateway.http.html import Renderer, static_routes
from gateway.model import Status

_FOLDER = Path(__file__).parent
_TONES = {
    Status.ACTIVE: "good",
    Status.ERROR: "bad",
    Status.EXPIRED: "bad",
    Status.SUSPENDED: "warn",
}


def dashboard_renderer(root: str, product: str, now: Callable[[], datetime]) -> Renderer:
    """Returns the renderer of the dashboard's pages. `root` is the path of the gateway's public URL."""
    values = {"root": root, "home": f"{root}{HOME}", "product": product, "inf": inf}
    filters: dict[str, Callable[..., object]] = {
        "moment": lambda moment: _moment(moment, now()),
        "tone": lambda status: _TONES.get(status, "idle"),
        "percent": lambda ratio: f"{ratio:.0%}",
        "segment": lambda text: quote(text, safe=""),
        "plural": _plural,
        "event": event_text,
        "actor": actor_text,
        "address": address_text,
        "details": detail_texts,
        "ratio": hit_ratio,
    }
    return Renderer(_FOLDER / "templates", values, filters)


def asset_routes() -> list[Route]:
    return static_routes(_FOLDER / "static", HOME, "dashboard", shared=False)


def _moment(moment: datetime, now: datetime) -> Markup:
    """Returns how long ago a moment was, with the exact time as a tooltip."""
    exact = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    stamp = moment.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        escape(stamp), escape(exact), escape(_ago(moment, now))
    )


def _ago(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    if seconds < 45:
        return "just now"
    for limit, unit, name in ((90 * 60, 60, "min"), (36 * 3600, 3600, "h"), (30 * 86400, 86400, "day")):
        if seconds < limit:
            number = max(1, round(seconds / unit))
            return f"{number} {name}{'s' if name == 'day' and number != 1 else ''} ago"
    return f"{moment.astimezone(UTC):%d %b %Y}"


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
