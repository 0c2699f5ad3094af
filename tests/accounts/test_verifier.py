"""What a check makes of an account, whatever vendor and database do. The loop itself: tests/test_background.py."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from connectors.exchange import Answer, Request
from gateway.accounts.link import Linker
from gateway.accounts.usage import Due, Usage
from gateway.accounts.verification import Intervals
from gateway.accounts.verifier import AccountVerifier
from gateway.errors import StoreUnavailable
from tests.fakes.accounts import Office
from tests.fakes.core import NOW, make_linked
from tests.fakes.logs import LogLines


@dataclass
class Walk:
    """One worker's verifier, whose vendor answers as a test likes."""

    answer: Callable[[], Answer]
    away: bool = False
    scheduled: list[tuple[str, datetime, int]] = field(default_factory=list)
    log: LogLines = field(default_factory=LogLines)
    asked: int = 0

    def __post_init__(self) -> None:
        self.office = Office()
        self.office.vendor.instead = self.reply
        clock = self.office.time.clock()
        self.verifier = AccountVerifier(
            self.office.authenticator,
            Linker(accounts=self.office.books, upstream=self, clock=clock.now, new_id=lambda: "new", deadline=5),
            schedule=self.schedule,
            intervals=Intervals(idle=3600, used=36000, failed=7200),
            clock=clock,
            logger=self.log.logger,
        )

    async def schedule(self, account_id: str, at: datetime, failures: int) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.scheduled.append((account_id, at, failures))

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        self.asked += 1
        return self.reply(request)

    def reply(self, request: Request) -> Answer:  # noqa: ARG002 - a vendor
        return self.answer()

    def due(self, account_id: str = "n1", failures: int = 0) -> Due:
        linked = make_linked(account_id, "open")
        self.office.register.accounts[account_id] = linked
        usage = Usage(check_at=NOW, verified_at=NOW - timedelta(hours=2), failures=failures)
        return Due(linked.account, usage)

    @property
    def undecided(self) -> list[tuple[str, str]]:
        assert {event for event, _ in self.log.lines} <= {"account not verified"}
        return [(fields["account"], fields["error"]) for _, fields in self.log.lines]


def good() -> Answer:
    return Answer(200, {}, b"open")


@pytest.mark.parametrize(
    ("status", "headers", "failures", "code", "seconds"),
    [
        (503, {}, 0, "ProviderError", 75),
        (503, {}, 3, "ProviderError", 600),
        (429, {}, 0, "ProviderRateLimitError", 75),
        (429, {"retry-after": "4000"}, 0, "ProviderRateLimitError", 5000),
    ],
)
async def test_a_vendor_that_is_ill_or_busy_changes_nothing_and_is_left_in_peace(
    status: int, headers: dict[str, str], failures: int, code: str, seconds: float
) -> None:
    walk = Walk(lambda: Answer(status, headers, b""))
    due = walk.due(failures=failures)
    before = walk.office.account("n1")
    await walk.verifier.process(due)
    assert (walk.office.account("n1"), walk.undecided) == (before, [("n1", code)])
    assert walk.scheduled == [("n1", NOW + timedelta(seconds=seconds), failures + 1)]


async def test_a_database_that_goes_away_in_the_middle_leaves_the_account_to_its_lease() -> None:
    walk = Walk(lambda: Answer(503, {}, b""), away=True)
    with pytest.raises(StoreUnavailable):
        await walk.verifier.process(walk.due())
    assert walk.undecided == [("n1", "ProviderError")]


async def test_a_change_by_another_at_the_same_time_goes_first() -> None:
    walk = Walk(good)
    due = walk.due()

    def relink() -> Answer:
        walk.office.register.change("n1", label="theirs", revision=2)
        return Answer(200, {}, b"closed")

    walk.answer = relink
    await walk.verifier.process(due)
    account = walk.office.account("n1")
    assert (account.label, account.revision, account.grant.scopes) == ("theirs", 2, frozenset({"open"}))
    assert (walk.scheduled, walk.undecided) == ([], [])


async def test_what_has_changed_since_it_was_claimed_is_left_for_the_next_time() -> None:
    walk = Walk(good)
    changed, unlinked = walk.due("n1"), walk.due("n2")
    walk.office.register.change("n1", revision=7)
    del walk.office.register.accounts["n2"]
    await walk.verifier.process(changed)
    await walk.verifier.process(unlinked)
    assert (walk.scheduled, walk.asked) == ([], 0)
