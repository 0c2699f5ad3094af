"""The shipped nginx configuration under a real nginx, with the addresses and paths of a trial put in."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path

from deploy.load.processes import ROOT, Failed, Processes, Server
from deploy.load.tools import find

SHIPPED = ROOT / "deploy" / "nginx.conf"


def configuration(port: int, gateways: Sequence[str], directory: Path) -> str:
    """Returns the shipped configuration with these replacements. Each must match, or another file would be tested."""
    places = {
        "listen 8080 ": f"listen 127.0.0.1:{port} ",
        "server gateway-1:8080 ": f"server {gateways[0]} ",
        "server gateway-2:8080 ": f"server {gateways[1]} " if len(gateways) > 1 else "# one gateway: ",
        "/tmp/nginx-": f"{directory}/nginx-",  # noqa: S108 - in the container it is nginx's own
        "error_log /dev/stderr": f"error_log {directory}/nginx-error.log",
        "access_log /dev/stdout": f"access_log {directory}/nginx-access.log",
        "/etc/nginx/tls/": f"{directory}/nginx-tls/",
    }
    text = SHIPPED.read_text()
    for shipped, ours in places.items():
        if shipped not in text:
            raise Failed(f"{SHIPPED.name} has no {shipped!r} any more")
        text = text.replace(shipped, ours)
    return text


def start(processes: Processes, name: str, text: str, port: int, prefix: Sequence[str] = ()) -> Server:
    """Run nginx with a configuration, and wait until it takes connections on a port. `prefix` may pin it to a core."""
    found = find("nginx")
    if found is None:
        raise Failed("there is no nginx: apt-get install nginx")
    file = processes.directory / f"{name}.conf"
    file.write_text(text)
    # Debian's nginx otherwise switches to an account that may not enter this directory.
    account = " user root;" if os.geteuid() == 0 else ""
    server = processes.start(name, [*prefix, found, "-c", file, "-g", f"daemon off;{account}"])
    server.wait_for(lambda: takes_connections(port))
    return server


def takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_shipped(processes: Processes, gateways: Sequence[str], name: str = "nginx") -> tuple[Server, str]:
    """Run the shipped configuration in front of gateways (`host:port`); give the server and its address."""
    port = processes.ports.take()
    directory = processes.directory / f"{name}-files"
    directory.mkdir()
    return start(processes, name, configuration(port, gateways, directory), port), f"127.0.0.1:{port}"
