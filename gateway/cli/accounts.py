"""`accounts`: the linked accounts of customers."""

from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress

from gateway.accounts.link import LinkContext, LinkRequest, link, verify
from gateway.accounts.unlink import unlink
from gateway.accounts.usage import Usage
from gateway.app.services import CLOCK
from gateway.app.stores import Stores
from gateway.auth.api_key import new_id
from gateway.cli.audit import history
from gateway.cli.context import CommandContext, find_account, find_linked
from gateway.cli.keys import project_id
from gateway.cli.output import as_cell, as_json, as_table
from gateway.errors import Conflict, StoreUnavailable
from gateway.model import AT_THE_COMMAND_LINE, Account, Owner, Status, StatusReason, Upstream


async def run(arguments: Namespace, desk: CommandContext) -> int:
    actions = {
        "link": _link,
        "list": _list,
        "show": _show,
        "verify": _verify,
        "unlink": _unlink,
        "suspend": _suspend,
        "resume": _resume,
        "history": history,
    }
    return await actions[arguments.action](arguments, desk)


async def _link(arguments: Namespace, desk: CommandContext) -> int:
    credential = desk.read_secret()
    connector = desk.connector(arguments.provider)
    owner_id = arguments.owner_id or arguments.project
    async with desk.stores() as stores, desk.open_upstream() as upstream:
        project = await stores.keys.ensure_project(arguments.project)
        application = LinkRequest(
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
            desk.follow_webhooks(stores, upstream)
        account = await link(connector, application, _parts(stores, upstream))
    if account.revision > 1:
        desk.say(f"linked again: account {account.id} of owner {as_cell(account.owner.name)}")
    _tell_grant(desk, account)
    desk.out(account.id)
    return 0


async def _list(arguments: Namespace, desk: CommandContext) -> int:
    async with desk.stores() as stores:
        accounts = await stores.accounts.all(await project_id(stores, arguments.project))
        names = {project.id: project.name for project in await stores.keys.projects()}
    desk.out(as_json(accounts) if arguments.json else _table(accounts, names))
    return 0


async def _show(arguments: Namespace, desk: CommandContext) -> int:
    async with desk.stores() as stores:
        account = await find_account(stores, arguments.account)
        usage = (await stores.usage.read([account.id])).get(account.id)
        hook = await stores.vendor_webhooks.find(account.id)
    if arguments.json:
        desk.out(as_json(account))
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
        ("webhook", f"{hook.state} {hook.reason}".strip() if hook else None),
        ("last event", hook.last_event_at if hook else None),
        ("revision", account.revision),
        ("created", account.created_at),
        ("updated", account.updated_at),
        *(_fares(usage) if usage else ()),
    ]
    desk.out("\n".join(f"{head:<12}{as_cell(value)}" for head, value in lines))
    return 0


async def _verify(arguments: Namespace, desk: CommandContext) -> int:
    async with desk.stores() as stores, desk.open_upstream() as upstream:
        linked = await find_linked(stores, arguments.account)
        connector = desk.connector(linked.account.provider)
        checked = await verify(connector, linked, _parts(stores, upstream), AT_THE_COMMAND_LINE)
    for word, scopes in (("gained", checked.gained), ("lost", checked.lost)):
        if scopes:
            desk.say(f"{word}: {as_cell(scopes)}")
    _tell_grant(desk, checked.account)
    for reason in checked.account.status_reasons:
        desk.say(reason.description)
    desk.out(checked.account.status)
    return 1 if checked.account.status is Status.ERROR else 0


async def _unlink(arguments: Namespace, desk: CommandContext) -> int:
    async with desk.stores() as stores, desk.open_upstream() as upstream:
        account = await find_account(stores, arguments.account)
        # The private cache of a running gateway is not ours to reach: it sees the unlinking in the trail, and sweeps
        # its cache itself.
        desk.follow_webhooks(stores, upstream)
        await unlink(account.project_id, account.id, stores.accounts, AT_THE_COMMAND_LINE)
        # Without a running gateway nobody else would clean the files before the next start; one that runs does it too.
        with suppress(StoreUnavailable):
            await stores.purges.clean()
    desk.say(f"the account {account.id} of {as_cell(account.owner.name)} is unlinked and its credential deleted")
    return 0


async def _suspend(arguments: Namespace, desk: CommandContext) -> int:
    async with desk.stores() as stores:
        account = await find_account(stores, arguments.account)
        reason = StatusReason("suspended_by_operator", "The operator of this gateway has suspended it.", CLOCK.now())
        await stores.accounts.mark(account.id, Status.SUSPENDED, reason, by=AT_THE_COMMAND_LINE)
    desk.say(f"the account {account.id} is suspended")
    return 0


async def _resume(arguments: Namespace, desk: CommandContext) -> int:
    async with desk.stores() as stores:
        account = await find_account(stores, arguments.account)
        if account.status is not Status.SUSPENDED:
            raise Conflict(f"the account {account.id} is {account.status} and not suspended")
        await stores.accounts.mark(account.id, Status.ACTIVE, None, by=AT_THE_COMMAND_LINE)
    desk.say(f"the account {account.id} is active again")
    return 0


def _fares(usage: Usage) -> list[tuple[str, object]]:
    return [
        ("verified", usage.verified_at),
        ("called", usage.called_at),
        ("answers", f"{usage.hits} from the cache, {usage.misses} from the provider"),
        ("errors", f"{usage.errors}, last {as_cell(usage.error_code)} at {as_cell(usage.error_at)}"),
    ]


def _parts(stores: Stores, upstream: Upstream) -> LinkContext:
    return LinkContext(ledger=stores.accounts, upstream=upstream, clock=CLOCK.now, new_id=new_id)


def _tell_grant(desk: CommandContext, account: Account) -> None:
    desk.say(f"scopes (found by {account.grant.found_by}): {as_cell(account.grant.scopes)}")
    if account.grant.unknown:
        desk.say(f"tried, as nobody could tell: {as_cell(account.grant.unknown)}")
    for warning in account.grant.warnings:
        desk.say(f"warning: {as_cell(warning)}")


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
