"""Hits behind the shipped nginx configuration: over kept connections and over TLS, beside a static upstream."""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.load import nginx
from deploy.load.processes import Server
from deploy.load.tools import find
from tests.bench.bars import Section
from tests.bench.contestants import Contestant
from tests.bench.hits import Field
from tests.bench.rounds import HEAD, cpu_ratio, measure_rounds, rate_ratio, row
from tests.bench.setup import LIST, ON_SERVER_CORE, Effort, Ground, drive_of, fetch

STATIC = """
worker_processes 1;
pid {directory}/static-pid;
error_log {directory}/static-error.log crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    open_file_cache max=10;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location = {path} {{
            default_type application/json;
            alias {directory}/answer-hits;
        }}
    }}
}}
"""
NEW_KEY = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")


def proxied_section(ground: Ground, field: Field, effort: Effort) -> Section:
    """Measures nginx together with what is behind it: all are on the one core of servers."""
    port = ground.processes.ports.take()
    text = STATIC.format(directory=ground.processes.directory, port=port, path=LIST)
    static = nginx.start(ground.processes, "static", text, port, ON_SERVER_CORE)
    behind = (
        ("gateway", field.gateway.server, field.gateway.address),
        ("a static file of nginx", static, f"127.0.0.1:{port}"),
        ("bare ASGI", field.bare.server, field.bare.address),
    )
    secured = find("openssl") is not None
    all_of = [_start(ground, field, *each, tls=False) for each in behind]
    all_of += [_start(ground, field, *each, tls=True) for each in behind[:2]] if secured else []
    for each in all_of:
        if each.address.startswith("127."):
            fetch(each.address, each.get)
    runs = measure_rounds(drive_of(ground.processes, effort.seconds), all_of, effort.rounds)
    rows = [row(each.name, runs[0], own) for each, own in zip(all_of, runs, strict=True)]
    figures = {
        "proxied/rate": rate_ratio(runs[0], runs[1]),
        "proxied/cpu": 1 / cpu_ratio(runs[0], runs[1]),
    }
    note = "`deploy/nginx.conf` with one worker and kept connections, and with TLS as in `deploy/tls/`; CPU of both."
    return Section("Behind nginx", HEAD, rows, note, figures)


def _start(ground: Ground, field: Field, name: str, server: Server, address: str, *, tls: bool) -> Contestant:
    """Starts the shipped configuration before one server."""
    port = ground.processes.ports.take()
    way = "TLS" if tls else "nginx"
    directory = ground.processes.directory / f"proxied-{port}"
    directory.mkdir()
    text = nginx.configuration(port, [address], directory).replace("worker_processes auto", "worker_processes 1")
    if tls:
        _secure(directory / "nginx-tls")
        text = text.replace(f"listen 127.0.0.1:{port} ", f"listen 127.0.0.1:{port} ssl ")
    proxy = nginx.start(ground.processes, f"proxied-{port}", text, port, ON_SERVER_CORE)
    at = f"127.0.0.1:{port}"
    get = replace(field.gateway.get, path=LIST)
    return Contestant(f"{way} → {name}", proxy, f"https://{at}" if tls else at, get, (server,))


def _secure(folder: Path) -> None:
    folder.mkdir()
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    command: Sequence[str] = [find("openssl") or "", *NEW_KEY, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    lines = (f"ssl_certificate {certificate};", f"ssl_certificate_key {key};", "ssl_protocols TLSv1.2 TLSv1.3;")
    (folder / "https.conf").write_text("\n".join(lines))
