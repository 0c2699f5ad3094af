"""What the trail says in words of fixed lists, said to a reader."""

from collections.abc import Mapping, Sequence

from gateway.audit.events import Entry, What
from gateway.model import Actor, ActorKind

_WHAT: Mapping[What, str] = {
    What.LINKED: "Linked",
    What.RELINKED: "Linked again",
    What.UPDATED: "Changed",
    What.SUSPENDED: "Suspended",
    What.RESUMED: "Resumed",
    What.ERROR: "Stopped working",
    What.EXPIRED: "Token expired",
    What.INACTIVE: "Became inactive",
    What.ARCHIVED: "Archived",
    What.RECOVERED: "Works again",
    What.SCOPES_CHANGED: "Scopes changed",
    What.CACHE_ERASED: "Cache erased",
    What.UNLINKED: "Unlinked",
    What.KEY_CREATED: "API key created",
    What.KEY_REVOKED: "API key revoked",
    What.TEST_READ: "Read with the request tester",
    What.SESSION_CREATED: "Link created",
    What.WEBHOOK_CREATED: "Webhook added",
    What.WEBHOOK_UPDATED: "Webhook changed",
    What.WEBHOOK_SECRET_ROTATED: "Webhook secret rotated",
    What.WEBHOOK_DELETED: "Webhook removed",
    What.SIGNED_IN: "Signed in to the dashboard",
    What.SIGN_IN_FAILED: "Wrong password for the dashboard",
    What.SIGNED_OUT: "Signed out of the dashboard",
}
_WHO: Mapping[ActorKind, str] = {
    ActorKind.KEY: "A backend, with the key",
    ActorKind.SESSION: "In the Hub, by link",
    ActorKind.OPERATOR: "Operator",
    ActorKind.ADMIN: "Operator, in the dashboard",
    ActorKind.GATEWAY: "The gateway",
}
_PARTS = {"call": "at a call", "check": "at a check"}


def what_words(what: What) -> str:
    return _WHAT.get(what, what.value)


def who_words(actor: Actor) -> str:
    """Say who it was. Of the dashboard the id is that of a sign-in, which says nothing to anybody."""
    named = "" if actor.kind is ActorKind.ADMIN else _PARTS.get(actor.id, actor.id)
    return f"{_WHO[actor.kind]} {named}".strip()


def where_words(actor: Actor) -> str:
    return "the command line" if actor.address == "cli" else actor.address


def detail_words(entry: Entry) -> list[tuple[str, str]]:
    """Give the details by name, without those that are empty."""
    found = ((name.replace("_", " "), _text(value)) for name, value in entry.details.items())
    return [(name, text) for name, text in found if text]


def _text(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
