"""One unified read, tried out by the operator: the same call as a backend's, with rights that are chosen.

It goes the whole way of a real call, policy and cache included; only the key is not a stored one.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.contract import Operation
from gateway.cache.freshness import directives
from gateway.errors import BadRequest, GatewayError
from gateway.model import Account, Accounts, Actor, ClientKey, Linked, Status, StatusReason
from gateway.policy.access import AccessReport
from gateway.policy.policy import SCOPE, Withheld
from gateway.policy.provider import Provider
from gateway.unified.call import Call, Page

CACHE_CHOICES: Mapping[str, str] = {
    "": "As any caller",
    "no-cache": "Ask the vendor (no-cache)",
    "no-store": "Ask the vendor, keep nothing (no-store)",
    "only-if-cached": "From the cache or not at all (only-if-cached)",
}
PSEUDO = "trial"

Answer = Callable[[Accounts, Call], Awaitable[Page]]
"""The unified API, asked with these accounts and keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRequest:
    """What is tried: `ids` are those of the path, in its order, `cache` is the `Cache-Control` of the request."""

    account: Account
    operation: Operation
    scopes: frozenset[str]
    ids: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    cache: str = ""
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Fields that were left out, and each scope that would open them with who can grant it."""

    paths: tuple[str, ...]
    reasons: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """What came of it, an answer or an error, in so many seconds."""

    page: Page | None
    error: GatewayError | None
    seconds: float
    closed: tuple[Closed, ...] = ()

    @property
    def upstream_calls(self) -> int:
        if self.page:
            return self.page.upstream_calls
        return self.error.upstream_calls if self.error else 0


@dataclass(frozen=True, slots=True)
class TestKeyAccounts:
    """The accounts as they are, and one more key, which exists for one call."""

    inner: Accounts
    key: ClientKey
    secret: str = field(repr=False)

    async def find_key(self, secret: str) -> ClientKey | None:
        return self.key if secrets.compare_digest(secret, self.secret) else None

    async def find_account(self, project_id: str, account_id: str) -> Linked | None:
        return await self.inner.find_account(project_id, account_id)

    def is_current(self, key: ClientKey, linked: Linked) -> bool:  # noqa: ARG002 - an Accounts
        """The key is forgotten after its one call."""
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
        answer: Answer,
        operations: Sequence[Operation],
        monotonic: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._answer = answer
        self.operations = {each.id: each for each in operations if each.reads}
        self._monotonic = monotonic

    async def run(self, trial: TestRequest, provider: Provider, now: datetime) -> TestResult:
        secret = secrets.token_urlsafe(16)
        key = ClientKey(id=PSEUDO, project_id=trial.account.project_id, prefix="", scopes=trial.scopes, created_at=now)
        began = self._monotonic()
        try:
            page = await self._answer(TestKeyAccounts(self._accounts, key, secret), _call(trial, secret))
        except GatewayError as error:
            return TestResult(page=None, error=error, seconds=self._monotonic() - began)
        seconds = self._monotonic() - began
        return TestResult(page=page, error=None, seconds=seconds, closed=_closed(trial, provider, page))


def path_of(operation: Operation, ids: Sequence[str], quote: Callable[[str], str] = str) -> str:
    """Put ids into the path of an operation."""
    left = iter(ids)
    return "/".join(quote(next(left)) if part.startswith("{") else part for part in operation.path.split("/"))


def read_scopes(text: str) -> frozenset[str]:
    """Read scopes that are written with spaces or commas between them. Raises `BadRequest`."""
    words = frozenset(text.replace(",", " ").split())
    strange = sorted(word for word in words if not SCOPE.fullmatch(word))
    if strange:
        raise BadRequest(
            f"There is no scope {strange[0][:64]}: write such as hris.employees:read, or * for everything."
        )
    if not words:
        raise BadRequest("Write at least one scope, or choose the rights of a key.")
    return words


def _call(trial: TestRequest, secret: str) -> Call:
    operation = trial.operation
    return Call(
        secret=secret,
        account_id=trial.account.id,
        operation=operation,
        key="" if operation.kind == "list" else trial.ids[-1],
        employee=trial.ids[0] if operation.of_employee else "",
        pairs=trial.pairs,
        directives=directives(trial.cache),
        request_id=trial.request_id,
    )


def _closed(trial: TestRequest, provider: Provider, page: Page) -> tuple[Closed, ...]:
    """Say of the fields that were left out why they were, those of the same reasons together."""
    ability = AccessReport(provider.policy, trial.scopes, trial.account.grant.opens).of(trial.operation)
    standing = {each.path: each.closings for each in ability.fields} if ability else {}
    by_reason: dict[tuple[Withheld, ...], list[str]] = {}
    for path in page.withheld:
        by_reason.setdefault(standing.get(path, ()), []).append(path)
    return tuple(Closed(paths=tuple(paths), reasons=reasons) for reasons, paths in by_reason.items())
