"""A cache entry: an answer's bytes in the content codings that clients accept, and the content of its headers."""

from hashlib import blake2b

import orjson

from gateway.cache.compression import pack, pack_gzip, unpack
from gateway.cache.freshness import Times

SMALLEST_CODED = 1024
"""Bytes. Compressing a smaller answer saves no packet."""
OVERHEAD = 600
"""Bytes that the objects around an answer take, roughly."""


class CacheEntry:
    """A stored answer.

    `packed` are its bytes in Zstandard; the other forms are made when they are first wanted, and stay in memory.
    `withheld` are the paths of the fields that the answer leaves out. `etag` is a digest of its plain bytes.
    """

    __slots__ = ("_gzip", "_plain", "etag", "packed", "times", "withheld")

    def __init__(self, times: Times, withheld: tuple[str, ...], packed: bytes, etag: str) -> None:
        self.times = times
        self.withheld = withheld
        self.packed = packed
        self.etag = etag
        self._plain: bytes | None = None
        self._gzip: bytes | None = None

    @classmethod
    def of(cls, body: bytes, times: Times, withheld: tuple[str, ...]) -> "CacheEntry":
        """Returns the entry for the plain bytes of an answer."""
        entry = cls(times, withheld, pack(body), blake2b(body, digest_size=12).hexdigest())
        entry._plain = body
        return entry

    @classmethod
    def read(cls, value: bytes) -> "CacheEntry":
        """Returns the entry that `write` has encoded."""
        head, _, packed = value.partition(b"\n")
        times, withheld, etag = orjson.loads(head)
        return cls(Times(*times), tuple(withheld), packed, etag)

    def write(self) -> bytes:
        """Returns the entry encoded for the shared cache: a line of JSON, then the compressed body."""
        times = self.times
        moments = (
            times.made_at,
            times.fresh_until,
            times.revalidate_until,
            times.error_until,
            times.webhook_from,
        )
        return orjson.dumps((moments, self.withheld, self.etag)) + b"\n" + self.packed

    @property
    def plain(self) -> bytes:
        """Returns the plain bytes of the answer."""
        if self._plain is None:
            self._plain = unpack(self.packed)
        return self._plain

    def coded(self, coding: str) -> tuple[bytes, str]:
        """Returns the bytes and their content coding.

        That is the wanted coding, or none (the empty text) where compressing is not worth it.
        """
        plain = self.plain
        if not coding or len(plain) < SMALLEST_CODED:
            return plain, ""
        if coding == "zstd":
            return self.packed, coding
        if self._gzip is None:
            self._gzip = pack_gzip(plain)
        return self._gzip, coding

    @property
    def weight(self) -> int:
        """Returns the bytes of memory that the entry may take at most.

        The compressed form counts twice, as gzip may be made later.
        """
        return len(self.plain) + 2 * len(self.packed) + OVERHEAD
