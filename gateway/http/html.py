"""Pages as bytes: templates that escape everything, headers that let in nothing foreign, and fixed files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.types import Receive, Scope, Send

from gateway.http.middleware import context_of
from gateway.http.response import Headers


class Renderer:
    """Fills the templates of a folder. `values` are known in each of them, `filters` by their names."""

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

    def page(self, template: str, values: Mapping[str, Any]) -> bytes:
        return self._environment.get_template(template).render(values).encode()


def page_headers(origins: Sequence[str] = (), *, scripts: bool = False) -> Headers:
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
        (b"cache-control", b"no-store"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    ]


class Fixed:
    """A file that never changes while we run. `shared` ones may be loaded by pages of other origins."""

    def __init__(self, name: str, body: bytes, kind: str, *, shared: bool) -> None:
        self._name = name
        self._body = body
        self._headers: Headers = [
            (b"content-type", f"{kind}; charset=utf-8".encode()),
            (b"cache-control", b"public, max-age=300"),
            (b"cross-origin-resource-policy", b"cross-origin" if shared else b"same-origin"),
            (b"content-security-policy", b"default-src 'none'"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        context = context_of(scope)
        context.operation = self._name
        await context.respond(send, 200, self._headers, self._body)


def read_static(path: Path) -> bytes:
    """Read a file of ours; a style sheet begins with the colours that all pages share."""
    colours = (Path(__file__).parent / "colours.css").read_bytes() if path.suffix == ".css" else b""
    return colours + path.read_bytes()


def sentence(text: str) -> str:
    """Begin a text with a capital, and end it like a sentence."""
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."
