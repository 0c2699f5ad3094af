"""The processes of a trial: each with its words in a file of its own, and none of them outlives the trial."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from deploy.load.ports import Ports

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 12.0
POLL_SECONDS = 0.02
LISTENING = " listening on "

T = TypeVar("T")


class Failed(Exception):
    """Something that was started did not do its work."""


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def address(self) -> str:
        """Wait for the line in which our servers say where they listen."""
        return self.wait_for(self._address)

    def wait_for(self, find: Callable[[], T]) -> T:
        """Wait until something is found that is true, as long as the server lives."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            found = find()
            if found:
                return found
            time.sleep(POLL_SECONDS)
        said = self.log.read_text(errors="replace").strip()[-500:]
        raise Failed(f"{self.name} does not listen: {said or 'it said nothing'}")

    def _address(self) -> str:
        for line in self.log.read_text(errors="replace").splitlines(keepends=True):
            if LISTENING in line and line.endswith("\n"):
                return line.partition(LISTENING)[2].strip()
        return ""

    def stop(self) -> None:
        _signal_group(self.process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        _signal_group(self.process, signal.SIGKILL)
        self.process.wait()


class Processes:
    """Starts them in the project's directory, with our environment less all settings of a gateway."""

    def __init__(self, directory: Path, environ: Mapping[str, str] = os.environ) -> None:
        self.directory = directory
        self._environ = {name: value for name, value in environ.items() if not name.startswith("GATEWAY_")}
        self._servers: list[Server] = []
        self.ports = Ports()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the last started first: a proxy before what it leads to."""
        for server in reversed(self._servers):
            server.stop()
        self.ports.close()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        environ: Mapping[str, str] | None = None,
        *,
        place: Path = ROOT,
    ) -> Server:
        """Starts a server in the directory `place`."""
        log = self.directory / f"{name}.log"
        with log.open("wb") as words:
            process = subprocess.Popen(
                command,
                cwd=place,
                env={**self._environ, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                # In a group of its own: Ctrl-C reaches this process only, which stops the others in order.
                start_new_session=True,
            )
        self._servers.append(Server(name, process, log))
        return self._servers[-1]

    def ask(
        self,
        command: Sequence[str | Path],
        environ: Mapping[str, str] | None = None,
        given: str = "",
        *,
        place: Path = ROOT,
    ) -> str:
        """Returns the output of a command; `given` is its standard input."""
        done = subprocess.run(
            command,
            cwd=place,
            env={**self._environ, **(environ or {})},
            input=given,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        if done.returncode:
            raise Failed(f"`{' '.join(map(str, command))}` ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout.strip()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
