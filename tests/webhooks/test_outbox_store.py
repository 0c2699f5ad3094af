"""The outbox and who sends it, on SQLite and PostgreSQL: what is written is sent, and in time forgotten."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import LargeBinary, func, select, text

from gateway.app.stores import Stores
from gateway.audit.events import AuditEvent, AuditFact, AuditRecord
from gateway.db.engine import reading, writing
from gateway.db.schema import metadata, webhook_attempts, webhook_deliveries, webhook_endpoints
from gateway.errors import StoreUnavailable
from gateway.model import GATEWAY, Account, Clock, Secret
from gateway.observability.metrics import make_metrics
from gateway.webhooks.deliveries import Attempt, Capacity, Delivery, Outcome, Reply, Retention, Schedule, State
from gateway.webhooks.dispatcher import Dispatcher
from gateway.webhooks.endpoints import DeliveryFilter, Endpoint
from gateway.webhooks.outbox_store import OutboxStore
from gateway.webhooks.signature import Message, signature_headers
from tests.fakes.logs import LogLines
from tests.fakes.metrics import counts
from tests.fixtures.databases import MASTER, START, TOKEN, Time, new_account, open_database, told_of

SECRET, NEWER = Secret("whsec_b25l"), Secret("whsec_dHdv")
KEEPING = Retention(replay=timedelta(days=3), log=timedelta(days=30))
LEASE = 60.0
SCHEDULE = Schedule(waits=(10.0, 20.0), disable_after=timedelta(days=5), lease=LEASE)


@dataclass
class Post:
    """The way to the endpoints, as a table: by URL what is answered. What hangs waits for `let_go`."""

    statuses: dict[str, int | None] = field(default_factory=dict)
    sent: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    hanging: set[str] = field(default_factory=set)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    together: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    raises: Exception | None = None

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Reply:
        self.sent.append((url, headers, body))
        self.together[url] += 1
        self.most[url] = max(self.most[url], self.together[url])
        if url in self.hanging:
            await self.let_go.wait()
        if self.raises:
            raise self.raises
        self.together[url] -= 1
        status = self.statuses.get(url, 200)
        return Reply(status=status, error=None if status == 200 else "word")

    def bodies(self, url: str) -> list[dict[str, object]]:
        return [orjson.loads(body) for sent, _, body in self.sent if sent == url]


@dataclass
class Worker:
    """One worker's dispatcher on the database, driven by hand."""

    stores: Stores
    time: Time
    post: Post = field(default_factory=Post)
    concurrency: int = 16
    log: LogLines = field(default_factory=LogLines)
    outbox: OutboxStore | None = None

    def __post_init__(self) -> None:
        self.metrics = make_metrics()
        self.dispatcher = Dispatcher(
            self.outbox or self.stores.outbox,
            self.post.post,
            schedule=SCHEDULE,
            concurrency=self.concurrency,
            endpoint_concurrency=4,
            clock=Clock(
                now=self.time.now,
                timestamp=lambda: self.time.now().timestamp(),
                monotonic=self.time.monotonic,
                jitter=lambda: 0.5,
            ),
            metrics=self.metrics,
            logger=self.log.logger,
        )

    @property
    def counted(self) -> dict[str, int]:
        return counts(self.metrics.webhook_attempts)

    @property
    def disabled(self) -> list[str]:
        return [fields["detail"] for event, fields in self.log.lines if event == "webhook disabled"]

    @property
    def faults(self) -> list[str]:
        return [fields["error"] for event, fields in self.log.lines if event != "webhook disabled"]

    async def round(self) -> int:
        """Sends what is due now, and waits for it."""
        started = await self.dispatcher.start()
        await self.dispatcher.finish()
        return started


@pytest.fixture
async def worker(stores: Stores, time: Time) -> AsyncIterator[Worker]:
    worker = Worker(stores, time)
    yield worker
    assert worker.faults == []


async def listen(stores: Stores, name: str = "w1", events: Sequence[str] = ("*",), project: str = "acme") -> Endpoint:
    made = await stores.keys.ensure_project(project)
    endpoint = Endpoint(
        id=name,
        project_id=made.id,
        url=f"https://{name}.example/",
        events=tuple(events),
        created_at=START,
        updated_at=START,
    )
    assert await stores.endpoints.add(endpoint, SECRET, told_of(endpoint))
    return endpoint


async def note(stores: Stores, account: Account, *names: str) -> None:
    async with writing(stores.engine) as connection:
        for name in names:
            await stores.outbox.write_account_event(connection, name, account)


async def log_of(stores: Stores, endpoint: Endpoint) -> Sequence[Delivery]:
    return await stores.endpoints.deliveries(endpoint, DeliveryFilter(most=100))


async def only(stores: Stores, endpoint: Endpoint) -> Delivery:
    [found] = await log_of(stores, endpoint)
    return found


async def payloads(stores: Stores) -> list[bytes | None]:
    async with reading(stores.engine) as connection:
        return list((await connection.scalars(select(webhook_deliveries.c.payload))).all())


# --- writing ------------------------------------------------------------------------------------------------


async def test_an_event_goes_to_whoever_wants_it_in_its_project_and_to_nobody_else(
    stores: Stores, worker: Worker
) -> None:
    every = await listen(stores, "every")
    some = await listen(stores, "some", ["account.deleted"])
    off = await listen(stores, "off")
    other = await listen(stores, "other", project="stranger")
    await stores.endpoints.change(off, replace(off, disabled_at=START, disabled_reason="disabled"), told_of(off))
    await note(stores, await new_account(stores), "account.updated")
    assert await worker.round() == 1
    assert [url for url, _, _ in worker.post.sent] == [every.url]
    assert [len(await log_of(stores, each)) for each in (every, some, off, other)] == [1, 0, 0, 0]


async def test_a_change_is_told_of_in_the_words_of_the_contract_and_can_be_looked_up_by_account(
    stores: Stores,
) -> None:
    await listen(stores, "w1", ["account.error"])
    await listen(stores, "w2")
    await listen(stores, "w3", project="stranger")
    account = await new_account(stores)
    async with writing(stores.engine) as connection:
        facts = (AuditFact(AuditEvent.ERROR), AuditFact(AuditEvent.UPDATED))
        change = AuditRecord(at=START, by=GATEWAY, project_id=account.project_id, account_id=account.id, facts=facts)
        await stores.outbox.write_change(connection, change, account)
    told = await stores.endpoints.about(account.project_id, account.id, DeliveryFilter())
    assert sorted((each.endpoint_id, each.event) for each in told) == [
        ("w1", "account.error"),
        ("w2", "account.error"),
        ("w2", "account.updated"),
    ]
    assert await stores.endpoints.about(account.project_id, account.id, DeliveryFilter(state=State.DEAD)) == []
    assert await stores.endpoints.about("another", account.id, DeliveryFilter()) == []


async def test_what_is_rolled_back_is_not_sent_and_wakes_nobody(stores: Stores, worker: Worker) -> None:
    endpoint, account, woken = await listen(stores), await new_account(stores), []
    stores.outbox.wake(lambda: woken.append(1))
    with suppress(ZeroDivisionError):
        async with writing(stores.engine) as connection:
            await stores.outbox.write_account_event(connection, "account.updated", account)
            raise ZeroDivisionError
    assert (await worker.round(), woken, await log_of(stores, endpoint)) == (0, [], [])
    async with writing(stores.engine) as connection:
        await stores.outbox.write_account_event(connection, "account.updated", account)
        assert woken == []
    assert woken == [1]


async def test_neither_secrets_nor_what_is_said_can_be_read_in_the_database(stores: Stores) -> None:
    await listen(stores)
    account = await new_account(stores)
    await note(stores, account, "account.updated")
    async with reading(stores.engine) as connection:
        rows = [
            bytes(value or b"") if isinstance(column.type, LargeBinary) else str(value).encode()
            for table in metadata.sorted_tables
            for row in await connection.execute(select(table))
            for column, value in zip(table.c, row, strict=True)
        ]
    said = b"\n".join(rows)
    for planted in (SECRET.reveal, account.owner.name, account.owner.id):
        assert planted.encode() not in said


async def test_another_master_key_is_refused_and_what_is_damaged_ends(
    stores: Stores, url: str, time: Time, worker: Worker
) -> None:
    endpoint = await listen(stores)
    await note(stores, await new_account(stores), "account.updated")
    other = open_database(url, time, MASTER[::-1])
    with pytest.raises(StoreUnavailable, match="master key"):
        await other.check()
    with pytest.raises(StoreUnavailable, match="master key"):
        await Worker(other, time).dispatcher.start()
    await other.close()
    async with writing(stores.engine) as connection:
        await connection.execute(webhook_deliveries.update().values(payload=b"\x01" + bytes(40)))
    assert await worker.round() == 0
    ended = await only(stores, endpoint)
    assert (ended.state, ended.reason) == (State.DEAD, "unreadable")


# --- sending ------------------------------------------------------------------------------------------------


async def test_what_is_not_taken_is_tried_by_schedule_under_one_id_and_then_dead(
    stores: Stores, worker: Worker, time: Time
) -> None:
    endpoint = await listen(stores)
    worker.post.statuses[endpoint.url] = 500
    await note(stores, await new_account(stores), "account.updated")
    for passed, started in [(0, 1), (9.9, 0), (0.1, 1), (19.9, 0), (0.1, 1), (1000, 0)]:
        time.passed += passed
        assert await worker.round() == started, passed
    dead = await only(stores, endpoint)
    assert (dead.state, dead.reason, dead.kept) == (State.DEAD, "failed", True)
    assert [each.at - START for each in dead.attempts] == [timedelta(seconds=each) for each in (0, 10, 30)]
    assert {(each.status, each.error) for each in dead.attempts} == {(500, "word")}
    assert {headers["webhook-id"] for _, headers, _ in worker.post.sent} == {dead.event_id}
    assert len({headers["webhook-timestamp"] for _, headers, _ in worker.post.sent}) == 3
    assert worker.counted == {"retried": 2, "dead": 1}


async def test_a_dead_delivery_can_be_sent_again_with_all_its_tries(stores: Stores, worker: Worker, time: Time) -> None:
    endpoint, account = await listen(stores), await new_account(stores)
    worker.post.statuses[endpoint.url] = 500
    await note(stores, account, "account.updated", "account.error")
    for _ in range(9):
        time.passed += 30
        await worker.round()
    assert {each.state for each in await log_of(stores, endpoint)} == {State.DEAD}
    assert await stores.endpoints.replay_dead(endpoint, time.now()) == 2
    assert await worker.round() == 1
    time.passed += 10
    worker.post.statuses[endpoint.url] = 200
    while await worker.round():
        pass
    assert {each.state for each in await log_of(stores, endpoint)} == {State.DELIVERED}
    assert await stores.endpoints.replay_dead(endpoint, time.now()) == 0
    again = await stores.endpoints.replay((await log_of(stores, endpoint))[0], time.now())
    assert again is not None
    assert again.state is State.PENDING
    assert await worker.round() == 1


async def test_several_workers_send_each_delivery_once(stores: Stores, url: str, time: Time) -> None:
    endpoint, account = await listen(stores), await new_account(stores)
    await note(stores, account, *["account.updated"] * 30)
    others = [open_database(url, time) for _ in range(3)]
    post = Post()
    workers = [Worker(each, time, post) for each in others]
    while sum(await asyncio.gather(*(each.round() for each in workers))):
        pass
    ids = [headers["webhook-id"] for _, headers, _ in post.sent]
    assert len(ids) == len(set(ids)) == 30
    assert sum(each.counted.get("delivered", 0) for each in workers) == 30
    assert {each.state for each in await log_of(stores, endpoint)} == {State.DELIVERED}
    for each in others:
        await each.close()


async def test_what_a_killed_worker_had_is_taken_up_when_its_lease_ends_and_it_is_heard_no_more(
    stores: Stores, worker: Worker, time: Time
) -> None:
    endpoint = await listen(stores)
    await note(stores, await new_account(stores), "account.updated")
    room = Capacity(
        now=time.now(), until=START + timedelta(seconds=LEASE), token="t", most=9, spare=0, each=9, busy=Counter()
    )
    [lost] = await stores.outbox.take(room)
    assert await stores.outbox.take(room) == ()
    time.passed += LEASE - 0.1
    assert await worker.round() == 0
    time.passed += 0.1
    assert await worker.round() == 1
    late = Attempt(at=time.now(), status=500, milliseconds=1)
    assert not await stores.outbox.settle(lost, late, Outcome(State.DEAD, "failed"))
    ended = await only(stores, endpoint)
    assert (ended.state, len(ended.attempts)) == (State.DELIVERED, 1)


async def test_an_end_gives_back_what_is_under_way(stores: Stores, worker: Worker) -> None:
    endpoint = await listen(stores)
    worker.post.hanging.add(endpoint.url)
    await note(stores, await new_account(stores), "account.updated")
    await worker.dispatcher.start()
    quick = replace(worker, post=Post())
    assert await quick.round() == 0
    await worker.dispatcher.close(0.1)
    assert await quick.round() == 1


async def test_a_slow_endpoint_holds_up_nobody_else(stores: Stores, worker: Worker) -> None:
    slow, quick, account = await listen(stores, "slow"), await listen(stores, "quick"), await new_account(stores)
    worker.post.hanging.add(slow.url)
    await note(stores, account, *["account.updated"] * 40)
    for _ in range(30):
        await worker.dispatcher.start()
        await asyncio.sleep(0.01)
    assert len(worker.post.bodies(quick.url)) == 40
    assert worker.post.most[slow.url] == len(worker.post.bodies(slow.url)) == 4
    worker.post.let_go.set()
    await worker.dispatcher.finish()
    while await worker.round():
        pass
    assert len(worker.post.bodies(slow.url)) == 40


async def test_any_number_of_failing_endpoints_leave_room_for_one_that_is_well(stores: Stores, worker: Worker) -> None:
    failing, account = [await listen(stores, f"w{number}") for number in range(18)], await new_account(stores)
    async with writing(stores.engine) as connection:
        await connection.execute(webhook_endpoints.update().values(failing_since=START))
    await note(stores, account, "account.updated")
    well = await listen(stores, "well")
    worker.post.hanging |= {each.url for each in failing}
    assert [await worker.dispatcher.start() for _ in range(2)] == [12, 0]
    await note(stores, account, *["account.error"] * 3)
    await worker.dispatcher.start()
    await until(lambda: len(worker.post.bodies(well.url)) == 3)
    worker.post.let_go.set()
    await worker.dispatcher.finish()


async def test_an_endpoint_that_fails_gets_one_at_a_time_until_it_is_well(stores: Stores, worker: Worker) -> None:
    endpoint, account = await listen(stores), await new_account(stores)
    worker.post.statuses[endpoint.url] = None
    await note(stores, account, *["account.updated"] * 8)
    assert await worker.round() == 4
    failing = await stores.endpoints.find(endpoint.project_id, endpoint.id)
    assert failing is not None
    assert failing.failing_since == START
    assert await worker.round() == 1
    worker.post.statuses[endpoint.url] = 200
    assert [await worker.round() for _ in range(2)] == [1, 2]
    well = await stores.endpoints.find(endpoint.project_id, endpoint.id)
    assert well is not None
    assert well.failing_since is None


@pytest.mark.parametrize(("status", "failing_days", "reason"), [(410, 0, "gone"), (500, 6, "failing")])
async def test_an_endpoint_that_is_gone_or_has_failed_for_days_is_disabled(
    stores: Stores, worker: Worker, time: Time, status: int, failing_days: int, reason: str
) -> None:
    endpoint, account = await listen(stores), await new_account(stores)
    worker.post.statuses[endpoint.url] = status
    await note(stores, account, "account.updated")
    await worker.round()
    time.passed += failing_days * 86400
    for _ in range(2):
        await worker.round()
        time.passed += 20
    assert worker.disabled == [f"{endpoint.id}: {reason}"]
    found = await stores.endpoints.find(endpoint.project_id, endpoint.id)
    assert found is not None
    assert (found.enabled, found.disabled_reason) == (False, reason)
    await note(stores, account, "account.updated")
    assert len(await log_of(stores, endpoint)) == 1


async def test_what_waits_for_a_disabled_endpoint_is_sent_when_it_is_enabled_again(
    stores: Stores, worker: Worker
) -> None:
    endpoint, account = await listen(stores), await new_account(stores)
    await note(stores, account, "account.updated")
    await stores.endpoints.change(
        endpoint, replace(endpoint, disabled_at=START, disabled_reason="disabled"), told_of(endpoint)
    )
    assert await worker.round() == 0
    off = replace(endpoint, disabled_at=START, disabled_reason="disabled")
    await stores.endpoints.change(off, endpoint, told_of(endpoint))
    assert await worker.round() == 1


async def test_a_change_leaves_what_has_become_of_the_endpoint_meanwhile(stores: Stores, worker: Worker) -> None:
    endpoint, account = await listen(stores), await new_account(stores)
    worker.post.statuses[endpoint.url] = 410
    await note(stores, account, "account.updated")
    await worker.round()
    changed = await stores.endpoints.change(endpoint, replace(endpoint, description="new"), told_of(endpoint))
    assert changed is not None
    assert (changed.description, changed.enabled) == ("new", False)
    assert await stores.endpoints.change(endpoint, endpoint, told_of(endpoint)) == changed


async def test_an_older_secret_signs_for_its_time(stores: Stores, worker: Worker, time: Time) -> None:
    endpoint, account = await listen(stores), await new_account(stores)
    until = START + timedelta(hours=1)
    rotated = await stores.endpoints.rotate(replace(endpoint, older_until=until), NEWER, told_of(endpoint))
    assert rotated is not None
    for passed, secrets in [(0, (SECRET, NEWER)), (3599, (SECRET, NEWER)), (1, (NEWER,))]:
        time.passed += passed
        await note(stores, account, "account.updated")
        await worker.round()
        _, headers, body = worker.post.sent[-1]
        signed = signature_headers(Message(headers["webhook-id"], time.now(), body), secrets)
        assert headers == {"content-type": "application/json", **signed}
    await stores.outbox.tidy(time.now(), KEEPING)
    async with reading(stores.engine) as connection:
        assert (await connection.scalars(select(webhook_endpoints.c.older_secret))).all() == [None]


# --- the loop -----------------------------------------------------------------------------------------------


async def until(happens: Callable[[], bool]) -> None:
    for _ in range(500):
        if happens():
            return
        await asyncio.sleep(0.01)
    pytest.fail("not within 5 seconds")


async def test_it_wakes_with_the_commit_and_looks_by_itself(
    stores: Stores, url: str, time: Time, worker: Worker
) -> None:
    await listen(stores)
    account, elsewhere = await new_account(stores), open_database(url, time)
    stores.outbox.wake(worker.dispatcher.wake)
    waiting = asyncio.create_task(worker.dispatcher.step(60.0))
    await asyncio.sleep(0.1)
    await note(stores, account, "account.updated")
    await asyncio.wait_for(waiting, 5)
    await note(elsewhere, account, "account.updated")
    for _ in range(2):
        await asyncio.wait_for(worker.dispatcher.step(0.01), 5)
    await until(lambda: len(worker.post.sent) == 2)
    await worker.dispatcher.finish()
    await elsewhere.close()


async def test_an_unexpected_error_of_an_attempt_is_logged_and_counts_as_an_attempt(stores: Stores, time: Time) -> None:
    endpoint, faulty = await listen(stores), Worker(stores, time, Post(raises=RuntimeError("planted")))
    await note(stores, await new_account(stores), "account.updated")
    assert await faulty.round() == 1
    assert faulty.faults == ["RuntimeError"]
    [tried] = (await only(stores, endpoint)).attempts
    assert (tried.status, tried.error) == (None, "fault")
    assert (await faulty.round(), faulty.counted) == (0, {"retried": 1})


# --- forgetting ---------------------------------------------------------------------------------------------


async def test_of_an_unlinked_account_what_was_said_is_dropped_and_its_end_is_still_told(
    stores: Stores, worker: Worker, time: Time
) -> None:
    endpoint = await listen(stores)
    gone, stays = await new_account(stores, "gone"), await new_account(stores, "stays")
    await note(stores, gone, "account.created")
    await note(stores, stays, "account.created")
    await worker.round()
    worker.post.statuses[endpoint.url] = 500
    await note(stores, gone, "account.updated")
    await worker.round()
    assert [each is not None for each in await payloads(stores)] == [True] * 3
    async with writing(stores.engine) as connection:
        await stores.outbox.delete_payloads(connection, gone)
    await note(stores, gone, "account.deleted")
    kept = {each.event: each.kept for each in await log_of(stores, endpoint) if each.account_id == "gone"}
    assert kept == {"account.created": False, "account.updated": True, "account.deleted": True}
    worker.post.statuses[endpoint.url] = 200
    time.passed += 100
    while await worker.round():
        pass
    told = [body["event"] for body in worker.post.bodies(endpoint.url) if body["account_id"] == "gone"]
    assert set(told) == {"account.created", "account.updated", "account.deleted"}
    kept_of: defaultdict[str | None, set[bool]] = defaultdict(set)
    for each in await log_of(stores, endpoint):
        kept_of[each.account_id].add(each.kept)
    assert kept_of == {"gone": {False}, "stays": {True}}


async def test_time_takes_first_what_was_said_then_the_log(stores: Stores, worker: Worker) -> None:
    endpoint, closed, account = await listen(stores), await listen(stores, "w2"), await new_account(stores)
    await note(stores, account, "account.updated")
    await stores.endpoints.change(
        closed, replace(closed, disabled_at=START, disabled_reason="disabled"), told_of(endpoint)
    )
    await worker.round()
    day = timedelta(days=1)
    for after, kept, told in [(3 * day, True, 1), (3 * day + timedelta(seconds=1), False, 1), (31 * day, False, 0)]:
        await stores.outbox.tidy(START + after, KEEPING)
        found = await log_of(stores, endpoint)
        assert len(found) == told
        assert all(each.kept == kept for each in found)
        # What can be sent no more is no reason to refuse anybody a change.
        assert await stores.endpoints.kept_events(endpoint) == ({"account.updated"} if kept else frozenset())
    async with reading(stores.engine) as connection:
        assert (await connection.scalars(select(func.count()).select_from(webhook_attempts))).one() == 0
    [stuck] = await log_of(stores, closed)
    assert (stuck.state, stuck.reason, stuck.kept) == (State.DEAD, "disabled", False)


async def test_what_hangs_on_a_project_or_an_endpoint_goes_with_it(stores: Stores, worker: Worker) -> None:
    endpoint, account = await listen(stores), await new_account(stores)
    await stores.accounts.store(account, TOKEN)
    await note(stores, account, "account.updated")
    await worker.round()
    assert await stores.endpoints.remove("other project", endpoint.id, told_of(endpoint)) is None
    assert await stores.endpoints.remove(endpoint.project_id, endpoint.id, told_of(endpoint)) is not None
    async with reading(stores.engine) as connection:
        for table in ("webhook_endpoints", "webhook_deliveries", "webhook_attempts"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0
