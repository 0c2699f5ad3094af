"""The access tokens that the sandbox knows: one for each interesting pair of scope set and person's role."""

from __future__ import annotations

from dataclasses import dataclass, field

from deploy.sandbox.ids import stable_token

SCOPES = (
    "public:read",
    "private:read",
    "private:write",
    "compensations:read",
    "compensations:write",
    "documents:read",
    "documents:write",
    "webhooks:manage",
)

ROLES = ("owner", "admin", "finance", "tech", "manager", "user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    name: str
    scopes: tuple[str, ...]
    role: str
    revoked: bool = False
    token: str = field(repr=False)


def _token(name: str, scopes: tuple[str, ...], role: str = "owner", *, revoked: bool = False) -> Token:
    return Token(name=name, scopes=scopes, role=role, revoked=revoked, token=stable_token("sandbox-token", name))


TOKENS: tuple[Token, ...] = (
    *(_token(f"all-{role}", SCOPES, role) for role in ROLES),
    *(_token(f"only-{scope.replace(':', '-')}", (scope,)) for scope in SCOPES),
    _token("public-private", ("public:read", "private:read")),
    _token("public-private-user", ("public:read", "private:read"), "user"),
    _token("public-private-manager", ("public:read", "private:read"), "manager"),
    _token("public-private-compensations", ("public:read", "private:read", "compensations:read")),
    _token("read-everything", ("public:read", "private:read", "compensations:read", "documents:read")),
    _token("all-but-webhooks", tuple(scope for scope in SCOPES if scope != "webhooks:manage")),
    _token("public-user", ("public:read",), "user"),
    _token("private-user", ("private:read",), "user"),
    _token("no-scopes", ()),
    _token("revoked", SCOPES, revoked=True),
)


def by_name(name: str) -> Token:
    """Returns the token with this name. Raises `KeyError`."""
    return next((token for token in TOKENS if token.name == name), None) or _missing(name)


def _missing(name: str) -> Token:
    raise KeyError(name)
