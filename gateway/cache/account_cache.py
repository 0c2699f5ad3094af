"""One request's view of an account's entries in the shared cache.

Every value is sealed with the account's data key, under keys that begin with its id. The id is also inside each
value and compared on read; the sealing binds value and key to each other. Whatever does not open or does not match
is a miss.

Generations make stored values unusable after a change. A generation is a unique text that is stored beside the
values: one for the account as a whole, and one for each resource. A change replaces them. Each value that a change
may outdate begins with the generations that its request read before it asked the vendor. If a change happens while
the vendor is asked, the answer is stored with the old generations, and is a miss for every request that begins after
the change.

A request reads each generation once and uses it to its end, since it has begun before any later change.
"""

from collections.abc import Iterable, Mapping, Sequence

from gateway.model import GENERATION, Cache, LinkedAccount, Unsealable

GENERATION_SECONDS = 30 * 24 * 3600
"""Far longer than any value is stored. If a generation is evicted before that, values that begin with it are misses."""
WHOLE = ""
"""The name of the generation of the account as a whole."""


class AccountCache:
    """Reads and writes an account's values for one request."""

    def __init__(self, cache: Cache, linked: LinkedAccount, max_value_bytes: int, request_id: str) -> None:
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
        """Returns the id of the account."""
        return self._linked.account.id

    def key(self, kind: str, name: str) -> str:
        """Returns a key of the shared cache: `{account id}:kind:name`.

        The braces put all keys of an account into one slot of a Redis cluster.
        """
        return f"{{{self._linked.account.id}}}:{kind}:{name}"

    async def prefetch(self, keys: Sequence[str], resources: Iterable[str]) -> None:
        """Reads values that this request needs later, and the generations of these resources, in one round trip."""
        wanted = [key for key in keys if key not in self._prefetched]
        self._prefetched.update(zip(wanted, await self._read(wanted, resources), strict=True))

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """Returns the values of keys, in their order; None for each miss."""
        found = await self._read([key for key in keys if key not in self._prefetched], None)
        read = iter(found)
        values = [self._prefetched[key] if key in self._prefetched else next(read) for key in keys]
        return [self._open(key, value) for key, value in zip(keys, values, strict=True)]

    async def read_current(
        self, keys: Sequence[str], resources: Iterable[str], *, refresh: bool = False
    ) -> list[bytes | None]:
        """Returns values made of these resources; None for each miss and for each value that a change has outdated.

        Takes one round trip at most. With `refresh`, values that were prefetched are read again.
        """
        resources = tuple(resources)
        wanted = [key for key in keys if refresh or key not in self._prefetched]
        found = dict(zip(wanted, await self._read(wanted, resources), strict=True))
        prefix = self.generations(resources)
        values = [self._open(key, found[key] if key in found else self._prefetched[key]) for key in keys]
        return [value[len(prefix) :] if prefix and value and value.startswith(prefix) else None for value in values]

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        """Stores values for a number of seconds. Returns whether they were stored.

        If one value is larger than the limit, none is stored.
        """
        if seconds <= 0 or any(len(value) > self._max_value_bytes for value in values.values()):
            return False
        sealed = {key: self._linked.cipher.seal(self._owner + value, key.encode()) for key, value in values.items()}
        return await self._cache.write(sealed, seconds)

    async def write_current(self, values: Mapping[str, bytes], seconds: int, resources: Iterable[str]) -> bool:
        """Stores values together with the generations that this request has read.

        Returns whether they were stored: not where the generations could not be read, as nothing could outdate them.
        """
        prefix = self.generations(resources)
        return bool(prefix) and await self.write({key: prefix + value for key, value in values.items()}, seconds)

    async def read_generations(self, resources: Iterable[str]) -> None:
        """Reads the generations that this request has not read yet. Call it before the vendor is asked."""
        await self._read((), resources)

    def generations(self, resources: Iterable[str]) -> bytes:
        """Returns the generations of these resources as this request has read them; empty where one is not known."""
        generations = [self._generations.get(name, b"") for name in _names(resources)]
        return b",".join(generations) + b"\n" if all(generations) else b""

    async def invalidate(self, resources: Iterable[str] | None) -> bool:
        """Replaces the generations of resources, or that of the whole account for None.

        No value that is stored until now is used again. Returns False where the cache did not store the new
        generations.
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
            # Several requests may begin at once: `claim` stores the first one's generation and returns it to all.
            claimed = await self._cache.claim(
                [self._generation_key(name) for name in missing], self._new_generation, GENERATION_SECONDS
            )
            generations |= dict(zip(missing, claimed, strict=True))
        self._generations |= {name: generation for name, generation in generations.items() if generation is not None}
        return found[len(names) :]

    def _generation_key(self, name: str) -> str:
        return f"{{{self._linked.account.id}}}:{GENERATION}:{name}"

    def _open(self, key: str, value: bytes | None) -> bytes | None:
        """Returns a value in plain text, or None where it does not open or belongs to another account."""
        if value is None:
            return None
        try:
            plain = self._linked.cipher.open(value, key.encode())
        except Unsealable:
            return None
        return plain[len(self._owner) :] if plain.startswith(self._owner) else None


def _names(resources: Iterable[str]) -> list[str]:
    """Returns the names of the generations that values made of these resources depend on, in a fixed order."""
    return [WHOLE, *sorted(set(resources))]
