"""The command line: results alone on standard output, words on standard error, no traceback, no secret."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from threading import Thread

import pytest

from connectors.registry import CONNECTORS
from gateway.__main__ import main
from gateway.auth.admin_password import read_password
from gateway.auth.api_key import is_well_formed
from gateway.cli.output import as_table
from gateway.cli.parser import make_parser

ROOT = Path(__file__).parents[2]
UNREACHABLE = {
    "GATEWAY_DATABASE_URL": "postgresql://someone:planted@127.0.0.1:1/x",
    "GATEWAY_VAULT_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
}
MASTER = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@dataclass(frozen=True, slots=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def gateway(*words: str, cwd: Path, environ: Mapping[str, str] | None = None, given: str | None = None) -> Done:
    """Run a command in a directory of its own, in this process; `given` is its standard input."""
    out, err = StringIO(), StringIO()
    with chdir(cwd), redirect_stdin(given or ""), redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words, environ or {})
        except SystemExit as end:  # argparse's way out
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


@contextmanager
def redirect_stdin(text: str) -> Iterator[None]:
    """What contextlib has for the other two."""
    before = sys.stdin
    sys.stdin = TextIOWrapper(BytesIO(text.encode()))
    try:
        yield
    finally:
        sys.stdin = before


def as_process(*words: str, cwd: Path, environ: Mapping[str, str], given: str = "") -> Done:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=cwd,
        env={**clean, "PYTHONPATH": str(ROOT), **environ},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


# --- dashboard --------------------------------------------------------------------------------------------


def test_a_password_becomes_what_may_be_set_instead_of_it(tmp_path: Path) -> None:
    made = gateway("dashboard", "password", cwd=tmp_path, given="correct horse battery\n")
    assert (made.returncode, made.stdout.count("\n")) == (0, 1)
    text = made.stdout.strip()
    assert read_password(text, b"").matches("correct horse battery")
    settings = {"GATEWAY_DASHBOARD_PASSWORD": text}
    assert gateway("keys", "list", cwd=tmp_path, environ=settings).returncode == 0


def test_a_short_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    made = gateway("dashboard", "password", cwd=tmp_path, given="planted\n")
    assert (made.returncode, made.stdout) == (2, "")
    assert made.stderr == "the password should have 12 to 1024 characters\n"


# --- keys -------------------------------------------------------------------------------------------------


def test_a_key_is_printed_alone_and_is_then_listed_without_its_secret_and_revoked(tmp_path: Path) -> None:
    made = as_process("keys", "create", "--project", "acme", "--scope", "hris.*:read", cwd=tmp_path, environ={})
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


@pytest.mark.parametrize(
    "scope", ["employees:read", "HRIS.employees:read", "hris.empl*:read", "hris.employees", "**", ""]
)
def test_a_malformed_scope_is_refused_with_the_form_it_should_have(scope: str, tmp_path: Path) -> None:
    refused = gateway("keys", "create", "--project", "acme", "--scope", scope, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "area.resource:action" in refused.stderr
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    "scope", ["*", "hris.employees:read", "hris.*:read", "hris.*:*", "*.*:*", "hris.bank_details:read"]
)
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
        ("keys list", UNREACHABLE, 1, "the database cannot be used"),
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


def test_the_sandbox_command_becomes_the_sandbox() -> None:
    refused = as_process("sandbox", "--people", "3", cwd=ROOT, environ={})
    assert refused.returncode == 2
    assert "The sandbox cannot be made: people must be from 60" in refused.stderr


def test_what_needs_no_database_loads_none() -> None:
    program = "import sys, gateway.__main__ as gateway; gateway.main(['rules']); sys.exit('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("| Method | Path |")


def test_a_name_that_others_chose_does_not_move_the_cursor() -> None:
    assert as_table(["NAME"], [["a\x1b[2Jb\n"], [None]]) == "NAME\na?[2Jb?\n-"


# --- accounts ---------------------------------------------------------------------------------------------

OWNER: Mapping[str, tuple[int, bytes]] = {
    "/token-info": (200, b'{"scopes": ["public:read"]}'),
    "/me": (200, b'{"role": "owner", "companyId": "c1"}'),
}


class Vendor:
    """A vendor on this machine that answers by path from a table, and keeps the tokens it was sent."""

    def __init__(self) -> None:
        self.answers = dict(OWNER)
        self.tokens: list[str | None] = []
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                vendor.tokens.append(self.headers["authorization"])
                status, body = vendor.answers.get(self.path.partition("?")[0], (404, b""))
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def environ(self) -> dict[str, str]:
        return {"GATEWAY_HUMAANS_BASE_URL": f"http://127.0.0.1:{self.server.server_port}"}


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    thread = Thread(target=vendor.server.serve_forever, args=(0.01,))
    thread.start()
    yield vendor
    vendor.server.shutdown()
    thread.join()
    vendor.server.server_close()


LINK = ("accounts", "link", "--project", "acme", "--provider", "humaans")


def test_an_account_lives_from_link_to_unlink(vendor: Vendor, tmp_path: Path) -> None:
    def run(*words: str, given: str | None = None) -> Done:
        way = gateway if given is None else as_process
        done = way(*words, cwd=tmp_path, environ=vendor.environ, given=given or "")
        assert "planted" not in done.stdout + done.stderr
        return done

    linked = run(*LINK, "--owner-id", "c1", "--owner-name", "Customer", given="planted-token\n")
    assert linked.returncode == 0, linked.stderr
    account_id = linked.stdout.removesuffix("\n")
    assert account_id.isalnum()
    assert vendor.tokens == ["Bearer planted-token"] * 2
    assert "scopes (found by token-info): public:read" in linked.stderr
    assert "warning: The token has public:read but not private:read" in linked.stderr

    shown = json.loads(run("accounts", "show", account_id, "--json").stdout)
    assert (shown["status"], shown["owner"]["name"], shown["grant"]["scopes"]) == (
        "active",
        "Customer",
        ["public:read"],
    )
    shown = run("accounts", "show", account_id).stdout
    assert "Customer (c1)" in shown
    assert "answers     0 from the cache, 0 from the provider" in shown
    assert account_id in run("accounts", "list", "--project", "acme").stdout

    assert run("accounts", "resume", account_id).returncode == 1
    assert run("accounts", "suspend", account_id).returncode == 0
    assert "suspended" in run("accounts", "list").stdout
    assert run("accounts", "resume", account_id).returncode == 0

    vendor.answers["/token-info"] = (200, b'{"scopes": ["private:read"]}')
    verified = run("accounts", "verify", account_id)
    assert (verified.returncode, verified.stdout) == (0, "active\n")
    assert "gained: private:read\nlost: public:read" in verified.stderr
    vendor.answers["/token-info"] = (401, b"planted body")
    verified = run("accounts", "verify", account_id)
    assert (verified.returncode, verified.stdout) == (1, "error\n")
    assert "Humaans does not accept this token" in verified.stderr

    assert run("accounts", "unlink", account_id).returncode == 0
    assert run("accounts", "list", "--json").stdout == "[]\n"

    history = json.loads(run("accounts", "audit", account_id, "--json").stdout)
    told = "linked suspended resumed scopes_changed error unlinked".split()
    assert [each["what"].partition(".")[2] for each in reversed(history)] == told
    assert history[2]["details"] == {"gained": ["private:read"], "lost": ["public:read"]}
    assert {(each["by"]["kind"], each["by"]["address"]) for each in history} == {("operator", "cli")}
    narrow = ("--project", "acme", "--what", "account.error", "--before", str(history[0]["id"]), "--most", "1")
    [line] = run("accounts", "audit", *narrow).stdout.splitlines()[1:]
    assert line.split()[3:7] == [account_id, "account.error", "operator", "cli"]
    assert line.endswith("from: active; codes: invalid_credentials")


def test_scopes_that_the_vendor_does_not_tell_may_be_stated(vendor: Vendor, tmp_path: Path) -> None:
    def link(*words: str) -> Done:
        return gateway(*LINK, *words, cwd=tmp_path, environ=vendor.environ, given="planted-token")

    vendor.answers["/token-info"] = (404, b"")
    vendor.answers["/people"] = (200, b'{"data": [{"id": "p1"}, {"id": "p2"}]}')
    tried = link()
    assert "tried, as nobody could tell: compensations:write, documents:write, private:write\n" in tried.stderr
    stated = link("--scopes", "public:read, private:write")
    assert stated.returncode == 0, stated.stderr
    assert "scopes (found by probe+stated): private:write, public:read\n" in stated.stderr
    assert "tried, as" not in stated.stderr
    verified = gateway("accounts", "verify", stated.stdout.strip(), cwd=tmp_path, environ=vendor.environ)
    assert "scopes (found by probe+stated): private:write, public:read\n" in verified.stderr
    wrong = link("--scopes", "everything")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "Humaans has no scope everything; its scopes: public:read" in wrong.stderr


def test_a_token_of_another_company_is_refused_and_a_link_that_is_one_again_says_so(
    vendor: Vendor, tmp_path: Path
) -> None:
    def link(company: str, *words: str) -> Done:
        vendor.answers["/me"] = (200, json.dumps({"role": "owner", "companyId": company}).encode())
        return gateway(*LINK, *words, cwd=tmp_path, environ=vendor.environ, given="planted-token")

    first = link("acme", "--owner-name", "Customer")
    assert "linked again" not in first.stderr
    account = first.stdout.strip()
    again = link("acme")
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert f"linked again: account {account} of owner Customer\n" in again.stderr
    refused = link("bolt")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "of another company in Humaans" in refused.stderr
    assert "--replace-company" in refused.stderr
    replaced = link("bolt", "--replace-company")
    assert (replaced.returncode, replaced.stdout) == (0, first.stdout), replaced.stderr
    history = json.loads(gateway("accounts", "audit", account, "--json", cwd=tmp_path).stdout)
    assert [(each["what"], each["details"].get("fields")) for each in history] == [
        ("account.cache_purged", None),
        ("account.relinked", ["grant", "company"]),
        ("account.relinked", None),
        ("account.linked", None),
    ]


@pytest.mark.parametrize(
    ("token", "answer", "fault"),
    [
        ("planted", (401, b"planted body"), "Humaans does not accept this token"),
        ("planted", (500, b"planted body"), "Humaans answered /token-info with 500: try again later"),
        ("", (200, b""), "the token is empty"),
        ("planted token", (200, b""), "spaces"),
        ("planted" * 10_000, (200, b""), "longer than 512"),
    ],
)
def test_a_token_that_is_not_taken_is_not_stored(
    vendor: Vendor, token: str, answer: tuple[int, bytes], fault: str, tmp_path: Path
) -> None:
    vendor.answers["/token-info"] = answer
    refused = gateway(*LINK, cwd=tmp_path, environ=vendor.environ, given=token)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert fault in refused.stderr
    assert "planted" not in refused.stderr
    assert gateway("accounts", "list", "--json", cwd=tmp_path).stdout == "[]\n"


def test_linking_again_gives_the_same_account(vendor: Vendor, tmp_path: Path) -> None:
    ids = {gateway(*LINK, cwd=tmp_path, environ=vendor.environ, given="planted").stdout for _ in range(2)}
    assert len(ids) == 1


def test_another_master_key_is_refused_until_the_accounts_are_rewrapped(vendor: Vendor, tmp_path: Path) -> None:
    first = {**vendor.environ, "GATEWAY_DATABASE_URL": "sqlite:///x.db", "GATEWAY_VAULT_MASTER_KEY": MASTER}
    account_id = gateway(*LINK, cwd=tmp_path, environ=first, given="planted").stdout.strip()
    assert gateway("accounts", "show", account_id, cwd=tmp_path, environ=first).returncode == 0
    other = {**first, "GATEWAY_VAULT_MASTER_KEY": "B" + MASTER[1:]}
    refused = gateway("accounts", "show", account_id, cwd=tmp_path, environ=other)
    assert refused.returncode == 1
    assert "set GATEWAY_VAULT_MASTER_KEY to the key" in refused.stderr
    both = {**other, "GATEWAY_VAULT_FURTHER_MASTER_KEYS": MASTER}
    assert gateway("accounts", "show", account_id, cwd=tmp_path, environ=both).returncode == 0
    rewrapped = gateway("vault", "rewrap", cwd=tmp_path, environ=both)
    assert (rewrapped.returncode, rewrapped.stderr) == (0, "")
    assert rewrapped.stdout.startswith("1 rewrapped, 0 already under ")
    assert gateway("accounts", "verify", account_id, cwd=tmp_path, environ=other).returncode == 0
