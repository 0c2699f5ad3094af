"""The short way to an answer that is near: open while nothing has changed, and never around a decision."""

import gc
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.cache.freshness import Windows
from gateway.model import Status
from gateway.unified.call import FastPathTicket
from tests.fakes.core import Vendor
from tests.fakes.vendor import Bench, village


async def holding() -> tuple[Bench[Vendor], FastPathTicket]:
    """Give a gateway that has an answer near, and the ticket to it."""
    desk = Bench(village(5), local_bytes=1 << 20, windows=Windows(60, 30))
    first = await desk.ask()
    assert first.ticket is None, "an answer that was fetched is not yet one from a cache"
    second = await desk.ask()
    assert second.ticket is not None
    assert second.freshness.detail == "local"
    return desk, second.ticket


async def test_a_ticket_gives_the_answer_that_asking_gives_and_its_age() -> None:
    desk, ticket = await holding()
    desk.vendor.take_calls()
    desk.time.forward(5)
    page, asked = desk.reads.fast_path(ticket, desk.time.seconds()), await desk.ask()
    assert page is not None
    assert (page.body, page.withheld, page.freshness.age) == (asked.body, asked.withheld, 5)
    assert desk.vendor.take_calls() == 0


def revoke(desk: Bench[Vendor]) -> None:
    desk.register.keys.clear()


def rescope(desk: Bench[Vendor]) -> None:
    desk.register.keys["key"] = replace(desk.register.keys["key"], scopes=frozenset({"hris.locations:read"}))


def suspend(desk: Bench[Vendor]) -> None:
    desk.register.change("a1", status=Status.SUSPENDED)


def relink(desk: Bench[Vendor]) -> None:
    desk.register.change("a1", revision=2)


def unlink(desk: Bench[Vendor]) -> None:
    del desk.register.accounts["a1"]
    gc.collect()


def hear_of_a_change(desk: Bench[Vendor]) -> None:
    desk.local.invalidate("a1")


def wait_until_it_is_stale(desk: Bench[Vendor]) -> None:
    desk.time.forward(60)


def wait_longer_than_what_is_near_is_believed(desk: Bench[Vendor]) -> None:
    desk.time.forward(10)


def wait_until_the_day_ends(desk: Bench[Vendor]) -> None:
    desk.time.moment = desk.time.moment.replace(hour=23, minute=59, second=59, microsecond=999_999)


@pytest.mark.parametrize(
    "change",
    [
        revoke,
        rescope,
        suspend,
        relink,
        unlink,
        hear_of_a_change,
        wait_until_it_is_stale,
        wait_longer_than_what_is_near_is_believed,
        wait_until_the_day_ends,
    ],
    ids=lambda change: change.__name__,
)
async def test_a_ticket_is_worth_nothing_after(change: Callable[[Bench[Vendor]], None]) -> None:
    desk, ticket = await holding()
    assert desk.reads.fast_path(ticket, desk.time.seconds()) is not None
    change(desk)
    assert desk.reads.fast_path(ticket, desk.time.seconds()) is None


async def test_a_ticket_does_not_keep_an_account_that_is_gone() -> None:
    desk, ticket = await holding()
    unlink(desk)
    assert ticket.linked() is None
