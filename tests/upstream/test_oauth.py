"""What is read of a vendor's answer to a code: the token, and when it ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from connectors.exchange import Answer
from gateway.errors import GatewayError, Unprocessable, VendorFailure
from gateway.model import Secret
from gateway.upstream.oauth import token_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD = {"access_token": "planted", "token_type": "Bearer"}


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3600, 3600),
        ("3600", 3600),
        (0, 0),
        (None, None),
        ("soon", None),
        (-1, None),
        (3.5, None),
        (True, None),
        (10**12, None),
        ([], None),
        ("²", None),
    ],
)
def test_the_end_of_a_token_is_read_where_it_makes_sense(expires_in: Any, seconds: int | None) -> None:
    found = token_of(Answer(200, {}, orjson.dumps({**GOOD, "expires_in": expires_in})), "Village", NOW)
    assert found == Secret("planted", None if seconds is None else NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"{}", VendorFailure),
        (200, b"no JSON", VendorFailure),
        (200, orjson.dumps({**GOOD, "token_type": "mac"}), VendorFailure),
        (400, orjson.dumps(GOOD), Unprocessable),
        (429, orjson.dumps(GOOD), VendorFailure),
        (503, orjson.dumps(GOOD), VendorFailure),
    ],
)
def test_an_answer_without_a_token_is_no_token(status: int, body: bytes, error: type[GatewayError]) -> None:
    with pytest.raises(error) as refused:
        token_of(Answer(status, {}, body), "Village", NOW)
    assert "planted" not in str(refused.value)
