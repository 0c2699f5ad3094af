"""The nouns that the gateway passes around, and the doors to the outside as protocols of few methods."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import inf
from typing import Protocol

from connectors.exchange import Answer, Grant, Request

KEY_PREFIX = "hrk_"
"""How every API key begins, so that one is known when it is seen."""


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


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The most that an account allows of what the settings allow for all: fresh seconds, and stale ones after them."""

    fresh: float = inf
    stale: float = inf


NO_CEILINGS = Ceilings()


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, as arguments: `now` is aware, `monotonic` in seconds, `jitter` from 0 to 1."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    jitter: Callable[[], float]


class Status(StrEnum):
    """States of a linked account, in the words of the contract."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    SUSPENDED = "suspended"
    ARCHIVED = "archived"
    EXPIRED = "expired"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class StatusReason:
    """Why an account is not active; `code` is a word for machines, `description` a sentence for people."""

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
    """An API key of a project. The key itself is never kept: only its digest, and `prefix` to recognise it by."""

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
    """Whose account it is in the calling product: its customer's id and name there, and perhaps a user's name."""

    id: str
    name: str
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Caching:
    """Whether answers of an account are kept, and for how long at most."""

    enabled: bool = True
    ceilings: Ceilings = NO_CEILINGS

    @property
    def keeps(self) -> bool:
        """Tell whether anything is kept at all: what is never fresh is not."""
        return self.enabled and self.ceilings.fresh > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A linked account. `revision` grows with each change of it: caches hang on it, and it tells changes apart."""

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
class Choice:
    """Some accounts of a project: those with one of the values of each kind that has any; `most` after `skip`."""

    ids: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    owner_ids: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    skip: int = 0
    most: int = 1


class Cipher(Protocol):
    """Sealing with one account's data key. `context` must be the same to open; a mismatch raises `Unsealable`."""

    def seal(self, plain: bytes, context: bytes) -> bytes: ...

    def open(self, sealed: bytes, context: bytes) -> bytes: ...


class OwnerLinked(Exception):
    """The owner has an account of this provider by now, and asked for no further one."""


class Unsealable(Exception):
    """The bytes were not sealed by this key in this context: damaged, swapped, or of an erased account."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential that does not show itself in a `repr`, a log or an exception.

    `ends_at` is when it ends by itself, where whoever gave it has said so.
    """

    reveal: str = field(repr=False)
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Linked:
    """An account ready for use: its record, the vendor credential and the cipher of its data key."""

    account: Account
    credential: Secret
    cipher: Cipher


class Accounts(Protocol):
    """The database, as a request needs it. Raises `StoreUnavailable` when it cannot be reached."""

    async def find_key(self, secret: str) -> ClientKey | None:
        """Give the live key that `secret` is, or None for an unknown or revoked one."""

    async def find_account(self, project_id: str, account_id: str) -> Linked | None:
        """Give the account if it is of that project, else None."""

    def is_current(self, key: ClientKey, linked: Linked) -> bool:
        """Tell whether looking up this key and this account would give these very objects, without asking anybody."""

    async def mark(
        self, account_id: str, status: Status, reason: StatusReason | None, *, by: Actor, revision: int | None = None
    ) -> None:
        """Set an account's state and bump its revision; no reason clears the reasons.

        With a `revision` only if the account still has it: a re-link meanwhile must not be undone.
        """


class IdempotencyState(StrEnum):
    """How a write stands that may be done once only."""

    STARTED = "started"
    DONE = "done"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A write under an idempotency key: whose, and the digests of the key and of what is asked. Neither is kept."""

    account_id: str
    key: str
    request: str


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What is known of an earlier write under the same key; of one that is done its status and sealed answer."""

    request: str
    state: IdempotencyState
    status: int
    sealed: bytes = field(repr=False)
    created_at: datetime


class Invalidation(StrEnum):
    """What workers tell each other of, each about an id."""

    ANSWERS = "answers"
    """What was kept of an account is outdated."""
    ACCOUNT = "account"
    """An account is another now: linked anew, suspended, in error."""
    GONE = "gone"
    """An account was unlinked: nothing of it may be kept any more."""
    UNCACHED = "uncached"
    """Caching of an account was switched off: what was kept of it is to be dropped."""
    KEY = "key"
    """A key was made or revoked."""


GENERATION = "generation"
"""The second word of the keys of generations, which are read with every value."""


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
    """The way to a vendor. Raises `VendorFailure` when nothing usable comes back; any HTTP status is an answer."""

    async def send(self, base_url: str, request: Request) -> Answer: ...


class OpenAnswer(Protocol):
    """An answer that is still coming. It must be closed, read or not."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Give the decoded body as it comes; raises `VendorFailure` where it breaks off."""

    async def close(self) -> None: ...


class Stream(Protocol):
    """The way to a vendor for answers that are handed on as they come."""

    async def open(self, base_url: str, request: Request) -> OpenAnswer: ...
