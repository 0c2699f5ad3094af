"""Sends each kind of fault."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import Receive, Send

from deploy.sandbox.answers import HTML, Answer, error_answer, html_answer, json_answer
from deploy.sandbox.calls import Call
from deploy.sandbox.choices import Choices
from deploy.sandbox.errors import ApiError
from deploy.sandbox.faults import Fault

_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A call, the answer that it would usually get, and the connection to the client."""

    call: Call
    usual: Callable[[], Answer]
    receive: Receive
    send: Send


async def misbehave(fault: Fault, exchange: Exchange, choices: Choices) -> None:
    """Sends the answer with its fault."""
    usual, send, call = exchange.usual, exchange.send, exchange.call
    match fault.kind:
        case "latency":
            await asyncio.sleep(_number(fault, "seconds"))
            await send_answer(usual(), send, call)
        case "oversized":
            call.status = 200
            await _oversized(int(_number(fault, "megabytes")), send)
        case "connection_reset":
            await _reset(usual(), send)
        case "slow_drip":
            await _drip(usual(), fault, exchange)
        case _:
            await send_answer(_wrong(fault, usual, choices), send, call)


async def send_answer(answer: Answer, send: Send, call: Call | None = None) -> None:
    """Sends an answer, and records its status in the call."""
    if call is not None:
        call.status = answer.status
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.raw_headers()})
    await send({"type": "http.response.body", "body": b"" if answer.status == 204 else answer.body})


def _wrong(fault: Fault, usual: Callable[[], Answer], choices: Choices) -> Answer:
    match fault.kind:
        case "truncated_json":
            answer = usual()
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case "wrong_content_type":
            return replace(usual(), content_type=b"text/plain")
        case "html_error":
            return html_answer(_status(fault), "Something between you and the server went wrong")
        case "redirect":
            location = str(fault.parameters["location"]).encode("latin-1", "replace")
            return Answer(status=_status(fault), content_type=HTML, headers=((b"location", location),))
        case "garbage_json" | "empty_body" | "wrong_envelope" | "deep_json":
            return _not_a_list(fault)
        case _:
            return _error(fault, choices)


def _not_a_list(fault: Fault) -> Answer:
    match fault.kind:
        case "garbage_json":
            return Answer(body=b'{"total": 1, "data": [{"id": \xff\xfe NaN,,}')
        case "empty_body":
            return Answer(status=_status(fault))
        case "wrong_envelope":
            return json_answer({"items": {"first": 1}, "total": "many", "data": None})
        case _:
            depth = int(_number(fault, "depth"))
            nested = b"[" * depth + b"]" * depth
            return Answer(body=b'{"total":1,"limit":100,"skip":0,"data":' + nested + b"}")


def _error(fault: Fault, choices: Choices) -> Answer:
    if fault.kind == "rate_limit":
        wait = fault.parameters["retry_after"]
        answer = error_answer(ApiError(429, "Too many requests"), choices)
        return answer if wait is None else replace(answer, headers=((b"retry-after", str(wait).encode()),))
    status = {"unauthorized": 401, "forbidden": 403}.get(fault.kind) or _status(fault)
    return error_answer(ApiError(status, "A fault that was asked for"), choices)


async def _oversized(megabytes: int, send: Send) -> None:
    """Sends one valid list that is far too long, and without its length, so that a client has to count."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send(_part(b'{"total":1,"limit":100,"skip":0,"data":[{"id":"big","bio":"'))
    chunk = b"x" * _MEGABYTE
    for _ in range(megabytes):
        await send(_part(chunk))
    await send({"type": "http.response.body", "body": b'"}]}'})


async def _reset(answer: Answer, send: Send) -> None:
    """Sends half an answer, and then a TCP reset."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.raw_headers()})
    await send(_part(answer.body[: len(answer.body) // 2]))
    # ASGI has no message for a reset. uvicorn's `send` is a method of the object that has the connection.
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("a reset was asked for, and there is no connection to reset")
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    # uvicorn must see the reset before this call returns, or it logs an unfinished answer.
    await asyncio.sleep(0.01)


async def _drip(answer: Answer, fault: Fault, exchange: Exchange) -> None:
    send = exchange.send
    chunks = max(1, int(_number(fault, "chunks")))
    size = max(1, -(-len(answer.body) // chunks))
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.raw_headers()})
    for start in range(0, len(answer.body), size):
        if await _gone(exchange.receive, _number(fault, "seconds_per_chunk")):
            return
        await send(_part(answer.body[start : start + size]))
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive, seconds: float) -> bool:
    """Waits for some seconds, or until the client disconnects. Returns whether it has."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
            return True
    return False


def _part(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _status(fault: Fault) -> int:
    return int(_number(fault, "status"))


def _number(fault: Fault, name: str) -> float:
    value = fault.parameters[name]
    return float(value) if value is not None else 0.0
