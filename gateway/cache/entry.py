"""A kept answer: its bytes as they go out, in the codings that clients take, and what its headers say."""

from hashlib import blake2b

import orjson

from gateway.cache.compression import pack, pack_gzip, unpack
from gateway.cache.freshness import Times

WORTH_PACKING = 1024
"""Below so many bytes a coded answer saves no packet."""
OVERHEAD = 600
"""About what the objects around the bytes take."""


class CacheEntry:
    """One answer. `packed` is it in Zstandard; the other forms are made when first wanted, and stay.

    `withheld` are the paths of fields that it leaves out; `etag` is a digest of its plain bytes.
    """

    __slots__ = ("_gzip", "_plain", "etag", "mark", "packed", "times", "withheld")

    def __init__(self, times: Times, withheld: tuple[str, ...], packed: bytes, etag: str, mark: bytes = b"") -> None:
        self.times = times
        self.withheld = withheld
        self.packed = packed
        self.etag = etag
        self.mark = mark
        self._plain: bytes | None = None
        self._gzip: bytes | None = None

    @classmethod
    def of(cls, body: bytes, times: Times, withheld: tuple[str, ...], mark: bytes = b"") -> "CacheEntry":
        kept = cls(times, withheld, pack(body), blake2b(body, digest_size=12).hexdigest(), mark)
        kept._plain = body
        return kept

    @classmethod
    def read(cls, value: bytes, mark: bytes = b"") -> "CacheEntry":
        head, _, packed = value.partition(b"\n")
        times, withheld, etag = orjson.loads(head)
        return cls(Times(*times), tuple(withheld), packed, etag, mark)

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
        """Give the bytes in a content coding if that is worth it, and the coding that they are in, or nothing."""
        plain = self.plain
        if not coding or len(plain) < WORTH_PACKING:
            return plain, ""
        if coding == "zstd":
            return self.packed, coding
        if self._gzip is None:
            self._gzip = pack_gzip(plain)
        return self._gzip, coding

    @property
    def weight(self) -> int:
        """Bytes that it may come to hold; the coded form counts twice, for the one that is not made yet."""
        return len(self.plain) + 2 * len(self.packed) + OVERHEAD
