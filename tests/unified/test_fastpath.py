"""What the fast path takes for one head, what it leaves to the full path, and how much memory it takes."""

import tracemalloc
from datetime import UTC, datetime
from weakref import ref

import pytest
from prometheus_client import generate_latest

from gateway.http.request_observer import RequestObserver
from gateway.observability.metrics import make_metrics
from gateway.unified.call import FastPathTicket
from gateway.unified.fastpath import LONGEST_HEAD, REMEMBERED_TICKETS, FastPath, Head, put_head
from tests.fakes.core import make_key, make_linked
from tests.fakes.vendor import ReadBench, make_vendor

LINKED = make_linked("a1")
TICKET = FastPathTicket(make_key("*"), ref(LINKED), "a1", "name")
PATH = b"GET /unified/hris/employees HTTP/1.1\r\n"
FIELDS = b"host: gateway\r\nauthorization: Basic eDo=\r\nx-account-id: a1\r\n"
PLAIN = PATH + FIELDS + b"\r\n"


@pytest.fixture(name="fast_path")
def fixture_fast_path() -> FastPath:
    observer = RequestObserver(make_metrics(), lambda: "r", lambda *_: None)
    return FastPath(ReadBench(make_vendor(5)).reads, observer, datetime.now(UTC).timestamp)


IGNORED_LINES = [
    b"user-agent: curl/8",
    b"User-Agent: " + b"x" * 500,
    b"x-request-id: 1",
    b"X-Request-Id: 2",
    b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    b"x-forwarded-for: 10.0.0.1, 10.0.0.2",
    b"X-Forwarded-Proto: https",
    b"via: 1.1 proxy\t(caf\xe9)",
    b"x-real-ip:",
]


@pytest.mark.parametrize("line", IGNORED_LINES)
def test_what_clients_and_proxies_add_changes_nothing(fast_path: FastPath, line: bytes) -> None:
    plain = fast_path.digest(PLAIN)
    assert plain is not None
    for given in (PATH + line + b"\r\n" + FIELDS, PATH + FIELDS + line + b"\r\n"):
        assert fast_path.digest(given + b"\r\n") == plain


DIFFERENT = [
    PLAIN,
    PLAIN.replace(b"employees", b"employees?a=1"),
    PLAIN.replace(b"employees", b"employees?a=2"),
    PLAIN.replace(b"employees", b"employee"),
    PLAIN.replace(b": a1", b": a2"),
    PLAIN.replace(b"eDo=", b"eDp="),
    PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
    PLAIN.replace(b"x-account-id: a1", b"x-account-ida: 1"),
    PLAIN.replace(b"x-account-id: a1", b"x-account-id: a1\r\nx-account-id: a2"),
    *(
        PATH + FIELDS + line + b"\r\n\r\n"
        for line in (
            *(b"accept-encoding: gzip", b"accept-encoding: zstd", b'if-none-match: "1"', b"cache-control: no-cache"),
            *(b"connection: close", b"expect: 100-continue", b"upgrade: websocket", b"x-unknown: 1"),
            *(b"USER-AGENT: x", b"user-agenta: x", b"auser-agent: x"),
        )
    ),
]


def test_heads_that_may_have_different_answers_have_different_digests(fast_path: FastPath) -> None:
    found = [fast_path.digest(each) for each in DIFFERENT]
    assert None not in found
    assert len(set(found)) == len(DIFFERENT)


NOT_ONE_PLAIN_HEAD = {
    "cut short": PLAIN[:-1],
    "nothing": b"",
    "two of them": PLAIN + PLAIN,
    "something after it": PLAIN + b"x",
    "an empty line before it": b"\r\n" + PLAIN,
    "another method": PLAIN.replace(b"GET", b"POST"),
    "a method in small letters": PLAIN.replace(b"GET", b"get"),
    "another path": PLAIN.replace(b"/unified/hris/", b"/unified/proxy/"),
    "a whole URL": PLAIN.replace(b"GET /", b"GET http://gateway/"),
    "another version": PLAIN.replace(b"HTTP/1.1", b"HTTP/2.0"),
    "no version": PLAIN.replace(b" HTTP/1.1", b""),
    "two spaces": PLAIN.replace(b" HTTP/1.1", b"  HTTP/1.1"),
    "no fields": PATH + b"\r\n",
    "a bare LF": PLAIN.replace(b"gateway\r\n", b"gateway\n"),
    "bare LFs": PLAIN.replace(b"\r\n", b"\n"),
    "a bare CR": PLAIN.replace(b"gateway", b"gate\rway"),
    "NUL": PLAIN.replace(b"gateway", b"gate\0way"),
    "DEL": PLAIN.replace(b"gateway", b"gate\x7fway"),
    "NUL in an ignored line": PATH + FIELDS + b"via: \0\r\n\r\n",
    "a bare LF in an ignored line": PATH + FIELDS + b"via: x\ny: z\r\n\r\n",
    "a folded line": PATH + FIELDS + b"via: x\r\n y\r\n\r\n",
    "a line folded with a tab": PATH + FIELDS + b"via: x\r\n\ty\r\n\r\n",
    "a space before the colon": PLAIN.replace(b"host:", b"host :"),
    "a line without a colon": PATH + FIELDS + b"via\r\n\r\n",
    "a line without a name": PATH + FIELDS + b": x\r\n\r\n",
    "a space in the path": PLAIN.replace(b"employees", b"employees x"),
    "a path that is not ASCII": PLAIN.replace(b"employees", b"employ\xe9s"),
    "too long": PATH + FIELDS + b"via: " + b"x" * LONGEST_HEAD + b"\r\n\r\n",
}


@pytest.mark.parametrize("data", NOT_ONE_PLAIN_HEAD.values(), ids=NOT_ONE_PLAIN_HEAD.keys())
def test_everything_else_is_left_to_the_full_path(fast_path: FastPath, data: bytes) -> None:
    assert fast_path.digest(data) is None


def test_each_prefix_of_a_head_is_left_to_the_full_path(fast_path: FastPath) -> None:
    assert {fast_path.digest(PLAIN[:end]) for end in range(len(PLAIN))} == {None}


def remember(fast_path: FastPath, digest: bytes, *fields: tuple[bytes, bytes]) -> int:
    """Returns how many heads are remembered then."""
    scope = {"headers": [(b"authorization", b"Basic eDo="), (b"x-account-id", b"a1"), *fields]}
    put_head(scope, Head(digest, keep_alive=True))
    fast_path.remember(scope, TICKET, "list_employees")
    return len(fast_path)


FULL_PATH_ONLY = [
    (b"cache-control", b"no-cache"),
    (b"content-length", b"0"),
    (b"transfer-encoding", b"chunked"),
    (b"expect", b"100-continue"),
    (b"upgrade", b"h2c"),
    (b"idempotency-key", b"1"),
    (b"authorization", b"Basic eDo="),
    (b"x-account-id", b"a1"),
]


@pytest.mark.parametrize("field", FULL_PATH_ONLY, ids=lambda field: field[0].decode())
def test_a_head_is_not_remembered_with_a_body_a_directive_or_a_deciding_field_twice(
    fast_path: FastPath, field: tuple[bytes, bytes]
) -> None:
    assert remember(fast_path, b"1", field) == 0
    assert remember(fast_path, b"1") == 1


def test_one_head_too_many_evicts_the_oldest_alone(fast_path: FastPath) -> None:
    for number in range(REMEMBERED_TICKETS + 1):
        remember(fast_path, b"%d" % number)
    assert len(fast_path) == REMEMBERED_TICKETS
    assert b"0" not in fast_path
    assert all(b"%d" % number in fast_path for number in range(1, REMEMBERED_TICKETS + 1))


def test_long_heads_take_no_more_memory_than_short_ones(fast_path: FastPath) -> None:
    filler = b"x" * 7_000
    tracemalloc.start()
    try:
        for number in range(REMEMBERED_TICKETS):
            digest = fast_path.digest(PLAIN.replace(b"employees", b"employees?filter=%d%b" % (number, filler)))
            assert digest is not None
            remember(fast_path, digest)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 6_000_000


async def test_requests_that_were_summed_up_are_in_the_metrics_once_flushed() -> None:
    metrics = make_metrics()
    observer = RequestObserver(metrics, lambda: "r", lambda *_: None)
    for _ in range(3):
        context = observer.begin()
        context.operation, context.status, context.cache = "list_employees", 200, "hit"
        observer.end(context, "GET")
    slow = observer.begin()
    slow.operation, slow.status, slow.cache, slow.began = "list_employees", 200, "hit", slow.began - 1.5
    observer.end(slow, "GET")
    await observer.flush()
    await observer.flush()
    lines = generate_latest(metrics.registry).decode().splitlines()
    assert 'gateway_requests_total{cache="hit",operation="list_employees",status="200"} 4.0' in lines
    assert 'gateway_request_seconds_bucket{cache="hit",le="0.0005"} 3.0' in lines
    assert 'gateway_request_seconds_bucket{cache="hit",le="2.5"} 4.0' in lines
    assert 'gateway_request_seconds_count{cache="hit"} 4.0' in lines
    [total] = [line for line in lines if line.startswith('gateway_request_seconds_sum{cache="hit"}')]
    assert 1.5 < float(total.split()[-1]) < 1.6
