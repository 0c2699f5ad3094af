"""How a vendor tells of changes by itself: its webhooks, as values, and the flows that manage them. No I/O."""

import base64
import binascii
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from connectors.exchange import Answer, Request
from connectors.needs import FaultyDeclaration


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change that a vendor tells of. `resources` are the names that its lists have in `Collection.resource`.

    Without resources it is an event that we do not know, or one that concerns nothing we read.
    """

    name: str
    resources: frozenset[str]
    record_id: str | None = None
    id: str | None = None
    occurred_at: datetime | None = None


class Unreadable(Exception):
    """The body of a delivery is not what the vendor is known to send. The text holds nothing of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One form of a signature: an HMAC of the raw body in a header. The header's name is lower case."""

    header: str
    prefix: str = ""
    algorithm: Literal["sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"

    def claimed(self, headers: Mapping[str, str]) -> bytes | None:
        """Give the digest that a delivery claims in this form, or None where it claims none."""
        value = headers.get(self.header, "")
        if not value.startswith(self.prefix):
            return None
        text = value[len(self.prefix) :]
        try:
            if self.encoding == "hex":
                return bytes.fromhex(text) or None
            return base64.b64decode(text, validate=True) or None
        except (ValueError, binascii.Error):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where the vendor is to send. `path` is ours alone, so an endpoint that ends in it is ours, on any host.

    `secret` is to sign with, where the vendor takes one from us.
    """

    url: str
    path: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Registered:
    """An endpoint that stands at the vendor. A `secret` of None: the endpoint known before, and its secret, stand."""

    remote_id: str
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NotRegistered:
    """Why there is no endpoint, in a sentence for an operator. Nothing of a body or a token is in it."""

    reason: str


Registration: TypeAlias = Generator[Request, Answer, Registered | NotRegistered]
"""A flow that sees to it that one endpoint of ours stands, and no other: requests out, answers in."""

Removal: TypeAlias = Generator[Request, Answer, bool]
"""A flow that takes an endpoint away; true when it is known to be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorEvents:
    """A vendor's webhooks. `scope` lets a token manage them; a delivery is good that has one of the `signatures`.

    `register` is given where to send and the id of the endpoint that is known already, `remove` such an id.
    `read` makes events of a body whose signature was good, or raises `Unreadable`. `resources` are all that events
    may name.
    """

    scope: str
    signatures: tuple[Signature, ...]
    resources: frozenset[str]
    register: Callable[[Listener, str | None], Registration]
    remove: Callable[[str], Removal]
    read: Callable[[bytes], Sequence[Event]]

    def __post_init__(self) -> None:
        faults = [] if self.signatures else ["- no signature: anybody could send events"]
        faults += [f"- {each.header}: write it in lower case" for each in self.signatures if not each.header.islower()]
        if faults:
            raise FaultyDeclaration("vendor events", faults)
