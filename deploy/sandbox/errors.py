"""Errors as the API words them: a status, Feathers' class name for it, a sentence, and issues by field."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = {
    400: "BadRequest",
    401: "NotAuthenticated",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    413: "PayloadTooLarge",
    422: "Unprocessable",
    429: "TooManyRequests",
    500: "GeneralError",
    502: "BadGateway",
    503: "Unavailable",
    504: "Timeout",
}


@dataclass(frozen=True, slots=True)
class Issue:
    name: str
    reason: str
    forbidden: bool = False


class ApiError(Exception):
    """Ends a request with that status."""

    def __init__(self, status: int, message: str, issues: tuple[Issue, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.issues = issues


def bad_request(message: str) -> ApiError:
    return ApiError(400, message)


def forbidden(message: str = "You are not allowed to do that") -> ApiError:
    return ApiError(403, message)


def not_found(message: str = "No record found") -> ApiError:
    return ApiError(404, message)


def invalid(*issues: Issue) -> ApiError:
    """Raised for all faults of a body at once; its status is one of the choices."""
    return ApiError(422, "The data is not valid", issues)
