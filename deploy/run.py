"""`make run`: starts the sandbox and the gateway with one linked account, by the public commands only.

With HUMAANS_TOKEN set it links that real account and starts no sandbox. The data is in `var/`; a second run uses it
again, with the same account and one more key.
"""

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType

from deploy.sandbox.tokens import by_name

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HUMAANS = "https://app.humaans.io/api"
START_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.1


class Refused(Exception):
    """Nothing was started, because of a setting."""


class Failed(Exception):
    """A started process failed."""


class Stopped(Exception):
    """The user has asked to stop."""


class Stop:
    """Whether the user has asked to stop. No `Event`: a signal handler could deadlock on its lock."""

    def __init__(self) -> None:
        self.wanted = False

    def want(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal's handler
        self.wanted = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to start, from the environment."""

    host: str
    port: int
    sandbox_port: int
    token: str | None

    @property
    def local_host(self) -> str:
        """Where a client on this machine finds a server that listens on `host`."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - looked up, not bound

    @property
    def address(self) -> str:
        host = f"[{self.local_host}]" if ":" in self.local_host else self.local_host
        return f"http://{host}:{self.port}"

    @property
    def project(self) -> str:
        return "humaans" if self.token else "demo"


def read_plan(environ: Mapping[str, str]) -> Plan:
    plan = Plan(
        host=environ.get("GATEWAY_SERVER_HOST") or "127.0.0.1",
        port=_port(environ, "GATEWAY_SERVER_PORT", 8080),
        sandbox_port=_port(environ, "SANDBOX_PORT", 8081),
        token=environ.get("HUMAANS_TOKEN", "").strip() or None,
    )
    _refuse_busy(plan.host, plan.port, "GATEWAY_SERVER_PORT")
    if not plan.token:
        if plan.port == plan.sandbox_port:
            raise Refused(f"Port {plan.port} is wanted twice: set SANDBOX_PORT to another one.")
        _refuse_busy("127.0.0.1", plan.sandbox_port, "SANDBOX_PORT")
    return plan


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise Refused(f"{name} should be a port from 1 to 65535.")
    return int(text)


def _refuse_busy(host: str, port: int, name: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do, so that a connection of an earlier run that is still closing is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise Refused(f"Port {port} on {host} cannot be used ({reason}): set {name} to another one.") from error


def environment(environ: Mapping[str, str], plan: Plan, password: str) -> dict[str, str]:
    """What the children get: never the token, and `var/` for all that the user has not placed elsewhere."""
    child = {name: value for name, value in environ.items() if name not in ("HUMAANS_TOKEN", "SANDBOX_PORT")}
    child["GATEWAY_SERVER_HOST"] = plan.host
    child["GATEWAY_SERVER_PORT"] = str(plan.port)
    child.setdefault("GATEWAY_DATABASE_URL", f"sqlite:///{VAR / 'gateway.db'}")
    if "GATEWAY_VAULT_MASTER_KEY" not in child:
        child.setdefault("GATEWAY_VAULT_MASTER_KEY_FILE", str(VAR / "master.key"))
    child.setdefault("GATEWAY_DASHBOARD_PASSWORD", password)
    if plan.token:
        child.setdefault("GATEWAY_HUMAANS_BASE_URL", HUMAANS)
    else:
        child["GATEWAY_HUMAANS_BASE_URL"] = f"http://127.0.0.1:{plan.sandbox_port}/api"
        if plan.local_host in LOOPBACK:
            # The sandbox sends its webhooks there.
            child.setdefault("GATEWAY_SERVER_PUBLIC_URL", plan.address)
    return child


def prepare_var() -> str:
    """Creates `var/` with the master key, without which no stored token can be read, and the dashboard's password.

    Both must outlive a run. Gives the password.
    """
    VAR.mkdir(mode=0o700, exist_ok=True)
    VAR.chmod(0o700)
    _keep("master.key", base64.b64encode(secrets.token_bytes(32)).decode())
    return _keep("dashboard.password", secrets.token_urlsafe(15))


def _keep(name: str, text: str) -> str:
    """Returns the content of a file in `var/`; creates it with the text if there is none."""
    file = VAR / name
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as new:
            new.write(f"{text}\n")
    return file.read_text().strip()


class Children:
    """Processes that live no longer than this one, each with the processes that it starts itself."""

    def __init__(self, environ: Mapping[str, str], stop: Stop) -> None:
        self._environ = environ
        self._stop = stop
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, *words: str) -> None:
        """Start a server. What it says goes where our errors go, so that standard output is ours alone."""
        self._running.append((name, self._popen(words, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno())))

    def ask(self, *words: str, given: str = "") -> str:
        """What a command prints; `given` is its standard input, which no process list shows."""
        process = self._popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        name = " ".join(words)
        self._running.append((name, process))
        text: bytes | None = given.encode()
        while True:
            try:
                said, _ = process.communicate(text, timeout=POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                text = None
                self.check()
        self._running.remove((name, process))
        if process.returncode:
            raise Failed(f"`{name}` ended with status {process.returncode}.")
        return said.decode().strip()

    def wait_until(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if time.monotonic() > deadline:
                raise Failed(f"{what} is not ready after {START_SECONDS:.0f} seconds.")
            time.sleep(POLL_SECONDS)
            self.check()

    def watch(self) -> None:
        """Return never: `Stopped` when the user wants an end, `Failed` when a child has one."""
        while True:
            time.sleep(POLL_SECONDS)
            self.check()

    def check(self) -> None:
        if self._stop.wanted:
            raise Stopped
        for name, process in self._running:
            # A command is asked for its own status; here it is only looked at.
            if process.stdout is None and process.poll() is not None:
                raise Failed(f"`{name}` ended with status {process.returncode}; the rest is stopped.")

    def end(self) -> None:
        """Stop the last started first: the gateway ends its work while its vendor is still there."""
        for _, process in reversed(self._running):
            _signal_group(process, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            _signal_group(process, signal.SIGKILL)
            process.wait()

    def _popen(self, words: Sequence[str], *, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
        # In a session of its own: Ctrl-C in a terminal reaches this process only, which stops its children in order.
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env=self._environ,
            stdin=stdin,
            stdout=stdout,
            start_new_session=True,
        )


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return  # All of it has ended.


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_ready(plan: Plan) -> bool:
    connection = HTTPConnection(plan.local_host, plan.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def run(plan: Plan, children: Children, password: str | None) -> None:
    if plan.token:
        token = plan.token
    else:
        token = by_name("all-owner").token
        children.start("sandbox", "deploy.sandbox", "--port", str(plan.sandbox_port))
        children.wait_until(lambda: _listens(plan.sandbox_port), "The sandbox")
    key = children.ask("gateway", "keys", "create", "--project", plan.project)
    link = ("accounts", "link", "--project", plan.project, "--provider", "humaans")
    account = children.ask("gateway", *link, given=token)
    children.start("gateway", "gateway", "serve")
    children.wait_until(lambda: _is_ready(plan), "The gateway")
    print(report(plan, key, account, password), flush=True)
    children.watch()


def report(plan: Plan, key: str, account: str, password: str | None) -> str:
    request = f"{plan.address}/unified/hris/employees?page_size=2"
    opened = f"password {password}" if password else "GATEWAY_DASHBOARD_PASSWORD is yours"
    return f"""
Gateway     {plan.address}
Key         {key}   (new in each run and shown only now; keys of earlier runs stay valid)
Dashboard   {plan.address}/dashboard   ({opened})
Account     {account}   (project {plan.project}, {"Humaans itself" if plan.token else "the sandbox"})

curl -s -u '{key}:' -H 'x-account-id: {account}' '{request}'

Ctrl-C stops everything."""


def main(environ: Mapping[str, str]) -> int:
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop.want)
    try:
        plan = read_plan(environ)
        password = prepare_var()
        with ExitStack() as stack:
            children = Children(environment(environ, plan, password), stop)
            stack.callback(children.end)
            run(plan, children, None if "GATEWAY_DASHBOARD_PASSWORD" in environ else password)
    except Stopped:
        return 0
    except (Refused, Failed, OSError) as error:
        print(f"run: {error}", file=sys.stderr)
        return 2 if isinstance(error, Refused) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
