"""An account's place in the shared cache: every value sealed with its data key, under keys that begin with its id.

The account's id is also inside each value and compared on read; key and value are bound by the sealing. Whatever
does not open or does not match is a miss.
"""

import zlib
from collections.abc import Mapping, Sequence

from gateway.core.model import Cache, Linked, Unsealable


class Shelf:
    """Reads and writes for one account. `most` bytes is the largest value worth keeping."""

    def __init__(self, cache: Cache, linked: Linked, most: int) -> None:
        self._cache = cache
        self._linked = linked
        self._most = most
        self._owner = linked.account.id.encode() + b"\n"

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

    def _open(self, key: str, value: bytes | None) -> bytes | None:
        if value is None:
            return None
        try:
            plain = self._linked.cipher.open(value, key.encode())
        except Unsealable:
            return None
        return plain[len(self._owner) :] if plain.startswith(self._owner) else None


def pack(value: bytes) -> bytes:
    """Compress rows at the cheapest level: repeated column names shrink to a tenth."""
    return zlib.compress(value, 1)


def unpack(value: bytes) -> bytes:
    return zlib.decompress(value)
