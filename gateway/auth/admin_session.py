"""The proof that the operator has signed in: a text for a cookie, which nobody else can make. Nothing is stored.

It is bound to the password: with another password all are void. It ends a time after it was made, and a time after
it was last shown.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace

RENEW_SECONDS = 60
_NUMBER_LENGTH = 12


@dataclass(frozen=True, slots=True)
class AdminSession:
    """`made` and `seen` are seconds of the clock."""

    id: str
    made: int
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLifetimes:
    """Seconds that a pass lives in all, and without being shown."""

    whole: int
    idle: int


class AdminSessions:
    """Makes passes and knows them again. `binding` is what they end with: the password."""

    def __init__(self, key: bytes, binding: str, lives: SessionLifetimes, new_id: Callable[[], str]) -> None:
        self._key = hmac.digest(key, binding.encode(), "sha256")
        self.lives = lives
        self._new_id = new_id

    def make(self, now: float) -> AdminSession:
        return AdminSession(self._new_id(), int(now), int(now))

    def text(self, of: AdminSession) -> str:
        said = f"{of.id}.{of.made}.{of.seen}"
        return f"{said}.{self._mac(f'pass:{said}')}"

    def read(self, text: str, now: float) -> AdminSession | None:
        """Give the pass that a text is, as long as it lives."""
        words = text.split(".")
        if len(words) != 4 or not text.isascii():
            return None
        name, made, seen, mac = words
        if not hmac.compare_digest(mac, self._mac(f"pass:{name}.{made}.{seen}")):
            return None
        if not (_is_number(made) and _is_number(seen)):
            return None
        found = AdminSession(name, int(made), int(seen))
        alive = now < found.made + self.lives.whole and now < found.seen + self.lives.idle
        return found if alive else None

    def renew(self, of: AdminSession, now: float) -> AdminSession:
        """Note that a pass has been shown; the same one is given where that is hardly news."""
        return replace(of, seen=int(now)) if now - of.seen >= RENEW_SECONDS else of

    def word(self, of: AdminSession) -> str:
        """Give the word that stands in the forms of pages shown for this pass."""
        return self._mac(f"form:{of.id}.{of.made}")

    def entry_word(self, nonce: str) -> str:
        """Give the word of the form for signing in, which goes with a cookie of its own."""
        return self._mac(f"entry:{nonce}")

    def seal(self, of: AdminSession, text: str) -> str:
        """Put a mark before a text that the browser of this pass is to bring back."""
        return f"{self._mac(f'note:{of.id}:{text}')}.{text}"

    def open(self, of: AdminSession, sealed: str) -> str:
        """Give a sealed text, or nothing if it is not one."""
        mark, _, text = sealed.partition(".")
        known = hmac.compare_digest(mark.encode(), self._mac(f"note:{of.id}:{text}").encode())
        return text if known else ""

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def _is_number(text: str) -> bool:
    return text.isdigit() and len(text) <= _NUMBER_LENGTH
