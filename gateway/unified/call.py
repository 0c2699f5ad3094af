"""A unified read as it comes in and as it goes out."""

from dataclasses import dataclass
from weakref import ref

from connectors.contract import Operation
from gateway.cache.entry import CacheEntry
from gateway.cache.freshness import Directives, Freshness
from gateway.model import ClientKey, Linked


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A unified call as it came in: who asks, for which account, which operation, with which decoded query."""

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
    """An answer: its bytes, how fresh it is, and what it cost upstream. `ticket` lets the same be asked quickly."""

    kept: CacheEntry
    freshness: Freshness
    upstream_calls: int = 0
    ticket: "FastPathTicket | None" = None

    @property
    def body(self) -> bytes:
        return self.kept.plain

    @property
    def withheld(self) -> tuple[str, ...]:
        return self.kept.withheld


@dataclass(frozen=True, slots=True)
class FastPathTicket:
    """What was found for a call that is answered from what is near: the same key, account and rights give the same.

    It is good for as long as `key` and `linked` are what the entrance remembers, and until the day ends. It does not
    keep the account alive, whose credential would outlive its unlinking.
    """

    key: ClientKey
    linked: ref[Linked]
    account_id: str
    name: str
    day_ends: float
