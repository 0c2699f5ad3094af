"""Who hears of records could as well list them: each way to hear of them takes the scope of that list."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest

from connectors.hris.operations import OPERATIONS
from gateway.app.build import describe
from gateway.contract.query import PageLimits
from gateway.db.engine import writing
from gateway.webhooks.events import EVENTS, RECORDS, Record, record_event
from tests.fakes.core import NOW
from tests.fixtures.gateway import Site, open_site
from tests.fixtures.receiver import Receiver
from tests.fixtures.webhooks import LOCAL, ask, open_local, settled

WRITE = "platform.webhooks:write"
URL, ELSEWHERE = "https://example.com/hook", "https://example.org/hook"
OF_ACCOUNTS = [name for name in EVENTS if name.startswith("account.")]
OF_RECORDS = [name for name in EVENTS if name.startswith("hris_")]


def resource_of(event: str) -> str:
    return event.partition(".")[0].removeprefix("hris_")


def lists_of(resource: str) -> set[str]:
    """Returns the scopes of the operation that lists a resource, by the contract's table."""
    return {
        each.scope for each in OPERATIONS if each.resource == resource and each.kind == "list" and not each.of_employee
    }


SCOPES: Mapping[str, str] = {resource: next(iter(lists_of(resource))) for resource in RECORDS}
EVERY_WAY: list[Any] = [
    *(([event], {SCOPES[resource_of(event)]}) for event in OF_RECORDS),
    *((["account.*", event], {SCOPES[resource_of(event)]}) for event in OF_RECORDS),
    *(([f"hris_{resource}.*"], {scope}) for resource, scope in SCOPES.items()),
    (["*"], set(SCOPES.values())),
    (["account.created", "*"], set(SCOPES.values())),
    (None, set(SCOPES.values())),
]


@pytest.fixture(name="site")
async def fixture_site(environ: dict[str, str], stack: AsyncExitStack) -> Site:
    site = await open_local(environ, stack)
    site.account = await site.link("all-owner")
    return site


async def refused(site: Site, key: str, method: str, path: str, body: Any, scopes: set[str]) -> None:
    said = await ask(site, method, path, body, key=key, status=403)
    assert (said["statusCode"], said["errorCode"]) == (403, "InsufficientScopeError")
    assert sorted(said["errors"]) == sorted(f"missing scope: {each}" for each in scopes)
    assert all(each in said["message"] for each in scopes)


async def hear_of(site: Site, event: str) -> None:
    """Do what a watch does that has found a change."""
    account = await site.stores.accounts.find(site.account)
    assert account is not None
    async with writing(site.stores.engine) as connection:
        told = record_event(event, account, Record(resource_of(event), "u1"), f"e-{event}", NOW)
        await site.stores.outbox.enqueue(connection, [told])


def test_each_resource_that_is_watched_has_one_scope_that_lists_it() -> None:
    assert all(len(lists_of(resource)) == 1 for resource in RECORDS)
    assert {resource_of(event) for event in OF_RECORDS} == RECORDS.keys()


@pytest.mark.parametrize(("events", "scopes"), EVERY_WAY)
async def test_to_ask_for_events_about_records_takes_the_scope_of_their_list(
    site: Site, events: list[str] | None, scopes: set[str]
) -> None:
    bare = await site.make_key(WRITE)
    fitting = await site.make_key(WRITE, *scopes)
    others = await site.make_key(WRITE, "hris.groups:read", *(set(SCOPES.values()) - scopes))
    harmless = await ask(site, "POST", "/webhooks", {"url": URL, "events": ["account.*"]}, key=bare, status=201)
    there = f"/webhooks/{harmless['id']}"
    for key in (bare, others):
        await refused(site, key, "POST", "/webhooks", {"url": URL, "events": events}, scopes)
        await refused(site, key, "PATCH", there, {"events": events}, scopes)
        await refused(site, key, "PATCH", there, {"events": events, "enabled": False}, scopes)
    assert await ask(site, "GET", "/webhooks") == [{each: harmless[each] for each in harmless if each != "secret"}]
    await ask(site, "POST", "/webhooks", {"url": URL, "events": events}, key=fitting, status=201)
    await ask(site, "PATCH", there, {"events": events}, key=fitting)


async def test_an_endpoint_that_names_no_events_asks_for_all_of_them(site: Site) -> None:
    key = await site.make_key(WRITE)
    await refused(site, key, "POST", "/webhooks", {"url": URL}, set(SCOPES.values()))


@pytest.mark.parametrize("event", OF_ACCOUNTS)
async def test_events_about_accounts_take_no_further_scope(site: Site, event: str) -> None:
    key = await site.make_key(WRITE)
    made = await ask(site, "POST", "/webhooks", {"url": URL, "events": [event]}, key=key, status=201)
    changed = {"url": ELSEWHERE, "events": ["account.*"], "enabled": True}
    await ask(site, "PATCH", f"/webhooks/{made['id']}", changed, key=key)


@pytest.mark.parametrize("event", OF_RECORDS)
async def test_an_endpoint_that_hears_of_records_is_turned_elsewhere_and_on_by_who_may_list_them(
    site: Site, event: str
) -> None:
    scope = SCOPES[resource_of(event)]
    bare, fitting = await site.make_key(WRITE), await site.make_key(WRITE, scope)
    made = await ask(site, "POST", "/webhooks", {"url": URL, "events": [event]}, status=201)
    there = f"/webhooks/{made['id']}"
    await refused(site, bare, "PATCH", there, {"url": ELSEWHERE}, {scope})
    await refused(site, bare, "PATCH", there, {"url": ELSEWHERE, "events": ["account.*"]}, {scope})
    # Nothing more is sent, and nothing elsewhere.
    await ask(site, "PATCH", there, {"url": URL, "events": [event], "description": "ours"}, key=bare)
    await ask(site, "POST", f"{there}/ping", key=bare, status=202)
    await ask(site, "POST", f"{there}/rotate_secret", key=bare)
    await ask(site, "PATCH", there, {"enabled": False}, key=bare)
    await refused(site, bare, "PATCH", there, {"enabled": True}, {scope})
    await ask(site, "PATCH", there, {"enabled": True, "url": ELSEWHERE}, key=fitting)
    await ask(site, "DELETE", there, key=bare)


@pytest.mark.parametrize("event", OF_RECORDS)
async def test_what_is_kept_of_records_is_sent_again_and_elsewhere_by_who_may_list_them(
    site: Site, receiver: Receiver, event: str
) -> None:
    scope = SCOPES[resource_of(event)]
    bare, fitting = await site.make_key(WRITE), await site.make_key(WRITE, scope)
    made = await ask(site, "POST", "/webhooks", {"url": receiver.url, "events": [event]}, status=201)
    there = f"/webhooks/{made['id']}"
    receiver.statuses = [500]
    await hear_of(site, event)
    [line] = await settled(site, made, "dead")
    # In two steps: what it asks for from now on says nothing of what is kept.
    await ask(site, "PATCH", there, {"events": ["account.*"]}, key=bare)
    await refused(site, bare, "PATCH", there, {"url": f"{receiver.url}?elsewhere"}, {scope})
    await refused(site, bare, "POST", f"{there}/replay", None, {scope})
    await refused(site, bare, "POST", f"/webhooks/deliveries/{line['id']}/replay", None, {scope})
    receiver.statuses = [200]
    assert await ask(site, "POST", f"{there}/replay", key=fitting, status=202) == {"replayed": 1}
    [line] = await settled(site, made, "delivered")
    await refused(site, bare, "POST", f"/webhooks/deliveries/{line['id']}/replay", None, {scope})
    await ask(site, "POST", f"/webhooks/deliveries/{line['id']}/replay", key=fitting, status=202)


async def test_what_is_kept_of_accounts_is_sent_again_without_a_further_scope(site: Site, receiver: Receiver) -> None:
    key = await site.make_key(WRITE)
    made = await ask(site, "POST", "/webhooks", {"url": receiver.url, "events": ["account.*"]}, key=key, status=201)
    delivery = await ask(site, "POST", f"/webhooks/{made['id']}/ping", key=key, status=202)
    await settled(site, made, "delivered")
    await ask(site, "POST", f"/webhooks/deliveries/{delivery['id']}/replay", key=key, status=202)
    await ask(site, "POST", f"/webhooks/{made['id']}/replay", key=key, status=202)


@pytest.mark.parametrize("resource", RECORDS)
async def test_a_list_that_the_operator_has_closed_is_not_heard_of_either(
    environ: dict[str, str], stack: AsyncExitStack, resource: str
) -> None:
    [listing] = [
        each.id for each in OPERATIONS if each.resource == resource and each.kind == "list" and not each.of_employee
    ]
    site = await open_site({**environ, **LOCAL, "GATEWAY_POLICY_FORBIDDEN_OPERATIONS": listing}, stack)
    site.key = await site.make_key()
    for events in ([f"hris_{resource}.created"], ["*"], None):
        said = await ask(site, "POST", "/webhooks", {"url": URL, "events": events}, status=403)
        assert f"closed {listing}" in said["message"]
    open_ones = [f"hris_{each}.*" for each in RECORDS if each != resource]
    await ask(site, "POST", "/webhooks", {"url": URL, "events": open_ones}, status=201)


async def test_an_endpoint_outlives_the_key_that_made_it(site: Site, receiver: Receiver) -> None:
    """It is the project's, as its accounts are: a key is changed without a gap in what is heard."""
    [event] = [name for name in OF_RECORDS if name == "hris_employees.updated"]
    key = await site.make_key(WRITE, SCOPES["employees"])
    made = await ask(site, "POST", "/webhooks", {"url": receiver.url, "events": [event]}, key=key, status=201)
    [prefix] = [each.prefix for each in await site.stores.keys.all() if key.startswith(each.prefix)]
    assert await site.stores.keys.revoke_key(prefix) is not None
    await ask(site, "GET", "/webhooks", key=key, status=401)
    await hear_of(site, event)
    await settled(site, made, "delivered")
    assert receiver.events == [event]


def test_the_document_says_which_events_take_which_scope() -> None:
    paths = describe(PageLimits(25, 250))["paths"]
    wanted = {event: SCOPES[resource_of(event)] for event in OF_RECORDS}
    ways = [
        paths["/webhooks"]["post"],
        paths["/webhooks/{id}"]["patch"],
        paths["/webhooks/{id}/replay"]["post"],
        paths["/webhooks/deliveries/{id}/replay"]["post"],
    ]
    assert [each.get("x-event-scopes") for each in ways] == [wanted] * len(ways)
    others = [item for path in paths.values() for item in path.values() if item not in ways]
    assert not [item for item in others if "x-event-scopes" in item]
