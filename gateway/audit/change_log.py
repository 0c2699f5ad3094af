"""Logs each committed change of an account or a key, beside its row in the audit log."""

from collections.abc import Awaitable, Callable

from gateway.audit.events import AuditRecord
from gateway.observability.logs import Logger


def change_log(logger: Logger) -> Callable[[AuditRecord], Awaitable[None]]:
    """Returns a listener that logs each committed change of an account or a key."""

    async def log(change: AuditRecord) -> None:
        for fact in change.facts:
            detail = "; ".join(
                f"{name}: {value if isinstance(value, str) else ' '.join(value)}"
                for name, value in fact.details.items()
            )
            who = f"{change.by.kind} {change.by.id}".strip()
            about = {"account": change.account_id} if change.account_id else {"key": change.key_id}
            logger.info(fact.what.value, **about, by=who, detail=detail)

    return log
