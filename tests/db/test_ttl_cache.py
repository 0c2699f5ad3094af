"""What is remembered is bounded, short-lived, and loaded once for all who ask together."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.db.ttl_cache import TtlCache


class Source:
    """Answers each load with its number, when it is let go."""

    def __init__(self) -> None:
        self.loads = 0
        self.open = asyncio.Event()

    async def load(self) -> int:
        self.loads += 1
        number = self.loads
        await self.open.wait()
        return number


def memo(seconds: float = 2, entries: int = 10, monotonic: Callable[[], float] = lambda: 0.0) -> TtlCache[str, int]:
    return TtlCache(seconds, entries, monotonic)


async def test_the_least_recently_used_goes_first() -> None:
    loaded: list[str] = []

    def loading(key: str) -> Callable[[], Awaitable[int]]:
        async def load() -> int:
            loaded.append(key)
            return 0

        return load

    kept = memo(entries=2)
    for key in "abacab":
        await kept.get(key, loading(key))
    assert loaded == list("abcb")


@pytest.mark.parametrize(("seconds", "at", "loads"), [(2, 1.99, 1), (2, 2, 2), (0, 0, 2)])
async def test_what_is_too_old_is_loaded_again(seconds: float, at: float, loads: int) -> None:
    now = [0.0]
    source = Source()
    source.open.set()
    kept = memo(seconds, monotonic=lambda: now[0])
    await kept.get("k", source.load)
    now[0] = at
    await kept.get("k", source.load)
    assert source.loads == loads


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    source, kept = Source(), memo()
    first, second = (asyncio.ensure_future(kept.get("k", source.load)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    source.open.set()
    assert await second == 1
    assert await kept.get("k", source.load) == 1


async def test_what_is_dropped_during_its_load_is_not_remembered() -> None:
    source, kept = Source(), memo()
    before = asyncio.ensure_future(kept.get("k", source.load))
    await asyncio.sleep(0)
    kept.drop("k")
    after = asyncio.ensure_future(kept.get("k", source.load))
    source.open.set()
    assert (await before, await after, await kept.get("k", source.load)) == (1, 2, 2)


async def test_a_fault_reaches_all_who_asked_and_is_not_remembered() -> None:
    tries: list[int] = []

    async def load() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise OSError
        return 7

    kept = memo()
    faults = await asyncio.gather(kept.get("k", load), kept.get("k", load), return_exceptions=True)
    assert [type(fault) for fault in faults] == [OSError, OSError]
    assert await kept.get("k", load) == 7
