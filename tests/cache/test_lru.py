"""A bounded memory: of one entry too many the least recently used goes, and no other."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.lru import Lru


@given(
    entries=st.integers(1, 8),
    steps=st.lists(st.tuples(st.sampled_from(["get", "put"]), st.integers(0, 12)), max_size=80),
)
def test_the_least_recently_used_goes_first(entries: int, steps: list[tuple[str, int]]) -> None:
    lru: Lru[int, str] = Lru(entries)
    order: list[int] = []
    for step, key in steps:
        known = key in order
        if step == "get":
            assert lru.get(key) == (str(key) if known else None)
        else:
            lru.put(key, str(key))
        if known or step == "put":
            order = [*(each for each in order if each != key), key][-entries:]
        assert len(lru) == len(order)
