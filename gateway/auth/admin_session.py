"""The operator's dashboard session: a signed cookie value, which the gateway does not store.

It is bound to the password: a new password ends all sessions. A session ends a time after sign-in, and a time after
its last use.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.http.signer import Signer

RENEW_SECONDS = 60
_MAX_DIGITS = 12


@dataclass(frozen=True, slots=True)
class AdminSession:
    """`created` and `used` are Unix times in seconds."""

    id: str
    created: int
    used: int


class AdminSessions:
    """Encodes sessions as cookie values and reads them again.

    `password` is the hash of the operator's password. Sessions end `lifetime` seconds after sign-in and `idle` seconds
    after their last use.
    """

    def __init__(self, key: bytes, password: str, *, lifetime: int, idle: int, new_id: Callable[[], str]) -> None:
        self._signer = Signer(hmac.digest(key, password.encode(), "sha256"))
        self.lifetime = lifetime
        self._idle = idle
        self._new_id = new_id

    def create(self, now: float) -> AdminSession:
        return AdminSession(self._new_id(), int(now), int(now))

    def encode(self, session: AdminSession) -> str:
        """Returns the cookie value of a session."""
        parts = (session.id, str(session.created), str(session.used))
        return ".".join((*parts, self._signer.sign("session", *parts)))

    def decode(self, text: str, now: float) -> AdminSession | None:
        """Returns the session of a cookie value, or None if it is forged or has ended."""
        parts = text.split(".")
        if len(parts) != 4 or not text.isascii():
            return None
        session_id, created, used, signature = parts
        if not self._signer.verify(signature, "session", session_id, created, used):
            return None
        if not (_is_number(created) and _is_number(used)):
            return None
        session = AdminSession(session_id, int(created), int(used))
        alive = now < session.created + self.lifetime and now < session.used + self._idle
        return session if alive else None

    def renew(self, session: AdminSession, now: float) -> AdminSession:
        """Returns the session with its last use set to now, or the same one if that is less than a minute ago."""
        return replace(session, used=int(now)) if now - session.used >= RENEW_SECONDS else session

    def form_token(self, session: AdminSession) -> str:
        """Returns the form token of all pages shown in a session."""
        return self._signer.sign("form", session.id, str(session.created))

    def login_token(self, nonce: str) -> str:
        """Returns the form token of the login form; the nonce is in a cookie of its own."""
        return self._signer.sign("login", nonce)

    def seal_notice(self, session: AdminSession, text: str) -> str:
        """Returns a text with its signature, for the browser of this session to bring back."""
        return f"{self._signer.sign('notice', session.id, text)}.{text}"

    def open_notice(self, session: AdminSession, sealed: str) -> str:
        """Returns the text of `seal_notice`, or an empty text if it is forged."""
        signature, _, text = sealed.partition(".")
        return text if self._signer.verify(signature, "notice", session.id, text) else ""


def _is_number(text: str) -> bool:
    return text.isdigit() and len(text) <= _MAX_DIGITS
