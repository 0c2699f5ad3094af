"""What is counted of an account's calls, and that none is lost or counted twice when the database is away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from gateway.accounts.token_rejection import INVALID_CREDENTIALS as EXPELLED
from gateway.accounts.usage import UsageCounts
from gateway.accounts.usage_counter import UsageCounter
from gateway.errors import StoreUnavailable
from tests.fakes.core import NOW, Time


@dataclass
class Sheet:
    """Takes what is added, unless it is away."""

    added: list[tuple[dict[str, UsageCounts], datetime]] = field(default_factory=list)
    away: bool = False

    async def add(self, tallies: Mapping[str, UsageCounts], at: datetime) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.added.append((dict(tallies), at))


LISTED = "list_things"
HIT, MISS, WRITTEN = ("hit", "", False), ("miss", "", True), ("", "", True)
FAILED = ("", "ProviderError", True)


@pytest.mark.parametrize(
    ("operation", "account", "calls", "tally"),
    [
        (LISTED, "a1", [HIT], UsageCounts(hits=1)),
        (LISTED, "a1", [HIT] * 3, UsageCounts(hits=3)),
        (LISTED, "a1", [MISS], UsageCounts(misses=1, proven=True)),
        (LISTED, "a1", [MISS, HIT], UsageCounts(hits=1, misses=1, proven=True)),
        (LISTED, "a1", [("request", "", False)], UsageCounts(misses=1)),
        (LISTED, "a1", [WRITTEN], UsageCounts(proven=True)),
        (LISTED, "a1", [FAILED], UsageCounts(errors=1, error_code="ProviderError")),
        (
            LISTED,
            "a1",
            [FAILED, ("", "ProviderTimeoutError", False)],
            UsageCounts(errors=2, error_code="ProviderTimeoutError"),
        ),
        (LISTED, "a1", [("", "AccountInvalidCredentialsError", True)], UsageCounts(errors=1, error_code=EXPELLED)),
        (LISTED, "a1", [("", "InvalidApiKeyError", False)], None),
        (LISTED, "a1", [("", "AccountNotFoundError", False)], None),
        (LISTED, "a1", [("", "ValidationError", False)], None),
        (LISTED, "a1", [("", "InsufficientScopeError", False)], None),
        (LISTED, "a1", [("", "StoreUnavailableError", False)], None),
        (LISTED, "a1", [("", "KeyError", False)], None),
        (LISTED, "", [HIT], None),
        ("get_account", "a1", [WRITTEN], None),
    ],
)
async def test_calls_are_counted_by_how_they_ended(
    operation: str, account: str, calls: Sequence[tuple[str, str, bool]], tally: UsageCounts | None
) -> None:
    sheet = Sheet()
    counter = UsageCounter(sheet.add, lambda: NOW, [LISTED])
    for cache, error, proven in calls:
        counter.count(operation, account, cache, error, proven=proven)
    await counter.flush()
    await counter.flush()
    assert sheet.added == ([({account: tally}, NOW)] if tally else [])


async def test_what_cannot_be_added_is_added_with_what_comes_later() -> None:
    sheet, time = Sheet(away=True), Time()
    counter = UsageCounter(sheet.add, lambda: time.moment, [LISTED])
    for account, call in (("a1", MISS), ("a1", FAILED)):
        counter.count(LISTED, account, call[0], call[1], proven=call[2])
    await counter.flush()
    time.forward(60)
    for account in ("a1", "a2"):
        counter.count(LISTED, account, "hit", "", proven=False)
    await counter.flush()
    sheet.away = False
    await counter.flush()
    await counter.flush()
    whole = UsageCounts(hits=1, misses=1, errors=1, proven=True, error_code="ProviderError")
    assert sheet.added == [({"a1": whole, "a2": UsageCounts(hits=1)}, NOW + timedelta(seconds=60))]


async def test_what_is_counted_while_it_is_being_added_is_added_the_next_time() -> None:
    class Slow(Sheet):
        async def add(self, tallies: Mapping[str, UsageCounts], at: datetime) -> None:
            counter.count(LISTED, "a1", "hit", "", proven=False)
            await super().add(tallies, at)

    sheet = Slow()
    counter = UsageCounter(sheet.add, lambda: NOW, [LISTED])
    counter.count(LISTED, "a1", "miss", "", proven=False)
    await counter.flush()
    await counter.flush()
    assert [tallies for tallies, _ in sheet.added] == [{"a1": UsageCounts(misses=1)}, {"a1": UsageCounts(hits=1)}]
