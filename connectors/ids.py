"""Unified ids: opaque, URL-safe, and made from the vendor's id alone, so that no table of ids is needed."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

_MARK = b"hg1!"


def encode(kind: str, remote_id: str) -> str:
    """Returns the unified id of a vendor's record.

    `kind` is part of it, so that the id of an employee is not accepted as that of a location.
    """
    return urlsafe_b64encode(_MARK + f"{kind}:{remote_id}".encode()).rstrip(b"=").decode()


def decode(kind: str, given: str) -> str | None:
    """Returns the vendor's id for a unified id or a vendor's own id; None for a unified id of another kind."""
    try:
        plain = urlsafe_b64decode(given + "=" * (-len(given) % 4))
        if not plain.startswith(_MARK):
            return given
        found, _, remote_id = plain[len(_MARK) :].decode().partition(":")
    except (Error, ValueError):
        return given
    return remote_id if found == kind and encode(kind, remote_id) == given else None
