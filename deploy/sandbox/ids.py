"""Ids and secrets in the form of those of Humaans: 24 and 32 letters and digits. Equal parts give equal texts."""

from __future__ import annotations

from hashlib import blake2b

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TABLE = bytes(_ALPHABET[value % len(_ALPHABET)] for value in range(256))

ID_LENGTH = 24
TOKEN_LENGTH = 32


def stable_id(*parts: str | int) -> str:
    """Returns 24 characters that depend on the parts alone."""
    return _text(ID_LENGTH, parts)


def stable_token(*parts: str | int) -> str:
    """Returns 32 characters that depend on the parts alone."""
    return _text(TOKEN_LENGTH, parts)


def _text(length: int, parts: tuple[str | int, ...]) -> str:
    key = "\x1f".join(map(str, parts)).encode()
    return blake2b(key, digest_size=length).digest().translate(_TABLE).decode()
