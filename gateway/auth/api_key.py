"""The form of client keys and ids. A key ends in a checksum, so that a mistyped one costs no look-up."""

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
    """Make an id of 131 random bits, of letters and digits only: safe in any cache key, path or header."""
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
    """Give what is stored of a key. It has 190 random bits: a slow hash would only slow us."""
    return hashlib.sha256(secret.encode()).hexdigest()


def shown_part(secret: str) -> str:
    """Give the part of a key that people may see, to tell keys apart."""
    return secret[:SHOWN_LENGTH]


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
