"""Removes a credential from a vendor's answer: some vendors repeat the headers that they were sent.

The credential is found by its value, so it is removed from any text, wherever it stands there.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from urllib.parse import quote

REDACTED = b"[redacted]"
SHORTEST = 8
"""Characters. A shorter text is no real credential, and would be found in the middle of words."""


class Redaction:
    """Replaces a credential in bytes: as it is, and as JSON and URLs encode it."""

    def __init__(self, secret: str) -> None:
        forms = {secret, secret.replace("/", "\\/"), quote(secret, safe="")} if len(secret) >= SHORTEST else set()
        # The longest first: one may be the beginning of another.
        self._forms = sorted((each.encode() for each in forms), key=len, reverse=True)
        self._longest = max(map(len, self._forms), default=0)

    def of(self, text: bytes) -> bytes:
        """Returns the text without the credential."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, REDACTED)
        return text

    def of_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
        """Returns headers, with names in lower case and without the credential in their values.

        The values of one name are joined by commas (RFC 9110, section 5.2).
        """
        found: dict[str, str] = {}
        for raw, value in headers:
            name, text = _text(raw).lower(), _text(self.of(value))
            found[name] = f"{found[name]}, {text}" if name in found else text
        return found

    async def of_chunks(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yields chunks without the credential, also where it is split across two of them.

        The end of a chunk that could be the beginning of the credential is held back until the next one.
        """
        held = b""
        async for chunk in chunks:
            text = self.of(held + chunk)
            keep = self._beginning(text)
            held = text[len(text) - keep :]
            if len(text) > keep:
                yield text[: len(text) - keep]
        if held:
            yield held

    def _beginning(self, text: bytes) -> int:
        """Returns how many bytes at the end of a text begin a credential."""
        for size in range(min(self._longest - 1, len(text)), 0, -1):
            end = text[-size:]
            if any(form.startswith(end) for form in self._forms):
                return size
        return 0


def _text(header: bytes) -> str:
    """Returns a name or value as text: in UTF-8, or else as its bytes are."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")


def credential_in(headers: Mapping[str, str]) -> str:
    """Returns the credential of an `Authorization` header, without its scheme; empty where there is none."""
    return headers.get("authorization", "").rpartition(" ")[2]
