"""Compression: Zstandard for stored values, and the codings that clients accept (RFC 9110, section 8.4; RFC 8878)."""

import gzip
import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 1
"""The fastest level. Repeated column names shrink to a tenth at any level."""


def pack(value: bytes) -> bytes:
    """Returns the value compressed with Zstandard."""
    return zstd.compress(value, LEVEL)


def unpack(packed: bytes) -> bytes:
    """Returns the value that `pack` has compressed."""
    return zstd.decompress(packed)


def pack_gzip(value: bytes) -> bytes:
    """Returns the value compressed with gzip."""
    # Without a timestamp: the same answer must give the same bytes, which its ETag promises.
    return gzip.compress(value, LEVEL, mtime=0)
