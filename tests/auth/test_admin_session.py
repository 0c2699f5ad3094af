"""Only what we have made ourselves says that the operator has signed in, and only for its time."""

import pytest

from gateway.auth.admin_session import AdminSession, AdminSessions, SessionLifetimes

NOW = 1_800_000_000.0
LIVES = SessionLifetimes(whole=1000, idle=100)


def made(key: bytes = b"k" * 32, binding: str = "scrypt:one") -> AdminSessions:
    return AdminSessions(key, binding, LIVES, lambda: "abc")


def test_a_pass_is_known_again() -> None:
    passes = made()
    badge = passes.make(NOW)
    assert passes.read(passes.text(badge), NOW + 1) == badge == AdminSession("abc", int(NOW), int(NOW))


def test_it_ends_unused_and_it_ends_at_last() -> None:
    passes = made()
    badge = passes.make(NOW)
    assert passes.read(passes.text(badge), NOW + 99)
    assert passes.read(passes.text(badge), NOW + 100) is None
    for second in range(40, 1000, 40):
        shown = passes.read(passes.text(badge), NOW + second)
        assert shown is not None
        badge = passes.renew(shown, NOW + second)
    assert passes.read(passes.text(badge), NOW + 999)
    assert passes.read(passes.text(badge), NOW + 1000) is None


def test_it_is_renewed_no_more_than_once_a_minute() -> None:
    passes = made()
    badge = passes.make(NOW)
    assert passes.renew(badge, NOW + 59) is badge
    assert passes.renew(badge, NOW + 60).seen == int(NOW) + 60


def test_another_password_or_key_ends_it() -> None:
    text = made().text(made().make(NOW))
    assert made().read(text, NOW)
    assert made(binding="scrypt:two").read(text, NOW) is None
    assert made(key=b"j" * 32).read(text, NOW) is None


FORGERIES = [
    "",
    ".",
    "...",
    "abc.1.1",
    "é.1.1.x",
    "abc.x.x.{mac}",
    "abc.{seen}.{later}.{mac}",
    "abd.{seen}.{seen}.{mac}",
]


@pytest.mark.parametrize("form", FORGERIES)
def test_what_we_have_not_made_is_none(form: str) -> None:
    passes = made()
    mac = passes.text(passes.make(NOW)).rpartition(".")[2]
    text = form.format(mac=mac, seen=int(NOW), later=int(NOW) + 50)
    assert passes.read(text, NOW) is None


def test_a_mark_made_for_one_purpose_is_worth_nothing_for_another() -> None:
    passes = made()
    badge = passes.make(NOW)
    marks = {
        passes.text(badge).rpartition(".")[2],
        passes.word(badge),
        passes.entry_word("abc"),
        passes.seal(badge, "x").partition(".")[0],
    }
    assert len(marks) == 4
    assert passes.word(badge) != passes.word(AdminSession("abd", badge.made, badge.seen))


def test_a_note_comes_back_only_as_it_was_given_and_to_its_own_pass() -> None:
    passes = made()
    badge = passes.make(NOW)
    sealed = passes.seal(badge, "good The account is active.")
    assert passes.open(badge, sealed) == "good The account is active."
    assert passes.open(badge, sealed.replace("active", "gone")) == ""
    assert passes.open(AdminSession("abd", badge.made, badge.seen), sealed) == ""
    assert passes.open(badge, "é") == passes.open(badge, "") == ""
