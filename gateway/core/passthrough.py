"""Passing a call through to the vendor: the caller chooses method, path, query and body, the rules decide.

The answer is the contract's envelope around what the vendor said. JSON is handed on as it comes, without being
decoded, so that numbers stay what they are and large answers take no memory.
"""

import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.contract import Operation
from connectors.exchange import Request
from gateway.core.entrance import Entrance, Provider, forbidden, must_be_active
from gateway.core.errors import BadRequest, Forbidden, VendorAnswerTooLarge
from gateway.core.expelled import TokenChecks
from gateway.core.model import Linked, OpenAnswer, Stream
from gateway.core.policy import Denied, holds
from gateway.core.target import Target, read_target

READ, WRITE = "hris.proxy:read", "hris.proxy:write"
PROXY = Operation(id="proxy_request", method="POST", path="/unified/proxy", resource="proxy", kind="proxy", scope=READ)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FIELDS = frozenset({"url", "method", "path", "headers", "body"})
REQUEST_HEADERS = frozenset(
    {"accept", "accept-language", "content-type", "if-none-match", "if-modified-since", "idempotency-key", "prefer"}
)
ANSWER_HEADERS = ("content-type", "date", "etag", "last-modified", "link", "retry-after", "x-request-id")
ANSWER_HEADER_FAMILIES = ("ratelimit", "x-ratelimit")


@dataclass(frozen=True, slots=True)
class ProxyCall:
    """A call to pass through, as it came in; `body` is the JSON of the request."""

    secret: str | None
    account_id: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What the caller asks for, checked for its form."""

    method: str
    path: str
    url: str | None
    headers: Mapping[str, str]
    body: bytes | None


class Passthrough:
    """Passes calls through. `drop` forgets what is kept of an account, after something may have been written."""

    def __init__(
        self,
        entrance: Entrance,
        stream: Stream,
        checks: TokenChecks,
        most_bytes: int,
        drop: Callable[[Linked, frozenset[str] | None], Awaitable[None]],
    ) -> None:
        self._entrance = entrance
        self._stream = stream
        self._checks = checks
        self._most_bytes = most_bytes
        self._drop = drop

    async def answer(self, call: ProxyCall) -> AsyncGenerator[bytes, None]:
        """Give the answer's bytes as they come. Raises a `GatewayError` before the first of them, not after."""
        key = await self._entrance.who(call.secret)
        linked, provider = await self._entrance.which(key, call.account_id)
        wanted = read_outgoing(call.body)
        self._admit(provider, key.scopes, wanted.method)
        must_be_active(linked.account, provider.connector.name)
        base_url = provider.connector.base_url
        target = read_target(wanted.method, wanted.path, base_url, wanted.url, provider.connector.paths)
        if not target.need.met_by(linked.account.grant.opens):
            need = str(target.need)
            raise forbidden(
                Denied(
                    f"{wanted.method} {target.rule.path} needs the {provider.connector.name} scope {need}, which the "
                    f"linked account's token lacks. It can be granted by {provider.connector.granter}.",
                    need,
                )
            )
        answer = await self._open(linked, provider, target, wanted)
        guarded = provider.connector.never if target.rule.guarded else frozenset()
        return self._envelope(answer, target, guarded)

    def _admit(self, provider: Provider, key: frozenset[str], method: str) -> None:
        policy = provider.policy
        if PROXY.id in policy.operator.operations:
            raise Forbidden("The operator of this gateway has closed the proxy.")
        scope = READ if method == "GET" else WRITE
        if not holds(key, scope):
            raise forbidden(Denied(f"The API key lacks the scope {scope}.", scope))
        hidden = policy.hidden_from(key)
        if hidden:
            raise forbidden(
                Denied(f"The proxy shows the provider's records whole, and this key may not see {hidden}.", hidden)
            )

    async def _open(self, linked: Linked, provider: Provider, target: Target, wanted: Outgoing) -> OpenAnswer:
        connector = provider.connector
        headers = {"accept": "application/json", **wanted.headers, **connector.auth.headers(linked.credential.reveal)}
        request = Request(wanted.method, target.path, target.query, headers, wanted.body)
        try:
            answer = await self._stream.open(connector.base_url, request)
        finally:
            # Also when it failed or was cut off: it may have been written.
            if wanted.method != "GET":
                await self._drop(linked, connector.touched([target.path]))
        if answer.status == 401:
            await answer.close()
            raise await self._checks.explain(linked, connector)
        return answer

    async def _envelope(
        self, answer: OpenAnswer, target: Target, guarded: frozenset[str]
    ) -> AsyncGenerator[bytes, None]:
        try:
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            headers = {name: value for name, value in answer.headers.items() if _handed_on(name)}
            head = orjson.dumps({"status": answer.status, "headers": headers})[:-1]
            tail = b"}"
            if answer.status >= 400:
                fault = {"status": answer.status, "url": target.path, "raw": {}, "headers": {}}
                tail = b',"provider_errors":' + orjson.dumps([fault]) + b"}"
            if (kind == "application/json" or kind.endswith("+json")) and not guarded:
                yield head + b',"data":'
                empty = True
                async for chunk in answer.chunks():
                    empty = empty and not chunk
                    yield chunk
                yield (b"null" if empty else b"") + tail
            else:
                yield head + b',"data":' + _data(await self._whole(answer, target), kind, guarded) + tail
        finally:
            await answer.close()

    async def _whole(self, answer: OpenAnswer, target: Target) -> bytes:
        body = bytearray()
        async for chunk in answer.chunks():
            body += chunk
            if len(body) > self._most_bytes:
                raise VendorAnswerTooLarge(f"The provider's answer to {target.path} is too large to be read whole.")
        return bytes(body)


def read_outgoing(body: bytes) -> Outgoing:
    """Read the contract's proxy request. Raises `BadRequest` with every fault."""
    try:
        # The standard library keeps integers of any length as they are.
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body must be a JSON object with path, and perhaps method, headers and body.") from error
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object with path, and perhaps method, headers and body.")
    faults = [f"unknown field {name[:64]!r}; known: {', '.join(sorted(FIELDS))}" for name in found.keys() - FIELDS]
    method = str(found.get("method") or "get").upper()
    if method not in METHODS:
        faults.append(f"method must be one of {', '.join(METHODS).lower()}")
    faults += [f"{name} must be text" for name in ("path", "url") if not isinstance(found.get(name, ""), str | None)]
    if not isinstance(found.get("path"), str):
        faults.append("path is missing")
    headers, header_faults = _headers(found.get("headers"))
    faults += header_faults
    if found.get("body") is not None and method == "GET":
        faults.append("a get has no body")
    if faults:
        raise BadRequest("The proxy request is not valid: " + "; ".join(faults), errors=faults)
    sent = found.get("body")
    if sent is not None:
        headers["content-type"] = "application/json"
    return Outgoing(
        method, found["path"], found.get("url"), headers, None if sent is None else json.dumps(sent).encode()
    )


def _headers(given: Any) -> tuple[dict[str, str], list[str]]:
    if given is None:
        return {}, []
    if not isinstance(given, dict):
        return {}, ["headers must be an object of texts"]
    headers, faults = {}, []
    for name, value in given.items():
        if name.lower() not in REQUEST_HEADERS:
            faults.append(f"header {name[:64]!r} is not handed on; known: {', '.join(sorted(REQUEST_HEADERS))}")
        elif not isinstance(value, str) or not value.isascii() or not value.isprintable():
            faults.append(f"header {name} must be plain text")
        else:
            headers[name.lower()] = value
    return headers, faults


def _handed_on(name: str) -> bool:
    """Tell whether a header of the vendor's answer means anything beyond its own connection."""
    return name in ANSWER_HEADERS or name.startswith(ANSWER_HEADER_FAMILIES)


def _data(body: bytes, kind: str, guarded: frozenset[str]) -> bytes:
    """Give a body as a JSON value: JSON without guarded columns, text as text, anything else in base64."""
    if not body:
        return b"null"
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return json.dumps(_sifted(json.loads(body), guarded), ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            return orjson.dumps(None)
    if kind.startswith("text/"):
        return orjson.dumps(body.decode(errors="replace"))
    return orjson.dumps({"base64": b64encode(body).decode()})


def _sifted(value: Any, guarded: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: _sifted(each, guarded) for name, each in value.items() if name not in guarded}
    if isinstance(value, list):
        return [_sifted(each, guarded) for each in value]
    return value
