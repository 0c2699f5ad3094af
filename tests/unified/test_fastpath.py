"""The memory of the short way: bounded whatever callers send, and nobody's ticket goes for another's long query."""

import tracemalloc
from datetime import UTC, datetime
from typing import Any
from weakref import ref

from gateway.unified.call import FastPathTicket
from gateway.unified.fastpath import REMEMBERED, FastPath, FastPathEntry, Fingerprint
from tests.fakes.core import make_key, make_linked

LINKED = make_linked("a1")
STUB = FastPathEntry(
    FastPathTicket(make_key("*"), ref(LINKED), "a1", "name", datetime.now(UTC).timestamp()), "list_employees"
)


def words(express: FastPath, query: bytes, path: bytes = b"/unified/hris/employees", **headers: bytes) -> Fingerprint:
    given = {"authorization": b"Basic eDo=", "x-account-id": b"a1"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    scope: dict[str, Any] = {
        "method": "GET",
        "raw_path": path,
        "path": path.decode(),
        "query_string": query,
        "headers": [(name.encode(), value) for name, value in given.items()],
    }
    found = express.read(scope)
    assert found is not None
    return found


def test_of_one_request_too_many_the_oldest_alone_is_forgotten() -> None:
    express = FastPath()
    for number in range(REMEMBERED + 1):
        express.remember(words(express, b"n=%d" % number), STUB)
    assert express.find(words(express, b"n=0")) is None
    assert all(express.find(words(express, b"n=%d" % number)) for number in range(1, REMEMBERED + 1))


def test_long_queries_take_no_more_memory_than_short_ones() -> None:
    express = FastPath()
    filler = b"x" * 16_000
    tracemalloc.start()
    try:
        for number in range(REMEMBERED):
            express.remember(words(express, b"filter=%d%b" % (number, filler)), STUB)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 4_000_000


def test_requests_that_differ_anywhere_are_told_apart() -> None:
    """Also where a text moves from one part to the next."""
    express = FastPath()
    found = [
        words(express, b"a=1"),
        words(express, b"a=2"),
        words(express, b"", path=b"/unified/hris/employeesa=1"),
        words(express, b"a=1", path=b"/unified/hris/employee"),
        words(express, b"a=1", x_account_id=b"a2"),
        words(express, b"a=1", x_account_id=b"a1/unified"),
        words(express, b"a=1", authorization=b"Basic eDo=a1", x_account_id=b""),
        words(express, b"a=1", authorization=b"Basic eDo"),
    ]
    assert len({each.digest for each in found}) == len(found)
