"""The least that an ASGI app can do: it answers all it is asked with one recorded answer."""

import json
import sys
from pathlib import Path

from starlette.types import Receive, Scope, Send

from tests.bench.serving import serve


class Bare:
    def __init__(self, answer: Path) -> None:
        headers = json.loads(answer.with_suffix(".json").read_text())
        self._headers = [(name.encode(), value.encode()) for name, value in headers if name != "date"]
        self._body = answer.read_bytes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


if __name__ == "__main__":
    serve(Bare(Path(sys.argv[1])))
