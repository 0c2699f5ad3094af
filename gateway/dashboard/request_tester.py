"""The request tester: a unified read that the operator runs with chosen scopes.

It is handled like the request of a backend, policy and cache included. Only its API key is not a stored one.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.contract import Operation
from gateway.cache.freshness import directives
from gateway.errors import BadRequest, GatewayError
from gateway.model import Account, Accounts, Actor, ClientKey, LinkedAccount, Status, StatusReason
from gateway.policy.access import AccessReport
from gateway.policy.policy import SCOPE, WithheldReason
from gateway.policy.provider import Provider
from gateway.unified.call import Call, Page

CACHE_CHOICES: Mapping[str, str] = {
    "": "As any caller",
    "no-cache": "Ask the vendor (no-cache)",
    "no-store": "Ask the vendor, store nothing (no-store)",
    "only-if-cached": "From the cache or not at all (only-if-cached)",
}
KEY_ID = "tester"

Read = Callable[[Accounts, Call], Awaitable[Page]]
"""Answers a unified read with these accounts and keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRequest:
    """A request: `ids` are those in the path, in their order, `cache` is its `Cache-Control`."""

    account: Account
    operation: Operation
    scopes: frozenset[str]
    ids: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    cache: str = ""
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedFields:
    """Fields that were left out for the same reasons: scopes that would open them, and who can grant these."""

    paths: tuple[str, ...]
    reasons: tuple[WithheldReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """An answer or an error, and the time that it took."""

    page: Page | None
    error: GatewayError | None
    seconds: float
    closed: tuple[ClosedFields, ...] = ()

    @property
    def upstream_calls(self) -> int:
        if self.page:
            return self.page.upstream_calls
        return self.error.upstream_calls if self.error else 0


@dataclass(frozen=True, slots=True)
class TestKeyAccounts:
    """The stored accounts, and one more key that exists for one request."""

    inner: Accounts
    key: ClientKey
    secret: str = field(repr=False)

    async def find_key(self, secret: str) -> ClientKey | None:
        return self.key if secrets.compare_digest(secret, self.secret) else None

    async def find_account(self, project_id: str, account_id: str) -> LinkedAccount | None:
        return await self.inner.find_account(project_id, account_id)

    def is_current(self, key: ClientKey, linked: LinkedAccount) -> bool:  # noqa: ARG002 - an Accounts
        """Always False: the key is used once."""
        return False

    async def mark(
        self, account_id: str, status: Status, reason: StatusReason | None, *, by: Actor, revision: int | None = None
    ) -> None:
        await self.inner.mark(account_id, status, reason, by=by, revision=revision)


class RequestTester:
    """`operations` are the reads that may be tried."""

    def __init__(
        self,
        accounts: Accounts,
        read: Read,
        operations: Sequence[Operation],
        monotonic: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._read = read
        self.operations = {each.id: each for each in operations if each.reads}
        self._monotonic = monotonic

    async def run(self, request: TestRequest, provider: Provider, now: datetime) -> TestResult:
        """Runs the request with a key of its scopes. Errors are part of the result."""
        secret = secrets.token_urlsafe(16)
        key = ClientKey(
            id=KEY_ID, project_id=request.account.project_id, prefix="", scopes=request.scopes, created_at=now
        )
        began = self._monotonic()
        try:
            page = await self._read(TestKeyAccounts(self._accounts, key, secret), _call(request, secret))
        except GatewayError as error:
            return TestResult(page=None, error=error, seconds=self._monotonic() - began)
        seconds = self._monotonic() - began
        return TestResult(page=page, error=None, seconds=seconds, closed=_closed(request, provider, page))


def path_of(operation: Operation, ids: Sequence[str], quote: Callable[[str], str] = str) -> str:
    """Returns the path of an operation with ids in it."""
    remaining = iter(ids)
    return "/".join(quote(next(remaining)) if part.startswith("{") else part for part in operation.path.split("/"))


def read_scopes(text: str) -> frozenset[str]:
    """Returns the scopes of a text, separated by spaces or commas. Raises `BadRequest`."""
    scopes = frozenset(text.replace(",", " ").split())
    invalid = sorted(scope for scope in scopes if not SCOPE.fullmatch(scope))
    if invalid:
        raise BadRequest(
            f"There is no scope {invalid[0][:64]}: write such as hris.employees:read, or * for everything."
        )
    if not scopes:
        raise BadRequest("Write at least one scope, or choose the rights of a key.")
    return scopes


def _call(request: TestRequest, secret: str) -> Call:
    operation = request.operation
    return Call(
        secret=secret,
        account_id=request.account.id,
        operation=operation,
        key="" if operation.kind == "list" else request.ids[-1],
        employee=request.ids[0] if operation.of_employee else "",
        pairs=request.pairs,
        directives=directives(request.cache),
        request_id=request.request_id,
    )


def _closed(request: TestRequest, provider: Provider, page: Page) -> tuple[ClosedFields, ...]:
    """Returns the fields that were left out, grouped by their reasons."""
    access = AccessReport(provider.policy, request.scopes, request.account.grant.opens).of(request.operation)
    closings = {each.path: each.closings for each in access.fields} if access else {}
    by_reason: dict[tuple[WithheldReason, ...], list[str]] = {}
    for path in page.withheld:
        by_reason.setdefault(closings.get(path, ()), []).append(path)
    return tuple(ClosedFields(paths=tuple(paths), reasons=reasons) for reasons, paths in by_reason.items())
