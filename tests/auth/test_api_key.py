"""A key looks like one, and a damaged one costs no look-up."""

import string

from hypothesis import assume, example, given
from hypothesis import strategies as st

from gateway.app.stores import make_stores
from gateway.auth.api_key import ALPHABET, ID_LENGTH, is_well_formed, new_id, new_key, shown_part
from gateway.db.engine import open_engine
from gateway.vault.vault import Vault

letters = st.sampled_from(ALPHABET)


@given(st.data())
def test_a_new_key_is_well_formed(data: st.DataObject) -> None:
    key = new_key(lambda _: data.draw(letters))
    assert is_well_formed(key)
    assert len(key) == 42
    assert key.startswith("hrk_")
    assert shown_part(key) == key[:12]


@given(place=st.integers(4, 41), letter=letters)
def test_one_wrong_character_is_noticed(place: int, letter: str) -> None:
    key = new_key()
    assume(key[place] != letter)
    assert not is_well_formed(key[:place] + letter + key[place + 1 :])


@given(st.text())
@example("")
@example("hrk_" + "0" * 38)
@example("hrk_" + "é" * 38)
@example(new_key() + "\n")
@example(new_key()[:-1])
@example(" " + new_key())
@example(new_key().replace("hrk_", "hrx_"))
async def test_what_is_no_key_is_refused_without_a_look_up(text: str) -> None:
    # There is no such directory: a look-up would fail.
    stores = make_stores(open_engine("sqlite+aiosqlite:////proc/none/x.db"), Vault(b"k" * 32))
    assert await stores.accounts.find_key(text) is None


def test_ids_are_letters_and_digits() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(each) for each in ids} == {ID_LENGTH}
    assert set("".join(ids)) <= set(string.ascii_letters + string.digits)
