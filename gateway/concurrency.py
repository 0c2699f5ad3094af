"""Several calls side by side, of which the first failure ends all."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar, cast

T = TypeVar("T")
U = TypeVar("U")


async def together(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Give all results in order. A failure or a cancellation leaves no call running behind."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        unfinished = [task for task in tasks if not task.done()]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def pair(first: Awaitable[T], second: Awaitable[U]) -> tuple[T, U]:
    """Give the results of two calls of different kinds."""
    calls: list[Awaitable[Any]] = [first, second]
    one, other = await together(calls)
    return cast(T, one), cast(U, other)
