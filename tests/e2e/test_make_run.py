"""`make run`'s program among stand-ins for what it starts: what they are given, and how all of it ends.

The stand-ins are small programs in a copy of the layout, so the program itself is not changed for the test.
"""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.load.ports import Ports
from deploy.sandbox.tokens import by_name

DEPLOY = Path(__file__).parents[2] / "deploy"
REAL_TOKEN = "marked-real-token"
START_SECONDS = 60

SERVER = """
import http.server, pathlib, signal, subprocess, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
def serve(name, port):
    worker = subprocess.Popen(["sleep", "600"])
    with pathlib.Path("pids").open("a") as pids:
        print(name, pathlib.Path("/proc/self").resolve().name, worker.pid, file=pids)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
SANDBOX = "import sys, server\nserver.serve('sandbox', int(sys.argv[2]))\n"
GATEWAY = """
import json, os, pathlib, sys, server
words = sys.argv[1:]
given = sys.stdin.read() if words[:2] == ["accounts", "link"] else ""
own = {name: value for name, value in os.environ.items() if "marked" in value or name.startswith("GATEWAY")}
with pathlib.Path("calls").open("a") as calls:
    print(json.dumps({"words": words, "given": given, "environ": own}), file=calls)
if os.environ.get("BROKEN") == " ".join(words[:2]):
    sys.exit(7)
if words[0] == "serve":
    server.serve("gateway", int(os.environ["GATEWAY_SERVER_PORT"]))
print({"keys": "hg_live_key", "accounts": "account-1"}[words[0]])
"""


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    for folder in ("deploy/sandbox", "gateway"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("run.py", "sandbox/tokens.py", "sandbox/ids.py"):
        shutil.copy(DEPLOY / file, tmp_path / "deploy" / file)
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "deploy/sandbox/__main__.py").write_text(SANDBOX)
    (tmp_path / "gateway/__main__.py").write_text(GATEWAY)
    return tmp_path


@pytest.fixture
def ports() -> Iterator[dict[str, str]]:
    taken = Ports()
    yield {name: str(taken.take()) for name in ("GATEWAY_SERVER_PORT", "SANDBOX_PORT")}
    taken.close()


@contextmanager
def running(layout: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    base = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.run"],
        cwd=layout,
        env={**base, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            yield program
        finally:
            program.terminate()
            try:
                program.wait(START_SECONDS)
            finally:
                # Else one that does not end would be waited for without an end.
                program.kill()


def report_of(program: subprocess.Popen[str]) -> str:
    """All that is printed once everything runs."""
    assert program.stdout is not None
    lines = []
    for line in program.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            break
    return "".join(lines)


def calls(layout: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (layout / "calls").read_text().splitlines()]


def still_there(layout: Path) -> list[str]:
    """Processes of the stand-ins that have not ended, workers too."""
    pids = [pid for line in (layout / "pids").read_text().splitlines() for pid in line.split()[1:]]
    deadline = time.monotonic() + START_SECONDS
    while (alive := [pid for pid in pids if runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return alive


def runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_prints_a_line_that_works_and_passes_the_token_by_standard_input_only(
    layout: Path, ports: Mapping[str, str]
) -> None:
    with running(layout, ports) as program:
        report = report_of(program)
        curl = next(line for line in report.splitlines() if line.startswith("curl "))
        dashboard = next(line for line in report.splitlines() if line.startswith("Dashboard "))
        assert subprocess.run(["bash", "-c", f"{curl} --fail"], check=False).returncode == 0
    address = f"http://127.0.0.1:{ports['GATEWAY_SERVER_PORT']}"
    url = f"{address}/unified/hris/employees?page_size=2"
    assert curl == f"curl -s -u 'hg_live_key:' -H 'x-account-id: account-1' '{url}'"
    password = (layout / "var/dashboard.password").read_text().strip()
    assert dashboard == f"Dashboard   {address}/dashboard   (password {password})"
    assert len(password) >= 20
    create, link, serve = calls(layout)
    token = by_name("all-owner").token
    assert create["words"] == ["keys", "create", "--project", "demo"]
    assert link["words"] == ["accounts", "link", "--project", "demo", "--provider", "humaans"]
    assert (link["given"], serve["words"]) == (token, ["serve"])
    assert token not in json.dumps([create, link["environ"], serve])
    assert link["environ"] == {
        "GATEWAY_SERVER_HOST": "127.0.0.1",
        "GATEWAY_SERVER_PORT": ports["GATEWAY_SERVER_PORT"],
        "GATEWAY_SERVER_PUBLIC_URL": address,
        "GATEWAY_HUMAANS_BASE_URL": f"http://127.0.0.1:{ports['SANDBOX_PORT']}/api",
        "GATEWAY_DATABASE_URL": f"sqlite:///{layout}/var/gateway.db",
        "GATEWAY_VAULT_MASTER_KEY_FILE": f"{layout}/var/master.key",
        "GATEWAY_DASHBOARD_PASSWORD": password,
    }


def test_a_password_of_the_user_s_own_is_not_printed(layout: Path, ports: Mapping[str, str]) -> None:
    with running(layout, {**ports, "GATEWAY_DASHBOARD_PASSWORD": "correct horse battery"}) as program:
        report = report_of(program)
    assert "(GATEWAY_DASHBOARD_PASSWORD is yours)" in report
    assert "correct horse battery" not in report
    assert '"GATEWAY_DASHBOARD_PASSWORD": "correct horse battery"' in (layout / "calls").read_text()


def test_a_real_token_links_humaans_and_starts_no_sandbox(layout: Path, ports: Mapping[str, str]) -> None:
    with running(layout, {**ports, "HUMAANS_TOKEN": REAL_TOKEN}) as program:
        report = report_of(program)
    _, link, _ = calls(layout)
    assert link["words"] == ["accounts", "link", "--project", "humaans", "--provider", "humaans"]
    assert link["given"] == REAL_TOKEN
    assert REAL_TOKEN not in report + json.dumps([{**call, "given": ""} for call in calls(layout)])
    assert '"https://app.humaans.io/api"' in json.dumps(link)
    assert "sandbox" not in (layout / "pids").read_text()


def test_a_second_run_uses_the_same_master_key_and_password(layout: Path, ports: Mapping[str, str]) -> None:
    files = [layout / "var/master.key", layout / "var/dashboard.password"]
    kept = []
    for _ in range(2):
        with running(layout, ports) as program:
            report_of(program)
        kept.append([file.read_bytes() for file in files])
    assert kept[0] == kept[1]
    assert stat.S_IMODE((layout / "var").stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_without_a_traceback(layout: Path, ports: Mapping[str, str], number: signal.Signals) -> None:
    with running(layout, ports) as program:
        report_of(program)
        program.send_signal(number)
        _, said = program.communicate(timeout=START_SECONDS)
    assert (program.returncode, said) == (0, "")
    assert still_there(layout) == []


@pytest.mark.parametrize(("dying", "other"), [("gateway", "sandbox"), ("sandbox", "gateway")])
def test_a_child_that_dies_stops_all_with_a_sentence(
    layout: Path, ports: Mapping[str, str], dying: str, other: str
) -> None:
    with running(layout, ports) as program:
        report_of(program)
        started = dict(line.split()[:2] for line in (layout / "pids").read_text().splitlines())
        os.kill(int(started[dying]), signal.SIGKILL)
        _, said = program.communicate(timeout=START_SECONDS)
    assert (program.returncode, said) == (1, f"run: `{dying}` ended with status -9; the rest is stopped.\n")
    assert other in started
    assert still_there(layout) == []


@pytest.mark.parametrize("command", ["keys create", "accounts link"])
def test_a_command_that_fails_stops_all_with_a_sentence(layout: Path, ports: Mapping[str, str], command: str) -> None:
    with running(layout, {**ports, "BROKEN": command}) as program:
        printed, said = program.communicate(timeout=START_SECONDS)
    assert (program.returncode, printed) == (1, "")
    assert said.startswith(f"run: `gateway {command} --project demo")
    assert said.endswith("ended with status 7.\n")
    assert still_there(layout) == []


@pytest.mark.parametrize("name", ["GATEWAY_SERVER_PORT", "SANDBOX_PORT"])
def test_a_busy_port_is_reported_before_anything_starts(layout: Path, ports: Mapping[str, str], name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running(layout, {**ports, name: port}) as program:
            _, said = program.communicate(timeout=START_SECONDS)
    reason = f"Port {port} on 127.0.0.1 cannot be used (Address already in use)"
    assert (program.returncode, said) == (2, f"run: {reason}: set {name} to another one.\n")
    assert not (layout / "var").exists()


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"GATEWAY_SERVER_PORT": "0"}, "GATEWAY_SERVER_PORT should be a port from 1 to 65535."),
        ({"SANDBOX_PORT": "many"}, "SANDBOX_PORT should be a port from 1 to 65535."),
        ({"SANDBOX_PORT": "18080", "GATEWAY_SERVER_PORT": "18080"}, "Port 18080 is wanted twice"),
    ],
)
def test_a_wrong_port_is_refused(layout: Path, ports: Mapping[str, str], environ: Mapping[str, str], said: str) -> None:
    with running(layout, {**ports, **environ}) as program:
        _, refusal = program.communicate(timeout=START_SECONDS)
    assert program.returncode == 2
    assert said in refusal
