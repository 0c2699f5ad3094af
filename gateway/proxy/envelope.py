"""The contract's envelope for a vendor's answer to a proxied call.

JSON is passed on byte by byte, so that numbers stay exact. An answer of up to `READ_WHOLE` bytes is read whole and
checked: one that was cut short becomes an error. A larger one is passed on in pieces, which takes no memory; if it
breaks off, so does our answer, and no caller takes it for a whole one.
"""

import json
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import orjson

from gateway.errors import ProviderError, VendorAnswerTooLarge, VendorFailure
from gateway.model import OpenAnswer
from gateway.upstream.decoding import is_json, media_type, without_columns

READ_WHOLE = 1_048_576
ANSWER_HEADERS = ("content-type", "date", "etag", "last-modified", "link", "retry-after", "x-request-id")
ANSWER_HEADER_FAMILIES = ("ratelimit", "x-ratelimit")
_ENDS = {ord("{"): ord("}"), ord("["): ord("]")}
_SPACE = b" \t\r\n"


async def envelop(
    answer: OpenAnswer, path: str, chunks: AsyncIterator[bytes], hidden: frozenset[str]
) -> AsyncGenerator[bytes, None]:
    """Yields the envelope with the answer's body, without the hidden columns.

    Raises `VendorFailure` for broken JSON, and what reading the chunks raises.
    """
    kind = media_type(answer.headers)
    head, tail = _frame(answer, path)
    if not is_json(kind) or hidden:
        body = b"".join([chunk async for chunk in chunks])
        yield head + (_filtered_json(body, answer, path, hidden) if is_json(kind) else _text(body, kind)) + tail
        return
    begun, ended = await _beginning(chunks)
    if ended:
        yield head + (_whole_json(begun, answer, path) if begun.strip(_SPACE) else b"null") + tail
        return
    yield head + begun
    last = begun
    async for chunk in chunks:
        yield chunk
        last = chunk if chunk.strip(_SPACE) else last
    first = begun.lstrip(_SPACE)[:1]
    if first and last.rstrip(_SPACE)[-1] != _ENDS.get(first[0], last.rstrip(_SPACE)[-1]):
        raise _cut_short(answer, path)
    yield tail


async def limited(chunks: AsyncIterator[bytes], most_bytes: int, path: str) -> AsyncIterator[bytes]:
    """Yields the chunks unchanged. Raises `VendorAnswerTooLarge` once they are more than `most_bytes` together."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most_bytes:
            raise VendorAnswerTooLarge(f"The provider's answer to {path} is larger than {most_bytes} bytes.")
        yield chunk


def _frame(answer: OpenAnswer, path: str) -> tuple[bytes, bytes]:
    headers = {name: value for name, value in answer.headers.items() if _is_passed_on(name)}
    head = orjson.dumps({"status": answer.status, "headers": headers})[:-1] + b',"data":'
    if answer.status < 400:
        return head, b"}"
    fault = {"status": answer.status, "url": path, "raw": {}, "headers": {}}
    return head, b',"provider_errors":' + orjson.dumps([fault]) + b"}"


async def _beginning(chunks: AsyncIterator[bytes]) -> tuple[bytes, bool]:
    """Returns the first bytes, up to a chunk more than `READ_WHOLE`, and whether they are all."""
    begun = bytearray()
    async for chunk in chunks:
        begun += chunk
        if len(begun) > READ_WHOLE:
            return bytes(begun), False
    return bytes(begun), True


def _whole_json(body: bytes, answer: OpenAnswer, path: str) -> bytes:
    """Returns the same bytes if they are JSON. Raises `VendorFailure`."""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        _loads(body, answer, path)  # More lenient, for example with half a surrogate pair.
    return body


def _filtered_json(body: bytes, answer: OpenAnswer, path: str, hidden: frozenset[str]) -> bytes:
    if not body.strip(_SPACE):
        return b"null"
    try:
        # The standard library keeps integers of any length as they are.
        return json.dumps(without_columns(_loads(body, answer, path), hidden)).encode()
    except RecursionError as error:
        raise VendorFailure(f"The provider's answer to {path} is nested too deeply to be handed on.") from error


def _loads(body: bytes, answer: OpenAnswer, path: str) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise _cut_short(answer, path) from error


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _cut_short(answer: OpenAnswer, path: str) -> VendorFailure:
    return VendorFailure(
        f"The provider answered {path} with JSON that is broken or cut short: try again.",
        provider_errors=[ProviderError(answer.status, path)],
    )


def _is_passed_on(name: str) -> bool:
    """Returns whether a header of the vendor's answer is of use to the caller."""
    return name in ANSWER_HEADERS or name.startswith(ANSWER_HEADER_FAMILIES)


def _text(body: bytes, kind: str) -> bytes:
    """Returns a body that is not JSON as a JSON value: text as text, anything else in base64."""
    if not body:
        return b"null"
    if kind.startswith("text/"):
        return orjson.dumps(body.decode(errors="replace"))
    return orjson.dumps({"base64": b64encode(body).decode()})
