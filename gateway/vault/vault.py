"""Encrypts what must not be readable in the database or the cache. No other module sees a key.

The operator's master key wraps one data key for each account, which seals the account's credential and its cached
answers. Deleting a data key makes all that it sealed unreadable.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import StoreUnavailable
from gateway.model import Unsealable

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_BYTES = 4
VERSION = b"\x01"
HOW_TO_MAKE_ONE = "make one with `openssl rand -base64 32` and set it as GATEWAY_VAULT_MASTER_KEY"

Random = Callable[[int], bytes]


def decode_master_key(text: str) -> bytes:
    """Returns the key that an operator has set, in base64. Raises `StoreUnavailable`, without repeating the text."""
    if not text.strip():
        raise StoreUnavailable(f"there is no master key: {HOW_TO_MAKE_ONE}")
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise StoreUnavailable(f"the master key is not base64: {HOW_TO_MAKE_ONE}") from None
    return _checked(key)


def key_id(key: bytes) -> str:
    """Returns a name of a key, from which the key cannot be found."""
    return hashlib.sha256(key).digest()[:KEY_ID_BYTES].hex()


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise StoreUnavailable(f"the master key has {len(key)} bytes, not {KEY_BYTES}: {HOW_TO_MAKE_ONE}")
    return key


class AccountCipher:
    """Seals with one account's data key, as AES-256-GCM: version byte, nonce, ciphertext with tag."""

    __slots__ = ("_aead", "_random")

    def __init__(self, data_key: bytes, random: Random = os.urandom) -> None:
        self._aead = AESGCM(data_key)
        self._random = random

    def seal(self, plain: bytes, context: bytes) -> bytes:
        nonce = self._random(NONCE_BYTES)
        return VERSION + nonce + self._aead.encrypt(nonce, plain, VERSION + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        version, nonce, body = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if version != VERSION or len(nonce) != NONCE_BYTES:
            raise Unsealable("these bytes were not sealed by this version of the gateway")
        try:
            return self._aead.decrypt(nonce, body, version + context)
        except InvalidTag:
            # The cause adds nothing, and its traceback could carry the bytes into a log.
            raise Unsealable("these bytes were not sealed by this key in this context") from None


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it is stored. The authenticated bytes include the id of the master key, too."""

    master_key_id: str
    wrapped: bytes = field(repr=False)


class Vault:
    """Creates, wraps and unwraps data keys. The `current` master key wraps; `further` ones only unwrap."""

    __slots__ = ("_current", "_keys", "_random", "current_id")

    def __init__(self, current: bytes, further: Sequence[bytes] = (), *, random: Random = os.urandom) -> None:
        if not current:
            raise StoreUnavailable(f"there is no master key: {HOW_TO_MAKE_ONE}")
        self._keys = {key_id(key): AESGCM(_checked(key)) for key in (*further, current)}
        self._current = current
        self._random = random
        self.current_id = key_id(current)

    def __repr__(self) -> str:
        return f"Vault(current_id={self.current_id!r})"

    def derive(self, purpose: bytes) -> bytes:
        """Returns a key for one purpose, which is the same in every process that has the master key."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"hris-gateway " + purpose).derive(self._current)

    def new_key(self, account_id: str) -> tuple[WrappedKey, AccountCipher]:
        data_key = self._random(KEY_BYTES)
        return self._wrap(account_id, data_key), AccountCipher(data_key, self._random)

    def unwrap(self, account_id: str, wrapped: WrappedKey) -> AccountCipher:
        return AccountCipher(self._unwrap(account_id, wrapped.wrapped), self._random)

    def rewrap(self, account_id: str, wrapped: WrappedKey) -> WrappedKey:
        """Wraps the same data key with the current master key, so that what it sealed stays readable."""
        return self._wrap(account_id, self._unwrap(account_id, wrapped.wrapped))

    def must_open(self, master_key_id: str) -> None:
        """Raises `StoreUnavailable` for keys that were wrapped by a master key that is not set."""
        if master_key_id not in self._keys:
            raise StoreUnavailable(
                f"the master key {self.current_id} does not open the accounts of this database: set "
                f"GATEWAY_VAULT_MASTER_KEY to the key {master_key_id} that wraps theirs, or add that key to "
                "GATEWAY_VAULT_FURTHER_MASTER_KEYS"
            )

    def _wrap(self, account_id: str, data_key: bytes) -> WrappedKey:
        header = VERSION + bytes.fromhex(self.current_id)
        nonce = self._random(NONCE_BYTES)
        sealed = self._keys[self.current_id].encrypt(nonce, data_key, header + account_id.encode())
        return WrappedKey(self.current_id, header + nonce + sealed)

    def _unwrap(self, account_id: str, wrapped: bytes) -> bytes:
        header, rest = wrapped[: 1 + KEY_ID_BYTES], wrapped[1 + KEY_ID_BYTES :]
        nonce, sealed = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
        if header[:1] != VERSION or len(nonce) != NONCE_BYTES:
            raise Unsealable("this data key was not wrapped by this version of the gateway")
        master_key_id = header[1:].hex()
        self.must_open(master_key_id)
        try:
            return self._keys[master_key_id].decrypt(nonce, sealed, header + account_id.encode())
        except InvalidTag:
            raise Unsealable("this data key is damaged, or of another account") from None
