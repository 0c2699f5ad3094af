"""What a worker holds in its own memory: bounded, believed for a short time, and dropped by what it subscribed."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.entry import OVERHEAD, CacheEntry
from gateway.cache.freshness import Windows
from gateway.cache.local import REMEMBERED_INVALIDATIONS, LocalCache
from gateway.cache.lru import AccountLru
from tests.fakes.core import Time

TIMES = Windows(60).begin(0)
MAX_BYTES = 100_000


def answer(text: str = "x", size: int = 0) -> CacheEntry:
    return CacheEntry.of((text or "x").encode() + b" " * size, TIMES, ())


class Worker:
    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.time = Time()
        self.subscribed = True
        self.local = LocalCache(
            self.time.seconds,
            lambda: self.subscribed,
            max_bytes=max_bytes,
            seconds=10,
            unsubscribed_seconds=1,
        )

    def put(self, account: str, name: str = "n", entry: CacheEntry | None = None) -> None:
        self.local.put(account, name, entry or answer(), self.local.read_point())


@pytest.mark.parametrize(
    ("subscribed", "age", "stored"), [(True, 9.9, True), (True, 10, False), (False, 0.9, True), (False, 1, False)]
)
def test_a_local_answer_is_used_for_a_time_and_a_shorter_one_without_a_subscription(
    subscribed: bool, age: float, stored: bool
) -> None:
    worker = Worker()
    worker.put("a1")
    worker.subscribed = subscribed
    worker.time.forward(age)
    assert (worker.local.get("a1", "n") is not None) is stored
    assert len(worker.local) == int(stored)


def test_a_change_drops_all_of_its_account_and_nothing_else() -> None:
    worker = Worker()
    for account, name in (("a1", "x"), ("a1", "y"), ("a2", "x")):
        worker.put(account, name)
    worker.local.invalidate("a1")
    assert [worker.local.get("a1", name) for name in "xy"] == [None, None]
    assert worker.local.get("a2", "x") is not None


def test_what_was_read_before_an_invalidation_is_not_stored_after_it() -> None:
    worker = Worker()
    point = worker.local.read_point()
    worker.local.invalidate("a1")
    worker.local.put("a1", "n", answer(), point)
    worker.local.put("a2", "n", answer(), point)
    assert worker.local.get("a1", "n") is None
    assert worker.local.get("a2", "n") is not None
    worker.local.put("a1", "n", answer(), worker.local.read_point())
    assert worker.local.get("a1", "n") is not None


def test_what_was_read_before_the_channel_came_back_is_not_stored_after_it() -> None:
    worker = Worker()
    worker.put("a1")
    point = worker.local.read_point()
    worker.local.clear()
    worker.local.put("a2", "n", answer(), point)
    assert (len(worker.local), worker.local.bytes) == (0, 0)


def test_old_invalidations_are_dropped_on_the_safe_side() -> None:
    worker = Worker()
    point = worker.local.read_point()
    for number in range(REMEMBERED_INVALIDATIONS + 1):
        worker.local.invalidate(f"a{number}")
    # That this account has changed is no longer known; so it counts as changed, as would any other.
    worker.local.put("a0", "n", answer(), point)
    assert worker.local.get("a0", "n") is None


def test_the_bound_holds_with_ten_thousand_accounts() -> None:
    worker = Worker(max_bytes := 8_000_000)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(10_000):
            worker.put(f"account-{number:06}", "n", answer(str(number), size=4_000))
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert worker.local.bytes <= max_bytes
    assert 1000 < len(worker.local) < 2000
    # What Python takes for it in truth: the count is an estimate, and on the safe side.
    assert used < max_bytes * 1.1
    assert worker.local.get("account-009999", "n") is not None
    assert worker.local.get("account-000000", "n") is None


def test_an_answer_larger_than_the_local_cache_is_not_stored_and_none_where_its_size_is_zero() -> None:
    worker = Worker()
    worker.put("a1", "big", answer(size=100_000))
    assert (len(worker.local), worker.local.bytes) == (0, 0)
    closed = Worker(0)
    closed.put("a1")
    assert len(closed.local) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "get", "drop", "remove"]), st.sampled_from("ab"), st.sampled_from("xyz")),
        max_size=60,
    )
)
def test_the_weight_is_always_that_of_the_stored_values(steps: list[tuple[str, str, str]]) -> None:
    stored: AccountLru[str] = AccountLru(3)
    model: dict[tuple[str, str], int] = {}
    for word, account, name in steps:
        weight = "xyz".index(name) + 1
        if word == "put":
            stored.put(account, name, name, weight)
        elif word == "drop":
            stored.remove_account(account)
        elif word == "remove":
            stored.remove(account, name)
        model = {key: "xyz".index(key[1]) + 1 for key in stored._values}
        assert stored.bytes == sum(model.values()) <= 3
        assert {account: {n for a, n in model if a == account} for account, _ in model} == stored._names


def test_an_answer_weighs_what_it_may_come_to_hold() -> None:
    entry = answer("text", size=4_000)
    before = entry.weight
    assert before >= len(entry.plain) + 2 * len(entry.packed) + OVERHEAD
    assert len(entry.coded("gzip")[0]) <= 2 * len(entry.packed) + OVERHEAD
    assert entry.weight == before
