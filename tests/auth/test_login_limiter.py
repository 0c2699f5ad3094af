"""Guesses at a password are few: from one address, and from all together; the operator is not kept out by others."""

import pytest

from gateway.auth.login_limiter import Count, Limit, LoginLimiter, MemoryLoginCounts, subject_of
from tests.fakes.core import Time

EACH, ALL = Limit(most=3, seconds=60), Limit(most=10, seconds=120)


def made(time: Time) -> LoginLimiter:
    return LoginLimiter(MemoryLoginCounts(time.seconds), of_each=EACH, of_all=ALL)


async def test_an_address_may_try_a_few_times_and_then_has_to_wait() -> None:
    time = Time()
    limiter = made(time)
    assert [await limiter.begin("10.0.0.1") for _ in range(5)] == [0, 0, 0, 60, 60]
    assert await limiter.begin("10.0.0.2") == 0
    time.forward(59.5)
    assert await limiter.begin("10.0.0.1") == 1
    time.forward(0.5)
    assert await limiter.begin("10.0.0.1") == 0


async def test_tries_while_one_waits_do_not_make_the_wait_longer() -> None:
    time = Time()
    limiter = made(time)
    for _ in range(30):
        await limiter.begin("10.0.0.1")
        time.forward(1)
    assert await limiter.begin("10.0.0.1") == 30


async def test_many_addresses_together_have_a_limit_too() -> None:
    time = Time()
    limiter = made(time)
    waits = [await limiter.begin(f"10.0.{number}.1") for number in range(12)]
    assert waits == [0] * 10 + [120, 120]
    time.forward(120)
    assert await limiter.begin("10.1.0.1") == 0


async def test_strangers_cannot_keep_the_operator_out() -> None:
    limiter = made(Time())
    assert await limiter.begin("192.0.2.7") == 0
    await limiter.succeed("192.0.2.7")
    for number in range(20):
        await limiter.begin(f"10.0.{number}.1")
    assert await limiter.begin("10.9.9.9") > 0
    assert [await limiter.begin("192.0.2.7") for _ in range(4)] == [0, 0, 0, 60]


async def test_success_forgets_the_failures_of_an_address() -> None:
    limiter = made(Time())
    for _ in range(3):
        await limiter.begin("10.0.0.1")
    await limiter.succeed("10.0.0.1")
    assert await limiter.begin("10.0.0.1") == 0


async def test_what_is_blocked_at_its_address_does_not_count_for_all() -> None:
    limiter = made(Time())
    for _ in range(50):
        await limiter.begin("10.0.0.1")
    assert await limiter.begin("10.0.0.2") == 0


SUBJECTS = [
    ("192.0.2.1", "192.0.2.1"),
    ("::ffff:192.0.2.1", "192.0.2.1"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
    ("fe80::1%eth0", "fe80::"),
    ("", "unknown"),
    ("evil\r\nset x", "unknown"),
]


@pytest.mark.parametrize(("address", "subject"), SUBJECTS)
def test_an_address_stands_for_its_subscriber(address: str, subject: str) -> None:
    assert subject_of(address) == subject


async def test_a_counts_forgets_by_the_clock_and_holds_only_so_many_names() -> None:
    time = Time()
    counts = MemoryLoginCounts(time.seconds, most=2)
    assert await counts.add("a", 10) == Count(1, 10)
    assert await counts.add("a", 99) == Count(2, 10)
    time.forward(10)
    assert await counts.get("a") == Count()
    assert await counts.add("a", 10) == Count(1, 10)
    await counts.add("b", 10)
    await counts.add("c", 10)
    assert (await counts.get("a")).number == 0
    await counts.delete("b")
    assert [(await counts.get(name)).number for name in "bc"] == [0, 1]
