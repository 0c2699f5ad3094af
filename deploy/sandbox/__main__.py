"""The command line: `python -m deploy.sandbox --port P`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date

from deploy.sandbox.app import DEFAULT_PEOPLE, DEFAULT_SEED, create_app
from deploy.sandbox.serve import bind, serve

_USAGE_FAULT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the sandbox until it is stopped. Returns the exit status."""
    wanted = _parser().parse_args(arguments)
    try:
        app = create_app(wanted.people, today=wanted.today, seed=wanted.seed)
    except ValueError as error:
        print(f"The sandbox cannot be made: {error}.", file=sys.stderr)
        return _USAGE_FAULT
    try:
        listening = bind(wanted.host, wanted.port)
    except (OSError, OverflowError) as error:
        print(
            f"Port {wanted.port} on {wanted.host} cannot be used ({error}): "
            "set another one with --port, or 0 for a free one.",
            file=sys.stderr,
        )
        return _USAGE_FAULT
    serve(app, listening)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy.sandbox", description="A stand-in for the Humaans API.")
    parser.add_argument("--port", type=int, default=8090, help="port to listen on, 0 for a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--people", type=int, default=DEFAULT_PEOPLE, help="number of people in the company")
    parser.add_argument("--seed", default=DEFAULT_SEED, help="any text; the same one gives the same company")
    parser.add_argument("--today", type=date.fromisoformat, help="the company's day; by default the real one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
