"""Answers before they are sent, and the form of errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

import orjson

from deploy.sandbox.choices import Choices
from deploy.sandbox.errors import NAMES, ApiError, Issue

JSON = b"application/json; charset=utf-8"
HTML = b"text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer: its status, body and headers."""

    status: int = 200
    body: bytes = b""
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Returns the headers as ASGI sends them."""
        if self.status == 204:
            return list(self.headers)
        length = str(len(self.body)).encode()
        return [(b"content-type", self.content_type), (b"content-length", length), *self.headers]


def json_answer(value: object, status: int = 200) -> Answer:
    """Returns an answer with a JSON body."""
    return Answer(status=status, body=orjson.dumps(value))


def html_answer(status: int, text: str) -> Answer:
    """Returns an answer with an HTML page."""
    page = f"<!DOCTYPE html><html><title>{status}</title><body><h1>{escape(text)}</h1></body></html>"
    return Answer(status=status, body=page.encode(), content_type=HTML)


def error_answer(error: ApiError, choices: Choices) -> Answer:
    """Returns the answer for an error, in the form that the choices select."""
    status = 400 if error.status == 422 and choices.create_invalid == "400" else error.status
    name = NAMES.get(status, "GeneralError")
    if choices.error_body == "html":
        return html_answer(status, f"{status} {name}")
    words = choices.error_code == "string"
    body: dict[str, object] = {
        "code": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() if words else status,
        "name": name,
        "message": error.message,
    }
    if error.issues:
        body["issues"] = [_other_issue(issue) if words else _issue(issue) for issue in error.issues]
    return json_answer(body, status)


def _issue(issue: Issue) -> dict[str, object]:
    body: dict[str, object] = {"name": issue.name, "reason": issue.reason}
    return body | {"forbidden": True} if issue.forbidden else body


def _other_issue(issue: Issue) -> dict[str, object]:
    return {"path": issue.name, "message": issue.reason}
