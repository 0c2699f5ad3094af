"""What a kept answer may still be used for. Pure decisions; ages and windows are in seconds, moments since the epoch.

Standards: RFC 9111 (section 5.2.1, what a request may demand), RFC 5861 (stale-while-revalidate, stale-if-error),
RFC 9211 (`Cache-Status`).
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from math import inf

from gateway.errors import GatewayError
from gateway.model import Ceilings

_WORD = re.compile(r'(max-age|min-fresh|max-stale)="?(\d{1,9})"?')


@dataclass(frozen=True, slots=True)
class Directives:
    """What a request's `Cache-Control` says (RFC 9111, section 5.2.1). A `max_stale` of `inf` sets no limit."""

    no_cache: bool = False
    no_store: bool = False
    max_age: int | None = None
    min_fresh: int = 0
    max_stale: float = 0
    only_if_cached: bool = False

    @property
    def may_read(self) -> bool:
        return not (self.no_cache or self.no_store or self.max_age == 0)


NO_DIRECTIVES = Directives()


def directives(header: str) -> Directives:
    """Read a `Cache-Control` header. What is not understood is left out, as the RFC wants; of two, the stricter."""
    if not header:
        return NO_DIRECTIVES
    words = [word.strip().lower() for word in header.split(",")]
    told: dict[str, list[int]] = {"max-age": [], "min-fresh": [], "max-stale": []}
    for found in filter(None, map(_WORD.fullmatch, words)):
        told[found[1]].append(int(found[2]))
    return Directives(
        no_cache="no-cache" in words,
        no_store="no-store" in words,
        max_age=min(told["max-age"], default=None),
        min_fresh=max(told["min-fresh"], default=0),
        max_stale=min(told["max-stale"], default=inf if "max-stale" in words else 0),
        only_if_cached="only-if-cached" in words,
    )


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a reading may be used: while fresh, and after that while another is fetched, or when that fails."""

    fresh: float
    revalidate: float = 0
    on_error: float = 0

    def within(self, ceilings: "Ceilings") -> "Windows":
        """Cut the windows to what an account allows. What is never fresh is never stale either: it is not kept."""
        fresh = min(self.fresh, ceilings.fresh)
        stale = ceilings.stale if fresh > 0 else 0
        return Windows(fresh, min(self.revalidate, stale), min(self.on_error, stale))

    def begin(self, made_at: float, jitter: float = 0) -> "Times":
        """Give the moments for a reading made now. `jitter` shortens freshness by that part of it, never prolongs."""
        until = made_at + self.fresh * (1 - jitter)
        return Times(made_at, until, until + self.revalidate, until + self.on_error)


@dataclass(frozen=True, slots=True)
class Times:
    """When a reading was made, and until when it may be used how."""

    made_at: float
    fresh_until: float
    revalidate_until: float
    error_until: float

    def joined(self, other: "Times") -> "Times":
        """Give the times of an answer made from two readings: it is as old as the older, and ends with the first."""
        return Times(
            min(self.made_at, other.made_at),
            min(self.fresh_until, other.fresh_until),
            min(self.revalidate_until, other.revalidate_until),
            min(self.error_until, other.error_until),
        )

    @property
    def kept_until(self) -> float:
        return max(self.fresh_until, self.revalidate_until, self.error_until)


class Use(Enum):
    """What a kept answer is good for now."""

    FRESH = auto()
    STALE = auto()
    """To be given as it is: the request takes stale answers."""
    MEANWHILE = auto()
    """To be given, while another is fetched behind it."""
    ON_ERROR = auto()
    """To be given only if the vendor fails."""
    NOT = auto()


def judge(times: Times, now: float, asked: Directives, *, settled: bool = False) -> Use:
    """Decide what an answer is good for. A `settled` request is the one behind an answer: it wants a fresh one."""
    if not asked.may_read or (asked.max_age is not None and now - times.made_at > asked.max_age):
        return Use.NOT
    left = times.fresh_until - now
    if left > 0 and left >= asked.min_fresh:
        return Use.FRESH
    if asked.min_fresh:
        return Use.NOT
    if asked.max_stale and now < times.kept_until and -left <= asked.max_stale:
        return Use.STALE
    if now < times.revalidate_until and not settled:
        return Use.MEANWHILE
    return Use.ON_ERROR if now < times.error_until else Use.NOT


def takes(times: Times, now: float, asked: Directives) -> bool:
    """Tell whether a request takes what another has just had made: it may demand more than the other did."""
    young = asked.max_age is None or now - times.made_at <= asked.max_age
    return young and times.fresh_until - now >= asked.min_fresh if asked.min_fresh else young


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How fresh an answer is, and how it came about: the material of `Age`, `Cache-Control` and `Cache-Status`.

    `forwarded` is the reason why the vendor was asked (`miss`, `stale`, `request`, `bypass`), or empty where it was
    not; `failed` the failure that a stale answer stands in for; `collapsed` tells that another request
    had asked the same already.
    """

    times: Times
    now: float
    forwarded: str = ""
    stored: bool = False
    collapsed: bool = False
    failed: GatewayError | None = None
    detail: str = ""

    @property
    def age(self) -> int:
        return max(0, int(self.now - self.times.made_at))

    @property
    def ttl(self) -> int:
        """Seconds that it is still fresh; below zero, for how long it has been stale."""
        return int(self.times.fresh_until - self.now)

    @property
    def lifetime(self) -> int:
        """Seconds from its making to the end of its freshness: a caller's own cache takes the age off itself."""
        return max(0, int(self.times.fresh_until - self.times.made_at))

    @property
    def word(self) -> str:
        """One word for logs and metrics: `stale` is given without asking, `failed` instead of a vendor that fails."""
        if self.collapsed:
            return "collapsed"
        if self.forwarded:
            return "failed" if self.forwarded == "stale" else self.forwarded
        return "hit" if self.now < self.times.fresh_until else "stale"
