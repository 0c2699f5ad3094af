"""The state of one running sandbox: company, choices, clock, calls and faults. Each app has one; nothing is global."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from deploy.sandbox.calls import CallLog
from deploy.sandbox.catalogue import BUILDERS
from deploy.sandbox.choices import Choices
from deploy.sandbox.company.plan import person_id
from deploy.sandbox.company.world import World
from deploy.sandbox.faults import FaultList
from deploy.sandbox.limits import RateLimiter
from deploy.sandbox.model import JsonObject
from deploy.sandbox.reading import Reader
from deploy.sandbox.rights import Viewer
from deploy.sandbox.store import Store
from deploy.sandbox.tokens import ROLES, TOKENS, Token


class Stamps:
    """Timestamps for writes, each later than the one before, so that `updatedAt` always moves."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._last = datetime.min.replace(tzinfo=UTC)

    def next(self) -> str:
        """Returns the next timestamp."""
        self._last = max(self._clock(), self._last + timedelta(milliseconds=1))
        return self._last.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class State:
    """The state of one sandbox."""

    def __init__(self, world: World, choices: Choices, clock: Callable[[], datetime]) -> None:
        self.world = world
        self.store = Store(world, BUILDERS)
        self.first_choices = choices
        self.choices = choices
        self.reader = Reader(self.store, choices)
        self.stamps = Stamps(clock)
        self.calls = CallLog()
        self.faults = FaultList()
        self.limiter = RateLimiter()
        self.changes: list[tuple[str, str, JsonObject]] = []
        """Path, verb and row of what was written and not yet told of."""
        self._tokens = {token.token: token for token in TOKENS}
        self._viewers: dict[str, tuple[int, Viewer]] = {}

    def choose(self, choices: Choices) -> None:
        """Sets other choices."""
        self.choices = choices
        self.reader = Reader(self.store, choices)
        self.limiter.reset()

    def token(self, secret: str) -> Token | None:
        """Returns the token with this secret, or None."""
        return self._tokens.get(secret)

    def viewer(self, token: Token) -> Viewer:
        """Returns the token's person and their reports, looked up again after a write."""
        known = self._viewers.get(token.name)
        if known is None or known[0] != self.store.version:
            me = person_id(self.world.seed, ROLES.index(token.role))
            known = (self.store.version, Viewer(token=token, person_id=me, reports=self._reports(token, me)))
            self._viewers[token.name] = known
        return known[1]

    def _reports(self, token: Token, person: str) -> frozenset[str]:
        return self.store.reports_of(person) if token.role == "manager" else frozenset()


def noon_of(world: World) -> Callable[[], datetime]:
    """Returns a clock that stands still at noon of the company's day, so that two runs give the same bytes."""
    noon = datetime.combine(world.today, time(12), tzinfo=UTC)
    return lambda: noon


def wall_clock() -> datetime:
    """Returns the current time in UTC."""
    return datetime.now(UTC)
