"""What a vendor's fault during a read leaves behind: nothing cached, nothing running, the account marked."""

import asyncio

import pytest

from connectors.exchange import Answer, Request
from gateway.errors import AccountUnavailable, DeadlineExceeded, VendorFailure
from gateway.model import Status
from tests.fakes.core import NOW, Vendor, refusal
from tests.fakes.vendor import GET, LIST, ReadBench, make_vendor


def bench(people: int = 5) -> ReadBench[Vendor]:
    return ReadBench(make_vendor(people))


@pytest.mark.parametrize("path", ["/people", "/roles", "/people/p1"])
async def test_a_token_that_the_vendor_no_longer_knows_marks_the_account(path: str) -> None:
    gateway = bench()
    gateway.vendor.instead = lambda request: refusal(401) if request.path in {path, "/token"} else None
    operation, key = (GET, "p1") if path == "/people/p1" else (LIST, "")
    with pytest.raises(AccountUnavailable, match=r"Village refused the account's token \(401\)") as expelled:
        await gateway.ask(operation, key)
    assert expelled.value.code == "AccountInvalidCredentialsError"
    assert [each.status for each in expelled.value.provider_errors] == [401]
    account = gateway.register.accounts["a1"].account
    assert (account.status, account.revision) == (Status.ERROR, 2)
    assert [reason.code for reason in account.status_reasons] == ["invalid_credentials"]
    assert account.status_reasons[0].timestamp == NOW
    assert gateway.memory.kinds() <= {"list", "snapshot", "block"}
    # The next call need not find out again.
    gateway.vendor.take_calls()
    with pytest.raises(AccountUnavailable, match="it was revoked or has expired"):
        await gateway.ask()
    assert gateway.vendor.take_calls() == 0


async def test_a_token_that_was_renewed_meanwhile_is_not_marked() -> None:
    gateway = bench()

    def relinked(_: Request) -> Answer:
        gateway.register.change("a1", revision=5)
        return refusal(401)

    gateway.vendor.instead = relinked
    with pytest.raises(AccountUnavailable):
        await gateway.ask(fields="id")
    assert gateway.register.accounts["a1"].account.status is Status.ACTIVE


async def test_a_vendor_that_does_not_answer_in_time_is_not_waited_for() -> None:
    cancelled: list[str] = []

    class Silent(Vendor):
        async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(request.path)
                raise
            return refusal(500)

    gateway = ReadBench(Silent(), deadline=0.3)
    for operation, key in (("list", ""), ("get", "p1")):
        with pytest.raises(DeadlineExceeded, match=r"Village did not answer within 0\.3 seconds; try again") as late:
            await (gateway.ask() if operation == "list" else gateway.ask(GET, key))
        assert late.value.retry_after == 1
    assert sorted(cancelled) == ["/people", "/people/p1", "/roles"]
    assert gateway.memory.values == {}


async def test_a_caller_that_hangs_up_leaves_no_call_running() -> None:
    running, both = 0, asyncio.Event()

    class Slow(Vendor):
        async def send(self, base_url: str, request: Request) -> Answer:
            nonlocal running
            running += 1
            if running == 2:
                both.set()
            try:
                await asyncio.sleep(600)
                return await super().send(base_url, request)
            finally:
                running -= 1

    gateway = ReadBench(Slow(make_vendor(600).lists))
    task = asyncio.ensure_future(gateway.ask())
    await both.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(20):  # The end goes from the answer to its lists to their calls.
        await asyncio.sleep(0)
    assert running == 0
    assert gateway.memory.values == {}


@pytest.mark.parametrize("levels", [250, 300, 900, 1000, 1020])
@pytest.mark.parametrize("kind", ["lists", "objects"])
async def test_raw_of_what_is_nested_deeper_than_can_be_handed_on_is_the_vendors_fault(levels: int, kind: str) -> None:
    gateway = bench(1)
    answer = deep(levels, kind)
    gateway.vendor.instead = lambda request: answer if request.path == "/people" else None
    with pytest.raises(VendorFailure):
        await gateway.ask(raw="true", fields="id")


@pytest.mark.parametrize("levels", [5000, 100_000])
@pytest.mark.parametrize("kind", ["lists", "objects"])
async def test_raw_has_null_for_what_is_nested_deeper_than_can_be_decoded(levels: int, kind: str) -> None:
    gateway = bench(1)
    answer = deep(levels, kind)
    gateway.vendor.instead = lambda request: answer if request.path == "/people" else None
    body = await gateway.body(raw="true", fields="id")
    [row] = body["raw"][0]["response"]["data"]
    assert len(body["data"]) == 1
    assert row["id"] == "p1"
    assert str(row["deep"]).count("None") == 1


def deep(levels: int, kind: str) -> Answer:
    before, after = {"lists": (b"[", b"]"), "objects": (b'{"a":', b"}")}[kind]
    row = b'{"id":"p1","deep":' + before * levels + b"1" + after * levels + b"}"
    headers = {"content-type": "application/json"}
    return Answer(200, headers, b'{"data":[' + row + b'],"total":1,"limit":250,"skip":0}')


async def test_a_failure_is_not_cached() -> None:
    gateway = bench()
    gateway.vendor.instead = lambda _: refusal(503)
    with pytest.raises(VendorFailure):
        await gateway.ask()
    gateway.vendor.instead = lambda _: None
    assert len((await gateway.body())["data"]) == 5


@pytest.mark.parametrize("spoiled", [b"", b"not json\nbody", b"[1,2", b"[1]\nx"])
async def test_a_corrupt_cached_answer_is_a_fault_of_ours_alone(spoiled: bytes) -> None:
    """Only our own cipher can have sealed it, so its shape is ours: what does not open is a miss."""
    gateway = bench()
    await gateway.ask()
    for key in list(gateway.memory.values):
        gateway.memory.values[key] = (1e12, spoiled)
    assert (await gateway.ask()).upstream_calls == 2


async def test_answers_and_lists_are_all_cached_under_the_account() -> None:
    gateway = bench()
    await gateway.ask(expand="work_location")
    await gateway.ask(GET, "p1")
    assert all(key.startswith("{a1}:") for key in gateway.memory.values)
    assert gateway.memory.kinds() == {"answer", "list", "snapshot", "block"}
    await gateway.memory.purge("a1")
    assert gateway.memory.values == {}
