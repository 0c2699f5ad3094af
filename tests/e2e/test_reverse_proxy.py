"""The shipped nginx configuration under a real nginx: what it passes on, what it keeps to itself, what it closes.

In front of the gateway it must change nothing; in front of stand-ins that answer, or hang up, it shows how it asks.
"""

import json
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest

from deploy.load import nginx, same
from deploy.load.processes import Processes
from deploy.load.stack import Stack, start_stack
from deploy.load.tools import find

MARKED = "marked.person%40example.com"


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    if find("nginx") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no nginx to test with: install it")
        pytest.skip("there is no nginx here")
    with tempfile.TemporaryDirectory(prefix="proxy-") as name, Processes(Path(name)) as running:
        yield running


@pytest.fixture(scope="module")
def stack(processes: Processes) -> Stack:
    return start_stack(processes)


@pytest.fixture(scope="module")
def proxy(processes: Processes, stack: Stack) -> str:
    """Give the address of nginx in front of the gateway."""
    return nginx.start_shipped(processes, [stack.gateway])[1]


@dataclass(slots=True)
class StandIn:
    """An upstream that answers all it is asked, or hangs up on it, and remembers."""

    hangs_up: bool = False
    connections: int = 0
    heads: list[str] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader, suppress(OSError):
            while head := "".join(iter(lambda: reader.readline().decode("latin-1").rstrip("\r\n") and _last(), "")):
                self.heads.append(head)


def _last() -> str:
    return ""


def ask(address: str, path: str, method: str = "GET", **more: object) -> tuple[int, Mapping[str, str], bytes]:
    connection = HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path, **more)  # type: ignore[arg-type]
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()
