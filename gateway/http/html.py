"""HTML pages as bytes: templates that escape all values, headers that load nothing foreign, and static files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.http.context import context_of
from gateway.http.response import Headers

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Renderer:
    """Renders the templates of a folder. All of them have `values` and `filters`."""

    def __init__(
        self, folder: Path, values: Mapping[str, Any], filters: Mapping[str, Callable[..., object]] | None = None
    ) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(filters or {})
        self._environment.globals.update(values)

    def render(self, template: str, values: Mapping[str, Any]) -> bytes:
        """Returns the page that a template makes of the values."""
        return self._environment.get_template(template).render(values).encode()


def page_headers(origins: Sequence[str] = (), *, scripts: bool = False) -> Headers:
    """Returns the headers of a page that uses nothing but the gateway and is framed by `origins` only."""
    ancestors = " ".join(origins) or "'none'"
    policy = [
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        f"frame-ancestors {ancestors}",
        *(["script-src 'self'"] if scripts else []),
    ]
    return [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", "; ".join(policy).encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    ]


class StaticFile:
    """A file that does not change while the process runs. Pages of other origins may load a `shared` one."""

    def __init__(self, operation: str, body: bytes, media_type: str, *, shared: bool) -> None:
        self._operation = operation
        self._body = body
        self._headers: Headers = [
            (b"content-type", f"{media_type}; charset=utf-8".encode()),
            (b"cache-control", b"public, max-age=300"),
            (b"cross-origin-resource-policy", b"cross-origin" if shared else b"same-origin"),
            (b"content-security-policy", b"default-src 'none'"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        context = context_of(scope)
        context.operation = self._operation
        await context.respond(send, 200, self._headers, self._body)


def static_routes(folder: Path, prefix: str, operation: str, *, shared: bool) -> list[Route]:
    """Returns a route `prefix/<name>` for each file of a folder; style sheets begin with the shared colours."""
    colours = (Path(__file__).parent / "colours.css").read_bytes()
    routes = []
    for path in sorted(folder.iterdir()):
        body = (colours if path.suffix == ".css" else b"") + path.read_bytes()
        file = StaticFile(f"{operation}_{path.stem}", body, _MEDIA_TYPES[path.suffix], shared=shared)
        routes.append(Route(f"{prefix}/{path.name}", file, methods=["GET"]))
    return routes


def sentence(text: str) -> str:
    """Returns a text with a capital at its beginning and a full stop at its end."""
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."
