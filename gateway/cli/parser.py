"""The words of the command line."""

import argparse
from collections.abc import Collection

from gateway.core.policy import SCOPE


def scope(text: str) -> str:
    if not SCOPE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no scope: write area.resource:action in lower case, such as hris.employees:read or "
            "platform.accounts:read; * stands for a whole part, as in hris.*:read, and alone for everything"
        )
    return text


def name(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 200:
        raise argparse.ArgumentTypeError("should be 1 to 200 printable characters")
    return text.strip()


def make_parser(providers: Collection[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gateway", description="A unified HRIS gateway.", allow_abbrev=False)
    areas = parser.add_subparsers(dest="area", required=True, metavar="COMMAND")
    areas.add_parser("serve", help="answer requests")
    areas.add_parser("rules", help="print which scopes open which operation and field")
    _add_keys(areas.add_parser("keys", help="the keys that backends call with"))
    _add_accounts(areas.add_parser("accounts", help="the linked accounts of customers"), providers)
    dashboard = areas.add_parser("dashboard", help="the operator's pages")
    pages = dashboard.add_subparsers(dest="action", required=True, metavar="ACTION")
    pages.add_parser("password", help="read a password (standard input) and print what to set instead of it")
    sandbox = areas.add_parser("sandbox", help="a stand-in for the vendor, for trying things out")
    sandbox.add_argument("--port", type=int, help="port to listen on, 0 for a free one")
    sandbox.add_argument("--people", type=int, help="number of people in the made-up company")
    return parser


def _add_keys(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="make a key and print it, this one time")
    create.add_argument("--project", type=name, required=True, help="name of the project; made if there is none")
    create.add_argument("--scope", type=scope, action="append", help="what it may ask (repeat it); all by default")
    listing = actions.add_parser("list", help="show the keys, without their secret part")
    listing.add_argument("--project", type=name, help="only of this project")
    listing.add_argument("--json", action="store_true", help="for machines")
    revoke = actions.add_parser("revoke", help="make a key useless")
    revoke.add_argument("key", metavar="ID_OR_PREFIX", help="its id, or its first 12 characters")


def _add_accounts(parser: argparse.ArgumentParser, providers: Collection[str]) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    link = actions.add_parser("link", help="check a vendor token (standard input), store it, print the account id")
    link.add_argument("--project", type=name, required=True, help="name of the project; made if there is none")
    link.add_argument("--provider", choices=sorted(providers), required=True)
    link.add_argument("--owner-id", type=name, help="your id of the customer; the project's name by default")
    link.add_argument("--owner-name", type=name, help="your name of the customer; the owner id by default")
    link.add_argument("--label", type=name, help="a word of your own to know the account by")
    listing = actions.add_parser("list", help="show the accounts")
    listing.add_argument("--project", type=name, help="only of this project")
    listing.add_argument("--json", action="store_true", help="for machines")
    show = actions.add_parser("show", help="show one account")
    show.add_argument("--json", action="store_true", help="for machines")
    for parser_of_one in (
        show,
        actions.add_parser("verify", help="check its token again, and keep what has changed"),
        actions.add_parser("unlink", help="delete it, with its credential and its key"),
        actions.add_parser("suspend", help="answer none of its requests until it is resumed"),
        actions.add_parser("resume", help="end a suspension"),
    ):
        parser_of_one.add_argument("account", metavar="ID")
