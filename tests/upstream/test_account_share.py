"""Slots of each account: released slots are reused, waiting requests are served, and accounts do not share slots."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.account_share import AccountShares


async def test_each_account_has_its_own_number_of_slots() -> None:
    shares = AccountShares(2)
    assert [await shares.acquire("a", 0) for _ in range(3)] == [True, True, False]
    assert await shares.acquire("b", 0)
    shares.release("a")
    assert await shares.acquire("a", 0)


async def test_waiting_requests_get_the_next_slot_in_order() -> None:
    shares = AccountShares(1)
    served: list[int] = []

    async def work(number: int) -> None:
        assert await shares.acquire("a", 30)
        served.append(number)
        await asyncio.sleep(0)
        shares.release("a")

    await asyncio.gather(*map(work, range(5)))
    assert served == list(range(5))
    assert len(shares) == 0


@given(plan=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_slots_are_lost_neither_by_cancelling_nor_by_a_timeout(plan: list[tuple[str, bool]]) -> None:
    async def run() -> None:
        shares = AccountShares(2)
        tasks = []
        for holder, cancelled in plan:
            task = asyncio.ensure_future(hold(shares, holder))
            await asyncio.sleep(0)
            if cancelled:
                task.cancel()
            tasks.append(task)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(shares) == 0
        assert [await shares.acquire("a", 0) for _ in range(3)] == [True, True, False]

    async def hold(shares: AccountShares, holder: str) -> None:
        if await shares.acquire(holder, 0.001):
            try:
                await asyncio.sleep(0)
            finally:
                shares.release(holder)

    asyncio.run(run())
