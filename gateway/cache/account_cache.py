"""One request's view of an account's entries in the shared cache.

Every value is sealed with the account's data key, under keys that begin with its id. The id is also inside each
value and compared on read; the sealing binds value and key to each other. Whatever does not open or does not match
is a miss.

Generations make stored values unusable after a change. A generation is a random word that is stored beside the
values: one for the account as a whole, and one for each resource. A change replaces them. Each value that a change
may outdate begins with the generations that its request has read before it asked the vendor. So an answer that a
change has overtaken carries old generations, and is a miss for everybody who begins after the change.

A request reads each generation once and goes on with it to its end: it has begun before any later change.
"""

from collections.abc import Iterable, Mapping, Sequence

from gateway.model import GENERATION, Cache, Linked, Unsealable

GENERATION_SECONDS = 30 * 24 * 3600
"""Far longer than any value lives. Where a generation is gone all the same, values that carry it are misses."""
WHOLE = ""
"""The name of the generation of the account as a whole."""


class AccountCache:
    """Reads and writes an account's values for one request."""

    def __init__(self, cache: Cache, linked: Linked, max_value_bytes: int, request_id: str) -> None:
        """`request_id` is unique: it becomes the generation where there is none."""
        self._cache = cache
        self._linked = linked
        self._max_value_bytes = max_value_bytes
        self._owner = linked.account.id.encode() + b"\n"
        self._new_generation = request_id.encode()
        self._generations: dict[str, bytes] = {}
        self._prefetched: dict[str, bytes | None] = {}

    @property
    def account_id(self) -> str:
        return self._linked.account.id

    def key(self, kind: str, name: str) -> str:
        """Returns a key. The braces put all keys of an account into one slot of a Redis cluster."""
        return f"{{{self._linked.account.id}}}:{kind}:{name}"

    async def prefetch(self, keys: Sequence[str], resources: Iterable[str]) -> None:
        """Reads what this request will read later, and the generations of these resources, in one round trip."""
        wanted = [key for key in keys if key not in self._prefetched]
        self._prefetched.update(zip(wanted, await self._read(wanted, resources), strict=True))

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        found = await self._read([key for key in keys if key not in self._prefetched], None)
        read = iter(found)
        values = [self._prefetched[key] if key in self._prefetched else next(read) for key in keys]
        return [self._open(key, value) for key, value in zip(keys, values, strict=True)]

    async def read_current(
        self, keys: Sequence[str], resources: Iterable[str], *, refresh: bool = False
    ) -> list[bytes | None]:
        """Returns values made of these resources that no change has outdated, in at most one round trip.

        With `refresh` values that were prefetched are read again.
        """
        resources = tuple(resources)
        wanted = [key for key in keys if refresh or key not in self._prefetched]
        found = dict(zip(wanted, await self._read(wanted, resources), strict=True))
        stamp = self.generations(resources)
        values = [self._open(key, found[key] if key in found else self._prefetched[key]) for key in keys]
        return [value[len(stamp) :] if stamp and value and value.startswith(stamp) else None for value in values]

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        """Stores values for a time. Returns whether they were stored; a value that is too large keeps out all."""
        if seconds <= 0 or any(len(value) > self._max_value_bytes for value in values.values()):
            return False
        sealed = {key: self._linked.cipher.seal(self._owner + value, key.encode()) for key, value in values.items()}
        return await self._cache.write(sealed, seconds)

    async def write_current(self, values: Mapping[str, bytes], seconds: int, resources: Iterable[str]) -> bool:
        """Stores values under the generations that this request has read; nothing where it could not read them."""
        stamp = self.generations(resources)
        return bool(stamp) and await self.write({key: stamp + value for key, value in values.items()}, seconds)

    async def read_generations(self, resources: Iterable[str]) -> None:
        """Reads the generations that are not known yet. Must be done before the vendor is asked."""
        await self._read((), resources)

    def generations(self, resources: Iterable[str]) -> bytes:
        """Returns the generations that this request has read, as one text; empty where one of them is not known."""
        words = [self._generations.get(name, b"") for name in _names(resources)]
        return b",".join(words) + b"\n" if all(words) else b""

    async def invalidate(self, resources: Iterable[str] | None) -> bool:
        """Replaces generations, that of the whole account for None: no value stored until now is used again.

        Returns False where the cache did not take it.
        """
        names = [WHOLE] if resources is None else sorted(set(resources))
        generations = {self._generation_key(name): self._new_generation for name in names}
        return await self._cache.replace(self._linked.account.id, generations, GENERATION_SECONDS)

    async def _read(self, keys: Sequence[str], resources: Iterable[str] | None) -> Sequence[bytes | None]:
        """Reads values, and with them the generations that are wanted and not known yet."""
        names = [] if resources is None else [name for name in _names(resources) if name not in self._generations]
        if not names and not keys:
            return ()
        found = await self._cache.read([*map(self._generation_key, names), *keys])
        generations = dict(zip(names, found, strict=False))
        missing = [name for name, generation in generations.items() if generation is None]
        if missing:
            # Of several requests that begin at once, all go on with the generation of the first.
            claimed = await self._cache.claim(
                [self._generation_key(name) for name in missing], self._new_generation, GENERATION_SECONDS
            )
            generations |= dict(zip(missing, claimed, strict=True))
        self._generations |= {name: generation for name, generation in generations.items() if generation is not None}
        return found[len(names) :]

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
