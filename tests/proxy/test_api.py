"""The proxy over HTTP: what gets through, what comes back, and that the scope rules hold there too."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import chain
from typing import Any

import httpx
import pytest

from connectors.registry import CONNECTORS
from deploy.sandbox.tokens import SCOPES
from gateway.proxy.envelope import READ_WHOLE
from tests.fixtures.gateway import Sandbox, Site, open_site

HUMAANS = CONNECTORS["humaans"]


async def proxy(
    site: Site, path: str, *, account: str | None = None, key: str | None = None, **more: Any
) -> httpx.Response:
    headers = {"x-account-id": account or site.account}
    body = {"path": path, **more}
    return await site.client.post("/unified/proxy", json=body, auth=(key or site.key, ""), headers=headers)


async def test_a_call_comes_back_in_the_contract_s_envelope(site: Site) -> None:
    answer = await proxy(site, "/companies?$limit=1")
    body = answer.json()
    assert (answer.status_code, body["status"], body["data"]["total"]) == (200, 200, 1)
    assert body["headers"]["content-type"].startswith("application/json")
    assert "provider_errors" not in body
    assert answer.headers["cache-control"] == "no-store"


async def test_a_fault_of_the_vendor_is_reported_in_the_envelope(site: Site) -> None:
    answer = await proxy(site, "/people/VMB1yzL5uL8VvNNCJc9rykJz")
    body = answer.json()
    assert (answer.status_code, body["status"], body["data"]["name"]) == (200, 404, "NotFound")
    assert body["provider_errors"][0]["status"] == 404


async def test_a_write_goes_through_and_invalidates_the_cache(site: Site) -> None:
    before = (await site.get("/locations")).json()["data"]
    made = await proxy(site, "/locations", method="post", body={"label": "Annexe", "timezone": "Europe/Prague"})
    assert made.json()["status"] == 201
    after = (await site.get("/locations")).json()["data"]
    deleted = await proxy(site, f"/locations/{made.json()['data']['id']}", method="delete")
    assert deleted.json()["data"]["deleted"] is True
    assert len(after) == len(before) + 1


async def test_the_secret_calendar_of_the_token_s_owner_never_leaves(site: Site) -> None:
    for path in ("/me", "/people?role=owner", "/people?status=all&$limit=250"):
        answer = await proxy(site, path)
        assert answer.json()["status"] in {200, 400}
        assert "calendarFeedToken" not in answer.text


PAIRS = list(chain.from_iterable(((row, method) for method in row.needs) for row in HUMAANS.paths))


@pytest.mark.parametrize("scope", SCOPES)
async def test_every_path_is_open_exactly_to_the_scopes_of_its_rule(site: Site, sandbox: Sandbox, scope: str) -> None:
    """For a token of one scope: what the rule denies makes no call, what it allows makes one."""
    account = await site.link(f"only-{scope.replace(':', '-')}")
    for row, method in PAIRS:
        sandbox.steer("DELETE", "/calls")
        path = row.path.replace("{id}", "VMB1yzL5uL8VvNNCJc9rykJz")
        body: Any = {} if method in {"POST", "PATCH"} else None
        answer = await proxy(site, path, account=account, method=method.lower(), body=body)
        allowed = row.needs[method].met_by(frozenset({scope})) and not row.managed
        assert answer.status_code == (200 if allowed else 403), (row.path, method)
        assert len(sandbox.calls()) == (1 if allowed else 0), (row.path, method)
        if not allowed:
            expected = "the operator's consent" if row.managed else str(row.needs[method])
            assert expected in answer.json()["message"]


FIELDS_OF_READING = ("hris.bank_details:read", "hris.national_ids:read", "hris.compensation:read")


@pytest.mark.parametrize(
    ("scopes", "method", "status"),
    [
        (["*"], "get", 200),
        (["hris.*:*"], "get", 200),
        (["hris.*:read"], "get", 200),
        (["hris.*:read"], "post", 403),
        (["hris.employees:read"], "get", 403),
        (["hris.proxy:read"], "get", 403),
        (["hris.proxy:read", *FIELDS_OF_READING], "get", 403),
        (["hris.proxy:read", "hris.employees:read", *FIELDS_OF_READING], "get", 200),
        (["hris.proxy:write", "hris.employees:read", *FIELDS_OF_READING], "post", 403),
        (["hris.proxy:write", "hris.employees:*", *FIELDS_OF_READING], "post", 403),
        (["hris.proxy:write", "hris.employees:*", "hris.national_ids:write", *FIELDS_OF_READING], "post", 200),
    ],
)
async def test_a_key_needs_the_proxy_s_scope_and_that_nothing_is_hidden_from_it(
    site: Site, sandbox: Sandbox, scopes: list[str], method: str, status: int
) -> None:
    key = await site.make_key(*scopes)
    sandbox.reset()
    answer = await proxy(site, "/people", key=key, method=method)
    assert answer.status_code == status, answer.text
    assert (sandbox.calls() == []) == (status == 403)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/compensations", {"personId": "x", "amount": "999999"}),
        ("patch", "/compensations/VMB1yzL5uL8VvNNCJc9rykJz", {"amount": "999999"}),
        ("patch", "/people/VMB1yzL5uL8VvNNCJc9rykJz", {"taxId": "changed"}),
        ("post", "/people", {"taxId": "changed"}),
        ("delete", "/people/VMB1yzL5uL8VvNNCJc9rykJz", None),
    ],
)
async def test_pay_and_tax_ids_are_not_written_by_who_may_pass_calls_through_and_read_them(
    site: Site, sandbox: Sandbox, method: str, path: str, body: Any
) -> None:
    key = await site.make_key("hris.proxy:write", "hris.*:read")
    sandbox.reset()
    answer = await proxy(site, path, key=key, method=method, body=body)
    assert (answer.status_code, sandbox.calls()) == (403, [])
    assert ":write" in answer.json()["message"]


@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/VMB1yzL5uL8VvNNCJc9rykJz", "/webhook-events"])
async def test_what_the_gateway_manages_is_closed_unless_the_operator_opens_it(
    site: Site, sandbox: Sandbox, environ: dict[str, str], stack: AsyncExitStack, path: str
) -> None:
    """Who reads the secret of a webhook can forge its deliveries; one that is planted outlives key and account."""
    sandbox.reset()
    for method, body in (("get", None), ("post", {"url": "https://attacker.example/x"}), ("delete", None)):
        assert (await proxy(site, path, method=method, body=body)).status_code == 403
    assert sandbox.calls() == []
    opened = await open_site({**environ, "GATEWAY_POLICY_OPEN_MANAGED_PATHS": "/webhooks,/webhook-events"}, stack)
    opened.key, opened.account = site.key, site.account
    made = await proxy(
        opened, "/webhooks", method="post", body={"url": "https://app.example.com/x", "events": ["person.updated"]}
    )
    assert made.json()["status"] == 201, made.text
    listed = await proxy(opened, "/webhooks")
    assert listed.json()["data"]["data"]
    for answer in (made, listed):
        assert "secret" not in answer.text.lower()
    await proxy(opened, f"/webhooks/{made.json()['data']['id']}", method="delete")


async def test_an_operation_that_the_operator_forbids_closes_its_vendor_paths(
    site: Site, sandbox: Sandbox, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    forbidden = "list_employees,get_employee,list_employee_documents,create_employee_time_off_request"
    closed = await open_site({**environ, "GATEWAY_POLICY_FORBIDDEN_OPERATIONS": forbidden}, stack)
    closed.key, closed.account = site.key, site.account
    sandbox.reset()
    for method, path in (
        ("get", "/people"),
        ("get", "/people?email=a@b.example"),
        ("get", "/people/VMB1yzL5uL8VvNNCJc9rykJz"),
        ("get", "/me"),
        ("patch", "/people/VMB1yzL5uL8VvNNCJc9rykJz"),
        ("get", "/documents"),
        ("post", "/time-away"),
    ):
        answer = await proxy(closed, path, method=method, body=None if method == "get" else {})
        assert (answer.status_code, "operator" in answer.json()["message"]) == (403, True), path
    assert sandbox.calls() == []
    assert (await proxy(closed, "/time-away")).status_code == 200


async def test_a_field_that_the_operator_forbids_closes_the_proxy(
    environ: dict[str, str], stack: AsyncExitStack
) -> None:
    site = await open_site({**environ, "GATEWAY_POLICY_FORBIDDEN_FIELDS": "employees.birthday"}, stack)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    answer = await proxy(site, "/people")
    assert (answer.status_code, "employees.birthday" in answer.json()["message"]) == (403, True)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "must be a JSON object"),
        (b"[]", "must be a JSON object"),
        (b'{"path": ', "must be a JSON object"),
        (b"{}", "path: is missing"),
        (b'{"path": 1}', "path: must be text"),
        (b'{"path": "/people", "method": "brew"}', "method: must be one of"),
        (b'{"path": "/people", "nonsense": 1}', "nonsense: there is no such field; known: method, path"),
        (b'{"path": "/people", "body": {}}', "a get has no body"),
        (
            b'{"path": "/people", "headers": {"Authorization": "Bearer x"}}',
            "headers.authorization: there is no such field; known: accept",
        ),
        (b'{"path": "/people", "headers": {"connection": "close"}}', "headers.connection: there is no such field"),
        (
            b'{"path": "/people", "headers": {"accept": "a\\r\\nx: y"}}',
            "headers.accept: must be 1 to 2000 printable characters",
        ),
        (b'{"path": "//evil.example/people"}', "empty segment"),
        (b'{"path": "/people", "url": "http://169.254.169.254"}', "url cannot be chosen"),
        (b'{"path": "/people", "body": "' + b"x" * 1_100_000 + b'"}', "larger than 1048576 bytes"),
    ],
)
async def test_a_faulty_request_is_a_400_without_a_vendor_call(
    site: Site, sandbox: Sandbox, body: bytes, says: str
) -> None:
    sandbox.reset()
    answer = await site.client.post(
        "/unified/proxy", content=body, auth=(site.key, ""), headers={"x-account-id": site.account}
    )
    assert (answer.status_code, says in answer.json()["message"]) == (400, True), answer.text
    assert sandbox.calls() == []


# --- a vendor of our own, byte for byte -------------------------------------------------------------------------

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def vendor(handler: Handler) -> AsyncIterator[str]:
    """A server that reads one request whole and lets the handler write whatever it likes."""
    connections: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(length[0].split(b":")[1])) if length else b""
            await handler(head + body, writer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
        await asyncio.gather(*(task for task in connections if task))


async def relinked(site: Site, environ: dict[str, str], stack: AsyncExitStack, url: str) -> Site:
    """A gateway on the same database, whose Humaans is at another address."""
    other = await open_site({**environ, "GATEWAY_HUMAANS_BASE_URL": url}, stack)
    other.key, other.account = site.key, site.account
    return other


def answering(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> Handler:
    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        given = headers or (b"content-type: application/json", b"content-length: %d" % len(body))
        writer.write(b"\r\n".join([b"HTTP/1.1 " + status, *given, b"connection: close", b"", b""]) + body)

    return handle


BIG = b'{"id": 123456789012345678901234567890, "n": 9007199254740993, "x": 1.10}'


async def test_big_integers_and_every_other_byte_of_json_stay_as_they_are(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    async with vendor(answering(BIG)) as url:
        other = await relinked(site, environ, stack, url)
        assert BIG in (await proxy(other, "/locations")).content


async def test_big_integers_reach_the_vendor_as_they_are(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    seen: list[bytes] = []

    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        await answering(b"{}")(request, writer)

    async with vendor(handle) as url:
        other = await relinked(site, environ, stack, url)
        await other.client.post(
            "/unified/proxy",
            content=b'{"path":"/locations?a=1","method":"post","body":{"n":123456789012345678901}}',
            auth=(other.key, ""),
            headers={"x-account-id": other.account, "transfer-encoding": "chunked", "te": "trailers", "x-evil": "1"},
        )
    head, _, body = seen[0].partition(b"\r\n\r\n")
    names = {line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    assert head.startswith(b"POST /api/locations?a=1 HTTP/1.1")
    assert json.loads(body) == {"n": 123456789012345678901}
    expected = "accept accept-encoding authorization content-length content-type host user-agent"
    assert names == set(expected.encode().split())


async def test_headers_of_the_vendor_s_connection_do_not_come_back(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    framing = (
        b"content-type: application/json",
        b"transfer-encoding: chunked",
        b"keep-alive: timeout=5",
        b"set-cookie: a=b",
        b"x-internal: 1",
        b'ETag: "v1"',
        b"Retry-After: 3",
        b"X-RateLimit-Remaining: 9",
    )
    async with vendor(answering(b"4\r\n[{}]\r\n0\r\n\r\n", *framing)) as url:
        other = await relinked(site, environ, stack, url)
        answer = await proxy(other, "/locations")
    assert answer.json()["headers"] == {
        "content-type": "application/json",
        "etag": '"v1"',
        "retry-after": "3",
        "x-ratelimit-remaining": "9",
    }
    assert answer.json()["data"] == [{}]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("handler", "data"),
    [
        (answering(b"", b"content-length: 0", status=b"204 No Content"), None),
        (answering(b"plain", b"content-type: text/plain", b"content-length: 5"), "plain"),
        (answering(b"\x00\xff", b"content-type: application/pdf", b"content-length: 2"), {"base64": "AP8="}),
        (answering(b"", b"content-type: application/json", b"content-length: 0"), None),
        (answering(b"[]", b"content-type: application/problem+json", b"content-length: 2"), []),
    ],
    ids=["no content", "text", "binary", "empty", "problem"],
)
async def test_what_is_not_json_is_still_an_envelope(
    site: Site, environ: dict[str, str], stack: AsyncExitStack, handler: Handler, data: Any
) -> None:
    async with vendor(handler) as url:
        other = await relinked(site, environ, stack, url)
        assert (await proxy(other, "/locations")).json()["data"] == data


async def test_a_redirect_is_reported_and_not_followed(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    moved = answering(b"", b"location: http://127.0.0.1:1/x", b"content-length: 0", status=b"302 Found")
    async with vendor(moved) as url:
        other = await relinked(site, environ, stack, url)
        body = (await proxy(other, "/locations")).json()
    assert (body["status"], "location" in body["headers"]) == (302, False)


async def test_a_vendor_that_does_not_answer_is_a_502(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    other = await relinked(site, environ, stack, "http://127.0.0.1:1/api")
    answer = await proxy(other, "/locations")
    assert (answer.status_code, answer.json()["errorCode"]) == (502, "ProviderError")


async def test_a_401_of_the_vendor_puts_the_account_in_error_if_its_token_check_says_so_too(
    site: Site, sandbox: Sandbox
) -> None:
    sandbox.steer("POST", "/faults", {"kind": "unauthorized", "path": "/locations", "times": 1})
    assert (await proxy(site, "/locations")).status_code == 502
    assert (await proxy(site, "/locations")).status_code == 200
    sandbox.steer("POST", "/faults", {"kind": "unauthorized", "times": 2})
    assert (await proxy(site, "/locations")).status_code == 412
    assert (await proxy(site, "/locations")).status_code == 412


# --- what breaks off, does not end, or is too much ----------------------------------------------------------------

JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
LARGE = READ_WHOLE + 500_000
"""More than is read whole before any of it is handed on."""


def request_of(site: Site, path: str = "/locations", method: str = "get") -> dict[str, Any]:
    """Returns the ASGI scope of a call to the proxy."""
    auth = httpx.BasicAuth(site.key, "")
    request = site.client.build_request("POST", "/unified/proxy", headers={"x-account-id": site.account})
    signed = next(auth.sync_auth_flow(request))
    return {
        "type": "http",
        "method": "POST",
        "path": "/unified/proxy",
        "raw_path": b"/unified/proxy",
        "query_string": b"",
        "headers": [(name.lower(), value) for name, value in signed.headers.raw],
        "body": json.dumps({"path": path, "method": method}).encode(),
    }


class Caller:
    """A caller over ASGI that can hang up, and records the response."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope
        self.sent: list[dict[str, Any]] = []
        self.hangs_up = asyncio.Event()
        self.came = asyncio.Event()
        self._asked = False

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self.scope["body"], "more_body": False}
        await self.hangs_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        if message.get("body"):
            self.came.set()

    @property
    def size(self) -> int:
        return sum(len(message.get("body", b"")) for message in self.sent)


@pytest.mark.parametrize(
    ("body", "length"),
    [
        (b"[" + b"1," * 60000, 999999),
        (b"[" + b"1," * 60000, None),
        (b'{"data": [{"id": 1}', None),
        (b'{"data": [], "total": 0}}', None),
        (b'{"n": NaN}', None),
        (b"<html>", None),
    ],
    ids=["connection lost", "array", "object", "too much", "no number", "html"],
)
@pytest.mark.parametrize("path", ["/locations", "/people"])
async def test_json_that_is_cut_short_or_none_is_a_502(
    site: Site, environ: dict[str, str], stack: AsyncExitStack, body: bytes, length: int | None, path: str
) -> None:
    headers = (b"content-type: application/json", b"content-length: %d" % (length or len(body)))
    async with vendor(answering(body, *headers)) as url:
        other = await relinked(site, environ, stack, url)
        answer = await proxy(other, path)
    assert (answer.status_code, answer.json()["errorCode"]) == (502, "ProviderError")


@pytest.mark.parametrize(
    "body", [b'["\\ud83d"]', b"[1" + b"0" * 400 + b"]", b" {} ", b'"text"', b"[" * 900 + b"]" * 900]
)
async def test_json_that_is_odd_but_whole_is_handed_on(
    site: Site, environ: dict[str, str], stack: AsyncExitStack, body: bytes
) -> None:
    async with vendor(answering(body)) as url:
        other = await relinked(site, environ, stack, url)
        answer = await proxy(other, "/locations")
    assert (answer.status_code, body in answer.content) == (200, True)


@pytest.mark.parametrize("length", [b"content-length: 99999999", b""])
async def test_a_large_answer_that_breaks_off_never_looks_whole(
    site: Site, environ: dict[str, str], stack: AsyncExitStack, length: bytes
) -> None:
    """Whether the connection is lost, or the vendor ends it as if that were all."""
    cut = answering(b"[" + b"1," * LARGE, *filter(None, (b"content-type: application/json", length)))
    async with vendor(cut) as url:
        other = await relinked(site, environ, stack, url)
        caller = Caller(request_of(other))
        await other.edge(caller.scope, caller.receive, caller.send)
    assert caller.sent[0]["status"] == 200
    assert caller.sent[-1]["more_body"] is True


async def test_a_large_answer_is_handed_on_in_pieces(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    """The first piece is here before the vendor has sent the last."""
    go_on = asyncio.Event()

    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(JSON_HEAD + b"content-length: %d\r\n\r\n[" % (2 * LARGE + 2))
        writer.write(b" " * LARGE)
        await writer.drain()
        await go_on.wait()
        writer.write(b" " * LARGE + b"]")

    async with vendor(handle) as url:
        other = await relinked(site, environ, stack, url)
        caller = Caller(request_of(other))
        call = asyncio.ensure_future(other.edge(caller.scope, caller.receive, caller.send))
        await asyncio.wait_for(caller.came.wait(), 20)
        go_on.set()
        await asyncio.wait_for(call, 20)
    assert caller.size > 2 * LARGE


class Dripping:
    """A vendor that sends a byte now and then and never ends; it notes how many it is sending to."""

    def __init__(self) -> None:
        self.open = 0
        self.begun = asyncio.Event()
        self.all_gone = asyncio.Event()

    async def __call__(self, _: bytes, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.all_gone.clear()
        writer.write(JSON_HEAD + b"content-length: 1000000\r\n\r\n[")
        self.begun.set()
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        finally:
            self.open -= 1
            if not self.open:
                self.all_gone.set()


@pytest.mark.parametrize(("method", "status"), [("get", 408), ("post", 502)])
async def test_an_answer_that_does_not_end_is_over_at_the_deadline(
    site: Site, environ: dict[str, str], stack: AsyncExitStack, method: str, status: int
) -> None:
    drip = Dripping()
    async with vendor(drip) as url:
        other = await relinked(site, {**environ, "GATEWAY_UPSTREAM_DEADLINE_SECONDS": "0.5"}, stack, url)
        answer = await proxy(other, "/locations", method=method, body=None if method == "get" else {})
        assert answer.status_code == status
        assert ("may have been done" in answer.json()["message"]) == (method == "post")
        await asyncio.wait_for(drip.all_gone.wait(), 20)


@pytest.mark.parametrize("path", ["/locations", "/people"])
async def test_who_hangs_up_ends_the_call_to_the_vendor(
    site: Site, environ: dict[str, str], stack: AsyncExitStack, path: str
) -> None:
    drip = Dripping()
    async with vendor(drip) as url:
        other = await relinked(site, environ, stack, url)
        caller = Caller(request_of(other, path))
        call = asyncio.ensure_future(other.edge(caller.scope, caller.receive, caller.send))
        await asyncio.wait_for(drip.begun.wait(), 20)
        caller.hangs_up.set()
        await asyncio.wait_for(call, 20)
        await asyncio.wait_for(drip.all_gone.wait(), 20)
    assert caller.sent == []


async def test_a_write_outlives_its_caller_and_invalidates_the_cache(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    asked, go_on, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go_on.wait()
        await answering(b"{}")(request, writer)
        await writer.drain()
        answered.set()

    async with vendor(handle) as url:
        other = await relinked(site, environ, stack, url)
        caller = Caller(request_of(other, method="post"))
        call = asyncio.ensure_future(other.edge(caller.scope, caller.receive, caller.send))
        await asyncio.wait_for(asked.wait(), 20)
        caller.hangs_up.set()
        await asyncio.wait_for(call, 20)
        go_on.set()
        await asyncio.wait_for(answered.wait(), 20)


@pytest.mark.parametrize("path", ["/locations", "/people"])
async def test_an_answer_that_is_too_large_is_not_handed_on(
    site: Site, environ: dict[str, str], stack: AsyncExitStack, path: str
) -> None:
    """As one that is small on its way and huge when it is unpacked."""
    bomb = gzip.compress(b"[" + b" " * (8 * LARGE) + b"]")
    headers = (b"content-type: application/json", b"content-encoding: gzip", b"content-length: %d" % len(bomb))
    async with vendor(answering(bomb, *headers)) as url:
        other = await relinked(site, {**environ, "GATEWAY_UPSTREAM_MAX_BODY_BYTES": str(2 * LARGE)}, stack, url)
        caller = Caller(request_of(other, path))
        await other.edge(caller.scope, caller.receive, caller.send)
    assert caller.size <= 2 * LARGE + 200
    whole = caller.sent[-1].get("more_body") is not True
    assert not whole or caller.sent[0]["status"] == 502


async def test_slow_calls_of_one_account_leave_the_others_theirs(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    """More slow calls than there are connections: another account is answered all the same."""
    drip = Dripping()

    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/locations" in request.split(b"\r\n")[0]:
            await drip(request, writer)
        await answering(b'{"data": [], "total": 0}')(request, writer)

    async with vendor(handle) as url:
        other = await relinked(site, {**environ, "GATEWAY_UPSTREAM_MAX_CONNECTIONS": "5"}, stack, url)
        neighbour = await site.link("public-private")
        callers = [Caller(request_of(other)) for _ in range(8)]
        calls = [asyncio.ensure_future(other.edge(each.scope, each.receive, each.send)) for each in callers]
        await asyncio.wait_for(drip.begun.wait(), 20)
        for _ in range(3):
            answer = await proxy(other, "/companies", account=neighbour)
            assert answer.status_code == 200, answer.text
        for caller in callers:
            caller.hangs_up.set()
        await asyncio.gather(*calls)
        await asyncio.wait_for(drip.all_gone.wait(), 20)


async def test_a_credential_that_the_vendor_repeats_is_taken_out_everywhere(
    site: Site, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    """In errors, in what is passed through, in its headers, and where it lies across two pieces."""
    tokens: set[str] = set()

    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        [line] = [each for each in request.split(b"\r\n") if each.lower().startswith(b"authorization")]
        token = line.rpartition(b" ")[2]
        tokens.add(token.decode())
        body = b'{"code":400,"name":"BadRequest","message":"bad token Bearer ' + token + b'"}'
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nx-request-id: " + token + b"\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(body))
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()

    async with vendor(handle) as url:
        other = await relinked(site, environ, stack, url)
        answers = [await proxy(other, "/locations"), await proxy(other, "/people"), await other.get("/locations")]
        answers.append(await other.get("/employees", proxy__status="x"))
    [token] = tokens
    for answer in answers:
        assert token not in answer.text
    assert "[redacted]" in answers[0].text
