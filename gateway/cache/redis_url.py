"""Opens redis-py's client for a URL: for one server, for servers behind Sentinels, or for a cluster.

- `redis://`, `rediss://` and `unix://` are the library's own, with all its options, such as `?ssl_ca_certs=`.
- `redis+sentinel://user:password@sentinel1,sentinel2/service/0` asks the Sentinels for the primary of a service. User
  and password are those of Redis; the Sentinels' own are the options `sentinel_username` and `sentinel_password`.
- `redis+cluster://user:password@node1,node2` learns the other nodes from the first that answers.

`rediss+sentinel://` and `rediss+cluster://` use TLS for every connection.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from hiredis import pack_command
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

Client = Redis | RedisCluster
SENTINEL_PORT = 26379
REDIS_PORT = 6379


class BadRedisUrl(Exception):
    """The library does not accept the URL.

    The text says why. It does not contain the URL, which may hold a password.
    """


@dataclass(frozen=True, slots=True)
class RedisServers:
    """A client, and the number of servers that it may have to ask before it finds the right one."""

    client: Client
    count: int


def open_servers(url: str, timeout: float, connect_timeout: float) -> RedisServers:
    """Returns the client for a URL and the number of its servers. Raises `BadRedisUrl`.

    The client connects when the first command is sent. `timeout` and `connect_timeout` are in seconds.
    """
    try:
        return _open(url, timeout, connect_timeout)
    except (TypeError, ValueError, RedisError, RedisClusterException) as error:
        raise BadRedisUrl(str(error)) from None


def _open(url: str, timeout: float, connect_timeout: float) -> RedisServers:
    parts = urlsplit(url)
    _, _, mode = parts.scheme.partition("+")
    options: dict[str, Any] = {
        "socket_connect_timeout": connect_timeout,
        # `RedisClient` limits the wait for replies, and rests after a failure instead of trying again.
        "socket_timeout": None,
        "retry": Retry(NoBackoff(), 0),
        # RESP3 would add a handshake and messages about maintenance, and nothing that is used here.
        "protocol": 2,
    }
    if mode == "sentinel":
        return _open_sentinel(parts, timeout, options)
    if mode == "cluster":
        return _open_cluster(parts, timeout, options)
    redis: Redis = Redis.from_url(url, **options)
    pool = redis.connection_pool
    pool.connection_class = _packing_in_c(pool.connection_class)
    # An option that does not exist is an error now, and not with the first command.
    redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    return RedisServers(redis, 1)


def _open_sentinel(parts: SplitResult, timeout: float, options: dict[str, Any]) -> RedisServers:
    service, _, database = parts.path.strip("/").partition("/")
    options |= _options_of(parts) | {"db": int(database or 0)}
    user, password = options.pop("sentinel_username", None), options.pop("sentinel_password", None)
    shared = {name: value for name, value in options.items() if name not in {"username", "password", "db"}}
    # A Sentinel that does not answer must not keep the client from the next one.
    sentinel_options = shared | {"username": user, "password": password, "socket_timeout": timeout}
    nodes = _nodes(parts, SENTINEL_PORT)
    sentinel = Sentinel(nodes, sentinel_kwargs=sentinel_options, **options)  # type: ignore[no-untyped-call]
    client: Redis = sentinel.master_for(unquote(service))
    pool = client.connection_pool
    pool.connection_class = _packing_in_c(pool.connection_class)
    return RedisServers(client, len(nodes) + 1)


def _open_cluster(parts: SplitResult, timeout: float, options: dict[str, Any]) -> RedisServers:
    options |= _options_of(parts)
    nodes = _nodes(parts, REDIS_PORT)
    client = RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in nodes],
        # The slots of nodes that live can be used while others are down.
        require_full_coverage=False,
        # A node that does not answer must not keep the client from the next one. Twice the timeout, as `RedisClient`
        # has to decide first about commands: it tells a stall of this process from a silent server.
        **options | {"socket_timeout": 2 * timeout},
    )
    return RedisServers(client, len(nodes) + 1)


def _packing_in_c(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """Returns a kind of connection that packs commands in C.

    The library packs in Python where it runs in an event loop, which is a third of what a command costs.
    """

    class Packing(kind):  # type: ignore[misc,valid-type]
        def pack_command(self, *args: Any) -> list[bytes]:
            # The library splits names of several words.
            return super().pack_command(*args) if " " in args[0] else [pack_command(args)]

    return Packing


def _options_of(parts: SplitResult) -> dict[str, Any]:
    """Returns what the library reads from user, password and options of a URL."""
    scheme, _, _ = parts.scheme.partition("+")
    user, _, _ = parts.netloc.rpartition("@")
    options: dict[str, Any] = dict(parse_url(f"{scheme}://{user}@host?{parts.query}"))
    del options["host"]
    if options.pop("connection_class", None) is not None:
        options["ssl"] = True
    return options


def _nodes(parts: SplitResult, port: int) -> list[tuple[str, int]]:
    _, _, hosts = parts.netloc.rpartition("@")
    found = [urlsplit(f"//{host}") for host in hosts.split(",")]
    return [(each.hostname or "localhost", each.port or port) for each in found]
