"""The memory of the fast path is bounded whatever callers send, and a long query costs nobody else a ticket."""

import tracemalloc
from datetime import UTC, datetime
from typing import Any
from weakref import ref

from gateway.unified.call import FastPathTicket
from gateway.unified.fastpath import REMEMBERED_TICKETS, FastPath, FastPathEntry, Fingerprint
from tests.fakes.core import make_key, make_linked

LINKED = make_linked("a1")
ENTRY = FastPathEntry(
    FastPathTicket(make_key("*"), ref(LINKED), "a1", "name", datetime.now(UTC).timestamp()), "list_employees"
)


def fingerprint(
    fast_path: FastPath, query: bytes, path: bytes = b"/unified/hris/employees", **headers: bytes
) -> Fingerprint:
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
    found = fast_path.fingerprint(scope)
    assert found is not None
    return found


def test_one_ticket_too_many_evicts_the_oldest_alone() -> None:
    fast_path = FastPath()
    for number in range(REMEMBERED_TICKETS + 1):
        fast_path.remember(fingerprint(fast_path, b"n=%d" % number), ENTRY)
    assert fast_path.find(fingerprint(fast_path, b"n=0")) is None
    assert all(fast_path.find(fingerprint(fast_path, b"n=%d" % number)) for number in range(1, REMEMBERED_TICKETS + 1))


def test_long_queries_take_no_more_memory_than_short_ones() -> None:
    fast_path = FastPath()
    filler = b"x" * 16_000
    tracemalloc.start()
    try:
        for number in range(REMEMBERED_TICKETS):
            fast_path.remember(fingerprint(fast_path, b"filter=%d%b" % (number, filler)), ENTRY)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 4_000_000


def test_requests_that_differ_anywhere_have_different_fingerprints() -> None:
    """Also where a text moves from one part to the next."""
    fast_path = FastPath()
    found = [
        fingerprint(fast_path, b"a=1"),
        fingerprint(fast_path, b"a=2"),
        fingerprint(fast_path, b"", path=b"/unified/hris/employeesa=1"),
        fingerprint(fast_path, b"a=1", path=b"/unified/hris/employee"),
        fingerprint(fast_path, b"a=1", x_account_id=b"a2"),
        fingerprint(fast_path, b"a=1", x_account_id=b"a1/unified"),
        fingerprint(fast_path, b"a=1", authorization=b"Basic eDo=a1", x_account_id=b""),
        fingerprint(fast_path, b"a=1", authorization=b"Basic eDo"),
    ]
    assert len({each.digest for each in found}) == len(found)
