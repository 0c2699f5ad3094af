"""A call to a vendor and its answer as values, and the flow that checks a pasted credential. No I/O."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

STATED = "+stated"
"""The ending of `found_by` where scopes are believed that only a person has stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a vendor token may do, as found when linking.

    `found_by` says how it was found: by the vendor's statement or by probing. Where the vendor does not state the
    scopes, `scopes` are those that were seen to work, `unknown` those that can only be tried, and `doubtful` those
    whose effect should have shown and did not clearly: they are taken as not granted. `stated` are those that the maker
    of the token says to have chosen.

    `ends_at` is when the token expires, in UTC; None where it does not, or that is not known. `company` is the vendor's
    id of the company that the token belongs to; None where the vendor does not say.
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
        """Returns the scopes for which calls are made.

        Unknown scopes are included: there the vendor decides.
        """
        return self.scopes | self.unknown

    @property
    def certain(self) -> bool:
        """Returns whether all scopes were stated by the vendor or seen to work."""
        return not self.unknown and not self.found_by.endswith(STATED)

    def with_statement(self, stated: frozenset[str]) -> "Grant":
        """Returns the grant after a person has stated the scopes.

        Of the unknown and doubtful scopes, those stated are added, and no others.
        """
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
    """A response of the vendor, complete and of limited size. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A credential that the vendor does not accept, in a sentence for the person who pasted it."""

    reason: str


Verification: TypeAlias = Generator[Request, Answer, Grant | Refusal]
"""A flow of several calls with no I/O of its own: it yields requests and is sent the answers."""


TokenCheck: TypeAlias = Generator[Request, Answer, bool | None]
"""A flow that returns whether the vendor accepts a token; None where its answers do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """How a person makes a credential.

    `who` can make it, and `steps` say how; the scopes to choose are listed under step number `scopes_step`. Labels in
    the vendor's interface are between asterisks.
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
    """Where a person consents to a token (OAuth 2.0, authorization code with PKCE), and where the gateway fetches it.

    `token_path` is below `token_base`, which does not end in a slash.
    """

    authorize_url: str
    token_base: str
    token_path: str
    separator: str = " "


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerToken:
    """Authentication by a token in the `Authorization` header.

    The token is pasted, or fetched after a `consent`.
    """

    credential: CredentialField
    consent: Consent | None = None

    def headers(self, secret: str) -> dict[str, str]:
        """Returns the headers that authenticate a call."""
        return {"authorization": f"Bearer {secret}"}
