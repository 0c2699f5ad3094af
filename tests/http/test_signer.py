"""A signature is valid for its key, purpose and parts, and for nothing else."""

import pytest

from gateway.http.signer import Signer

SIGNER = Signer(b"k" * 32)
SIGNATURE = SIGNER.sign("state", "humaans", "nonce")


@pytest.mark.parametrize(
    ("purpose", "parts"),
    [
        ("verifier", ("humaans", "nonce")),
        ("state", ("humaans", "other")),
        ("state", ("humaansn", "once")),
        ("state", ("humaans5:nonce",)),
        ("state", ("nonce", "humaans")),
        ("state7:humaans", ("nonce",)),
    ],
)
def test_other_parts_or_another_purpose_have_another_signature(purpose: str, parts: tuple[str, ...]) -> None:
    assert not SIGNER.verify(SIGNATURE, purpose, *parts)


def test_only_the_key_makes_the_signature_and_it_is_not_shown() -> None:
    assert SIGNER.verify(SIGNATURE, "state", "humaans", "nonce")
    assert not Signer(b"j" * 32).verify(SIGNATURE, "state", "humaans", "nonce")
    assert not SIGNER.verify("é", "state", "humaans", "nonce")
    assert "kkk" not in repr(SIGNER)
