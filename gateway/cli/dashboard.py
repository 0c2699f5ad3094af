"""`dashboard`: the password of the dashboard."""

import secrets
from argparse import Namespace

from gateway.auth.admin_password import SALT_BYTES, make_password
from gateway.cli.context import CommandContext
from gateway.settings.load import SettingsError


async def run(arguments: Namespace, context: CommandContext) -> int:  # noqa: ARG001 - a command
    """Prints the hash of a password, which can be set instead of it."""
    password = context.read_secret()
    try:
        made = make_password(password.reveal, secrets.token_bytes(SALT_BYTES))
    except ValueError as error:
        raise SettingsError([f"the password {error}"]) from error
    context.out(str(made))
    context.say("set this as GATEWAY_DASHBOARD_PASSWORD; you sign in with the password itself")
    return 0
