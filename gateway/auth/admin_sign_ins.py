"""What is kept of the operator's sign-ins to the dashboard: which have ended, and a row of the audit trail for each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.audit.events import AuditRecord


class EndedSignIns(Protocol):
    """The database, as signing out needs it: a cache may forget, and then a copied cookie would be good again."""

    async def end(self, sign_in: str, until: datetime) -> None:
        """Note that a sign-in has ended, for as long as its cookie would be good."""

    async def has_ended(self, sign_in: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class SignInLog:
    """`note` writes into the audit trail, `refused` into the log: why, and from which address."""

    ended: EndedSignIns
    note: Callable[[AuditRecord], Awaitable[None]]
    refused: Callable[[str, str], None]
