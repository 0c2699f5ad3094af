"""The command line: results alone on standard output, words on standard error, no traceback, no secret."""

import json
import os
import stat
import subprocess
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.exchange import Answer, Request
from connectors.registry import CONNECTORS
from gateway.adapters.accounts.apikey import is_well_formed
from gateway.cli import accounts
from gateway.cli.desk import Desk
from gateway.cli.parser import make_parser
from gateway.cli.table import as_table
from gateway.core.errors import GatewayError
from gateway.core.model import Secret, Upstream
from gateway.settings import read_settings

ROOT = Path(__file__).parents[1]
MASTER = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def gateway(
    *words: str, cwd: Path, environ: Mapping[str, str] | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does, in a directory of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    paths = [str(ROOT), *filter(None, [clean.get("PYTHONPATH")])]
    clean["PYTHONPATH"] = os.pathsep.join(paths)
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=cwd,
        env={**clean, **(environ or {})},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- keys -----------------------------------------------------------------------------------------------------


def test_a_key_is_printed_alone_and_is_then_listed_without_its_secret_and_revoked(tmp_path: Path) -> None:
    made = gateway("keys", "create", "--project", "acme", "--scope", "hris.*:read", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    key = made.stdout.removesuffix("\n")
    assert is_well_formed(key)
    listed = gateway("keys", "list", "--project", "acme", "--json", cwd=tmp_path)
    [row] = json.loads(listed.stdout)
    assert (row["prefix"], row["scopes"], row["revoked_at"]) == (key[:12], ["hris.*:read"], None)
    assert key not in listed.stdout
    assert gateway("keys", "revoke", key[:12], cwd=tmp_path).returncode == 0
    table = gateway("keys", "list", cwd=tmp_path).stdout.splitlines()
    assert table[0].split() == ["ID", "PREFIX", "PROJECT", "SCOPES", "CREATED", "USED", "REVOKED"]
    assert "-" not in table[1].split()[-1:]


def test_the_first_run_makes_a_database_and_a_master_key_for_the_owner_alone_and_says_so(tmp_path: Path) -> None:
    first = gateway("keys", "create", "--project", "acme", cwd=tmp_path)
    second = gateway("keys", "create", "--project", "acme", cwd=tmp_path)
    assert "made the master key var/master.key: keep it safe" in first.stderr
    assert second.stderr == ""
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "var").iterdir()}
    assert modes == {"gateway.db": 0o600, "master.key": 0o600}
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


@pytest.mark.parametrize("scope", ["employees:read", "HRIS.employees:read", "hris.empl*:read", "hris.employees", "**", ""])
def test_a_malformed_scope_is_refused_with_the_form_it_should_have(scope: str, tmp_path: Path) -> None:
    refused = gateway("keys", "create", "--project", "acme", "--scope", scope, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "area.resource:action" in refused.stderr
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("scope", ["*", "hris.employees:read", "hris.*:read", "hris.*:*", "*.*:*", "hris.bank_details:read"])
def test_a_scope_may_have_a_wildcard_for_each_whole_part(scope: str) -> None:
    arguments = make_parser(CONNECTORS).parse_args(["keys", "create", "--project", "acme", "--scope", scope])
    assert arguments.scope == [scope]


@pytest.mark.parametrize(
    ("words", "environ", "code", "fault"),
    [
        ("keys list", {"GATEWAY_DATABASE_URL": "sqlite:///x.db"}, 2, "openssl rand -base64 32"),
        ("keys list", {"GATEWAY_DATABSE_URL": "sqlite:///x.db"}, 2, "GATEWAY_DATABASE_URL"),
        ("keys list --project nobody", {}, 1, "there is no project 'nobody'"),
        ("keys revoke nobody", {}, 1, "there is no such key"),
        ("accounts show nobody", {}, 1, "there is no linked account 'nobody'"),
        ("accounts unlink nobody", {}, 1, "there is no linked account 'nobody'"),
        ("accounts link --project acme --provider nobody", {}, 2, "invalid choice: 'nobody'"),
        ("keys list", {"GATEWAY_DATABASE_URL": "postgresql://u:planted@127.0.0.1:1/x", "GATEWAY_VAULT_MASTER_KEY": MASTER}, 1, "the database cannot be used"),
        ("keys list", {"GATEWAY_VAULT_MASTER_KEY": "planted"}, 2, "GATEWAY_VAULT_MASTER_KEY"),
    ],
)
def test_a_fault_is_a_sentence_and_an_exit_code(
    words: str, environ: Mapping[str, str], code: int, fault: str, tmp_path: Path
) -> None:
    failed = gateway(*words.split(), cwd=tmp_path, environ=environ)
    assert (failed.returncode, failed.stdout) == (code, "")
    assert fault in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "planted" not in failed.stderr


def test_another_master_key_than_the_accounts_were_stored_with_is_refused(tmp_path: Path) -> None:
    first = {"GATEWAY_DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "GATEWAY_VAULT_MASTER_KEY": MASTER}
    desk = Speaking(environ=first, answer=HUMAANS_OWNER)
    account_id = desk.run_now("link", "--project", "acme", "--provider", "humaans")
    assert gateway("accounts", "show", account_id, cwd=tmp_path, environ=first).returncode == 0
    other = {**first, "GATEWAY_VAULT_MASTER_KEY": "B" + MASTER[1:]}
    refused = gateway("accounts", "show", account_id, cwd=tmp_path, environ=other)
    assert refused.returncode == 1
    assert "set GATEWAY_VAULT_MASTER_KEY to the key" in refused.stderr


# --- accounts -------------------------------------------------------------------------------------------------

HUMAANS_OWNER = {
    "/token-info": Answer(200, {}, b'{"scopes": ["public:read"]}'),
    "/me": Answer(200, {}, b'{"role": "owner"}'),
}
UNAUTHORIZED = {"/token-info": Answer(401, {}, b"")}


@dataclass
class Speaking:
    """A desk whose vendor answers from a table, and that keeps what was said."""

    environ: Mapping[str, str]
    answer: Mapping[str, Answer]
    out: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def send(self, base_url: str, request: Request) -> Answer:
        assert (base_url, request.headers["authorization"]) == ("https://hr.test", "Bearer planted-token")
        return self.answer[request.path]

    @asynccontextmanager
    async def open_upstream(self) -> AsyncIterator[Upstream]:
        yield self

    async def run(self, *words: str) -> int:
        arguments: Namespace = make_parser(CONNECTORS).parse_args(["accounts", *words])
        self.out.clear()
        self.said.clear()
        return await accounts.run(arguments, self.desk())

    def desk(self) -> Desk: ...
