"""`keys`: the API keys of backends."""

from argparse import Namespace

from gateway.app.stores import Stores
from gateway.cli.context import CommandContext
from gateway.cli.output import as_json, as_table
from gateway.errors import NotFound
from gateway.model import AT_THE_COMMAND_LINE


async def run(arguments: Namespace, context: CommandContext) -> int:
    actions = {"create": _create, "list": _list, "revoke": _revoke}
    async with context.stores() as stores:
        await actions[arguments.action](arguments, context, stores)
    return 0


async def project_id(stores: Stores, name: str | None) -> str | None:
    """Returns the id of an existing project, or None for no name. Raises `NotFound`."""
    if name is None:
        return None
    project = await stores.keys.find_project(name)
    if project is None:
        known = ", ".join(each.name for each in await stores.keys.projects()) or "there is none yet"
        raise NotFound(f"there is no project {name!r}: known are {known}")
    return project.id


_SHOWN = ("id", "project_id", "prefix", "scopes", "created_at", "last_used_at", "revoked_at")


async def _create(arguments: Namespace, context: CommandContext, stores: Stores) -> None:
    project = await stores.keys.ensure_project(arguments.project)
    _, secret = await stores.keys.create_key(project.id, arguments.scope or ["*"], AT_THE_COMMAND_LINE)
    context.out(secret.reveal)


async def _list(arguments: Namespace, context: CommandContext, stores: Stores) -> None:
    keys = await stores.keys.all(await project_id(stores, arguments.project))
    if arguments.json:
        context.out(as_json([{name: getattr(key, name) for name in _SHOWN} for key in keys]))
        return
    names = {project.id: project.name for project in await stores.keys.projects()}
    rows = [
        (
            key.id,
            key.prefix,
            names.get(key.project_id),
            key.scopes,
            key.created_at,
            key.last_used_at,
            key.revoked_at,
        )
        for key in keys
    ]
    context.out(as_table("ID PREFIX PROJECT SCOPES CREATED USED REVOKED".split(), rows))


async def _revoke(arguments: Namespace, context: CommandContext, stores: Stores) -> None:
    key = await stores.keys.revoke_key(arguments.key, AT_THE_COMMAND_LINE)
    if key is None:
        raise NotFound("there is no such key: give the id or the prefix that `keys list` shows")
    context.say(f"the key {key.prefix}… is revoked; running gateways refuse it within seconds")
