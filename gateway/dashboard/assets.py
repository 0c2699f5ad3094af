"""The dashboard's templates with the words that they use, and its fixed files."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape
from starlette.routing import Route

from gateway.dashboard.account_history import hit_ratio
from gateway.dashboard.page import HOME
from gateway.dashboard.text import detail_words, what_words, where_words, who_words
from gateway.http.html import Fixed, Renderer, read_static
from gateway.model import Status

_HERE = Path(__file__).parent
_KINDS = {"dashboard.css": "text/css", "dashboard.js": "text/javascript", "icon.svg": "image/svg+xml"}
_TONES = {
    Status.ACTIVE: "good",
    Status.ERROR: "bad",
    Status.EXPIRED: "bad",
    Status.SUSPENDED: "warn",
}


def dashboard_renderer(root: str, product: str, now: Callable[[], datetime]) -> Renderer:
    """`root` is the path that the operator has put us under."""
    values = {"root": root, "home": f"{root}{HOME}", "product": product, "inf": inf}
    filters: dict[str, Callable[..., object]] = {
        "moment": lambda moment: _moment(moment, now()),
        "tone": lambda status: _TONES.get(status, "idle"),
        "percent": lambda ratio: f"{ratio:.0%}",
        "segment": lambda text: quote(text, safe=""),
        "many": _many,
        "what": what_words,
        "who": who_words,
        "where": where_words,
        "details": detail_words,
        "ratio": hit_ratio,
    }
    return Renderer(_HERE / "templates", values, filters)


def static_routes() -> Sequence[Route]:
    return [
        Route(
            f"{HOME}/{name}",
            Fixed(f"dashboard_{name.rpartition('.')[2]}", read_static(_HERE / "static" / name), kind, shared=False),
            methods=["GET"],
        )
        for name, kind in _KINDS.items()
    ]


def _moment(moment: datetime, now: datetime) -> Markup:
    """Show how long ago a moment was, with the moment itself for whoever points at it."""
    exact = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    stamp = moment.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        escape(stamp), escape(exact), escape(_ago(moment, now))
    )


def _ago(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    if seconds < 45:
        return "just now"
    for most, unit, word in ((90 * 60, 60, "min"), (36 * 3600, 3600, "h"), (30 * 86400, 86400, "day")):
        if seconds < most:
            number = max(1, round(seconds / unit))
            return f"{number} {word}{'s' if word == 'day' and number != 1 else ''} ago"
    return f"{moment.astimezone(UTC):%d %b %Y}"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
