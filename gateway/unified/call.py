"""A unified read as it comes in and as it goes out."""

from dataclasses import dataclass, replace
from weakref import ref

from connectors.contract import Operation
from gateway.cache.entry import CacheEntry
from gateway.cache.freshness import Directives, Freshness
from gateway.model import ClientKey, Linked


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A read as it came in: who calls, for which account, which operation, with which decoded query."""

    secret: str | None
    account_id: str | None
    operation: Operation
    key: str = ""
    employee: str = ""
    pairs: tuple[tuple[str, str], ...] = ()
    directives: Directives
    request_id: str


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: its bytes, how fresh it is, and its calls to the vendor. `ticket` opens the fast path to it."""

    entry: CacheEntry
    freshness: Freshness
    upstream_calls: int = 0
    ticket: "FastPathTicket | None" = None

    @property
    def body(self) -> bytes:
        return self.entry.plain

    @property
    def withheld(self) -> tuple[str, ...]:
        return self.entry.withheld

    def collapsed(self, now: float) -> "Page":
        """Returns the answer for a request that has waited for it while another one fetched it."""
        return Page(self.entry, replace(self.freshness, collapsed=True, now=now))


@dataclass(frozen=True, slots=True)
class FastPathTicket:
    """What was decided for a request that was answered from a cache: equal requests may have the same answer.

    It holds while the authenticator would find these very objects for key and account, and until the day ends. The
    reference to the account is weak: a ticket must not keep a credential alive after its account was unlinked.
    """

    client_key: ClientKey
    linked: ref[Linked]
    account_id: str
    answer: str
    day_ends: float
