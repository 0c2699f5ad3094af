"""A worker searches for cycles seldom, and still collects them."""

import gc
from collections.abc import Iterator, MutableMapping
from typing import Any
from weakref import ref

import pytest

from gateway.app.build import Application
from gateway.app.garbage_collection import YOUNG, tune_garbage_collection
from tests.fixtures.gateway import Site, settings_for


class Knot:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture(name="tuned")
def fixture_tuned() -> Iterator[None]:
    """The collector as a worker has it; the tests after this one get it back as it was."""
    before = gc.get_threshold()
    tune_garbage_collection()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


async def test_a_worker_tunes_the_collector_before_it_says_that_it_has_started(environ: dict[str, str]) -> None:
    before = gc.get_threshold()
    said: list[tuple[str, int]] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.shutdown" if said else "lifespan.startup"}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append((message["type"], gc.get_threshold()[0]))

    try:
        await Application(settings_for(environ))({"type": "lifespan"}, receive, send)
        assert said[0] == ("lifespan.startup.complete", YOUNG)
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


@pytest.mark.usefixtures("tuned")
async def test_requests_leave_no_more_garbage_than_the_threshold_allows(site: Site) -> None:
    async def ask() -> None:
        answer = await site.get(page_size="1", headers={"cache-control": "no-cache"})
        assert answer.status_code == 200

    for _ in range(20):
        await ask()
    gc.collect()
    after_some = len(gc.get_objects())
    for _ in range(60):
        await ask()
        assert len(gc.get_objects()) < after_some + 2 * YOUNG
    gc.collect()
    # What stays is what a request may leave for good: caches that fill up, and nothing for each request.
    assert len(gc.get_objects()) < after_some + 60 * 20


@pytest.mark.usefixtures("tuned")
def test_a_cycle_is_collected_without_being_asked_for() -> None:
    lost = ref(Knot())
    assert lost() is not None
    kept: list[list[int]] = [[] for _ in range(2 * YOUNG)]
    assert len(kept) == 2 * YOUNG
    assert lost() is None
