"""Compression: Zstandard for what is kept, and both codings that clients take (RFC 9110, section 8.4; RFC 8878)."""

import gzip
import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 1
"""The quickest: column names that repeat shrink to a tenth at any level."""


def pack(value: bytes) -> bytes:
    return zstd.compress(value, LEVEL)


def unpack(packed: bytes) -> bytes:
    return zstd.decompress(packed)


def pack_gzip(value: bytes) -> bytes:
    # No time of making: the same answer is the same bytes, or its ETag would lie.
    return gzip.compress(value, LEVEL, mtime=0)
