"""What vendors send is believed only when it is signed, and then has one effect: that something is asked for again."""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.events import Event, Signature
from gateway.errors import GatewayError, StoreUnavailable, Unauthenticated
from gateway.model import Account, LinkedAccount, Secret
from gateway.vendor_events.receiver import EVENT_TIME_INTERVAL, REMEMBERED, VendorDelivery, WebhookReceiver, is_signed
from tests.fakes.metrics import counts
from tests.fakes.vendor_events import HEADER, VILLAGE_EVENTS, RegistrarSetup

BODY = b"employees 10"
SECRET = "planted secret"


@dataclass
class Ears:
    """Hears all that signals bring about; `told` is whether the cache takes it."""

    told: bool = True
    done: list[str] = field(default_factory=list)
    faults: list[GatewayError] = field(default_factory=list)

    async def invalidate(self, linked: LinkedAccount, resources: frozenset[str] | None, request_id: str) -> bool:
        assert linked.credential.reveal == "token of a1"
        self.done.append(f"{linked.account.id} {','.join(resources or ['all'])} {request_id}")
        return self.told

    async def noticed(self, account: Account, events: Sequence[Event]) -> None:
        if self.faults:
            raise self.faults.pop()
        self.done.append(f"noticed {account.id} {','.join(event.name for event in events)}")


@dataclass
class Scene:
    """Signals for `a1`, whose endpoint is registered."""

    setup: RegistrarSetup
    ears: Ears
    signals: WebhookReceiver
    calls: int = 0

    @property
    def counted(self) -> dict[str, int]:
        return counts(self.setup.metrics.vendor_events)

    async def receive(self, body: bytes, *, provider: str = "village", account: str = "a1", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()} or signed(body)
        self.calls += 1
        delivery = VendorDelivery(
            provider=provider, account_id=account, headers=named, body=body, request_id=f"r{self.calls}"
        )
        await self.signals.receive(delivery)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {HEADER: hmac.new(secret.encode(), body, "sha256").hexdigest()}


async def scene() -> Scene:
    setup, ears = RegistrarSetup(), Ears()
    await setup.registrar.ensure(setup.linked())
    setup.store.webhooks["a1"] = replace(setup.webhook(), secret=Secret(SECRET))
    signals = WebhookReceiver(
        setup.store,
        setup.register,
        setup.providers,
        invalidate=ears.invalidate,
        on_events=ears.noticed,
        live=setup.live,
        clock=lambda: setup.time.moment,
        metrics=setup.metrics,
    )
    return Scene(setup, ears, signals)


# --- signatures ---------------------------------------------------------------------------------------------


def digest(algorithm: str = "sha256", body: bytes = BODY, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), body, algorithm).digest()


@pytest.mark.parametrize(
    ("headers", "good"),
    [
        ({HEADER: digest().hex()}, True),
        ({HEADER: digest().hex().upper()}, True),
        ({HEADER: "sha256=" + digest().hex()}, True),
        ({"x-other": base64.b64encode(digest("sha512")).decode()}, True),
        # One good form is enough.
        ({HEADER: digest().hex(), "x-other": "nonsense"}, True),
        ({}, False),
        ({HEADER: ""}, False),
        ({HEADER: "sha256="}, False),
        ({HEADER: "sha512=" + digest().hex()}, False),
        ({HEADER: digest().hex()[:-1]}, False),
        ({HEADER: digest().hex()[:-2]}, False),
        ({HEADER: digest().hex() + "00"}, False),
        ({HEADER: digest("sha512").hex()}, False),
        ({HEADER: base64.b64encode(digest()).decode()}, False),
        ({HEADER: digest(body=BODY + b" ").hex()}, False),
        ({HEADER: digest(secret="other").hex()}, False),
        ({HEADER: digest(secret="").hex()}, False),
        ({HEADER: "é" * 64}, False),
        ({"x-other": digest("sha512").hex()}, False),
        ({"x-other": base64.b64encode(digest()).decode()}, False),
        ({"x-unknown": digest().hex()}, False),
    ],
)
def test_a_signature_is_good_in_each_of_the_known_forms_and_in_no_other(headers: dict[str, str], good: bool) -> None:
    delivery = VendorDelivery(provider="village", account_id="a1", headers=headers, body=BODY, request_id="r")
    assert is_signed(delivery, VILLAGE_EVENTS.signatures, Secret(SECRET)) is good


@given(body=st.binary(max_size=64), other=st.binary(max_size=64), form=st.sampled_from(VILLAGE_EVENTS.signatures))
def test_a_signature_is_of_one_body_alone(body: bytes, other: bytes, form: Signature) -> None:
    made = digest(form.algorithm, body)
    text = form.prefix + (made.hex() if form.encoding == "hex" else base64.b64encode(made).decode())
    delivery = VendorDelivery(provider="v", account_id="a", headers={form.header: text}, body=other, request_id="r")
    assert is_signed(delivery, VILLAGE_EVENTS.signatures, Secret(SECRET)) is (body == other)


@given(
    body=st.binary(max_size=64) | st.just(BODY),
    headers=st.dictionaries(st.sampled_from([HEADER, "x-other", "x-x"]), st.text(max_size=130) | st.just("sha256=00")),
    account=st.sampled_from(["a1", "b1", "nobody", "\0"]),
    provider=st.sampled_from(["village", "other"]),
)
async def test_nothing_that_is_not_signed_has_an_effect(
    body: bytes, headers: dict[str, str], account: str, provider: str
) -> None:
    here = await scene()
    before, asked = dict(here.setup.store.webhooks), here.setup.asked()
    delivery = VendorDelivery(provider=provider, account_id=account, headers=headers, body=body, request_id="r")
    with pytest.raises(Unauthenticated) as refused:
        await here.signals.receive(delivery)
    assert (here.ears.done, here.setup.store.webhooks, here.setup.asked()) == ([], before, asked)
    assert str(refused.value) == "This delivery is not signed as it has to be."
    assert here.counted == {f"{'village' if provider == 'village' else 'other'} refused": 1}


@pytest.mark.parametrize(
    ("provider", "account"), [("village", "b1"), ("village", "nobody"), ("other", "a1"), ("quiet", "a1")]
)
async def test_a_good_signature_is_good_for_its_own_account_and_provider_alone(provider: str, account: str) -> None:
    here = await scene()
    village = here.setup.providers["village"]
    here.setup.providers["quiet"] = replace(village, connector=replace(village.connector, events=None))
    await here.setup.registrar.ensure(here.setup.linked("b1"))
    with pytest.raises(Unauthenticated):
        await here.receive(BODY, provider=provider, account=account)
    assert here.ears.done == []


async def test_another_provider_s_events_are_not_heard_under_ours() -> None:
    here = await scene()
    here.setup.providers["second"] = here.setup.providers["village"]
    with pytest.raises(Unauthenticated):
        await here.receive(BODY, provider="second")


async def test_after_unlinking_and_without_a_secret_nothing_is_heard() -> None:
    here = await scene()
    here.setup.store.webhooks["a1"] = replace(here.setup.webhook(), secret=None)
    with pytest.raises(Unauthenticated):
        await here.receive(BODY)
    with pytest.raises(Unauthenticated):
        await here.receive(BODY, **{HEADER: hmac.new(b"", BODY, "sha256").hexdigest()})
    here.setup.store.webhooks["a1"] = replace(here.setup.webhook(), secret=Secret(SECRET))
    del here.setup.register.accounts["a1"]
    with pytest.raises(Unauthenticated):
        await here.receive(BODY)
    assert here.ears.done == []


# --- effects ------------------------------------------------------------------------------------------------


async def test_an_event_ends_what_is_kept_of_what_it_concerns_and_is_then_noticed() -> None:
    here = await scene()
    await here.receive(b"employees employees weather 10")
    assert here.ears.done == ["a1 employees r1", "noticed a1 employees,employees"]
    assert here.counted == {"village received": 2, "village unknown": 1}


@pytest.mark.parametrize(
    ("body", "counted"), [(b"weather 10", {"village unknown": 1}), (b"", {"village unreadable": 1}), (b"10", {})]
)
async def test_what_we_do_not_know_is_taken_and_counted_and_does_nothing(body: bytes, counted: dict[str, int]) -> None:
    here = await scene()
    await here.receive(body)
    assert (here.ears.done, here.counted) == ([], counted)


async def test_a_copy_does_nothing_and_what_happened_earlier_may_come_later() -> None:
    here = await scene()
    for body in (b"employees 11", b"employees 10", b"employees 11", b"employees 10"):
        await here.receive(body)
    assert [each for each in here.ears.done if "noticed" not in each] == ["a1 employees r1", "a1 employees r2"]
    assert here.counted == {"village received": 2, "village repeated": 2}


async def test_of_events_without_a_time_two_that_read_alike_may_be_two() -> None:
    here = await scene()
    await here.receive(b"employees")
    await here.receive(b"employees")
    assert here.counted == {"village received": 2}


async def test_copies_are_remembered_up_to_a_number() -> None:
    here = await scene()
    await here.receive(b"employees 10")
    for number in range(REMEMBERED):
        await here.receive(b"weather 10 " + b" " * number)
    await here.receive(b"employees 10")
    assert here.counted["village received"] == 2
    assert len(here.signals._received) == REMEMBERED


async def test_what_the_cache_did_not_take_is_to_be_sent_again_and_is_then_no_copy() -> None:
    here = await scene()
    here.ears.told = False
    with pytest.raises(StoreUnavailable, match="send this again"):
        await here.receive(BODY)
    assert here.setup.webhook().last_event_at is None
    here.ears.told = True
    here.ears.faults.append(StoreUnavailable("The listener cannot keep it."))
    with pytest.raises(StoreUnavailable, match="listener"):
        await here.receive(BODY)
    await here.receive(BODY)
    assert here.ears.done == ["a1 employees r1", "a1 employees r2", "a1 employees r3", "noticed a1 employees"]
    assert here.counted == {"village received": 1}


async def test_when_the_last_event_came_is_noted_once_a_minute() -> None:
    here = await scene()
    first = here.setup.time.moment
    await here.receive(b"employees 10")
    here.setup.time.forward(EVENT_TIME_INTERVAL.total_seconds() - 1)
    await here.receive(b"employees 11")
    assert here.setup.webhook().last_event_at == first
    here.setup.time.forward(1)
    await here.receive(b"weather 12")
    assert here.setup.webhook().last_event_at == here.setup.time.moment
    assert (await here.setup.health())["last_event_at"] == "2026-11-24T12:01:00.000Z"
