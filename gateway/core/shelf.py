"""An account's place in the shared cache: every value sealed with its data key, under keys that begin with its id.

The account's id is also inside each value and compared on read; key and value are bound by the sealing. Whatever
does not open or does not match is a miss.

What may be outdated by a write is marked with the account's generation, a random word beside the values that every
write replaces: a value of another generation is a miss. What a request keeps is marked with the generation that was
there before it asked the vendor, so that an answer which a write has overtaken is never used.
"""

import zlib
from collections.abc import Mapping, Sequence

from gateway.core.model import GENERATION, Cache, Linked, Unsealable

GENERATION_SECONDS = 30 * 24 * 3600
"""Far longer than anything is kept; when it ends after all, what was kept is not used."""


class Shelf:
    """Reads and writes for one account. `most` bytes is the largest value worth keeping."""

    def __init__(self, cache: Cache, linked: Linked, most: int, new_id: str) -> None:
        """`new_id` is a word that nobody else has: the generation, where there is none."""
        self._cache = cache
        self._linked = linked
        self._most = most
        self._owner = linked.account.id.encode() + b"\n"
        self._new_id = new_id.encode()
        self._generation_key = generation_key(linked.account.id)
        self._generation = b""

    def key(self, kind: str, name: str) -> str:
        """Make a key. The braces keep all of an account's keys in one slot of a Redis cluster."""
        return f"{{{self._linked.account.id}}}:{kind}:{name}"

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self._open(key, value) for key, value in zip(keys, await self._cache.read(keys), strict=True)]

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        """Keep values for a time; tell whether they are kept."""
        if seconds <= 0 or any(len(value) > self._most for value in values.values()):
            return False
        sealed = {key: self._linked.cipher.seal(self._owner + value, key.encode()) for key, value in values.items()}
        return await self._cache.write(sealed, seconds)

    async def read_current(self, keys: Sequence[str]) -> list[bytes | None]:
        """Give values that no write has outdated, in one round trip."""
        generation, *values = await self._cache.read([self._generation_key, *keys])
        if generation is None:
            await self._begin_generation()
            return [None] * len(keys)
        self._generation = self._generation or generation
        mark = generation + b"\n"
        opened = [self._open(key, value) for key, value in zip(keys, values, strict=True)]
        return [value[len(mark) :] if value is not None and value.startswith(mark) else None for value in opened]

    async def write_current(self, values: Mapping[str, bytes], seconds: int) -> bool:
        """Keep values as of the generation that this request has begun in; nothing where it knows none."""
        if not self._generation:
            return False
        mark = self._generation + b"\n"
        return await self.write({key: mark + value for key, value in values.items()}, seconds)

    async def note_generation(self) -> None:
        """Learn the generation before the vendor is asked, if nothing has been read yet."""
        if not self._generation:
            await self.read_current(())

    async def outdate(self) -> bool:
        """End the generation: nothing kept until now is used again. False where the cache did not take it."""
        return await self._cache.replace(self._generation_key, self._new_id, GENERATION_SECONDS)

    async def _begin_generation(self) -> None:
        found = await self._cache.claim(self._generation_key, self._new_id, GENERATION_SECONDS)
        self._generation = self._generation or found or b""

    def _open(self, key: str, value: bytes | None) -> bytes | None:
        if value is None:
            return None
        try:
            plain = self._linked.cipher.open(value, key.encode())
        except Unsealable:
            return None
        return plain[len(self._owner) :] if plain.startswith(self._owner) else None


def generation_key(account_id: str) -> str:
    return f"{{{account_id}}}:{GENERATION}"


def pack(value: bytes) -> bytes:
    """Compress rows at the cheapest level: repeated column names shrink to a tenth."""
    return zlib.compress(value, 1)


def unpack(value: bytes) -> bytes:
    return zlib.decompress(value)
