"""The request and the answer of a unified read."""

from dataclasses import dataclass, replace
from weakref import ref

from connectors.contract import Operation
from gateway.cache.entry import CacheEntry
from gateway.cache.freshness import Directives, Freshness
from gateway.model import ClientKey, LinkedAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A read request: who calls, for which account, which operation, with which decoded query."""

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
    """An answer: its bytes, how fresh it is, and the number of calls to the vendor.

    `ticket` lets the fast path send the same answer again.
    """

    entry: CacheEntry
    freshness: Freshness
    upstream_calls: int = 0
    ticket: "FastPathTicket | None" = None

    @property
    def body(self) -> bytes:
        """Returns the plain bytes of the answer."""
        return self.entry.plain

    @property
    def withheld(self) -> tuple[str, ...]:
        """Returns the paths of the fields that the answer leaves out."""
        return self.entry.withheld

    def collapsed(self, now: float) -> "Page":
        """Returns the answer for a request that has waited for it while another one fetched it."""
        return Page(self.entry, replace(self.freshness, collapsed=True, now=now))


@dataclass(frozen=True, slots=True)
class FastPathTicket:
    """What was decided for a request that was answered from a cache. Equal requests may have the same answer.

    It is valid while the authenticator would find these very objects for the key and the account. The reference to the
    account is weak, so that a ticket does not keep a credential in memory after its account is unlinked.
    """

    client_key: ClientKey
    linked: ref[LinkedAccount]
    account_id: str
    answer: str
