"""A vendor's 401 is believed when its own check of the token says so too, by whichever way the 401 was met."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace

import orjson
import pytest

from connectors.contract import Operation
from connectors.exchange import Answer, Request
from connectors.humaans.connector import HUMAANS
from connectors.registry import CONNECTORS
from deploy.sandbox.app import Sandbox, create_app
from gateway.accounts.token_rejection import TokenRejections
from gateway.auth.authentication import Authenticator
from gateway.cache.freshness import NO_DIRECTIVES
from gateway.errors import AccountUnavailable, GatewayError, VendorFailure
from gateway.model import LinkedAccount, Status
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from gateway.proxy.service import ProxyCall, ProxyService
from gateway.unified.call import Call
from tests.connectors.humaans_bench import TODAY, AppVendor, bench_on
from tests.fakes.core import NOW, Register, Vendor, json_answer, make_key, make_linked, refusal
from tests.fakes.record_events import WatcherSetup
from tests.fakes.vendor import GET, LIST, VILLAGE, ReadBench, check_token, make_vendor
from tests.fakes.vendor_events import RegistrarSetup
from tests.fakes.writes import PAID, Script, WriteBench
from tests.fixtures.writes import SOMEBODY
from tests.unified.test_api_every_read import ANSWERED

CHECK = "/token"
TAKEN, REFUSED = json_answer({"data": []}), refusal(401)
UNTOLD: Mapping[str, Answer | GatewayError] = {
    "503": refusal(503),
    "429": refusal(429, retry_after="9"),
    "a page": Answer(302, {"location": "/login"}, b"<html>"),
    "no such path": refusal(404),
    "away": VendorFailure("The provider could not be reached."),
}
"""What tells nothing of a token, or nothing at all."""
Said = Answer | GatewayError


class Door:
    """What a vendor answers that refuses calls to one path; `check` is its word about the token itself."""

    def __init__(self, path: str, check: Said) -> None:
        self.path, self.check, self.checks = path, check, 0

    def __call__(self, request: Request) -> Answer | None:
        if request.path == CHECK:
            self.checks += 1
            if isinstance(self.check, GatewayError):
                raise self.check
            return self.check
        return REFUSED if request.path == self.path else None

    def vendor(self) -> Vendor:
        return Vendor(make_vendor(5).lists, instead=self)


Met = tuple[str, type[GatewayError] | None, Register]
"""What came of a 401: the sentence about it, its error where it is one, and the accounts."""


async def read(check: Said, path: str, operation: Operation = LIST, key: str = "") -> Met:
    bench = ReadBench(Door(path, check).vendor())
    with pytest.raises(GatewayError) as raised:
        await bench.ask(operation, key)
    return raised.value.message, type(raised.value), bench.register


async def write(check: Said, call: str) -> Met:
    office = WriteBench(
        Script({call: REFUSED, f"GET {CHECK}": check}), connector=replace(HUMAANS, check_token=check_token)
    )
    with pytest.raises(GatewayError) as raised:
        await office.hire(**PAID)
    assert office.vendor.written().count("POST /people") == (call == "POST /people")
    return raised.value.message, type(raised.value), office.register


async def write_on(check: Said) -> Met:
    """Meet it when something has been done already: then it stands beside that."""
    script = Script({"POST /compensations": REFUSED, f"GET {CHECK}": check})
    office = WriteBench(script, connector=replace(HUMAANS, check_token=check_token))
    [warning] = orjson.loads((await office.hire(**PAID)).body)["unified_warnings"]
    message: str = warning["message"]
    return message, None, office.register


async def watch(check: Said) -> Met:
    setup = WatcherSetup(vendor=Door("/people", check).vendor())
    outcome, told = await setup.watch()
    assert (outcome, told) == ("failed", [])
    return "", None, setup.register


async def listen(check: Said) -> Met:
    setup = RegistrarSetup(upstream=Door("/hooks", check).vendor())
    await setup.registrar.ensure(setup.linked(), force=True)
    return setup.webhook().reason, None, setup.register


class Refusing:
    """An answer that is still coming, and will not be read."""

    status, headers = 401, {"content-type": "application/json"}
    closed = False

    def chunks(self) -> AsyncIterator[bytes]:
        raise NotImplementedError

    async def close(self) -> None:
        self.closed = True


class RefusingStream:
    answer = Refusing()

    async def open(self, base_url: str, request: Request) -> Refusing:  # noqa: ARG002 - a Stream
        return self.answer


async def dropped(_: LinkedAccount, __: frozenset[str] | None) -> None:
    """Forget nothing: nothing is kept."""


async def pass_through(check: Said, method: str) -> Met:
    connector = replace(HUMAANS, check_token=check_token)
    register = Register({"key": make_key("*")}, {"a1": make_linked("a1", *HUMAANS.scopes, provider="humaans")})
    authenticator = Authenticator(register, {"humaans": Provider(connector, Policy(connector, Operator()))})
    checks = TokenRejections(register, Door("", check).vendor(), lambda: NOW)
    stream = RefusingStream()
    passthrough = ProxyService(
        authenticator, stream, checks, dropped, deadline=30.0, max_answer_bytes=1 << 20, monotonic=NOW.timestamp
    )
    body = b'{"method": "%s", "path": "/locations"}' % method.encode()
    with pytest.raises(GatewayError) as raised:
        await passthrough.answer(ProxyCall("key", "a1", body))
    assert stream.answer.closed
    return raised.value.message, type(raised.value), register


WAYS: Mapping[str, Callable[[Said], Awaitable[Met]]] = {
    "list": lambda check: read(check, "/people"),
    "get": lambda check: read(check, "/people/p1", GET, "p1"),
    "join": lambda check: read(check, "/roles"),
    "read before a write": lambda check: write(check, "GET /compensation-types"),
    "first write": lambda check: write(check, "POST /people"),
    "later write": write_on,
    "passthrough get": lambda check: pass_through(check, "get"),
    "passthrough post": lambda check: pass_through(check, "post"),
    "watch": watch,
    "webhook": listen,
}


def account_of(register: Register) -> tuple[Status, list[str]]:
    account = register.accounts["a1"].account
    return account.status, [reason.code for reason in account.status_reasons]


@pytest.mark.parametrize("way", WAYS)
async def test_a_401_to_a_token_that_the_vendor_takes_is_a_fault_of_the_call(way: str) -> None:
    message, error, register = await WAYS[way](TAKEN)
    assert error in {VendorFailure, None}
    assert "refused this call (401) although it accepts the token: try again" in message or way == "watch"
    assert (account_of(register), register.marked_by) == ((Status.ACTIVE, []), [])


@pytest.mark.parametrize("way", WAYS)
async def test_a_401_to_a_token_that_the_vendor_refuses_puts_the_account_in_error(way: str) -> None:
    message, error, register = await WAYS[way](REFUSED)
    assert error in {AccountUnavailable, None}
    assert "refused the account's token (401): it was revoked or has expired" in message or way == "watch"
    assert account_of(register) == (Status.ERROR, ["invalid_credentials"])
    assert len(register.marked_by) == 1


@pytest.mark.parametrize("check", UNTOLD)
@pytest.mark.parametrize("way", WAYS)
async def test_a_401_that_cannot_be_checked_marks_nothing(way: str, check: str) -> None:
    message, error, register = await WAYS[way](UNTOLD[check])
    assert error in {VendorFailure, None}
    assert "whether it still accepts the token cannot be found out now" in message or way == "watch"
    assert (account_of(register), register.marked_by) == ((Status.ACTIVE, []), [])


async def test_a_check_that_is_not_answered_is_not_waited_for() -> None:
    class Silent(Vendor):
        async def send(self, base_url: str, request: Request) -> Answer:
            await asyncio.sleep(600)
            return await super().send(base_url, request)

    linked = make_linked("a1")
    register = Register(accounts={"a1": linked})
    told = await TokenRejections(register, Silent(), lambda: NOW, check_seconds=0.01).explain(linked, VILLAGE)
    assert isinstance(told, VendorFailure)
    assert "it did not answer within 0.01 seconds" in told.message
    assert register.marked_by == []


@pytest.mark.parametrize("answer", [TAKEN, REFUSED])
async def test_many_calls_at_once_share_one_check_and_mark_once(answer: Answer) -> None:
    """Of one account under one revision; a token that is linked meanwhile is asked about by itself."""
    asked: list[str] = []
    all_asked, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Vendor):
        async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
            asked.append(request.headers["authorization"])
            if len(asked) == 3:
                all_asked.set()
            await go_on.wait()
            return answer

    first, other = make_linked("a1"), make_linked("b1")
    again = replace(first, account=replace(first.account, revision=2))
    register = Register(accounts={"a1": again, "b1": other})
    checks = TokenRejections(register, Slow(), lambda: NOW)
    calls = [asyncio.ensure_future(checks.explain(each, VILLAGE)) for each in [first, other, again] * 100]
    hung_up = asyncio.ensure_future(checks.explain(first, VILLAGE))
    await all_asked.wait()
    hung_up.cancel()
    go_on.set()
    told = await asyncio.gather(*calls)
    assert len(asked) == 3
    assert {type(each) for each in told} == {VendorFailure if answer is TAKEN else AccountUnavailable}
    assert len({id(each) for each in told}) == 300, "each call has an error of its own"
    assert len(register.marked_by) == (0 if answer is TAKEN else 2)


# --- over the tables of every connector ---------------------------------------------------------------------


class Moody(AppVendor):
    """A way to the sandbox, which answers 401 to all but the paths that are open."""

    open: frozenset[str] = frozenset()

    async def send(self, base_url: str, request: Request) -> Answer:
        if request.path in self.open:
            return await super().send(base_url, request)
        self.asked.append(request)
        return refusal(401)


@pytest.fixture(name="app", scope="module")
def fixture_app() -> Sandbox:
    return create_app(60, today=TODAY)


@pytest.mark.parametrize("operation", ANSWERED, ids=lambda each: each.id)
async def test_every_read_that_meets_a_401_asks_once_whether_the_token_is_good(
    app: Sandbox, operation: Operation
) -> None:
    vendor = Moody(app)
    usual = bench_on(app)
    bench = ReadBench(vendor, connector=usual.connector, usual=usual.usual, register=usual.register)
    call = Call(
        secret="key",
        account_id="a1",
        operation=operation,
        key=SOMEBODY if operation.kind == "get" else "",
        employee=SOMEBODY if operation.of_employee else "",
        directives=NO_DIRECTIVES,
        request_id="request",
    )
    for open_paths, error, status in (
        ({"/token-info"}, VendorFailure, Status.ACTIVE),
        (set(), AccountUnavailable, Status.ERROR),
    ):
        vendor.open, vendor.asked = frozenset(open_paths), []
        with pytest.raises(error):
            await bench.reads.read(call)
        assert [each.path for each in vendor.asked].count("/token-info") == 1
        assert bench.register.accounts["a1"].account.status is status


@pytest.mark.parametrize("key", CONNECTORS)
@pytest.mark.parametrize("status", [200, 401])
def test_every_connector_tells_by_few_calls_whether_a_token_is_taken(key: str, status: int) -> None:
    flow = CONNECTORS[key].check_token()
    assert next(flow).method == "GET"
    with pytest.raises(StopIteration) as end:
        flow.send(json_answer({"id": "t"}, status))
    assert end.value.value is (status == 200)
