"""What is counted of an account's calls, and that none is lost or counted twice when the database is away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from gateway.core.counter import Counter, Outcome
from gateway.core.errors import StoreUnavailable
from gateway.core.usage import Tally, Usage
from tests.core.parts import NOW, Time


@dataclass
class Sheet:
    """Takes what is added, unless it is away."""

    added: list[dict[str, Tally]] = field(default_factory=list)
    away: bool = False

    async def add(self, tallies: Mapping[str, Tally]) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.added.append(dict(tallies))

    async def read(self, account_ids: Sequence[str]) -> Mapping[str, Usage]:
        raise NotImplementedError


LISTED = "list_things"
FAILED = Outcome("", "ProviderError")


@pytest.mark.parametrize(
    ("operation", "account", "outcomes", "tally"),
    [
        (LISTED, "a1", [Outcome("hit")], Tally(hits=1, called_at=NOW)),
        (LISTED, "a1", [Outcome("hit")] * 3, Tally(hits=3, called_at=NOW)),
        (LISTED, "a1", [Outcome("miss", "", proven=True)], Tally(misses=1, called_at=NOW, proven_at=NOW)),
        (LISTED, "a1", [Outcome("request")], Tally(misses=1, called_at=NOW)),
        (LISTED, "a1", [Outcome("", "", proven=True)], Tally(called_at=NOW, proven_at=NOW)),
        (LISTED, "a1", [FAILED], Tally(errors=1, called_at=NOW, error_at=NOW, error_code="ProviderError")),
        (LISTED, "a1", [Outcome("", "InvalidApiKeyError")], None),
        (LISTED, "a1", [Outcome("", "AccountNotFoundError")], None),
        (LISTED, "a1", [Outcome("", "ValidationError")], None),
        (LISTED, "a1", [Outcome("", "InsufficientScopeError")], None),
        (LISTED, "a1", [Outcome("", "StoreUnavailableError")], None),
        (LISTED, "a1", [Outcome("", "KeyError")], None),
        (LISTED, "", [Outcome("hit")], None),
        ("get_account", "a1", [Outcome()], None),
    ],
)
async def test_calls_are_counted_by_how_they_ended(
    operation: str, account: str, outcomes: Sequence[Outcome], tally: Tally | None
) -> None:
    sheet = Sheet()
    counter = Counter(sheet, lambda: NOW, [LISTED])
    for outcome in outcomes:
        counter.count(operation, account, outcome)
    await counter.flush()
    await counter.flush()
    assert sheet.added == ([{account: tally}] if tally else [])


async def test_what_cannot_be_added_is_added_with_what_comes_later() -> None:
    sheet, time = Sheet(away=True), Time()
    counter = Counter(sheet, lambda: time.moment, [LISTED])
    counter.count(LISTED, "a1", Outcome("miss", "", proven=True))
    counter.count(LISTED, "a1", FAILED)
    await counter.flush()
    time.forward(60)
    counter.count(LISTED, "a1", Outcome("hit"))
    counter.count(LISTED, "a2", Outcome("hit"))
    await counter.flush()
    sheet.away = False
    await counter.flush()
    await counter.flush()
    later = NOW + timedelta(seconds=60)
    whole = Tally(hits=1, misses=1, errors=1, called_at=later, proven_at=NOW, error_at=NOW, error_code="ProviderError")
    assert sheet.added == [{"a1": whole, "a2": Tally(hits=1, called_at=later)}]
