"""Servers and commands of the project as processes of their own: started as a user does, and gone after their block."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from select import select

ROOT = Path(__file__).parents[2]
START_SECONDS = 120.0
STOP_SECONDS = 60.0
IN_GOOD_ORDER = (0, 130)
"""Exit codes after SIGTERM and after Ctrl-C."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Returns this process's environment with these settings of the gateway and no others."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return {**clean, **settings}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens at `url` and writes its words to `log`."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    def stop(self) -> int:
        """Asks it to end, wait until it has, and give its exit code."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def children(self) -> dict[int, str]:
        """Returns the processes that it has started, with their command lines."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(pid): line for pid in pids if (line := command_line_of(pid))}


def command_line_of(pid: int | str) -> str:
    """Returns the command line of a process; nothing when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def within(seconds: float, happens: Callable[[], bool]) -> None:
    """Waits until it happens, and fail when that takes longer."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.05)


@contextmanager
def serving(words: Sequence[str], settings: Mapping[str, str], log: Path) -> Iterator[Server]:
    """A server on a free port, which it prints when it listens. It must end in good order when it is asked to."""
    with log.open("wb") as said, _start(words, settings, said.fileno()) as process:
        try:
            server = Server(_address(process, log), process, log)
            yield server
            code = server.stop()
            assert code in IN_GOOD_ORDER, f"{words} ended with status {code}: {log.read_text()[-2000:]}"
            assert "Traceback" not in log.read_text()
        finally:
            # What a failed test has left, with all that it had started itself.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _start(words: Sequence[str], settings: Mapping[str, str], said: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        start_new_session=True,
    )


def _address(process: subprocess.Popen[str], log: Path) -> str:
    """Read the one line that a server prints."""
    assert process.stdout is not None
    ready, _, _ = select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if ready else ""
    assert " listening on http://" in line, f"{line!r} after up to {START_SECONDS} seconds; {log.read_text()[-2000:]}"
    return line.split()[-1]


def command(words: Sequence[str], settings: Mapping[str, str], given: str = "") -> str:
    """Returns what a command prints; `given` is its standard input."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=environment(settings),
        input=given,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{words} ended with status {done.returncode}: {done.stderr}"
    return done.stdout.strip()
