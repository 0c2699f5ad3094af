"""`vault`: the master key that wraps the data keys of accounts and webhooks."""

from argparse import Namespace

from gateway.cli.context import CommandContext
from gateway.vault.rewrap import rewrap


async def run(arguments: Namespace, context: CommandContext) -> int:  # noqa: ARG001 - a command
    """Wraps all data keys with the current master key. Gateways may run meanwhile."""
    async with context.stores() as stores:
        found = await rewrap(stores.engine, stores.vault)
    context.out(f"{found.done} rewrapped, {found.already} already under {found.master_key_id}")
    for each in found.closed:
        context.say(f"{each} cannot be opened and was left as it is: its master key is not set, or it is damaged")
    return 1 if found.closed else 0
