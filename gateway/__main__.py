"""`python -m gateway`. Results go to standard output, messages to standard error; an error is one sentence.

Exit code 2 means that the command or a setting is wrong, 1 that it could not be done.
"""

import asyncio
import os
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from connectors.connector import Connector
from connectors.registry import CONNECTORS
from gateway.cli.parser import make_parser
from gateway.errors import BadRequest, GatewayError, NotFound
from gateway.model import Cache, Upstream
from gateway.settings.load import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from gateway.app.stores import Stores


def main(words: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    arguments = make_parser(CONNECTORS).parse_args(words)
    try:
        return _run(arguments, environ)
    except SettingsError as error:
        _say(str(error))
        return 2
    except BadRequest as error:
        # The message speaks of the body of a request; a command has none, so only the faults are printed.
        _say("\n".join(error.errors) or error.message)
        return 1
    except GatewayError as error:
        _say(error.message)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - a traceback could show secrets
        _say(f"unexpected {type(error).__name__}: this is a fault of the gateway, please report the command")
        return 1


def _run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    if arguments.area == "sandbox":
        return _become_sandbox(arguments)
    if arguments.area == "rules":
        from gateway.cli.rules import print_rules  # noqa: PLC0415 - each command imports what it needs only

        print_rules()
        return 0
    settings = read_settings(environ, CONNECTORS.keys())
    if arguments.area == "serve":
        from gateway.server import serve  # noqa: PLC0415 - as above

        serve(settings)
        return 0
    return _work(arguments, settings)


def _work(arguments: Namespace, settings: Settings) -> int:
    """Runs a command that needs the database."""
    from gateway.cli import accounts, dashboard, keys, vault  # noqa: PLC0415 - as above
    from gateway.cli.context import CommandContext, read_secret  # noqa: PLC0415 - as above

    context = CommandContext(
        settings=settings,
        out=print,
        say=_say,
        read_secret=read_secret,
        connector=partial(_connector, settings),
        open_upstream=partial(_open_upstream, settings),
        open_cache=partial(_open_cache, settings),
        follow_webhooks=partial(_follow_webhooks, settings),
    )
    if arguments.area == "webhooks":
        from gateway.cli import webhooks  # noqa: PLC0415 - as above

        return asyncio.run(webhooks.run(arguments, context))
    commands = {"keys": keys.run, "accounts": accounts.run, "dashboard": dashboard.run, "vault": vault.run}
    return asyncio.run(commands[arguments.area](arguments, context))


def _connector(settings: Settings, provider: str) -> Connector:
    from gateway.app.services import providers  # noqa: PLC0415 - as above

    known = providers(settings)
    if provider not in known:
        raise NotFound(f"this gateway has no connector {provider!r} any more")
    return known[provider].connector


def _open_upstream(settings: Settings) -> AbstractAsyncContextManager[Upstream]:
    from gateway.app.services import open_upstream  # noqa: PLC0415 - as above
    from gateway.observability.metrics import make_metrics  # noqa: PLC0415 - as above

    return open_upstream(settings, make_metrics())


def _follow_webhooks(settings: Settings, stores: "Stores", upstream: Upstream) -> None:
    from gateway.accounts.token_rejection import TokenRejections  # noqa: PLC0415 - as above
    from gateway.app.services import CLOCK, providers  # noqa: PLC0415 - as above
    from gateway.app.vendor_events import open_vendor_events  # noqa: PLC0415 - as above
    from gateway.observability.metrics import make_metrics  # noqa: PLC0415 - as above

    open_vendor_events(
        settings,
        stores,
        upstream,
        providers(settings),
        token_rejections=TokenRejections(stores.accounts, upstream, CLOCK.now),
        clock=CLOCK.now,
        metrics=make_metrics(),
    )


@asynccontextmanager
async def _open_cache(settings: Settings) -> AsyncIterator[Cache]:
    from gateway.app.services import open_cache, open_redis  # noqa: PLC0415 - as above
    from gateway.observability.metrics import make_metrics  # noqa: PLC0415 - as above

    async with open_redis(settings) as redis:
        yield open_cache(settings, redis, make_metrics())


def _become_sandbox(arguments: Namespace) -> int:
    """Replaces this process by the sandbox. It is no part of the gateway, which must not import it."""
    options = {"--port": arguments.port, "--people": arguments.people}
    given = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    os.execv(sys.executable, [sys.executable, "-m", "deploy.sandbox", *given])  # noqa: S606 - our own words


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
