"""Records the operator's sign-ins to the dashboard."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.audit.events import AuditRecord
from gateway.auth.sign_in_store import SignInStore


@dataclass(frozen=True, slots=True)
class SignInLog:
    """`ended` stores ended sessions, `note` writes into the audit log, `refused` logs a reason and an address."""

    ended: SignInStore
    note: Callable[[AuditRecord], Awaitable[None]]
    refused: Callable[[str, str], None]
