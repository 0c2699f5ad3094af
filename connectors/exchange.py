"""A call to a vendor and its answer as values, and the flow that checks a pasted credential. No I/O."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

STATED = "+stated"
"""How `found_by` ends where a person's word is part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a vendor token may do, as found when linking. `found_by` says how: by the vendor's word or by probing.

    Where the vendor does not say it, some `scopes` are surely there, and some can only be tried: those are `unknown`.
    `doubtful` ones would show, but did not clearly: they are taken as not granted. `stated` are those that whoever made
    the token says to have chosen.

    `ends_at` is when the token ends by itself, in UTC; None where it does not, or nobody knows. `company` is the
    vendor's id of the company that the token belongs to; None where it does not say.
    """

    scopes: frozenset[str]
    found_by: str
    role: str | None = None
    warnings: tuple[str, ...] = ()
    ends_at: datetime | None = None
    company: str | None = None
    unknown: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()
    stated: frozenset[str] = frozenset()

    @property
    def opens(self) -> frozenset[str]:
        """Give the scopes that a call is made for: what cannot be known is left to the vendor to decide."""
        return self.scopes | self.unknown

    @property
    def certain(self) -> bool:
        """Tell whether all scopes are the vendor's own word or were seen to work."""
        return not self.unknown and not self.found_by.endswith(STATED)

    def with_statement(self, stated: frozenset[str]) -> "Grant":
        """Give what is believed when a person states the scopes: of those in doubt the ones stated, and no others."""
        if not stated:
            return self
        believed = stated & (self.unknown | self.doubtful)
        return replace(
            self,
            scopes=self.scopes | believed,
            found_by=self.found_by + STATED if believed else self.found_by,
            unknown=frozenset(),
            doubtful=frozenset(),
            stated=stated,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """A call to the vendor. `path` begins with `/` and is relative to the connector's base URL."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, size-capped and complete. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A credential the vendor would not take, in a sentence for the person who pasted it."""

    reason: str


Verification: TypeAlias = Generator[Request, Answer, Grant | Refusal]
"""A flow of several calls with no I/O of its own: it yields requests and is sent the answers."""


TokenCheck: TypeAlias = Generator[Request, Answer, bool | None]
"""A flow that finds out no more than whether the vendor takes a token; None where its answers do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """How a person makes a credential: `who` can, and the steps; the scopes to choose are listed under `scopes_step`.

    What the vendor writes on its buttons stands between asterisks.
    """

    who: str
    steps: tuple[str, ...]
    scopes_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialField:
    """One input of the link form."""

    key: str
    label: str
    pattern: str
    advice: str
    guide: Guide | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Where a person agrees to a token (OAuth 2.0, authorization code with PKCE): their page, and where we fetch it.

    `token_path` is below `token_base`, which ends in no slash.
    """

    authorize_url: str
    token_base: str
    token_path: str
    separator: str = " "


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerToken:
    """Authentication by one token in the `Authorization` header: pasted, or agreed to where there is a `consent`."""

    credential: CredentialField
    consent: Consent | None = None

    def headers(self, secret: str) -> dict[str, str]:
        return {"authorization": f"Bearer {secret}"}
