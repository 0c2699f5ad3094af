"""A credential is taken out of whatever a vendor says, wherever it stands and however it is cut into pieces."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.redaction import SHORTEST, Redaction, credential_in

SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"\\'), min_size=SHORTEST, max_size=40
)


def joined(redaction: Redaction, pieces: list[bytes]) -> bytes:
    async def read() -> bytes:
        async def chunks() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        return b"".join([chunk async for chunk in redaction.of_chunks(chunks())])

    return asyncio.run(read())


@given(secret=SECRETS, before=st.binary(max_size=50), after=st.binary(max_size=50), data=st.data())
def test_no_form_of_it_is_left_whatever_the_pieces(
    secret: str, before: bytes, after: bytes, data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from([secret.encode(), orjson.dumps(secret)[1:-1], quote(secret, safe="").encode()]))
    text = before + form + after
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    found = joined(Redaction(secret), pieces)
    assert form not in found
    assert b"[redacted]" in found


@given(secret=SECRETS, pieces=st.lists(st.binary(max_size=60), max_size=6))
def test_what_holds_no_credential_stays_byte_for_byte(secret: str, pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    redaction = Redaction(secret)
    if redaction.of(text) == text:
        assert joined(redaction, pieces) == text


@pytest.mark.parametrize("secret", ["", "a", "1234567"])
def test_a_short_text_is_no_credential(secret: str) -> None:
    assert Redaction(secret).of(b"a1234567 a") == b"a1234567 a"


def test_the_credential_is_what_follows_the_scheme() -> None:
    assert credential_in({"authorization": "Bearer abc"}) == "abc"
    assert credential_in({"accept": "x"}) == ""
