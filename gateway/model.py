"""The values that all layers share, and protocols for what a higher layer implements."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import inf
from typing import Protocol

from connectors.exchange import Answer, Grant, Request

KEY_PREFIX = "hrk_"
"""The start of every API key, by which scanners and people recognise one."""


class ActorKind(StrEnum):
    KEY = "key"
    """A backend of the project. The id is that of its API key."""
    SESSION = "session"
    """A customer in the Hub. The id is the number of the connect session."""
    OPERATOR = "operator"
    """An operator at the command line."""
    ADMIN = "admin"
    """An operator in the dashboard."""
    GATEWAY = "gateway"
    """The gateway itself. The id is the part of it: `call` or `check`."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. `address` is the client's IP address, `cli`, or empty for the gateway itself."""

    kind: ActorKind
    id: str = ""
    address: str = ""


GATEWAY = Actor(ActorKind.GATEWAY)


AT_A_CALL = Actor(ActorKind.GATEWAY, "call")


AT_A_CHECK = Actor(ActorKind.GATEWAY, "check")


AT_THE_COMMAND_LINE = Actor(ActorKind.OPERATOR, address="cli")


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The longest times in seconds that answers of an account may be fresh, and stale after that."""

    fresh: float = inf
    stale: float = inf


NO_CEILINGS = Ceilings()


@dataclass(frozen=True, slots=True)
class Clock:
    """Sources of time and chance.

    `now` has a time zone, `timestamp` is the same moment in seconds since the epoch, `monotonic` is in seconds, and
    `jitter` is from 0 to 1.
    """

    now: Callable[[], datetime]
    timestamp: Callable[[], float]
    monotonic: Callable[[], float]
    jitter: Callable[[], float]


class Status(StrEnum):
    """States of a linked account, as the contract names them."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    SUSPENDED = "suspended"
    ARCHIVED = "archived"
    EXPIRED = "expired"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class StatusReason:
    """Why an account is not active. `code` is for programs, `description` is a sentence for people."""

    code: str
    description: str
    timestamp: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKey:
    """An API key of a project. Only its digest is stored, and its first characters, the `prefix`."""

    id: str
    project_id: str
    prefix: str
    digest: str = field(default="", repr=False)
    scopes: frozenset[str]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The customer of the calling product that an account belongs to, and the name of its user if known."""

    id: str
    name: str
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Caching:
    """Whether answers of an account are cached, and for how long at most."""

    enabled: bool = True
    ceilings: Ceilings = NO_CEILINGS

    @property
    def keeps(self) -> bool:
        """Returns whether anything is cached. Answers that are never fresh are not."""
        return self.enabled and self.ceilings.fresh > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A linked account. `revision` grows with each change: cache keys contain it, and conflicts are found by it."""

    id: str
    project_id: str
    provider: str
    owner: Owner
    status: Status
    status_reasons: tuple[StatusReason, ...] = ()
    label: str | None = None
    kind: str = "production"
    setup_information: Mapping[str, str] = field(default_factory=dict)
    grant: Grant
    caching: Caching = Caching()
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """A filter for accounts of a project. An empty field allows any value. The page is `most` accounts after `skip`."""

    ids: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    owner_ids: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    skip: int = 0
    most: int = 1


class Cipher(Protocol):
    """Seals with one account's data key. `open` raises `Unsealable` for another `context`.

    A protocol, as the vault implements it in a higher layer.
    """

    def seal(self, plain: bytes, context: bytes) -> bytes: ...

    def open(self, sealed: bytes, context: bytes) -> bytes: ...


class OwnerLinked(Exception):
    """The owner has an account of this provider already, and no further one was asked for."""


class Unsealable(Exception):
    """The bytes were not sealed by this key in this context: they are damaged, swapped, or of an unlinked account."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential, which is not shown in a `repr`, a log or an exception. `ends_at` is when it expires, if known."""

    reveal: str = field(repr=False)
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, weakref_slot=True)
class LinkedAccount:
    """An account with its opened credential and the cipher of its data key."""

    account: Account
    credential: Secret
    cipher: Cipher


class Accounts(Protocol):
    """The look-ups of a request. Raises `StoreUnavailable` if the database cannot be reached.

    A protocol, as `auth` stands below `accounts`, and the dashboard's request tester reads with a key of its own.
    """

    async def find_key(self, secret: str) -> ClientKey | None:
        """Returns the key, or None for an unknown or revoked one."""

    async def find_account(self, project_id: str, account_id: str) -> LinkedAccount | None:
        """Returns the account if it belongs to that project, else None."""

    def is_current(self, key: ClientKey, linked: LinkedAccount) -> bool:
        """Returns whether look-ups of this key and this account would return these objects. Does not wait."""

    async def mark(
        self, account_id: str, status: Status, reason: StatusReason | None, *, by: Actor, revision: int | None = None
    ) -> None:
        """Sets the status and increments the revision. Without a reason the reasons are cleared.

        With a `revision` only if the account still has it, so that a new link is not undone.
        """


class IdempotencyState(StrEnum):
    """States of a write under an idempotency key."""

    STARTED = "started"
    DONE = "done"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A write under an idempotency key: its account, and digests of the key and of the request."""

    account_id: str
    key: str
    request: str


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """An earlier write under the same key. If it is done, with its HTTP status and sealed answer."""

    request: str
    state: IdempotencyState
    status: int
    sealed: bytes = field(repr=False)
    created_at: datetime


class Invalidation(StrEnum):
    """Messages between workers, each about an id."""

    ANSWERS = "answers"
    """Stored answers of an account are invalid."""
    ACCOUNT = "account"
    """An account has changed, such as its credential or its status."""
    GONE = "gone"
    """An account was unlinked and must be purged."""
    UNCACHED = "uncached"
    """Caching of an account was switched off, and its answers must be purged."""
    KEY = "key"
    """An API key was created or revoked."""


GENERATION = "generation"
"""The second part of the cache keys of generations, which are read with every value."""


class Cache(Protocol):
    """A shared store of bytes that may lose anything at any time. Never raises: a failure is a counted miss."""

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]: ...

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        """Stores values for a time. Returns whether the store accepted them."""

    async def claim(self, keys: Sequence[str], value: bytes, seconds: int) -> Sequence[bytes | None]:
        """Stores a value under each key that has none, and returns what each has then; None where that is unknown."""

    async def renew(self, key: str, value: bytes, seconds: int) -> None:
        """Extends the time of a claimed value, if it is still there."""

    async def release(self, key: str, value: bytes) -> None:
        """Deletes a claimed value, if it is still there."""

    async def publish(self, change: Invalidation, name: str) -> None:
        """Publishes a change to all workers. One that cannot be reached sees it when its own copy expires."""

    async def replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:
        """Stores values of an account that must not be missed, and publishes that it has changed.

        Tried even while the store rests after a failure.
        """

    async def purge(self, account_id: str) -> bool:
        """Deletes all values of an account. Returns False where that failed and is to be tried again."""


class Upstream(Protocol):
    """Sends requests to vendors. Raises `VendorFailure` without a usable answer; any HTTP status is one."""

    async def send(self, base_url: str, request: Request) -> Answer: ...


class OpenAnswer(Protocol):
    """An answer whose body is still being received. It must be closed, whether it was read or not."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yields the decoded body. Raises `VendorFailure` if the connection breaks."""

    async def close(self) -> None: ...


class Stream(Protocol):
    """Sends requests to vendors and returns answers whose bodies are streamed."""

    async def open(self, base_url: str, request: Request) -> OpenAnswer: ...
