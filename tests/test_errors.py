"""Every fault that a caller can get has a status of its own, a code, and its place in the drawn tree."""

from datetime import UTC, datetime

import orjson
import pytest

from gateway import errors
from gateway.errors import GatewayError, ProviderError
from gateway.http.response import STATUSES, MethodNotAllowed, error_body, error_headers, status_of
from gateway.model import Unsealable
from gateway.upstream.vendor import VendorRefusal

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KINDS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, GatewayError) and each is not GatewayError
]
# The statuses that the contract documents for reads; 405 is of HTTP.
EXPECTED = {
    "BadRequest": 400,
    "Unauthenticated": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "DeadlineExceeded": 408,
    "Conflict": 409,
    "AccountUnavailable": 412,
    "Unprocessable": 422,
    "RateLimited": 429,
    "StoreUnavailable": 500,
    "NotImplementedHere": 501,
    "NotCached": 504,
    "VendorFailure": 502,
    "VendorAnswerTooLarge": 502,
}


@pytest.mark.parametrize("kind", [*KINDS, MethodNotAllowed], ids=lambda kind: kind.__name__)
def test_each_error_has_a_status_of_its_own(kind: type[GatewayError]) -> None:
    assert kind in STATUSES
    assert status_of(kind("why")) == EXPECTED[kind.__name__]


def test_every_error_is_in_the_tree() -> None:
    assert {kind.__name__ for kind in [*KINDS, MethodNotAllowed]} == EXPECTED.keys()
    assert set(STATUSES) == {*KINDS, MethodNotAllowed, GatewayError}


def test_the_drawn_tree_has_every_error() -> None:
    lines = [line.strip(" │") for line in (errors.__doc__ or "").splitlines()]
    drawn = {line.split()[1] for line in lines if line.startswith(("├", "└"))}
    assert drawn == {kind.__name__ for kind in KINDS}


def test_a_finer_error_has_the_status_of_the_nearest() -> None:
    class Finer(errors.NotFound):
        code = "FinerError"

    assert status_of(Finer("why")) == 404
    assert status_of(GatewayError("why")) == 500


def test_every_error_has_a_code_of_its_own() -> None:
    kinds: list[type[GatewayError]] = [*KINDS, MethodNotAllowed]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert all(code.endswith("Error") for code in codes)
    assert errors.BadRequest("why", code="StaleCursorError").code == "StaleCursorError"
    assert errors.BadRequest.code == "ValidationError"


def test_what_is_not_for_callers_is_no_such_error() -> None:
    """What it means depends on who asked, so no edge may turn it into an answer by itself."""
    assert not issubclass(VendorRefusal, GatewayError)
    assert not issubclass(Unsealable, GatewayError)
    assert not issubclass(GatewayError, OSError | ValueError | LookupError)


def test_a_body_has_the_contracts_shape() -> None:
    error = errors.BadRequest("Why.", errors=["one", "two"], provider_errors=[ProviderError(400, "/people", "said")])
    assert orjson.loads(error_body(error, 400, NOW)) == {
        "statusCode": 400,
        "message": "Why.",
        "timestamp": "2026-11-24T12:00:00.000Z",
        "errorCode": "ValidationError",
        "errors": ["one", "two"],
        "provider_errors": [{"status": 400, "url": "/people", "raw": {"message": "said"}, "headers": {}}],
    }
    assert orjson.loads(error_body(errors.NotFound("Why."), 404, NOW)).keys() == {
        "statusCode",
        "message",
        "timestamp",
        "errorCode",
    }


@pytest.mark.parametrize(
    ("error", "header"),
    [
        (errors.RateLimited("why", retry_after=7), (b"retry-after", b"7")),
        (errors.DeadlineExceeded("why", retry_after=1), (b"retry-after", b"1")),
        (errors.Unauthenticated("why"), (b"www-authenticate", b'Basic realm="hris-gateway"')),
        (errors.VendorFailure("why"), (b"cache-control", b"no-store")),
        (errors.VendorFailure("why"), (b"content-type", b"application/json")),
    ],
)
def test_headers_say_what_a_client_acts_on(error: GatewayError, header: tuple[bytes, bytes]) -> None:
    assert header in error_headers(error)


def test_only_an_error_that_knows_says_when_to_come_back() -> None:
    assert b"retry-after" not in dict(error_headers(errors.RateLimited("why")))
