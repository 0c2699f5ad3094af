"""What a kept answer may still be used for. Pure decisions; ages are in seconds."""

import re
from dataclasses import dataclass

_MAX_AGE = re.compile(r'max-age="?(\d{1,9})"?')


@dataclass(frozen=True, slots=True)
class Directives:
    """What a request's `Cache-Control` says (RFC 9111, section 5.2.1)."""

    no_cache: bool = False
    no_store: bool = False
    max_age: int | None = None

    @property
    def may_read(self) -> bool:
        return not (self.no_cache or self.no_store or self.max_age == 0)

    def accepts(self, age: float) -> bool:
        return self.may_read and (self.max_age is None or age <= self.max_age)


NO_DIRECTIVES = Directives()


def directives(header: str) -> Directives:
    """Read a `Cache-Control` header. What is not understood is left out, as the RFC wants."""
    if not header:
        return NO_DIRECTIVES
    words = [word.strip().lower() for word in header.split(",")]
    ages = [int(found[1]) for found in map(_MAX_AGE.fullmatch, words) if found]
    return Directives("no-cache" in words, "no-store" in words, min(ages, default=None))


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh an answer is, and how it came about: the material of `Age` and `Cache-Status` (RFC 9211).

    `forwarded` is the reason why the vendor was asked (`miss`, `request`, `bypass`), or empty where it was not.
    """

    age: int
    ttl: int
    forwarded: str = ""
    stored: bool = False
