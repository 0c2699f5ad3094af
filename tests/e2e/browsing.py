"""A real Chromium, and the pages of a product of another origin that embed the Hub."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.e2e.clients import absent, install_npm

HERE = Path(__file__).parent / "browser"


@dataclass(frozen=True, slots=True)
class Browser:
    """Takes one step after the other; a step that does not come off within its patience fails the test."""

    process: subprocess.Popen[str]

    def __call__(self, step: str, **what: object) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"step": step, **what}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the browser ended with status {self.process.wait()} in {step} {what}"
        answer = json.loads(line)
        assert "error" not in answer, f"{step} {what}: {answer['error']}"
        return answer["given"]


@contextmanager
def running_browser() -> Iterator[Browser]:
    node = install_npm(HERE)
    chromium = shutil.which("chromium")
    if chromium is None:
        absent("there is no Chromium here")
    words = [str(node), "--unhandled-rejections=strict", "driver.mjs", chromium]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=HERE, stdin=pipe, stdout=pipe, text=True) as process:
        yield Browser(process)  # The end of its input ends it.


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@contextmanager
def product() -> Iterator[str]:
    """Serve the pages of a product on a port of its own, which makes them another origin; gives that origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(HERE)))
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
