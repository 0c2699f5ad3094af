"""A vendor webhook is trusted once it has proven itself, for a time, and never after the first doubt."""

from dataclasses import replace
from math import inf

import pytest

from connectors.humaans.events import ALL, RESOURCES, SURE, covered
from gateway.errors import StoreUnavailable, Unauthenticated
from gateway.model import Secret
from gateway.vendor_events.live import BEAT_SECONDS, Receiving
from tests.fakes.core import Memory, UnreachableCache, unjittered
from tests.fakes.vendor_events import CHECK, SILENCE
from tests.vendor_events.test_receiver import BODY, Scene, scene

DAY = 86400.0


async def proven() -> Scene:
    """Returns a registered webhook of which an event came."""
    found = await scene()
    found.setup.time.forward(61)
    await found.receive(BODY)
    assert await found.setup.trusted() == SILENCE
    return found


async def test_it_is_trusted_from_the_first_event_on_for_what_it_covers_until_it_is_silent_for_too_long() -> None:
    found = await scene()
    assert await found.setup.trusted() == 0
    found.setup.time.forward(61)
    await found.receive(BODY)
    assert await found.setup.trusted() == SILENCE
    assert await found.setup.trusted("employments") == 0
    found.setup.time.forward(SILENCE - 1)
    assert await found.setup.trusted() == 1
    found.setup.time.forward(1)
    assert await found.setup.trusted() == 0
    await found.receive(b"employees 11")
    assert await found.setup.trusted() == SILENCE
    assert not found.setup.invalidated


async def test_it_is_not_trusted_for_longer_than_it_was_checked_for() -> None:
    found = await proven()
    for hour in range(12):
        if (left := await found.setup.trusted()) < SILENCE:
            break
        found.setup.time.forward(3600)
        await found.receive(f"employees {hour:02d}".encode())
    assert 0 < left < SILENCE
    found.setup.time.forward(left)
    assert await found.setup.trusted() == 0
    found.setup.statuses = {}
    await found.setup.registrar.ensure(found.setup.linked(), force=True)
    found.setup.store.webhooks["a1"] = replace(found.setup.webhook(), secret=Secret("planted secret"))
    # Between the checks something may have been lost, so an event has to come again.
    assert await found.setup.trusted() == 0
    found.setup.time.forward(61)
    await found.receive(b"employees 12")
    assert await found.setup.trusted() == SILENCE


async def test_a_sound_check_does_not_begin_anew() -> None:
    found = await proven()
    found.setup.time.forward(60)
    await found.setup.registrar.ensure(found.setup.linked(), force=True)
    assert await found.setup.trusted() == SILENCE - 60
    assert not found.setup.invalidated


@pytest.mark.parametrize("doubt", ["a wrong signature", "an unreadable event", "a failed check", "other coverage"])
async def test_at_the_first_doubt_all_that_was_kept_for_longer_is_unusable(doubt: str) -> None:
    found = await proven()
    setup = found.setup
    match doubt:
        case "a wrong signature":
            with pytest.raises(Unauthenticated):
                await found.receive(BODY, x_village_signature="00")
        case "an unreadable event":
            await found.receive(b" ")
        case "a failed check":
            setup.statuses = {"POST": 403}
            await setup.registrar.ensure(setup.linked(), force=True)
        case _:
            setup.covers = ()
            await setup.registrar.ensure(setup.linked(), force=True)
    assert await setup.trusted() == 0
    assert setup.invalidated == ([] if doubt == "other coverage" else ["a1 None"])
    # The next doubt costs nothing.
    with pytest.raises(Unauthenticated):
        await found.receive(BODY, x_village_signature="00")
    assert len(setup.invalidated) <= 1
    setup.time.forward(61)
    await found.receive(b"employees 12")
    assert await setup.trusted() == 0


async def test_a_webhook_that_is_registered_anew_has_to_prove_itself_anew() -> None:
    found = await proven()
    found.setup.store.webhooks["a1"] = replace(found.setup.webhook(), remote_id=None, secret=None)
    await found.setup.registrar.ensure(found.setup.linked(), force=True)
    assert await found.setup.trusted() == 0
    assert found.setup.invalidated == ["a1 None"]


async def test_another_token_has_to_prove_itself_anew() -> None:
    found = await proven()
    found.setup.register.change("a1", revision=2)
    assert await found.setup.trusted() == 0


async def test_a_lost_note_means_that_nothing_is_known() -> None:
    found = await proven()
    found.setup.memory.evict("webhook")
    assert await found.setup.trusted() == 0


async def test_receiving_has_no_break_while_some_worker_lives_and_begins_anew_after_one() -> None:
    time = unjittered()
    memory, first = Memory(time), time.seconds()
    workers = [Receiving(memory, time.seconds) for _ in range(2)]
    assert workers[0].since == inf
    for _ in range(20):
        for worker in workers:
            await worker.beat()
        assert [worker.since for worker in workers] == [first, first]
        time.forward(BEAT_SECONDS)
    time.forward(5 * BEAT_SECONDS)
    await workers[0].beat()
    assert workers[0].since == time.seconds()


async def test_an_event_that_could_not_be_applied_is_a_break() -> None:
    found = await scene()
    await found.setup.receiving.beat()
    assert found.setup.receiving.since < inf
    found.ears.told = False
    with pytest.raises(StoreUnavailable):
        await found.receive(BODY)
    assert found.setup.receiving.since == inf
    found.setup.time.forward(5)
    await found.setup.receiving.beat()
    assert found.setup.receiving.since == found.setup.time.seconds()


async def test_without_the_shared_cache_nothing_is_known() -> None:
    receiving = Receiving(UnreachableCache(), unjittered().seconds)
    await receiving.beat()
    assert receiving.since == inf


@pytest.mark.parametrize(
    ("events", "resources"),
    [
        (list(ALL), frozenset().union(*RESOURCES.values())),
        (list(SURE), frozenset()),
        (["person.created", "person.updated", "person.deleted"], frozenset({"employees"})),
        (
            [name for name in ALL if name != "compensation.deleted"],
            frozenset().union(*RESOURCES.values()) - {"employments"},
        ),
        (None, frozenset()),
        ([1, {}], frozenset()),
    ],
)
def test_what_humaans_tells_everything_of(events: object, resources: frozenset[str]) -> None:
    assert covered(events) == resources
    assert CHECK.total_seconds() < DAY
