"""What is sealed can be opened by its key in its context, and by nothing else."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import StoreUnavailable
from gateway.model import LinkedAccount, Secret, Unsealable
from gateway.vault.vault import AccountCipher, Vault, WrappedKey, decode_master_key, key_id

MASTER, OTHER = bytes(range(32)), bytes(range(1, 33))
DATA_KEY = b"k" * 32


def counting() -> Callable[[int], bytes]:
    """Give bytes that differ at each call, without chance."""
    calls = iter(range(1, 1000))
    return lambda size: next(calls).to_bytes(size, "big")


@given(plain=st.binary(), context=st.binary())
def test_what_is_sealed_opens_to_the_same(plain: bytes, context: bytes) -> None:
    cipher = AccountCipher(DATA_KEY)
    assert cipher.open(cipher.seal(plain, context), context) == plain


@given(plain=st.binary(max_size=40), data=st.data())
def test_a_flipped_bit_anywhere_is_noticed(plain: bytes, data: st.DataObject) -> None:
    cipher = AccountCipher(DATA_KEY)
    sealed = bytearray(cipher.seal(plain, b"here"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Unsealable):
        cipher.open(bytes(sealed), b"here")


@given(plain=st.binary(max_size=40), length=st.integers(0, 28))
def test_a_cut_off_end_is_noticed(plain: bytes, length: int) -> None:
    cipher = AccountCipher(DATA_KEY)
    with pytest.raises(Unsealable):
        cipher.open(cipher.seal(plain, b"here")[:length], b"here")


@given(contexts=st.lists(st.binary(), min_size=2, max_size=2, unique=True))
def test_another_context_does_not_open(contexts: list[bytes]) -> None:
    cipher = AccountCipher(DATA_KEY)
    with pytest.raises(Unsealable):
        cipher.open(cipher.seal(b"plain", contexts[0]), contexts[1])


def test_another_key_does_not_open() -> None:
    with pytest.raises(Unsealable):
        AccountCipher(b"j" * 32).open(AccountCipher(DATA_KEY).seal(b"plain", b""), b"")


def test_each_sealing_takes_a_new_nonce() -> None:
    cipher = AccountCipher(DATA_KEY, counting())
    sealed = [cipher.seal(b"plain", b"here") for _ in range(3)]
    assert [each[1:13] for each in sealed] == [n.to_bytes(12, "big") for n in (1, 2, 3)]


def test_a_wrapped_key_opens_what_the_new_key_sealed() -> None:
    vault = Vault(MASTER)
    wrapped, cipher = vault.new_key("account")
    sealed = cipher.seal(b"plain", b"here")
    assert Vault(MASTER).unwrap("account", wrapped).open(sealed, b"here") == b"plain"
    assert wrapped.master_key_id == vault.current_id == key_id(MASTER)


def test_a_wrapped_key_of_one_account_does_not_open_for_another() -> None:
    wrapped, _ = Vault(MASTER).new_key("one")
    with pytest.raises(Unsealable):
        Vault(MASTER).unwrap("other", wrapped)


@given(data=st.data())
def test_a_damaged_wrapped_key_is_noticed(data: st.DataObject) -> None:
    wrapped, _ = Vault(MASTER).new_key("account")
    damaged = bytearray(wrapped.wrapped)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    # A damaged key id reads as a master key that we do not have.
    with pytest.raises((Unsealable, StoreUnavailable)):
        Vault(MASTER).unwrap("account", WrappedKey(wrapped.master_key_id, bytes(damaged)))


def test_an_older_master_key_still_opens_and_a_rewrapped_key_needs_it_no_more() -> None:
    wrapped, cipher = Vault(OTHER).new_key("account")
    sealed = cipher.seal(b"plain", b"here")
    rotating = Vault(MASTER, [OTHER])
    assert rotating.unwrap("account", wrapped).open(sealed, b"here") == b"plain"
    rewrapped = rotating.rewrap("account", wrapped)
    assert rewrapped.master_key_id == key_id(MASTER)
    assert Vault(MASTER).unwrap("account", rewrapped).open(sealed, b"here") == b"plain"


def test_another_master_key_is_named_with_what_to_do() -> None:
    wrapped, _ = Vault(OTHER).new_key("account")
    with pytest.raises(
        StoreUnavailable, match=r"the master key .* does not open .*: set GATEWAY_VAULT_MASTER_KEY"
    ) as e:
        Vault(MASTER).unwrap("account", wrapped)
    assert key_id(OTHER) in e.value.message


def test_derived_keys_differ_by_purpose_and_master_key_and_are_the_same_in_each_process() -> None:
    derived = [
        Vault(MASTER).derive(b"cursor"),
        Vault(MASTER).derive(b"session"),
        Vault(OTHER).derive(b"cursor"),
    ]
    assert len({*derived, MASTER, OTHER}) == 5
    assert Vault(MASTER).derive(b"cursor") == derived[0]
    assert {len(key) for key in derived} == {32}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "there is no master key"),
        (" \n", "there is no master key"),
        ("not base64!", "not base64"),
        ("päß", "not base64"),
        (base64.b64encode(b"short").decode(), "has 5 bytes, not 32"),
        (base64.b64encode(b"l" * 64).decode(), "has 64 bytes, not 32"),
    ],
)
def test_a_faulty_master_key_is_refused_with_how_to_make_one(text: str, fault: str) -> None:
    with pytest.raises(StoreUnavailable, match=fault) as refused:
        decode_master_key(text)
    assert "openssl rand -base64 32" in refused.value.message
    assert not text.strip() or text not in refused.value.message


def test_a_master_key_may_end_in_a_line_break() -> None:
    assert decode_master_key(base64.b64encode(MASTER).decode() + "\n") == MASTER


@pytest.mark.parametrize("key", [b"", b"short"])
def test_a_vault_without_a_whole_key_is_not_made(key: bytes) -> None:
    with pytest.raises(StoreUnavailable):
        Vault(key)


def test_no_repr_shows_a_key_or_a_credential() -> None:
    vault = Vault(MASTER, random=counting())
    wrapped, cipher = vault.new_key("account")
    data_key = (1).to_bytes(32, "big")
    shown = f"{vault!r} {cipher!r} {wrapped!r} {Secret('planted')!r} {vault} {Secret('planted')}"
    for secret in (MASTER, data_key, wrapped.wrapped):
        for form in (repr(secret)[2:-1], secret.hex(), base64.b64encode(secret).decode()):
            assert form not in shown
    assert "planted" not in shown
    assert "planted" not in repr(LinkedAccount.__dataclass_fields__)
