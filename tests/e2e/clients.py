"""StackOne's own clients, unmodified from their registries; installed on demand, anew when a lock file has changed."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.e2e.installation import Caller

HERE = Path(__file__).parent / "sdk"
OLDEST_NODE = 18
INSTALL_SECONDS = 300
NO_RETRIES: Mapping[str, object] = {"strategy": "none"}


def absent(what: str) -> NoReturn:
    """Leave out the tests that need this; in CI nothing may be left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}: install it")
    pytest.skip(what)


def install_node_client() -> Path:
    """Returns the program `node`, with the TypeScript SDK beside the driver."""
    return install_npm(HERE)


def install_npm(home: Path) -> Path:
    """Returns the program `node`, with what the lock file of a folder names beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        absent("there is no Node.js with npm here")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        absent(f"Node.js is {version.strip()} here and {OLDEST_NODE} or newer is needed")
    lock, stamp = home / "package-lock.json", home / "node_modules/.installed.json"
    with _alone(lock):
        if not _is_same(lock, stamp):
            _install([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], home)
            shutil.copyfile(lock, stamp)
    return Path(node)


def install_python_client() -> Path:
    """Returns a Python that has `stackone-ai`, apart from ours: it wants other versions of what we use."""
    home, lock = HERE / ".venv", HERE / "stackone-ai.lock"
    python, stamp = home / "bin/python", home / "installed.lock"
    with _alone(lock):
        if not _is_same(lock, stamp):
            shutil.rmtree(home, ignore_errors=True)
            _install([sys.executable, "-m", "venv", str(home)])
            options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:")
            _install([str(python), "-m", "pip", "install", *options, "-r", str(lock)])
            shutil.copyfile(lock, stamp)
    return python


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Of several processes that want the same client, let one install it while the others wait."""
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_same(lock: Path, stamp: Path) -> bool:
    return stamp.exists() and stamp.read_bytes() == lock.read_bytes()


def _install(words: Sequence[str], home: Path = HERE) -> None:
    done = subprocess.run(words, cwd=home, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr[-2000:]}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the SDK made of one call: the pages that it gave, and the error that ended it, if one did."""

    pages: list[dict[str, Any]]
    error: dict[str, Any] | None

    @property
    def bodies(self) -> list[dict[str, Any]]:
        assert self.error is None, self.error
        return [page["body"] for page in self.pages]

    @property
    def records(self) -> list[dict[str, Any]]:
        """Returns the records of all pages of a list, in their order."""
        return [record for body in self.bodies for record in body["data"]]


@dataclass(frozen=True, slots=True)
class Sdk:
    """The TypeScript SDK in a Node process that takes one call after the other."""

    process: subprocess.Popen[str]

    def call(
        self,
        caller: Caller,
        method: str,
        request: Mapping[str, object] | None = None,
        *,
        area: str = "hris",
        options: Mapping[str, object] | None = None,
        retries: Mapping[str, object] | None = NO_RETRIES,
    ) -> Outcome:
        """Call `sdk.<area>.<method>`; a list is walked to its end. `retries` of None are the SDK's own."""
        client = {"serverURL": caller.url, "security": {"username": caller.key, "password": ""}}
        order = {
            "client": client if retries is None else {**client, "retryConfig": retries},
            "area": area,
            "method": method,
            "request": {"xAccountId": caller.account, **(request or {})},
            "options": options or {},
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"Node ended with status {self.process.wait()} in {method} {request}"
        return Outcome(**json.loads(line))


@contextmanager
def running_sdk() -> Iterator[Sdk]:
    words = [str(install_node_client()), "--unhandled-rejections=strict", "driver.mjs"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=HERE, stdin=pipe, stdout=pipe, text=True) as process:
        yield Sdk(process)  # The end of its input ends it.


def date(moment: str) -> dict[str, str]:
    """Returns a `Date` of JavaScript, as the driver reads it."""
    return {"$date": moment}
