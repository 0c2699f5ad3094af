"""`accounts`: the linked accounts of customers."""

from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress

from gateway.accounts.link import Linker, LinkRequest
from gateway.accounts.unlink import unlink
from gateway.accounts.usage import Usage
from gateway.app.services import CLOCK
from gateway.app.stores import Stores
from gateway.auth.api_key import new_id
from gateway.cli.audit import audit
from gateway.cli.context import CommandContext, find_account, find_linked
from gateway.cli.keys import project_id
from gateway.cli.output import as_cell, as_json, as_table
from gateway.errors import Conflict, StoreUnavailable
from gateway.model import AT_THE_COMMAND_LINE, Account, Owner, Status, StatusReason, Upstream


async def run(arguments: Namespace, context: CommandContext) -> int:
    actions = {
        "link": _link,
        "list": _list,
        "show": _show,
        "verify": _verify,
        "unlink": _unlink,
        "suspend": _suspend,
        "resume": _resume,
        "audit": audit,
    }
    return await actions[arguments.action](arguments, context)


async def _link(arguments: Namespace, context: CommandContext) -> int:
    credential = context.read_secret()
    connector = context.connector(arguments.provider)
    owner_id = arguments.owner_id or arguments.project
    async with context.stores() as stores, context.open_upstream() as upstream:
        project = await stores.keys.ensure_project(arguments.project)
        request = LinkRequest(
            project_id=project.id,
            owner=Owner(id=owner_id, name=arguments.owner_name or ""),
            credential=credential,
            label=arguments.label,
            replace_company=arguments.replace_company,
            stated=arguments.scopes,
            by=AT_THE_COMMAND_LINE,
        )
        if arguments.replace_company:
            # Only with the older token can the webhook at the company before be deleted.
            context.follow_webhooks(stores, upstream)
        account = await _linker(stores, upstream).link(connector, request)
    if account.revision > 1:
        context.say(f"linked again: account {account.id} of owner {as_cell(account.owner.name)}")
    _say_grant(context, account)
    context.out(account.id)
    return 0


async def _list(arguments: Namespace, context: CommandContext) -> int:
    async with context.stores() as stores:
        accounts = await stores.accounts.all(await project_id(stores, arguments.project))
        names = {project.id: project.name for project in await stores.keys.projects()}
    context.out(as_json(accounts) if arguments.json else _table(accounts, names))
    return 0


async def _show(arguments: Namespace, context: CommandContext) -> int:
    async with context.stores() as stores:
        account = await find_account(stores, arguments.account)
        usage = (await stores.usage.read([account.id])).get(account.id)
        webhook = await stores.vendor_webhooks.find(account.id)
    if arguments.json:
        context.out(as_json(account))
        return 0
    lines: list[tuple[str, object]] = [
        ("id", account.id),
        ("project id", account.project_id),
        ("provider", account.provider),
        ("owner", f"{account.owner.name} ({account.owner.id})"),
        ("label", account.label),
        ("status", account.status),
        *(("because", reason.description) for reason in account.status_reasons),
        ("scopes", account.grant.scopes),
        ("tried", account.grant.unknown),
        ("found by", account.grant.found_by),
        ("role", account.grant.role),
        *(("warning", warning) for warning in account.grant.warnings),
        ("webhook", f"{webhook.state} {webhook.reason}".strip() if webhook else None),
        ("last event", webhook.last_event_at if webhook else None),
        ("revision", account.revision),
        ("created", account.created_at),
        ("updated", account.updated_at),
        *(_usage_lines(usage) if usage else ()),
    ]
    context.out("\n".join(f"{head:<12}{as_cell(value)}" for head, value in lines))
    return 0


async def _verify(arguments: Namespace, context: CommandContext) -> int:
    async with context.stores() as stores, context.open_upstream() as upstream:
        linked = await find_linked(stores, arguments.account)
        connector = context.connector(linked.account.provider)
        checked = await _linker(stores, upstream).verify(connector, linked, AT_THE_COMMAND_LINE)
    for change, scopes in (("gained", checked.gained), ("lost", checked.lost)):
        if scopes:
            context.say(f"{change}: {as_cell(scopes)}")
    _say_grant(context, checked.account)
    for reason in checked.account.status_reasons:
        context.say(reason.description)
    context.out(checked.account.status)
    return 1 if checked.account.status is Status.ERROR else 0


async def _unlink(arguments: Namespace, context: CommandContext) -> int:
    async with context.stores() as stores, context.open_upstream() as upstream:
        account = await find_account(stores, arguments.account)
        # An embedded Redis of a running gateway cannot be reached from here: the gateway reads of the unlinking in the
        # audit log, and purges its caches itself.
        context.follow_webhooks(stores, upstream)
        await unlink(account.project_id, account.id, stores.accounts, AT_THE_COMMAND_LINE)
        # A running gateway cleans the database's files, too. Without one, they must be clean now.
        with suppress(StoreUnavailable):
            await stores.purges.clean()
    context.say(f"the account {account.id} of {as_cell(account.owner.name)} is unlinked and its credential deleted")
    return 0


async def _suspend(arguments: Namespace, context: CommandContext) -> int:
    async with context.stores() as stores:
        account = await find_account(stores, arguments.account)
        reason = StatusReason("suspended_by_operator", "The operator of this gateway has suspended it.", CLOCK.now())
        await stores.accounts.mark(account.id, Status.SUSPENDED, reason, by=AT_THE_COMMAND_LINE)
    context.say(f"the account {account.id} is suspended")
    return 0


async def _resume(arguments: Namespace, context: CommandContext) -> int:
    async with context.stores() as stores:
        account = await find_account(stores, arguments.account)
        if account.status is not Status.SUSPENDED:
            raise Conflict(f"the account {account.id} is {account.status} and not suspended")
        await stores.accounts.mark(account.id, Status.ACTIVE, None, by=AT_THE_COMMAND_LINE)
    context.say(f"the account {account.id} is active again")
    return 0


def _usage_lines(usage: Usage) -> list[tuple[str, object]]:
    return [
        ("verified", usage.verified_at),
        ("called", usage.called_at),
        ("answers", f"{usage.hits} from the cache, {usage.misses} from the provider"),
        ("errors", f"{usage.errors}, last {as_cell(usage.error_code)} at {as_cell(usage.error_at)}"),
    ]


def _linker(stores: Stores, upstream: Upstream) -> Linker:
    return Linker(accounts=stores.accounts, upstream=upstream, clock=CLOCK.now, new_id=new_id)


def _say_grant(context: CommandContext, account: Account) -> None:
    context.say(f"scopes (found by {account.grant.found_by}): {as_cell(account.grant.scopes)}")
    if account.grant.unknown:
        context.say(f"tried, as nobody could tell: {as_cell(account.grant.unknown)}")
    for warning in account.grant.warnings:
        context.say(f"warning: {as_cell(warning)}")


def _table(accounts: Sequence[Account], projects: dict[str, str]) -> str:
    rows = [
        (
            account.id,
            projects.get(account.project_id),
            account.provider,
            account.owner.name,
            account.label,
            account.status,
            account.grant.scopes,
        )
        for account in accounts
    ]
    return as_table("ID PROJECT PROVIDER OWNER LABEL STATUS SCOPES".split(), rows)
