"""When a read is tried again, and what a `Retry-After` says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.retry import Failure, RetryPolicy, retry_after, wait_before_retry

POLICY = RetryPolicy(retries=2, longest_wait=2.0, first_wait=0.2)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PLENTY = 30.0


@pytest.mark.parametrize(
    ("tries", "failure", "remaining", "jitter", "wait"),
    [
        # A wait grows with each try, and is spread from half to one and a half.
        (1, Failure(503), PLENTY, 0.5, 0.2),
        (1, Failure(503), PLENTY, 0.0, 0.1),
        (1, Failure(503), PLENTY, 1.0, 0.3),
        (2, Failure(503), PLENTY, 0.5, 0.4),
        (1, Failure(500), PLENTY, 0.5, 0.2),
        (1, Failure(502), PLENTY, 0.5, 0.2),
        (1, Failure(504), PLENTY, 0.5, 0.2),
        (1, Failure(None), PLENTY, 0.5, 0.2),
        # Three tries in all.
        (3, Failure(503), PLENTY, 0.5, None),
        (3, Failure(429, 0.0), PLENTY, 0.5, None),
        # What will not pass by itself.
        (1, Failure(200), PLENTY, 0.5, None),
        (1, Failure(204), PLENTY, 0.5, None),
        (1, Failure(302), PLENTY, 0.5, None),
        (1, Failure(400), PLENTY, 0.5, None),
        (1, Failure(401), PLENTY, 0.5, None),
        (1, Failure(403), PLENTY, 0.5, None),
        (1, Failure(404), PLENTY, 0.5, None),
        (1, Failure(422), PLENTY, 0.5, None),
        (1, Failure(501), PLENTY, 0.5, None),
        # The vendor's own `Retry-After`: obeyed up to the longest wait, else the caller gets it.
        (1, Failure(429, 1.0), PLENTY, 0.5, 1.0),
        (1, Failure(429, 0.0), PLENTY, 0.5, 0.0),
        (1, Failure(429, 2.0), PLENTY, 0.5, 2.0),
        (1, Failure(429, 2.1), PLENTY, 0.5, None),
        (1, Failure(429), PLENTY, 0.5, 0.4),
        (2, Failure(429), PLENTY, 0.5, 0.8),
        (1, Failure(503, 1.5), PLENTY, 0.5, 1.5),
        (1, Failure(503, 0.0), PLENTY, 0.5, 0.2),
        # A wait that does not fit the deadline is no wait.
        (1, Failure(503), 0.2, 0.5, None),
        (1, Failure(503), 0.21, 0.5, 0.2),
        (1, Failure(429, 1.0), 0.9, 0.5, None),
        (1, Failure(None), -1.0, 0.5, None),
        (1, Failure(429, 0.0), 0.0, 0.5, None),
    ],
)
def test_the_wait_before_another_try(
    tries: int, failure: Failure, remaining: float, jitter: float, wait: float | None
) -> None:
    assert wait_before_retry(POLICY, tries, failure, remaining, jitter) == pytest.approx(wait)


def test_no_retries_are_no_retries() -> None:
    assert wait_before_retry(RetryPolicy(retries=0, longest_wait=2.0), 1, Failure(503), PLENTY, 0.5) is None


def test_a_503_that_asks_for_a_long_wait_is_left_to_the_caller() -> None:
    assert wait_before_retry(POLICY, 1, Failure(503, 20.0), PLENTY, 0.5) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("120", 120.0),
        ("9" * 30, 999_999_999.0),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("Tue, 24 Nov 2026 12:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 13:00:30 +0100", 30.0),
        ("Tue, 24 Nov 2026 12:00:30 -0000", 30.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Tue, 99 Nov 2026 11:00:00 GMT", None),
        ("Tue, 24 Nov 99999999999999999999 11:00:00 GMT", None),
        ("Tue, 24 Nov 2026 11:00:00 +99999999999999999999", None),
    ],
)
def test_the_header_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=40) | st.from_regex(r"\w{3}, \d+ Nov \d+ \d+:\d+:\d+ [+-]?\w+", fullmatch=True))
@settings(deadline=None, max_examples=200)
def test_any_header_is_read_or_left(header: str) -> None:
    found = retry_after(header, NOW)
    assert found is None or found >= 0
