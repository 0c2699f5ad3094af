"""Only the gateway itself can make a dashboard session, and a session has an end."""

import pytest

from gateway.auth.admin_session import AdminSession, AdminSessions

NOW = 1_800_000_000.0


def make_sessions(key: bytes = b"k" * 32, password: str = "scrypt:one") -> AdminSessions:
    return AdminSessions(key, password, lifetime=1000, idle=100, new_id=lambda: "abc")


def test_a_session_is_read_from_its_cookie() -> None:
    sessions = make_sessions()
    session = sessions.create(NOW)
    assert sessions.decode(sessions.encode(session), NOW + 1) == session == AdminSession("abc", int(NOW), int(NOW))


def test_it_ends_unused_and_at_the_end_of_its_lifetime() -> None:
    sessions = make_sessions()
    session = sessions.create(NOW)
    assert sessions.decode(sessions.encode(session), NOW + 99)
    assert sessions.decode(sessions.encode(session), NOW + 100) is None
    for second in range(40, 1000, 40):
        found = sessions.decode(sessions.encode(session), NOW + second)
        assert found is not None
        session = sessions.renew(found, NOW + second)
    assert sessions.decode(sessions.encode(session), NOW + 999)
    assert sessions.decode(sessions.encode(session), NOW + 1000) is None


def test_it_is_renewed_no_more_than_once_a_minute() -> None:
    sessions = make_sessions()
    session = sessions.create(NOW)
    assert sessions.renew(session, NOW + 59) is session
    assert sessions.renew(session, NOW + 60).used == int(NOW) + 60


def test_another_password_or_key_ends_it() -> None:
    text = make_sessions().encode(make_sessions().create(NOW))
    assert make_sessions().decode(text, NOW)
    assert make_sessions(password="scrypt:two").decode(text, NOW) is None
    assert make_sessions(key=b"j" * 32).decode(text, NOW) is None


FORGERIES = [
    "",
    ".",
    "...",
    "abc.1.1",
    "é.1.1.x",
    "abc.x.x.{signature}",
    "abc.{used}.{later}.{signature}",
    "abd.{used}.{used}.{signature}",
]


@pytest.mark.parametrize("forged", FORGERIES)
def test_a_forged_cookie_is_no_session(forged: str) -> None:
    sessions = make_sessions()
    signature = sessions.encode(sessions.create(NOW)).rpartition(".")[2]
    text = forged.format(signature=signature, used=int(NOW), later=int(NOW) + 50)
    assert sessions.decode(text, NOW) is None


def test_a_signature_for_one_purpose_is_not_valid_for_another() -> None:
    sessions = make_sessions()
    session = sessions.create(NOW)
    signatures = {
        sessions.encode(session).rpartition(".")[2],
        sessions.form_token(session),
        sessions.login_token("abc"),
        sessions.seal_notice(session, "x").partition(".")[0],
    }
    assert len(signatures) == 4
    assert sessions.form_token(session) != sessions.form_token(AdminSession("abd", session.created, session.used))


def test_a_notice_comes_back_unchanged_and_only_to_its_session() -> None:
    sessions = make_sessions()
    session = sessions.create(NOW)
    sealed = sessions.seal_notice(session, "good The account is active.")
    assert sessions.open_notice(session, sealed) == "good The account is active."
    assert sessions.open_notice(session, sealed.replace("active", "gone")) == ""
    assert sessions.open_notice(AdminSession("abd", session.created, session.used), sealed) == ""
    assert sessions.open_notice(session, "é") == sessions.open_notice(session, "") == ""
