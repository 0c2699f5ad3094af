"""Limits how often one may try to sign in: from one address, and from all addresses together.

Counts may be lost, like all in a cache; that allows a few more tries and nothing else.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Protocol

KNOWN_SECONDS = 30 * 24 * 3600
_ALL = "everybody"


@dataclass(frozen=True, slots=True)
class Count:
    """A number, and the seconds until the count ends."""

    number: int = 0
    seconds: int = 0


class LoginCounts(Protocol):
    """Counts that all workers share, each for a time. Never raises: where Redis fails, a worker counts for itself."""

    async def add(self, name: str, seconds: int) -> Count:
        """Adds one and returns the count, which ends so many seconds after its first one."""

    async def get(self, name: str) -> Count: ...

    async def delete(self, name: str) -> None: ...


class MemoryLoginCounts:
    """The counts of one process. Of more than `most` names the oldest are deleted."""

    def __init__(self, monotonic: Callable[[], float], most: int = 10_000) -> None:
        self._monotonic = monotonic
        self._most = most
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def add(self, name: str, seconds: int) -> Count:
        now = self._monotonic()
        number, until = self._counts.get(name, (0, 0.0))
        if now >= until:
            number, until = 0, now + seconds
            self._counts.pop(name, None)
        self._counts[name] = (number + 1, until)
        while len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return Count(number + 1, _whole(until - now))

    async def get(self, name: str) -> Count:
        number, until = self._counts.get(name, (0, 0.0))
        left = until - self._monotonic()
        return Count(number, _whole(left)) if left > 0 else Count()

    async def delete(self, name: str) -> None:
        self._counts.pop(name, None)


@dataclass(frozen=True, slots=True)
class Limit:
    """The most tries within a number of seconds."""

    most: int
    seconds: int


class LoginLimiter:
    """Allows tries, or returns how long to wait. Each is counted before it is made, so none can exceed the limit."""

    def __init__(self, counts: LoginCounts, of_each: Limit, of_all: Limit) -> None:
        self._counts = counts
        self._of_each = of_each
        self._of_all = of_all

    async def begin(self, address: str) -> int:
        """Counts a try from an address and returns the seconds until one may be made, 0 for now."""
        subject = subject_of(address)
        wait = _wait(await self._counts.add(f"from:{subject}", self._of_each.seconds), self._of_each)
        # Strangers must not be able to lock the operator out: an address that has signed in before has its own limit.
        if wait or (await self._counts.get(f"known:{subject}")).number:
            return wait
        return _wait(await self._counts.add(_ALL, self._of_all.seconds), self._of_all)

    async def succeed(self, address: str) -> None:
        subject = subject_of(address)
        await self._counts.delete(f"from:{subject}")
        await self._counts.add(f"known:{subject}", KNOWN_SECONDS)


def subject_of(address: str) -> str:
    """Returns the name to count an address by: of IPv6 its /64, as one subscriber has all of it."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)


def _wait(count: Count, limit: Limit) -> int:
    return max(1, count.seconds) if count.number > limit.most else 0


def _whole(seconds: float) -> int:
    return int(seconds) + (seconds > int(seconds))
