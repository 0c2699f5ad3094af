"""The servers beside ours: each answers the same bytes, or asks the same vendor, and each is alone on its core."""

import asyncio
import json
from dataclasses import dataclass

from redis.asyncio import Redis

from deploy.load import nginx
from deploy.load.drive import Get
from deploy.load.processes import Server
from tests.bench.setup import LIST, ON_SERVER_CORE, Answer, Ground, start_module

NGINX = """
worker_processes 1;
pid {directory}/bench-nginx-pid;
error_log {directory}/bench-nginx-error.log crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {directory}/bench-nginx-body;
    proxy_temp_path {directory}/bench-nginx-temp;
    proxy_cache_path {directory}/bench-nginx-cache keys_zone=answers:1m;
    keepalive_requests 100000000;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_cache_key "$http_authorization $http_x_account_id $request_uri";
    proxy_cache_valid 200 1h;
    proxy_ignore_headers Cache-Control Vary;
    upstream list {{ server {list}; keepalive 32; }}
    upstream one {{ server {one}; keepalive 32; }}
    upstream sandbox {{ server {sandbox}; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location = {path} {{
            proxy_pass http://list;
            proxy_cache answers;
        }}
        location {path}/ {{
            proxy_pass http://one;
            proxy_cache answers;
        }}
        location /api/ {{
            proxy_pass http://sandbox;
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server, or several behind each other, and the request that they are asked."""

    name: str
    server: Server
    address: str
    get: Get
    behind: tuple[Server, ...] = ()

    @property
    def groups(self) -> set[int]:
        """Returns the process groups whose processor time counts."""
        return {each.process.pid for each in (self.server, *self.behind)}


def start_bare(ground: Ground, answer: Answer, get: Get, name: str = "hits") -> Contestant:
    file = ground.processes.directory / f"answer-{name}"
    file.write_bytes(answer.body)
    file.with_suffix(".json").write_text(json.dumps(answer.headers))
    return Contestant("bare ASGI on uvicorn", *start_module(ground, "bare", file, BENCH_NAME=name), get)


def start_nginx(ground: Ground, list_at: str, one_at: str, get: Get) -> Contestant:
    """Starts nginx as a caching proxy of two servers: of the list, and of one person's record."""
    port = ground.processes.ports.take()
    directory = ground.processes.directory
    text = NGINX.format(directory=directory, port=port, list=list_at, one=one_at, sandbox=ground.sandbox, path=LIST)
    server = nginx.start(ground.processes, "bench-nginx", text, port, ON_SERVER_CORE)
    return Contestant("nginx proxy_cache", server, f"127.0.0.1:{port}", get)


def start_plain(ground: Ground, upstream: str, get: Get, name: str) -> Contestant:
    """Starts the plain proxy. Its keys stand in Redis, with the accounts and the vendor's token of each."""
    accounts = {ground.account: ground.vendor_headers["authorization"].removeprefix("Bearer ")}
    asyncio.run(_put(ground.redis, f"key:{ground.key}", json.dumps({"accounts": accounts})))
    environ = {"BENCH_REDIS_URL": ground.redis, "BENCH_UPSTREAM_URL": upstream, "BENCH_NAME": name}
    return Contestant("plain FastAPI + httpx + redis", *start_module(ground, "plain", **environ), get)


async def _put(redis: str, name: str, value: str) -> None:
    async with Redis.from_url(redis) as connection:
        await connection.set(name, value)
