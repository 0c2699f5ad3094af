"""A connection of the server: uvicorn's, with the fast path in front and with limits for slow and endless requests."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from gateway.errors import BadRequest, DeadlineExceeded, GatewayError
from gateway.http.context import NOSNIFF
from gateway.http.response import JSON_HEADERS, error_body, render_head, with_length
from gateway.unified.fastpath import FAST_PATH, FastPath, Head, put_head

MAX_HEAD_BYTES = 65536
"""Bytes of a head that is not complete, or of what surrounds the pieces of a chunked body."""
CHUNK_OVERHEAD = 8
"""Bytes around each byte of a chunked body that are allowed besides; the smallest chunk has six."""

_CODES = {400: BadRequest.code, 408: DeadlineExceeded.code, 431: BadRequest.code}


class Connection(HttpToolsProtocol):
    """One connection of a client.

    A request that comes whole while no other is under way is offered to the fast path. All else is uvicorn's.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        head_seconds: float = 10.0,
        body_seconds: float = 60.0,
    ) -> None:
        """A head must be complete in `head_seconds` from the connection or its first byte, a body in `body_seconds`."""
        super().__init__(config, server_state, app_state, _loop)
        self._fast_path: FastPath | None = app_state.get(FAST_PATH)
        self._head_seconds = head_seconds
        self._body_seconds = body_seconds
        self._deadline: asyncio.TimerHandle | None = None
        # Clients repeat a head more often than not. uvicorn keeps the headers of the last request, too.
        self._last_head = b""
        self._last_digest: bytes | None = None
        self._used_at = 0.0
        self._waiting_for: tuple[int, bool] | None = None
        self._begun = self._completed = 0
        self._in_head = self._upgrading = False
        self._body_bytes = self._other_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn names the kind that it always is
        self._wait_for((0, True))

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_for(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        fast_path, digest = self._fast_path, None
        if fast_path is not None and self._is_idle() and not self.flow.write_paused:
            if data == self._last_head:
                digest = self._last_digest
            else:
                digest = self._last_digest = fast_path.digest(data)
                self._last_head = b"" if digest is None else data
            if digest is not None and self._answer(fast_path, digest):
                return
        begun, completed, body_bytes = self._begun, self._completed, self._body_bytes
        super().data_received(data)
        if digest is not None and (self._begun, self._completed) == (begun + 1, completed + 1):
            # The task of the request has not begun yet.
            put_head(self.scope, Head(digest, self.cycle.keep_alive))  # type: ignore[arg-type]
        if self._begun == begun or self._completed == completed:  # Else the message that is open began in this data.
            self._other_bytes += len(data) - (self._body_bytes - body_bytes)
        self._check()

    def _is_idle(self) -> bool:
        """Returns whether the next byte begins a request, and nothing else is under way."""
        return (
            self._begun == self._completed
            and not _is_open(self.cycle)
            and not self._upgrading
            and not self.transport.is_closing()
        )

    def _answer(self, fast_path: FastPath, digest: bytes) -> bool:
        """Answers a request on the fast path. Returns False if that has no answer."""
        found = fast_path.answer(digest, self.server_state.default_headers)
        if found is None:
            return False
        answer, keep_alive = found
        transport = self.transport
        transport.writelines(answer)  # In one system call, and without a copy of the body.
        self.server_state.total_requests += 1
        if not keep_alive:
            transport.close()
            return True
        self._used_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait_for(None)
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        return True

    def timeout_keep_alive_handler(self) -> None:
        # Setting a timer for each request costs more than asking here when the connection was used last.
        left = self._used_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
            return
        super().timeout_keep_alive_handler()

    # What the parser reports.

    def on_message_begin(self) -> None:
        self._begun += 1
        self._in_head = True
        self._body_bytes = self._other_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._upgrading = self._upgrading or self.parser.should_upgrade()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._completed += 1
        super().on_message_complete()

    # Limits.

    def _check(self) -> None:
        """Refuses a message that has become too long, and sets the time by which one that is open must be complete."""
        if self.transport.is_closing():
            return
        if self._begun == self._completed:
            # Empty lines before a request are skipped by the parser. They do not keep a connection open.
            self._wait_for((self._begun, True) if self._is_idle() else None)
            return
        if self._in_head and self._other_bytes > MAX_HEAD_BYTES:
            self._refuse(431, f"The request line and headers are longer than {MAX_HEAD_BYTES} bytes together.")
        elif self._other_bytes > MAX_HEAD_BYTES + CHUNK_OVERHEAD * self._body_bytes:
            self._refuse(400, "The body comes in too small pieces.")
        else:
            self._wait_for((self._begun, self._in_head))

    def _wait_for(self, part: tuple[int, bool] | None) -> None:
        """Sets the timer for a part, the head (True) or body of a numbered message, unless it is set; None ends it."""
        if part == self._waiting_for:
            return
        self._waiting_for = part
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if part is not None:
            seconds = self._head_seconds if part[1] else self._body_seconds
            self._deadline = self.loop.call_later(seconds, self._end_late)

    def _end_late(self) -> None:
        self._deadline = None
        if self._begun == self._completed:
            self.transport.close()  # Nothing was asked, so there is nothing to answer.
            return
        what, seconds = ("head", self._head_seconds) if self._in_head else ("body", self._body_seconds)
        self._refuse(408, f"The {what} of the request was not complete after {seconds:g} seconds.")

    def _refuse(self, status: int, message: str) -> None:
        """Closes the connection, with an answer unless the client would take it for that to an earlier request."""
        cycle = self.cycle
        working = _is_open(cycle)
        in_body = self._begun > self._completed and not self._in_head
        if working:
            cycle.disconnected = True
            cycle.message_event.set()
        if (working and not cycle.response_started and not self.pipeline) if in_body else not working:
            error = GatewayError(message, code=_CODES[status])
            body = error_body(error, status, datetime.now(UTC))
            headers = with_length([*self.server_state.default_headers, *JSON_HEADERS, NOSNIFF], body)
            self.transport.write(render_head(status, headers, keep_alive=False) + body)
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP, in the shape of every other error."""
        self._refuse(400, msg)


def _is_open(cycle: RequestResponseCycle | None) -> bool:
    """Returns whether the answer to a request is not complete."""
    return cycle is not None and not cycle.response_complete
