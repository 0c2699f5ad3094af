"""Decides whether a stored answer may still be used. Durations are in seconds, moments in seconds since the epoch.

Standards: RFC 9111 (section 5.2.1, what a request may demand), RFC 5861 (stale-while-revalidate, stale-if-error),
RFC 9211 (`Cache-Status`).
"""

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from math import inf

from gateway.errors import GatewayError
from gateway.model import Ceilings

_DIRECTIVE = re.compile(r'(max-age|min-fresh|max-stale)="?(\d{1,9})"?')


@dataclass(frozen=True, slots=True)
class Directives:
    """A request's `Cache-Control` (RFC 9111, section 5.2.1). A `max_stale` of `inf` sets no limit."""

    no_cache: bool = False
    no_store: bool = False
    max_age: int | None = None
    min_fresh: int = 0
    max_stale: float = 0
    only_if_cached: bool = False

    @property
    def may_read(self) -> bool:
        """Returns whether the request accepts a stored answer at all."""
        return not (self.no_cache or self.no_store or self.max_age == 0)


NO_DIRECTIVES = Directives()


def directives(header: str) -> Directives:
    """Parses a `Cache-Control` header.

    Unknown directives are ignored, as the RFC demands; of two values of one directive the stricter counts.
    """
    if not header:
        return NO_DIRECTIVES
    words = [word.strip().lower() for word in header.split(",")]
    seconds: dict[str, list[int]] = {"max-age": [], "min-fresh": [], "max-stale": []}
    for found in filter(None, map(_DIRECTIVE.fullmatch, words)):
        seconds[found[1]].append(int(found[2]))
    return Directives(
        no_cache="no-cache" in words,
        no_store="no-store" in words,
        max_age=min(seconds["max-age"], default=None),
        min_fresh=max(seconds["min-fresh"], default=0),
        max_stale=min(seconds["max-stale"], default=inf if "max-stale" in words else 0),
        only_if_cached="only-if-cached" in words,
    )


@dataclass(frozen=True, slots=True)
class Windows:
    """For how many seconds an answer may be used.

    First it is fresh; after that it may be served stale while a new one is fetched, or stale where fetching fails.
    """

    fresh: float
    stale_while_revalidate: float = 0
    stale_if_error: float = 0

    def within(self, ceilings: "Ceilings") -> "Windows":
        """Returns the windows, shortened to an account's ceilings.

        An answer that is never fresh is not stored, so it is never stale either.
        """
        fresh = min(self.fresh, ceilings.fresh)
        stale = ceilings.stale if fresh > 0 else 0
        return Windows(fresh, min(self.stale_while_revalidate, stale), min(self.stale_if_error, stale))

    def begin(self, made_at: float, jitter: float = 0) -> "Times":
        """Returns the times of an answer made at `made_at` (seconds since the epoch).

        `jitter` is the part, from 0 to 1, by which its freshness is shortened.
        """
        until = made_at + self.fresh * (1 - jitter)
        return Times(made_at, until, until + self.stale_while_revalidate, until + self.stale_if_error)


@dataclass(frozen=True, slots=True)
class Times:
    """When an answer was made, and until when it may be used in which way. All are seconds since the epoch."""

    made_at: float
    fresh_until: float
    revalidate_until: float
    error_until: float
    webhook_from: float = 0
    """From when on the answer is fresh only because a vendor webhook would tell of a change; 0: never."""

    def extended(self, until: float) -> "Times":
        """Returns the times of an answer that is fresh until a later moment, as a vendor webhook tells of changes."""
        if until <= self.fresh_until:
            return self
        return replace(self._fresh_until(until), webhook_from=self.fresh_until)

    def bounded(self, since: float) -> "Times":
        """Returns the times without an extension if the answer was made before `since`: changes may be unknown."""
        if not self.webhook_from or self.made_at >= since:
            return self
        return replace(self._fresh_until(min(self.webhook_from, self.fresh_until)), webhook_from=0)

    def _fresh_until(self, until: float) -> "Times":
        by = until - self.fresh_until
        return replace(
            self, fresh_until=until, revalidate_until=self.revalidate_until + by, error_until=self.error_until + by
        )

    def joined(self, other: "Times") -> "Times":
        """Returns the times of an answer made from two: as old as the older, usable until the first of them ends."""
        return Times(
            min(self.made_at, other.made_at),
            min(self.fresh_until, other.fresh_until),
            min(self.revalidate_until, other.revalidate_until),
            min(self.error_until, other.error_until),
            min(filter(None, (self.webhook_from, other.webhook_from)), default=0),
        )

    def ending(self, moment: float) -> "Times":
        """Returns times that end at a moment at the latest: from then on the answer may not be used in any way."""
        return replace(
            self,
            fresh_until=min(self.fresh_until, moment),
            revalidate_until=min(self.revalidate_until, moment),
            error_until=min(self.error_until, moment),
        )

    @property
    def usable_until(self) -> float:
        """Returns when the answer can no longer be used in any way."""
        return max(self.fresh_until, self.revalidate_until, self.error_until)


class Use(Enum):
    """How a stored answer may be used now."""

    FRESH = auto()
    """As it is."""
    STALE = auto()
    """As it is, though stale: the request accepts stale answers (max-stale)."""
    STALE_WHILE_REVALIDATE = auto()
    """At once, while a new one is fetched in the background (RFC 5861)."""
    STALE_IF_ERROR = auto()
    """Only if the vendor fails (RFC 5861)."""
    UNUSABLE = auto()
    """Not at all: it is too old, or the request does not accept it."""


def judge(times: Times, now: float, directives: Directives, *, revalidating: bool = False) -> Use:
    """Returns how a stored answer may be used at the moment `now`.

    `revalidating` requests fetch the new answer themselves, so they never get one that is stale while revalidated.
    """
    if not directives.may_read or (directives.max_age is not None and now - times.made_at > directives.max_age):
        return Use.UNUSABLE
    left = times.fresh_until - now
    if left > 0 and left >= directives.min_fresh:
        return Use.FRESH
    if directives.min_fresh:
        return Use.UNUSABLE
    if directives.max_stale and now < times.usable_until and -left <= directives.max_stale:
        return Use.STALE
    if now < times.revalidate_until and not revalidating:
        return Use.STALE_WHILE_REVALIDATE
    return Use.STALE_IF_ERROR if now < times.error_until else Use.UNUSABLE


def satisfies(times: Times, now: float, directives: Directives) -> bool:
    """Returns whether a request accepts an answer that was just made for another request.

    With `max-age` or `min-fresh` it may demand a younger one.
    """
    young = directives.max_age is None or now - times.made_at <= directives.max_age
    return young and times.fresh_until - now >= directives.min_fresh if directives.min_fresh else young


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How fresh an answer is and how it was made: the content of `Age`, `Cache-Control` and `Cache-Status` (RFC 9211).

    `forwarded` is why the vendor was asked (`miss`, `stale`, `request`, `bypass`), empty where it was not. `failed` is
    the failure that a stale answer replaces. `collapsed` says that the answer was fetched for another request.
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
        """Returns the age of the answer in seconds."""
        return max(0, int(self.now - self.times.made_at))

    @property
    def ttl(self) -> int:
        """Returns the seconds that the answer stays fresh; below zero, the seconds that it has been stale."""
        return int(self.times.fresh_until - self.now)

    @property
    def lifetime(self) -> int:
        """Returns the seconds from the making of the answer to the end of its freshness.

        This is the `max-age` of the response: a caller's own cache subtracts the `Age`.
        """
        return max(0, int(self.times.fresh_until - self.times.made_at))

    @property
    def why(self) -> str:
        """Returns the detail for `Cache-Status`: `webhook` where nothing else makes the answer fresh."""
        owed = 0 < self.times.webhook_from <= self.now < self.times.fresh_until
        return "webhook" if owed and not self.forwarded else self.detail

    @property
    def outcome(self) -> str:
        """Returns one term for logs and metrics: `collapsed`, `hit`, `stale`, `failed`, `miss`, `request` or `bypass`.

        `stale` means served without asking the vendor; `failed` means served stale because the vendor failed.
        """
        if self.collapsed:
            return "collapsed"
        if self.forwarded:
            return "failed" if self.forwarded == "stale" else self.forwarded
        return "hit" if self.now < self.times.fresh_until else "stale"
