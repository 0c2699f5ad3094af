"""Plain HTTP, byte for byte as it is written here: no client library tidies a path or a header up."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connect(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    return HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)


def send(
    connection: HTTPConnection, target: str, headers: Mapping[str, str], *, method: str = "GET", body: object = None
) -> Reply:
    content = None if body is None else json.dumps(body).encode()
    connection.request(method, target, body=content, headers=dict(headers))
    answer = connection.getresponse()
    names = {name.lower(): value for name, value in answer.getheaders()}
    return Reply(answer.status, names, answer.read())


def ask(
    url: str, target: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", body: object = None
) -> Reply:
    """Sends one request on a connection of its own."""
    connection = connect(url)
    try:
        return send(connection, target, headers or {}, method=method, body=body)
    finally:
        connection.close()


def basic(text: str) -> str:
    """Returns the value of an `Authorization` header for these words, colon and all."""
    return f"Basic {b64encode(text.encode()).decode()}"
