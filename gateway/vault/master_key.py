"""Opens the vault with the master key that is set, or with a key file that is created on first use."""

import base64
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from gateway.errors import StoreUnavailable
from gateway.vault.vault import HOW_TO_MAKE_ONE, KEY_BYTES, Vault, decode_master_key

KEY_FILE = Path("var/master.key")


def open_vault(
    *, master_key: bytes, further: Sequence[bytes] = (), own_database: bool, say: Callable[[str], None]
) -> Vault:
    """Opens the vault with the key that is set, or with a key file beside the gateway's own SQLite database.

    A database that the operator chose may be shared and moved, so the operator must set and keep its key. Raises
    `StoreUnavailable` without a usable key.
    """
    if master_key:
        return Vault(master_key, further)
    if not own_database:
        raise StoreUnavailable(f"GATEWAY_DATABASE_URL is set and there is no master key: {HOW_TO_MAKE_ONE}")
    return Vault(_own_key(KEY_FILE, say), further)


def _own_key(path: Path, say: Callable[[str], None]) -> bytes:
    try:
        if not path.exists():
            _make(path)
            say(f"made the master key {path}: keep it safe, without it no stored account can be opened")
        return decode_master_key(path.read_text())
    except OSError as error:
        raise StoreUnavailable(f"the master key file {path} cannot be used: {error.strerror}") from error


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    # Linking is atomic and fails if the file exists, so two processes that start together use the same key.
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
