"""What a connection to Redis sends: packed in C, and byte for byte what the library's own packing makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Connection, Redis

from gateway.cache.redis_url import open_servers

NAMES = st.sampled_from(["SET", "ZADD", "CLIENT SETINFO", "SCRIPT LOAD"])
ARGUMENTS = st.lists(st.text() | st.binary() | st.integers() | st.floats(allow_nan=False), max_size=5)


@pytest.mark.parametrize(
    "url",
    ["redis://host", "rediss://host", "unix:///path", "redis+sentinel://one,two/service"],
)
@given(name=NAMES, arguments=ARGUMENTS)
def test_commands_are_packed_as_the_library_packs_them(
    url: str, name: str, arguments: list[str | bytes | int | float]
) -> None:
    client = open_servers(url, 1, 1).client
    assert isinstance(client, Redis)
    connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    packed = connection.pack_command(name, *arguments)
    assert b"".join(packed) == b"".join(Connection().pack_command(name, *arguments))
