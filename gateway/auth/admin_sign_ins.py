"""What is kept of the operator's sign-ins to the dashboard: which have ended, and a row of the audit trail for each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.audit.events import AuditRecord
from gateway.auth.sign_in_store import SignInStore


@dataclass(frozen=True, slots=True)
class SignInLog:
    """`note` writes into the audit trail, `refused` into the log: why, and from which address."""

    ended: SignInStore
    note: Callable[[AuditRecord], Awaitable[None]]
    refused: Callable[[str, str], None]
