"""Every error that becomes an answer.

    GatewayError
    ├── BadRequest              the question is malformed
    ├── Unauthenticated         no such client key
    ├── Forbidden               the key, the vendor token or the operator does not allow it
    ├── NotFound                no such route, account or record
    ├── DeadlineExceeded        the vendor did not answer in time (reads only)
    ├── Conflict                the record exists already
    ├── AccountUnavailable      the linked account cannot be used now
    ├── Unprocessable           well-formed, but the vendor will not take it
    ├── RateLimited             the vendor's limit is reached
    ├── NotImplementedHere      the contract has it, the connector does not
    ├── NotCached               only-if-cached, and there is nothing
    ├── VendorFailure           the vendor is down or answered garbage
    │   └── VendorAnswerTooLarge    it would be too large again, so it is not asked for again
    └── StoreUnavailable        our own database or its key cannot be used

A status is given to each in one place, `gateway.http.response`. The text says what to do next and never holds a
secret or a vendor's body.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderError:
    """What a vendor answered, cut to what is safe to repeat: status, path, and its own one-line message."""

    status: int
    url: str
    message: str = ""


class GatewayError(Exception):
    """`message` is one sentence for the caller; `errors` has one line a fault where there are several."""

    code = "GatewayError"

    def __init__(
        self,
        message: str,
        *,
        errors: Sequence[str] = (),
        provider_errors: Sequence[ProviderError] = (),
        retry_after: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.errors = tuple(errors)
        self.provider_errors = tuple(provider_errors)
        self.retry_after = retry_after
        self.upstream_calls = 0
        """How many calls to the vendor the request had made when it failed; set on the way out."""
        self.account_id = ""
        """The linked account that it was about, where there is such an account; set on the way out, for the log."""
        if code is not None:
            self.code = code


class BadRequest(GatewayError):
    code = "ValidationError"


class Unauthenticated(GatewayError):
    code = "InvalidApiKeyError"


class Forbidden(GatewayError):
    code = "InsufficientScopeError"


class NotFound(GatewayError):
    code = "NotFoundError"


class DeadlineExceeded(GatewayError):
    code = "ProviderTimeoutError"


class Conflict(GatewayError):
    code = "ConflictError"


class AccountUnavailable(GatewayError):
    code = "AccountUnavailableError"


class Unprocessable(GatewayError):
    code = "UnprocessableEntityError"


class RateLimited(GatewayError):
    code = "ProviderRateLimitError"


class NotImplementedHere(GatewayError):
    code = "NotImplementedError"


class NotCached(GatewayError):
    code = "OnlyIfCachedError"


class VendorFailure(GatewayError):
    code = "ProviderError"


class VendorAnswerTooLarge(VendorFailure):
    code = "ProviderAnswerTooLargeError"


class StoreUnavailable(GatewayError):
    code = "StoreUnavailableError"
