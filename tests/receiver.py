"""A product's endpoint on this machine: it keeps what it is sent, and answers as a test wants."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found


@dataclass
class Receiver:
    """`statuses` are answered one after the other, the last again and again; `/slow` waits for `let_go`.

    What it does not accept is answered with 401.
    """

    server: ThreadingHTTPServer
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    let_go: Event = field(default_factory=Event)
    accepts: Callable[[Received], bool] = lambda _: True

    @property
    def port(self) -> int:
        return self.server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def answer(self, got: Received) -> int:
        self.received.append(got)
        if got.path == "/slow":
            self.let_go.wait(20)
        if not self.accepts(got):
            return 401
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    @property
    def events(self) -> list[str]:
        return [each.json["event"] for each in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    found: list[Receiver] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = found[0].answer(Received(self.path, headers, body))
            self.send_response(status)
            for name, value in found[0].headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(server)
    found.append(receiver)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()
