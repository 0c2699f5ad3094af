"""The commands and options of the command line."""

import argparse
from collections.abc import Callable, Collection

from gateway.audit.events import AuditEvent
from gateway.policy.policy import SCOPE
from gateway.webhooks.signature import LONGEST_OVERLAP


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


def count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:19]) <= 1_000_000_000:
        raise argparse.ArgumentTypeError("should be a whole number from 1 to 1000000000")
    return int(text)


def whole_number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        found = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else -1
        if not least <= found <= most:
            raise argparse.ArgumentTypeError(f"should be a whole number from {least} to {most}")
        return found

    return number


def make_parser(providers: Collection[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gateway", description="A unified HRIS gateway.", allow_abbrev=False)
    areas = parser.add_subparsers(dest="area", required=True, metavar="COMMAND")
    areas.add_parser("serve", help="answer requests")
    areas.add_parser("rules", help="print which scopes open which operation and field")
    _add_webhooks(areas.add_parser("webhooks", help="where events are sent to products"))
    _add_keys(areas.add_parser("keys", help="the keys that backends call with"))
    _add_accounts(areas.add_parser("accounts", help="the linked accounts of customers"), providers)
    vault = areas.add_parser("vault", help="the master key")
    keyed = vault.add_subparsers(dest="action", required=True, metavar="ACTION")
    keyed.add_parser("rewrap", help="wrap all data keys with the current master key, so that older ones can go")
    dashboard = areas.add_parser("dashboard", help="the operator's pages")
    pages = dashboard.add_subparsers(dest="action", required=True, metavar="ACTION")
    pages.add_parser("password", help="read a password (standard input) and print the hash to set instead of it")
    sandbox = areas.add_parser("sandbox", help="a stand-in for the vendor, to try things out")
    sandbox.add_argument("--port", type=int, help="port to listen on, 0 for a free one")
    sandbox.add_argument("--people", type=int, help="number of people in the made-up company")
    return parser


def _add_webhooks(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="send events to a URL, and print the secret that signs them, this one time")
    add.add_argument("url", metavar="URL", help="an https URL with a public address")
    add.add_argument("--project", type=name, required=True, help="name of the project; made if there is none")
    add.add_argument("--event", action="append", help="an event, or account.* (repeat it); all by default")
    add.add_argument("--description", type=name, help="a text of your own to recognise it by")
    listing = actions.add_parser("list", help="show the webhooks, without their secrets")
    listing.add_argument("--project", type=name, help="only of this project")
    listing.add_argument("--json", action="store_true", help="for machines")
    rotate = actions.add_parser("rotate", help="make a new secret and print it; the one before lives on for a while")
    rotate.add_argument("--overlap-seconds", type=whole_number(0, LONGEST_OVERLAP), metavar="N", help="0: it ends now")
    deliveries = actions.add_parser("deliveries", help="show what was sent and what came of it, newest first")
    deliveries.add_argument("--state", choices=("pending", "delivered", "dead"), help="only in this state")
    deliveries.add_argument("--most", type=whole_number(1, 1000), default=100, help="number of lines")
    deliveries.add_argument("--json", action="store_true", help="for machines")
    replay = actions.add_parser("replay", help="send all dead deliveries again")
    replay.add_argument("--delivery", metavar="ID", help="only this one, dead or not")
    for parser_of_one in (
        rotate,
        deliveries,
        replay,
        actions.add_parser("remove", help="delete it, with its secrets and its log"),
        actions.add_parser("enable", help="send to it again"),
        actions.add_parser("disable", help="send nothing to it until it is enabled"),
        actions.add_parser("ping", help="send the event webhook.ping to it"),
    ):
        parser_of_one.add_argument("webhook", metavar="WEBHOOK", help="its id")


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
    link.add_argument(
        "--owner-name", type=name, help="your name of the customer; by default the one that is known, or the owner id"
    )
    link.add_argument(
        "--replace-company",
        action="store_true",
        help="let the token be of another company than the account's; all kept of that one is erased",
    )
    link.add_argument(
        "--scopes",
        type=lambda text: frozenset(text.replace(",", " ").split()),
        default=frozenset(),
        metavar="SCOPES",
        help="the scopes chosen for the token, between commas: for where the vendor does not tell them",
    )
    link.add_argument("--label", type=name, help="a text of your own to recognise the account by")
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
    _add_audit(actions.add_parser("audit", help="show who changed accounts and keys, newest first"))


def _add_audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", metavar="ID", nargs="?", help="only this account, even if it is unlinked")
    parser.add_argument("--project", type=name, help="only of this project")
    parser.add_argument(
        "--what", choices=[each.value for each in AuditEvent], action="append", help="only these events (repeat it)"
    )
    parser.add_argument("--before", type=count, metavar="NUMBER", help="continue before this row")
    parser.add_argument("--most", type=count, default=100, metavar="NUMBER", help="number of rows; 100 by default")
    parser.add_argument("--json", action="store_true", help="for machines")
