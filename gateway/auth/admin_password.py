"""The operator's password and its scrypt hash (RFC 7914), which may be configured instead of the password.

A hash is written `scrypt:15:8:3:<salt>:<digest>`, the last two in base64 for URLs. It has no `$`, because Docker
Compose would interpret it.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

MIN_LENGTH = 12
MAX_LENGTH = 1024
SALT_BYTES = 16
PREFIX = "scrypt:"
_PATTERN = re.compile(r"scrypt:(\d{2}):(\d):(\d):([A-Za-z0-9_-]{22}):([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Password:
    """A password hash. `log_n`, `r` and `p` are scrypt's; the defaults are OWASP's (Password Storage) for 32 MiB."""

    salt: bytes
    digest: bytes = field(repr=False)
    log_n: int = 15
    r: int = 8
    p: int = 3

    def matches(self, given: str) -> bool:
        """Whether this is the password. Takes about a fifth of a second of one core; other threads go on."""
        if len(given) > MAX_LENGTH:
            return False
        return hmac.compare_digest(_scrypt(given, self.salt, (self.log_n, self.r, self.p)), self.digest)

    def __str__(self) -> str:
        salt, digest = (urlsafe_b64encode(each).rstrip(b"=").decode() for each in (self.salt, self.digest))
        return f"{PREFIX}{self.log_n}:{self.r}:{self.p}:{salt}:{digest}"


def fault_of(text: str) -> str:
    """Returns what is wrong with the setting, a password or a hash; an empty text if it is valid."""
    if text.startswith(PREFIX):
        if _read(text):
            return ""
        return "begins with scrypt: but is no valid hash; make one with `python -m gateway dashboard password`"
    return "" if MIN_LENGTH <= len(text) <= MAX_LENGTH else f"should have {MIN_LENGTH} to {MAX_LENGTH} characters"


def make_password(plain: str, salt: bytes) -> Password:
    """Returns the hash of a password. Raises `ValueError` if it is too short, too long or begins with `scrypt:`."""
    made = Password(salt[:SALT_BYTES], b"")
    if fault_of(plain) or plain.startswith(PREFIX):
        raise ValueError(fault_of(plain) or f"should not begin with {PREFIX}")
    return Password(made.salt, _scrypt(plain, made.salt, (made.log_n, made.r, made.p)))


def read_password(text: str, salt: bytes) -> Password:
    """Returns the hash of the setting; the salt is for a setting that is a password. Raises `ValueError`."""
    if not text.startswith(PREFIX):
        return make_password(text, salt)
    found = _read(text)
    if found is None:
        raise ValueError(fault_of(text))
    return found


def _read(text: str) -> Password | None:
    found = _PATTERN.fullmatch(text)
    if found is None:
        return None
    log_n, r, p = map(int, found.groups()[:3])
    if not 14 <= log_n <= 18 or r != 8 or not 1 <= p <= 5:
        return None
    salt, digest = (urlsafe_b64decode(each + "=" * (-len(each) % 4)) for each in found.groups()[3:])
    return Password(salt, digest, log_n, r, p)


def _scrypt(plain: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    log_n, r, p = cost
    n = 1 << log_n
    return hashlib.scrypt(plain.encode(), salt=salt, n=n, r=r, p=p, maxmem=2 * 128 * n * r, dklen=32)
