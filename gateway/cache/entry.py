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
    """A stored answer. `packed` are its bytes in Zstandard; other forms are made when first wanted, and stay.

    `withheld` are the paths of the fields that it leaves out; `etag` is a digest of its plain bytes.
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
        entry = cls(times, withheld, pack(body), blake2b(body, digest_size=12).hexdigest())
        entry._plain = body
        return entry

    @classmethod
    def read(cls, value: bytes) -> "CacheEntry":
        head, _, packed = value.partition(b"\n")
        times, withheld, etag = orjson.loads(head)
        return cls(Times(*times), tuple(withheld), packed, etag)

    def write(self) -> bytes:
        times = self.times
        moments = (times.made_at, times.fresh_until, times.revalidate_until, times.error_until)
        return orjson.dumps((moments, self.withheld, self.etag)) + b"\n" + self.packed

    @property
    def plain(self) -> bytes:
        if self._plain is None:
            self._plain = unpack(self.packed)
        return self._plain

    def coded(self, coding: str) -> tuple[bytes, str]:
        """Returns the bytes and their content coding: the wanted one, or none where compressing is not worth it."""
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
        """Bytes of memory that the entry may come to take. The coded form counts twice: gzip may be made later."""
        return len(self.plain) + 2 * len(self.packed) + OVERHEAD
