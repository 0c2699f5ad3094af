"""`dashboard`: the password of the operator's pages."""

import secrets
from argparse import Namespace

from gateway.auth.admin_password import SALT_BYTES, make_password
from gateway.cli.context import CommandContext
from gateway.settings.load import SettingsError


async def run(arguments: Namespace, desk: CommandContext) -> int:  # noqa: ARG001 - a command
    """Print what may be set instead of a password; from it nobody can tell the password."""
    given = desk.read_secret()
    try:
        made = make_password(given.reveal, secrets.token_bytes(SALT_BYTES))
    except ValueError as error:
        raise SettingsError([f"the password {error}"]) from error
    desk.out(str(made))
    desk.say("set this as GATEWAY_DASHBOARD_PASSWORD; you sign in with the password itself")
    return 0
