"""`accounts audit`: prints the audit log of accounts and keys."""

from argparse import Namespace
from collections.abc import Sequence

from gateway.audit.events import AuditEntry, AuditEvent
from gateway.cli.context import CommandContext
from gateway.cli.keys import project_id
from gateway.cli.output import as_json, as_table


async def audit(arguments: Namespace, context: CommandContext) -> int:
    async with context.stores() as stores:
        entries = await stores.audit.read(
            project_id=await project_id(stores, arguments.project),
            account_id=arguments.account,
            what=[AuditEvent(each) for each in arguments.what or ()],
            before=arguments.before,
            most=arguments.most,
        )
    context.out(as_json(entries) if arguments.json else _table(entries))
    return 0


def _table(entries: Sequence[AuditEntry]) -> str:
    rows = [
        (
            each.id,
            f"{each.at:%Y-%m-%d %H:%M:%S}",
            each.account_id or each.key_id,
            each.what,
            f"{each.by.kind} {each.by.id}".strip(),
            each.by.address,
            "; ".join(f"{name}: {_as_text(value)}" for name, value in each.details.items()),
        )
        for each in entries
    ]
    return as_table("NUMBER AT OF WHAT BY FROM DETAILS".split(), rows)


def _as_text(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "-"
