"""What is stored for an account can be read by that account alone, under the key where it was stored."""

import pytest

from gateway.cache.account_cache import AccountCache
from gateway.cache.compression import pack, unpack
from tests.fakes.core import Memory, Time, UnreachableCache, make_linked

MADE_OF = ("employees", "employments")


def caches(most: int = 1000) -> tuple[Memory, AccountCache, AccountCache]:
    memory = Memory(Time())
    return (
        memory,
        AccountCache(memory, make_linked("a1"), most, "1"),
        AccountCache(memory, make_linked("a2"), most, "2"),
    )


async def test_what_is_written_is_read_until_its_time_is_over() -> None:
    memory, account_cache, _ = caches()
    name = account_cache.key("answer", "x")
    assert await account_cache.write({name: b"value"}, 60)
    assert await account_cache.read([name, account_cache.key("answer", "y")]) == [b"value", None]
    memory.time.forward(60)
    assert await account_cache.read([name]) == [None]


def test_keys_begin_with_the_account_in_braces() -> None:
    _, account_cache, other = caches()
    assert account_cache.key("answer", "x") == "{a1}:answer:x"
    assert other.key("answer", "x") == "{a2}:answer:x"


async def test_a_value_of_another_account_under_our_key_is_a_miss() -> None:
    memory, account_cache, other = caches()
    mine, theirs = account_cache.key("answer", "x"), other.key("answer", "x")
    await other.write({theirs: b"theirs"}, 60)
    memory.values[mine] = memory.values[theirs]
    assert await account_cache.read([mine]) == [None]
    assert await other.read([theirs]) == [b"theirs"]


async def test_another_account_in_the_value_is_a_miss_even_where_it_opens() -> None:
    """If the ciphers were confused, the account id inside would still differ."""
    memory, account_cache, _ = caches()
    mine = account_cache.key("answer", "x")
    cipher = make_linked("a1").cipher
    memory.values[mine] = (1e12, cipher.seal(b"a2\ntheirs", mine.encode()))
    assert await account_cache.read([mine]) == [None]
    memory.values[mine] = (1e12, cipher.seal(b"a1\nours", mine.encode()))
    assert await account_cache.read([mine]) == [b"ours"]


async def test_values_under_exchanged_keys_do_not_open() -> None:
    memory, account_cache, _ = caches()
    one, other = account_cache.key("answer", "x"), account_cache.key("answer", "y")
    await account_cache.write({one: b"one", other: b"other"}, 60)
    memory.values[one], memory.values[other] = memory.values[other], memory.values[one]
    assert await account_cache.read([one, other]) == [None, None]


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 100])
async def test_what_is_damaged_is_a_miss(damage: bytes) -> None:
    memory, account_cache, _ = caches()
    name = account_cache.key("answer", "x")
    memory.values[name] = (1e12, damage)
    assert await account_cache.read([name]) == [None]


@pytest.mark.parametrize(("size", "stored"), [(1000, True), (1001, False)])
async def test_a_batch_with_a_value_that_is_too_large_is_not_stored(size: int, *, stored: bool) -> None:
    memory, account_cache, _ = caches(most=1000)
    values = {account_cache.key("rows", "0"): b"small", account_cache.key("rows", "1"): b"x" * size}
    assert await account_cache.write(values, 60) is stored
    assert bool(memory.values) is stored


@pytest.mark.parametrize("seconds", [0, -5])
async def test_a_value_without_lifetime_is_not_stored(seconds: int) -> None:
    memory, account_cache, _ = caches()
    assert not await account_cache.write({account_cache.key("answer", "x"): b"value"}, seconds)
    assert not memory.values


async def test_a_write_that_the_store_refuses_is_reported() -> None:
    account_cache = AccountCache(UnreachableCache(), make_linked("a1"), 1000, "1")
    assert not await account_cache.write({account_cache.key("answer", "x"): b"value"}, 60)


def test_rows_shrink_and_come_back() -> None:
    rows = b'{"firstName":"Ann","employmentStartDate":null},' * 250
    assert unpack(pack(rows)) == rows
    assert len(pack(rows)) < len(rows) / 10


async def test_what_a_write_invalidates_is_a_miss_and_what_is_stored_after_it_is_not() -> None:
    memory, account_cache, other = caches()
    name = account_cache.key("answer", "x")
    assert await account_cache.read_current([name], MADE_OF) == [None]
    assert await account_cache.write_current({name: b"before"}, 60, MADE_OF)
    assert await account_cache.read_current([name], MADE_OF) == [b"before"]
    assert await AccountCache(memory, make_linked("a1"), 1000, "write").invalidate(None)
    later = AccountCache(memory, make_linked("a1"), 1000, "later")
    assert await later.read_current([name], MADE_OF) == [None]
    assert await later.write_current({name: b"after"}, 60, MADE_OF)
    assert await later.read_current([name], MADE_OF) == [b"after"]
    # Other accounts have generations of their own.
    theirs = other.key("answer", "x")
    await other.read_generations(MADE_OF)
    assert await other.write_current({theirs: b"theirs"}, 60, MADE_OF)
    await later.invalidate(None)
    assert await other.read_current([theirs], MADE_OF) == [b"theirs"]


async def test_an_answer_that_was_read_before_a_write_is_never_used_after_it() -> None:
    """What a request stores is as of its beginning, though a change has replaced the generation since."""
    memory, account_cache, _ = caches()
    name = account_cache.key("answer", "x")
    await account_cache.read_generations(MADE_OF)
    await AccountCache(memory, make_linked("a1"), 1000, "write").invalidate(None)
    assert await account_cache.write_current({name: b"asked before the write"}, 60, MADE_OF)
    assert await AccountCache(memory, make_linked("a1"), 1000, "later").read_current([name], MADE_OF) == [None]


async def test_requests_that_begin_together_agree_on_the_generation() -> None:
    memory, account_cache, _ = caches()
    second = AccountCache(memory, make_linked("a1"), 1000, "second")
    name = account_cache.key("answer", "x")
    await account_cache.read_generations(MADE_OF)
    await second.read_generations(MADE_OF)
    await account_cache.write_current({name: b"first"}, 60, MADE_OF)
    assert await second.read_current([name], MADE_OF) == [b"first"]


async def test_a_generation_that_was_evicted_makes_everything_a_miss() -> None:
    memory, account_cache, _ = caches()
    name = account_cache.key("answer", "x")
    await account_cache.read_generations(MADE_OF)
    await account_cache.write_current({name: b"value"}, 60, MADE_OF)
    memory.marks.clear()
    assert await AccountCache(memory, make_linked("a1"), 1000, "later").read_current([name], MADE_OF) == [None]
    assert await AccountCache(memory, make_linked("a1"), 1000, "last").read_current([name], MADE_OF) == [None]


async def test_what_was_prefetched_is_not_read_again_unless_it_is_to_be() -> None:
    memory, account_cache, _ = caches()
    one, other = account_cache.key("list", "x"), account_cache.key("fact", "y")
    await account_cache.prefetch([one, other], MADE_OF)
    stamp = account_cache.generations(MADE_OF)
    await AccountCache(memory, make_linked("a1"), 1000, "2").write({one: stamp + b"stored since", other: b"1"}, 60)
    assert await account_cache.read_current([one], MADE_OF) == [None]
    assert await account_cache.read([other]) == [None]
    assert await account_cache.read_current([one], MADE_OF, refresh=True) == [b"stored since"]


async def test_without_a_store_nothing_is_current_and_a_write_is_refused() -> None:
    account_cache = AccountCache(UnreachableCache(), make_linked("a1"), 1000, "1")
    await account_cache.read_generations(MADE_OF)
    assert not await account_cache.write_current({account_cache.key("answer", "x"): b"value"}, 60, MADE_OF)
    assert not await account_cache.invalidate(None)
