"""Reads the API key and the account id from the headers of a request (RFC 7617)."""

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping

from gateway.model import KEY_PREFIX


def credentials_of(headers: Mapping[bytes, bytes]) -> tuple[str | None, str | None]:
    """Returns the API key and the account id, each None where it is missing."""
    account_id = headers.get(b"x-account-id", b"").decode("latin-1") or None
    return secret_of(headers.get(b"authorization", b"")), account_id


def secret_of(authorization: bytes) -> str | None:
    """Returns the API key of a Basic authorization: its user name, its password, or the whole text."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user, _, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (Error, UnicodeDecodeError):
        return None
    return (password if password.startswith(KEY_PREFIX) else user or password) or None
