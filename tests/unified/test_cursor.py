"""A cursor is taken back only as it was given: unchanged, for the same account and question, and in time."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.errors import BadRequest
from gateway.unified.cursor import Cursor, CursorSigner, mark

SIGNER = CursorSigner(key=b"k" * 32, lifetime=3600)
CURSOR = Cursor(snapshot="0123456789abcdef", position=25, total=1000, last="abcdef012345", made_at=1_700_000_000)
BOUND = "account\nlist_employees\n*"
NOW = 1_700_000_100.0
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

CURSORS = st.builds(
    Cursor,
    snapshot=st.text(max_size=20),
    position=st.integers(0, 10**9),
    total=st.integers(0, 10**9),
    last=st.text(max_size=20),
    made_at=st.integers(1_700_000_000, 1_700_000_100),
)


@given(CURSORS, st.text(max_size=40))
@settings(deadline=None)
def test_what_is_written_can_be_read(cursor: Cursor, bound_to: str) -> None:
    text = SIGNER.write(cursor, bound_to)
    assert SIGNER.read(text, bound_to, NOW) == cursor
    assert set(text) <= set(ALPHABET)


def refusal(text: str, bound_to: str = BOUND, signer: CursorSigner = SIGNER) -> BadRequest:
    with pytest.raises(BadRequest) as refused:
        signer.read(text, bound_to, NOW)
    return refused.value


def test_no_character_can_be_another() -> None:
    text = SIGNER.write(CURSOR, BOUND)
    for place in range(len(text)):
        for other in ("A", "B", "-", "=", "é", "+", " ", ""):
            if other != text[place]:
                changed = text[:place] + other + text[place + 1 :]
                assert refusal(changed).code == "ValidationError", (place, other)


@pytest.mark.parametrize("added", [" ", "\n", "\t", "!", "=", "==", ".", "%"])
def test_nothing_that_decoding_would_forgive_can_be_added(added: str) -> None:
    text = SIGNER.write(CURSOR, BOUND)
    for place in range(len(text) + 1):
        refusal(text[:place] + added + text[place:])


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_no_other_text_is_taken(data: st.DataObject) -> None:
    text = SIGNER.write(CURSOR, BOUND)
    place, other = data.draw(st.integers(0, len(text))), data.draw(st.text(max_size=4))
    end = data.draw(st.integers(place, len(text)))
    changed = text[:place] + other + text[end:]
    assume(changed != text)
    assert "Send the `next` of the previous page unchanged" in refusal(changed).message


@pytest.mark.parametrize("text", ["", "x", "=", "====", "\0", "é", "a" * 100_000, "\ud800", "null", "{}"])
def test_nonsense_is_refused(text: str) -> None:
    assert refusal(text).code == "ValidationError"


@pytest.mark.parametrize(
    "bound_to",
    ["another\nlist_employees\n*", "account\nlist_employees\nid", "account\nlist_companies\n*", "", BOUND + "\n"],
)
def test_it_is_bound_to_account_operation_and_question(bound_to: str) -> None:
    assert "not a cursor of this list" in refusal(SIGNER.write(CURSOR, BOUND), bound_to).message


def test_another_key_does_not_sign_the_same() -> None:
    assert refusal(SIGNER.write(CURSOR, BOUND), signer=replace(SIGNER, key=b"l" * 32)).code == "ValidationError"


@pytest.mark.parametrize(("age", "taken"), [(0, True), (3600, True), (3601, False), (10**9, False)])
def test_it_ages(age: int, *, taken: bool) -> None:
    text = SIGNER.write(CURSOR, BOUND)
    now = float(CURSOR.made_at + age)
    if taken:
        assert SIGNER.read(text, BOUND, now) == CURSOR
        return
    with pytest.raises(BadRequest, match=r"older than 3600 seconds\. Start the walk again") as refused:
        SIGNER.read(text, BOUND, now)
    assert refused.value.code == "StaleCursorError"


def test_it_shows_neither_key_nor_record() -> None:
    assert "kkk" not in repr(SIGNER)
    assert mark("person-1") != mark("person-2")
    assert "person" not in mark("person-1")
