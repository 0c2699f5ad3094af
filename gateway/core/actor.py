"""Who does something to an account or a key, and from where. Ids only."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    KEY = "key"
    """A backend of the project; the id is that of its API key."""
    SESSION = "session"
    """A customer in the Hub; the id is the number of the connect session."""
    OPERATOR = "operator"
    """Whoever may run the command line."""
    ADMIN = "admin"
    """Whoever may use the pages for the operator."""
    GATEWAY = "gateway"
    """The gateway itself; the id is a word for which part of it: `call`, `check`."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. `address` is the client's as the server has it, `cli`, or empty for the gateway itself."""

    kind: ActorKind
    id: str = ""
    address: str = ""


GATEWAY = Actor(ActorKind.GATEWAY)
AT_A_CALL = Actor(ActorKind.GATEWAY, "call")
AT_A_CHECK = Actor(ActorKind.GATEWAY, "check")
AT_THE_COMMAND_LINE = Actor(ActorKind.OPERATOR, address="cli")
