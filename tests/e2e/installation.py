"""One database and one master key, as the commands and any number of gateways share them."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from deploy.sandbox.tokens import by_name
from tests.e2e.company import Company
from tests.e2e.processes import Server, command, serving
from tests.e2e.raw_http import Reply, ask, basic

PROJECT = "acme"
MASTER_KEY = b64encode(bytes(range(32))).decode()


@dataclass(frozen=True, slots=True)
class Caller:
    """A backend of a customer of ours: which gateway it asks, with which key, about which account."""

    url: str
    key: str
    account: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": basic(f"{self.key}:"), "x-account-id": self.account}

    def get(self, path: str, **headers: str) -> Reply:
        """Asks for a path below `/unified/hris`; `cache_control="no-cache"` is the header of that name."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.url, f"/unified/hris{path}", self.headers | more)


@dataclass(frozen=True, slots=True)
class Installation:
    """`accounts` and `keys` that were made once are given again, as each costs a command."""

    folder: Path
    company: Company
    _accounts: dict[str, str] = field(default_factory=dict)
    _keys: dict[tuple[str, ...], str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "GATEWAY_DATABASE_URL": f"sqlite:///{self.folder / 'gateway.db'}",
            "GATEWAY_VAULT_MASTER_KEY": MASTER_KEY,
            "GATEWAY_HUMAANS_BASE_URL": self.company.api,
            "GATEWAY_SERVER_PORT": "0",
            # A Redis on a busy machine is not a dead one.
            "GATEWAY_REDIS_TIMEOUT_SECONDS": "30",
            "GATEWAY_REDIS_CONNECT_TIMEOUT_SECONDS": "30",
        }

    def run(self, *words: str, given: str = "") -> str:
        return command(["gateway", *words], self.settings, given)

    def key(self, *scopes: str) -> str:
        """Returns a key with these scopes; with none, for everything."""
        if scopes not in self._keys:
            words = [word for scope in scopes for word in ("--scope", scope)]
            self._keys[scopes] = self.run("keys", "create", "--project", PROJECT, *words)
        return self._keys[scopes]

    def account(self, token: str = "all-owner") -> str:
        """Returns the account that is linked with the sandbox's token of that name."""
        if token not in self._accounts:
            self._accounts[token] = self.link(token)
        return self._accounts[token]

    def link(self, token: str, project: str = PROJECT) -> str:
        """Link one more account, for a test that changes it; its cache is cold."""
        owner = f"{token}-{next(self._numbers)}"
        words = ("--project", project, "--provider", "humaans", "--owner-id", owner)
        return self.run("accounts", "link", *words, given=by_name(token).token)

    @contextmanager
    def gateway(self, environ: Mapping[str, str] | None = None, **settings: str) -> Iterator[Server]:
        """A gateway of this installation with a private cache. `server_workers="2"` is GATEWAY_SERVER_WORKERS=2."""
        more = {f"GATEWAY_{name.upper()}": value for name, value in settings.items()} | dict(environ or {})
        log = self.folder / f"gateway-{next(self._numbers)}.log"
        with serving(["gateway", "serve"], self.settings | more, log) as server:
            yield server
