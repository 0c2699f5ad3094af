"""Does an answer come through a proxy byte for byte? Asks the gateway and the proxy the same, and compares."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection

from deploy.load.stack import Stack

LIST = "/unified/hris/employees?page_size=3"
NO_CACHE = {"cache-control": "no-cache"}

OF_THE_HOP = frozenset({"connection", "keep-alive", "server"})
"""Headers that a proxy has to set for its own side of the exchange."""
OF_THE_MOMENT = frozenset({"date", "x-request-id"})
"""Headers that two answers of the same server do not share; both must have them all the same."""
_REQUEST_ID = re.compile(r"[0-9a-f]{16}")
_TIMESTAMP = re.compile(rb'"timestamp":"[^"]*"')
COUNTING = frozenset({"age", "cache-control", "cache-status"})
"""Headers that count seconds. Lifetimes are jittered: two readings do not even begin at the same number."""
_SECONDS = re.compile(r"(?<![\w.])\d+")
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request and the status that it must get. `key` and `account` are names of the stack, or sent as they are."""

    name: str
    status: int
    path: str = LIST
    key: str = "all"
    account: str | None = "main"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


CASES = (
    Case(name="a kept list", status=200),
    Case(name="a large list", status=200, path="/unified/hris/employees?page_size=60"),
    # Without the cursor, which changes with each reading.
    Case(name="a list asked anew", status=200, path="/unified/hris/employees?page_size=100", headers=NO_CACHE),
    Case(name="a filter, encoded", status=200, path="/unified/hris/employees?filter%5Bemail%5D=no%2Bbody%40a.test"),
    Case(name="fields withheld", status=200, account="narrow"),
    Case(name="no account named", status=400, account=None),
    Case(name="an unknown parameter", status=400, path="/unified/hris/employees?colour=red"),
    Case(name="a broken cursor", status=400, path="/unified/hris/employees?next=%00%FF"),
    Case(name="headers too long", status=400, headers={"x-long": "x" * 40_000}),
    Case(name="a query too long", status=400, path="/unified/hris/employees?next=" + "x" * 20_000),
    Case(name="a wrong key", status=401, key="hrk_wrong"),
    Case(name="a key without the scope", status=403, key="companies only"),
    Case(name="an unknown account", status=404, account="nobody's"),
    Case(name="an unknown employee", status=404, path="/unified/hris/employees/nobody"),
    Case(name="an id with a slash", status=404, path="/unified/hris/employees/no%2Fbody"),
    Case(name="an unknown path", status=404, path="/unified//hris/../nothing"),
    Case(name="a wrong method", status=405, method="DELETE"),
    Case(name="a suspended account", status=412, account="suspended"),
    Case(name="a vendor's limit", status=429, path="/unified/hris/employees/limited"),
    Case(name="what the connector lacks", status=501, path="/unified/hris/benefits"),
    Case(name="a failing vendor", status=502, path="/unified/hris/employees/broken"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, with what two answers of the same server differ in taken out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    request_id: str

    def differences(self, other: "Said") -> Iterator[str]:
        if self.status != other.status:
            yield f"status {self.status} became {other.status}"
        lost = sorted(set(self.headers) - set(other.headers))
        gained = sorted(set(other.headers) - set(self.headers))
        if lost or gained or len(self.headers) != len(other.headers):
            yield f"headers: lost {lost}, gained {gained}"
        if self.body != other.body:
            yield f"body of {len(self.body)} bytes became another one of {len(other.body)}"
        if not _REQUEST_ID.fullmatch(other.request_id):
            yield f"x-request-id is {other.request_id!r}, which is not the gateway's"


def ask(address: str, case: Case, stack: Stack) -> Said:
    connection = HTTPConnection(address, timeout=10)
    try:
        headers = {**stack.headers(case.key, case.account), **case.headers}
        connection.request(case.method, case.path, headers=headers)
        answer = connection.getresponse()
        body = _TIMESTAMP.sub(b'"timestamp":"-"', answer.read())
        found = [(name.lower(), value) for name, value in answer.getheaders()]
    finally:
        connection.close()
    kept = [(name, comparable(name, value)) for name, value in found if name not in OF_THE_HOP]
    return Said(answer.status, tuple(sorted(kept)), body, answer.headers.get("x-request-id", ""))


def comparable(name: str, value: str) -> str:
    """Returns a header's value without what differs between two answers of one server."""
    if name in OF_THE_MOMENT:
        return ""
    return _SECONDS.sub("#", value) if name in COUNTING else value


def faults(case: Case, stack: Stack, proxy: str) -> list[str]:
    """Returns the differences of a case through a proxy.

    The gateway is asked before and after, since an answer may be kept or run out in between: one of the two answers
    must be the proxy's.
    """
    found: list[str] = []
    for _ in range(_TRIES):
        before, through, after = (ask(address, case, stack) for address in (stack.gateway, proxy, stack.gateway))
        if before.status != case.status:
            return [f"the gateway itself answers {before.status}, not {case.status}: {before.body[:300]!r}"]
        found = list(after.differences(through))
        if not found or not list(before.differences(through)):
            return []
    return found
