"""Calls side by side: all results in order, or the first failure and nothing left running."""

import asyncio
from collections.abc import Awaitable

import pytest

from gateway.concurrency import pair, together


async def later(value: int, seconds: float = 0.0) -> int:
    await asyncio.sleep(seconds)
    return value


async def failing(seconds: float = 0.0) -> int:
    await asyncio.sleep(seconds)
    raise LookupError("planted")


async def test_results_are_in_the_order_of_the_calls() -> None:
    assert await together([later(1, 0.02), later(2), later(3, 0.01)]) == [1, 2, 3]
    assert await together([]) == []
    assert await pair(later(1, 0.01), later(2)) == (1, 2)


@pytest.mark.parametrize("calls", [[later(1, 60), failing()], [failing(), later(1, 60)], [failing(), failing(0.01)]])
async def test_the_first_failure_ends_all(calls: list[Awaitable[int]]) -> None:
    before = asyncio.all_tasks()
    async with asyncio.timeout(5):
        with pytest.raises(LookupError, match="planted"):
            await together(calls)
    assert asyncio.all_tasks() == before


async def test_a_cancellation_ends_all_and_waits_for_their_ends() -> None:
    ended: list[str] = []

    async def tidy(name: str) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.append(name)

    task = asyncio.ensure_future(together([tidy("a"), tidy("b")]))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(ended) == ["a", "b"]
