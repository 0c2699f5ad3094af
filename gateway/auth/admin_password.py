"""The operator's password: what scrypt (RFC 7914) makes of it is compared, and may be kept instead of it.

As text: `scrypt:15:8:3:<salt>:<digest>`, the last two in base64 for URLs. Without `$`, which Compose would read.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

SHORTEST = 12
LONGEST = 1024
SALT_BYTES = 16
PREFIX = "scrypt:"
_FORM = re.compile(r"scrypt:(\d{2}):(\d):(\d):([A-Za-z0-9_-]{22}):([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Password:
    """`log_n`, `r` and `p` are scrypt's. The defaults are OWASP's (Password Storage Cheat Sheet) for 32 MiB."""

    salt: bytes
    digest: bytes = field(repr=False)
    log_n: int = 15
    r: int = 8
    p: int = 3

    def matches(self, given: str) -> bool:
        """Compare; takes about a fifth of a second of one core, without holding up other threads."""
        if len(given) > LONGEST:
            return False
        return hmac.compare_digest(_stretch(given, self.salt, (self.log_n, self.r, self.p)), self.digest)

    def __str__(self) -> str:
        salt, digest = (urlsafe_b64encode(each).rstrip(b"=").decode() for each in (self.salt, self.digest))
        return f"{PREFIX}{self.log_n}:{self.r}:{self.p}:{salt}:{digest}"


def fault_of(text: str) -> str:
    """Tell what is wrong with a setting, which is a password or what `str` gave of one; nothing if it will do."""
    if text.startswith(PREFIX):
        ours = "" if _read(text) else "begins with scrypt: and is none of ours"
        return ours and f"{ours}; make one with `python -m gateway dashboard password`"
    return "" if SHORTEST <= len(text) <= LONGEST else f"should have {SHORTEST} to {LONGEST} characters"


def make_password(plain: str, salt: bytes) -> Password:
    """Raises `ValueError` for a password that is too short to withstand guessing."""
    made = Password(salt[:SALT_BYTES], b"")
    if fault_of(plain) or plain.startswith(PREFIX):
        raise ValueError(fault_of(plain) or f"should not begin with {PREFIX}")
    return Password(made.salt, _stretch(plain, made.salt, (made.log_n, made.r, made.p)))


def read_password(text: str, salt: bytes) -> Password:
    """Read a setting; the salt is for one that is a password itself. Raises `ValueError`."""
    if not text.startswith(PREFIX):
        return make_password(text, salt)
    found = _read(text)
    if found is None:
        raise ValueError(fault_of(text))
    return found


def _read(text: str) -> Password | None:
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    log_n, r, p = map(int, found.groups()[:3])
    if not 14 <= log_n <= 18 or r != 8 or not 1 <= p <= 5:
        return None
    salt, digest = (urlsafe_b64decode(each + "=" * (-len(each) % 4)) for each in found.groups()[3:])
    return Password(salt, digest, log_n, r, p)


def _stretch(plain: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    log_n, r, p = cost
    n = 1 << log_n
    return hashlib.scrypt(plain.encode(), salt=salt, n=n, r=r, p=p, maxmem=2 * 128 * n * r, dklen=32)
