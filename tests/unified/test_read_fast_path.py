"""The fast path to an answer in the local cache: open while nothing has changed, and never around a decision."""

import gc
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.cache.freshness import Windows
from gateway.model import Status
from gateway.unified.call import FastPathTicket
from tests.fakes.core import Vendor
from tests.fakes.vendor import ReadBench, make_vendor


async def cached_answer() -> tuple[ReadBench[Vendor], FastPathTicket]:
    """Returns a gateway that has an answer in its local cache, and the ticket to it."""
    gateway = ReadBench(make_vendor(5), local_bytes=1 << 20, windows=Windows(60, 30))
    first = await gateway.ask()
    assert first.ticket is None, "an answer that was fetched is not yet one from a cache"
    second = await gateway.ask()
    assert second.ticket is not None
    assert second.freshness.detail == "local"
    return gateway, second.ticket


async def test_a_ticket_gives_the_answer_that_asking_gives() -> None:
    gateway, ticket = await cached_answer()
    gateway.vendor.take_calls()
    gateway.time.forward(5)
    stored, asked = gateway.reads.fast_path(ticket, gateway.time.seconds()), await gateway.ask()
    assert stored is not None
    assert stored is asked.entry
    assert asked.freshness.age == 5
    assert gateway.vendor.take_calls() == 0


def revoke(gateway: ReadBench[Vendor]) -> None:
    gateway.register.keys.clear()


def rescope(gateway: ReadBench[Vendor]) -> None:
    gateway.register.keys["key"] = replace(gateway.register.keys["key"], scopes=frozenset({"hris.locations:read"}))


def suspend(gateway: ReadBench[Vendor]) -> None:
    gateway.register.change("a1", status=Status.SUSPENDED)


def relink(gateway: ReadBench[Vendor]) -> None:
    gateway.register.change("a1", revision=2)


def unlink(gateway: ReadBench[Vendor]) -> None:
    del gateway.register.accounts["a1"]
    gc.collect()


def receive_an_invalidation(gateway: ReadBench[Vendor]) -> None:
    gateway.local.invalidate("a1")


def wait_until_it_is_stale(gateway: ReadBench[Vendor]) -> None:
    gateway.time.forward(60)


def wait_longer_than_the_local_cache_may_be_used(gateway: ReadBench[Vendor]) -> None:
    gateway.time.forward(10)


def wait_until_the_day_ends(gateway: ReadBench[Vendor]) -> None:
    gateway.time.moment = gateway.time.moment.replace(hour=0) + timedelta(days=1)


@pytest.mark.parametrize(
    "change",
    [
        revoke,
        rescope,
        suspend,
        relink,
        unlink,
        receive_an_invalidation,
        wait_until_it_is_stale,
        wait_longer_than_the_local_cache_may_be_used,
        wait_until_the_day_ends,
    ],
    ids=lambda change: change.__name__,
)
async def test_a_ticket_is_worth_nothing_after(change: Callable[[ReadBench[Vendor]], None]) -> None:
    gateway, ticket = await cached_answer()
    assert gateway.reads.fast_path(ticket, gateway.time.seconds()) is not None
    change(gateway)
    assert gateway.reads.fast_path(ticket, gateway.time.seconds()) is None


async def test_a_ticket_does_not_keep_an_unlinked_account_in_memory() -> None:
    gateway, ticket = await cached_answer()
    unlink(gateway)
    assert ticket.linked() is None
