"""The operator's password is compared by what scrypt makes of it, and a weak or odd setting is refused."""

import pytest

from gateway.auth.admin_password import PREFIX, fault_of, make_password, read_password

SALT = bytes(range(16))
GOOD = "correct horse battery"
MADE = make_password(GOOD, SALT)


def test_a_password_is_known_again_and_no_other_is() -> None:
    assert MADE.matches(GOOD)
    for other in ("", "correct horse batter", "correct horse battery ", GOOD.upper(), "x" * 5000):
        assert not MADE.matches(other)


def test_what_is_kept_of_it_can_be_set_instead_of_it() -> None:
    text = str(MADE)
    assert text.startswith(PREFIX)
    assert GOOD not in text
    assert "$" not in text
    assert read_password(text, b"another salt") == MADE
    assert read_password(GOOD, SALT) == MADE


def test_it_does_not_show_itself() -> None:
    assert MADE.digest.hex() not in repr(MADE)
    assert str(MADE.digest) not in repr(MADE)


# What an operator may set by mistake.
FAULTS = [
    ("short", "should have 12 to 1024 characters"),
    ("eleven char", "should have 12 to 1024 characters"),
    ("x" * 1025, "should have 12 to 1024 characters"),
    ("scrypt:", "begins with scrypt: but is no valid hash"),
    (str(MADE)[:-1], "begins with scrypt: but is no valid hash"),
    (str(MADE).replace(":15:", ":10:"), "begins with scrypt: but is no valid hash"),
    (str(MADE).replace(":15:", ":25:"), "begins with scrypt: but is no valid hash"),
    (str(MADE).replace(":15:8:", ":15:9:"), "begins with scrypt: but is no valid hash"),
    (str(MADE).replace(":8:3:", ":8:0:"), "begins with scrypt: but is no valid hash"),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_a_faulty_setting_is_told_without_being_repeated(text: str, fault: str) -> None:
    assert fault_of(text).startswith(fault)
    with pytest.raises(ValueError, match=fault):
        read_password(text, SALT)
    assert fault_of("x" * 12) == fault_of(str(MADE)) == ""
