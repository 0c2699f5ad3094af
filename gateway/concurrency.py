"""Runs several calls at once; the first failure ends all of them."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar, cast

T = TypeVar("T")
U = TypeVar("U")


async def together(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Returns all results in order. After a failure or a cancellation no call is left running."""
    calls = list(calls)
    if len(calls) < 2:  # One call needs no task of its own.
        return [await call for call in calls]
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        unfinished = [task for task in tasks if not task.done()]
        if unfinished:
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)


async def pair(first: Awaitable[T], second: Awaitable[U]) -> tuple[T, U]:
    """Returns the results of two calls whose types differ."""
    calls: list[Awaitable[Any]] = [first, second]
    one, other = await together(calls)
    return cast(T, one), cast(U, other)
