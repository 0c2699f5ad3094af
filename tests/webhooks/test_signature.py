"""Signatures, against vectors that others made."""

from datetime import UTC, datetime

import pytest

from gateway.model import Secret
from gateway.webhooks.events import body_of
from gateway.webhooks.signature import Message, new_secret, signature_headers, stackone_signature, standard_signature

BODY = '{"event":"account.created","origin_owner_name":"Zoë"}'.encode()
OLD = Secret("whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=")
NEW = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
AT = datetime(2026, 3, 31, 12, 30, 15, 999_000, tzinfo=UTC)


def test_stackone_s_header_is_what_node_and_openssl_make_of_it() -> None:
    """`crypto.createHmac('sha256', secret).update(body).digest('base64url')`; `openssl dgst -sha256 -hmac`."""
    assert stackone_signature(OLD, BODY) == "ONP2n8M8rhUhSeNQrE8Y53ZX395RbytXxs8pp6GeKfk"


def test_the_other_header_is_what_the_libraries_of_standard_webhooks_make_of_it() -> None:
    """The vector that their test suites share, and one made with Node."""
    theirs = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", AT, b'{"test": 2432232314}')
    assert standard_signature(NEW, theirs, 1614265330) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    ours = Message("evt1", AT, BODY)
    assert standard_signature(OLD, ours, 1774960215) == "v1,XhdbVB/BCKgpNwIwYozNwVpqUO4/OLp9TaBjZmT730Y="


def test_while_two_secrets_live_both_sign_and_take_turns_in_the_single_place() -> None:
    message = Message("evt1", AT, BODY)
    headers = signature_headers(message, (OLD, NEW))
    assert headers == {
        "x-stackone-signature": stackone_signature(OLD, BODY),
        "webhook-id": "evt1",
        "webhook-timestamp": "1774960215",
        "webhook-signature": f"{standard_signature(OLD, message, 1774960215)} "
        f"{standard_signature(NEW, message, 1774960215)}",
    }
    turns = [signature_headers(message, (OLD, NEW), tries)["x-stackone-signature"] for tries in range(3)]
    assert turns == [stackone_signature(each, BODY) for each in (OLD, NEW, OLD)]
    assert signature_headers(message, (NEW,), 3)["x-stackone-signature"] == stackone_signature(NEW, BODY)


def test_a_secret_is_made_of_chance_alone_and_does_not_show_itself() -> None:
    made = new_secret(lambda count: b"\xff" * count)
    assert made.reveal == "whsec_" + "/" * 42 + "8="
    assert "/" not in repr(made)
    with pytest.raises(ValueError, match="is not base64") as caught:
        standard_signature(Secret("whsec_*planted*"), Message("e", AT, b""), 1)
    assert "planted" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_each_attempt_says_when_it_was_made() -> None:
    assert body_of(b'{"a":1}', AT) == b'{"a":1,"sent_at":"2026-03-31T12:30:15.999Z"}'
