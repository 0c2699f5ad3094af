"""A vendor's webhooks, as values, and the flows that manage them. No I/O."""

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
    """One change that a vendor reports. `resources` are the names that its lists have in `Collection.resource`.

    It has no resources where the event is unknown, or concerns nothing that is read here.
    """

    name: str
    resources: frozenset[str]
    record_id: str | None = None
    id: str | None = None
    occurred_at: datetime | None = None


class Unreadable(Exception):
    """The body of a delivery has an unexpected form. The text contains nothing of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One form of a signature: an HMAC of the raw body in a header. The header's name is lower case."""

    header: str
    prefix: str = ""
    algorithm: Literal["sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"

    def claimed(self, headers: Mapping[str, str]) -> bytes | None:
        """Returns the digest that a delivery claims in this form, or None where it claims none."""
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
    """Where the vendor is to send events.

    `path` belongs to this gateway alone, so an endpoint at the vendor that ends in it is the gateway's own, on any
    host. `secret` is for signing, where the vendor accepts a given one.
    """

    url: str
    path: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Registered:
    """An endpoint at the vendor. A `secret` of None means that the known endpoint and its secret stay.

    `covers` are the resources of which it tells every change, creation and deletion.
    """

    remote_id: str
    secret: str | None = field(default=None, repr=False)
    covers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NotRegistered:
    """Why there is no endpoint, in a sentence for an operator. It contains nothing of a body or a token."""

    reason: str


Registration: TypeAlias = Generator[Request, Answer, Registered | NotRegistered]
"""A flow that ensures that exactly one endpoint of the gateway exists. It yields requests and is sent the answers."""

Removal: TypeAlias = Generator[Request, Answer, bool]
"""A flow that deletes an endpoint. It returns True when the endpoint is known to be deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorEvents:
    """A vendor's webhooks.

    `scope` allows a token to manage them. A delivery is accepted if one of the `signatures` matches. `register` gets
    the listener and the id of the endpoint that is known already; `remove` gets such an id. `read` returns the events
    of a body whose signature matched, or raises `Unreadable`. `resources` are all that events may name.
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
