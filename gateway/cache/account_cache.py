"""An account's place in the shared cache: every value sealed with its data key, under keys that begin with its id.

The account's id is also inside each value and compared on read; key and value are bound by the sealing. Whatever
does not open or does not match is a miss.

What may be outdated by a change is marked with generations: random words beside the values, one for the account as a
whole and one for each resource, that changes replace. A value of another generation is a miss. What a request keeps
is marked with the generations that were there before it asked the vendor, so that an answer which a change has
overtaken is never used.
"""

from collections.abc import Iterable, Mapping, Sequence

from gateway.model import GENERATION, Cache, Linked, Unsealable

GENERATION_SECONDS = 30 * 24 * 3600
"""Far longer than anything is kept; when it ends after all, what was kept is not used."""
WHOLE = ""
"""Stands for all resources of an account."""


class AccountCache:
    """Reads and writes for one account. `most` bytes is the largest value worth keeping."""

    def __init__(self, cache: Cache, linked: Linked, most: int, new_id: str) -> None:
        """`new_id` is a word that nobody else has: the generation, where there is none."""
        self._cache = cache
        self._linked = linked
        self._most = most
        self._owner = linked.account.id.encode() + b"\n"
        self._new_id = new_id.encode()
        self._began: dict[str, bytes] = {}

    @property
    def account_id(self) -> str:
        return self._linked.account.id

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

    async def read_current(self, keys: Sequence[str], resources: Iterable[str]) -> list[bytes | None]:
        """Give values made of these resources that no change has outdated, in one round trip."""
        names = _names(resources)
        marks = [self._generation_key(name) for name in names]
        found = await self._cache.read([*marks, *keys])
        words = dict(zip(names, found, strict=False))
        missing = [name for name, word in words.items() if word is None]
        if missing:
            await self._begin(missing)
        for name, word in words.items():
            if word is not None:
                self._began.setdefault(name, word)
        if missing:
            return [None] * len(keys)
        mark = b",".join(word for word in words.values() if word) + b"\n"
        opened = [self._open(key, value) for key, value in zip(keys, found[len(names) :], strict=True)]
        return [value[len(mark) :] if value is not None and value.startswith(mark) else None for value in opened]

    async def write_current(self, values: Mapping[str, bytes], seconds: int, resources: Iterable[str]) -> bool:
        """Keep values as of the generations that this request has begun in; nothing where it does not know them."""
        mark = self.mark(resources)
        return bool(mark) and await self.write({key: mark + value for key, value in values.items()}, seconds)

    async def note_generations(self, resources: Iterable[str]) -> None:
        """Learn the generations before the vendor is asked, as far as they are not known yet."""
        if not self.mark(resources := tuple(resources)):
            await self.read_current((), resources)

    def mark(self, resources: Iterable[str]) -> bytes:
        """Give the generations that this request has begun in, in one word; nothing where one is not known."""
        words = [self._began.get(name, b"") for name in _names(resources)]
        return b",".join(words) + b"\n" if all(words) else b""

    async def invalidate(self, resources: Iterable[str] | None) -> bool:
        """End generations, of all resources for None: nothing kept until now is used again.

        False where the cache did not take it.
        """
        names = [WHOLE] if resources is None else sorted(set(resources))
        marks = {self._generation_key(name): self._new_id for name in names}
        return await self._cache.replace(self._linked.account.id, marks, GENERATION_SECONDS)

    async def _begin(self, names: Sequence[str]) -> None:
        keys = [self._generation_key(name) for name in names]
        found = await self._cache.claim(keys, self._new_id, GENERATION_SECONDS)
        for name, word in zip(names, found, strict=True):
            if word is not None:
                self._began.setdefault(name, word)

    def _generation_key(self, name: str) -> str:
        return f"{{{self._linked.account.id}}}:{GENERATION}:{name}"

    def _open(self, key: str, value: bytes | None) -> bytes | None:
        if value is None:
            return None
        try:
            plain = self._linked.cipher.open(value, key.encode())
        except Unsealable:
            return None
        return plain[len(self._owner) :] if plain.startswith(self._owner) else None


def _names(resources: Iterable[str]) -> list[str]:
    return [WHOLE, *sorted(set(resources))]
