"""The format of API keys and ids. A key ends in a checksum, so a mistyped one needs no look-up."""

import hashlib
import secrets
import string
import zlib
from collections.abc import Callable, Sequence

from gateway.model import KEY_PREFIX

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX = KEY_PREFIX
BODY_LENGTH = 32
CHECKSUM_LENGTH = 6
KEY_LENGTH = len(PREFIX) + BODY_LENGTH + CHECKSUM_LENGTH
SHOWN_LENGTH = 12
ID_LENGTH = 22

Choice = Callable[[Sequence[str]], str]


def new_id(choice: Choice = secrets.choice) -> str:
    """Returns an id of 131 random bits, made of letters and digits, so it is safe in a cache key, path or header."""
    return "".join(choice(ALPHABET) for _ in range(ID_LENGTH))


def new_key(choice: Choice = secrets.choice) -> str:
    body = "".join(choice(ALPHABET) for _ in range(BODY_LENGTH))
    return PREFIX + body + _checksum(body)


def is_well_formed(secret: str) -> bool:
    if len(secret) != KEY_LENGTH or not secret.startswith(PREFIX) or not secret.isascii():
        return False
    body = secret[len(PREFIX) : -CHECKSUM_LENGTH]
    return secret[-CHECKSUM_LENGTH:] == _checksum(body)


def digest(secret: str) -> str:
    """Returns what is stored of a key. A key has 190 random bits, so a slow hash is not needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def shown_part(secret: str) -> str:
    """Returns the start of a key, which may be shown to tell keys apart."""
    return secret[:SHOWN_LENGTH]


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
