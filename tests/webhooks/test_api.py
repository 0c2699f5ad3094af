"""Webhooks over HTTP, with a real receiver: made, heard, signed, rotated, tried again and sent again."""

import base64
import hashlib
import hmac
from contextlib import AsyncExitStack

import pytest

from gateway.app.build import describe
from gateway.contract.query import PageLimits
from gateway.db.engine import writing
from gateway.model import Account
from gateway.webhooks.events import EVENTS, PING, Record, account_event, ping_event, record_event
from tests.fakes.core import NOW, make_linked
from tests.fixtures.gateway import Site
from tests.fixtures.receiver import Received, Receiver
from tests.fixtures.webhooks import ask, log_of, open_local, settled, within


@pytest.fixture(name="site")
async def fixture_site(environ: dict[str, str], stack: AsyncExitStack) -> Site:
    site = await open_local(environ, stack)
    site.account = await site.link("all-owner")
    return site


async def tell(site: Site, name: str) -> Account:
    """Do what a change of an account does: note it in the same transaction."""
    account = await site.stores.accounts.find(site.account)
    assert account is not None
    async with writing(site.stores.engine) as connection:
        await site.stores.outbox.write_account_event(connection, name, account)
    return account


def stackone(secret: str, got: Received) -> bool:
    """Check as StackOne's documentation does: base64url without padding, over the body alone."""
    digest = hmac.new(secret.encode(), got.body, hashlib.sha256).digest()
    return got.headers["x-stackone-signature"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def standard(secret: str, got: Received) -> bool:
    """Check as the libraries of Standard Webhooks do: one of the signatures has to be right."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return wanted in got.headers["webhook-signature"].split()


@pytest.mark.parametrize("name", [*EVENTS, PING])
def test_the_document_says_what_is_sent(name: str) -> None:
    document = describe(PageLimits(25, 250))
    content = document["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
    said = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    account = make_linked("a1", "open").account
    event = ping_event("p1", "w1", "e1", NOW) if name == PING else account_event(name, account, "e1", NOW)
    if name.startswith("hris_"):
        event = record_event(name, account, Record("employees", "u1", "r1"), "e1", NOW)
    assert set(said["required"]) == said["properties"].keys() == {*event.payload, "sent_at"}
    assert len(document["webhooks"]) == len(EVENTS) + 1


async def test_a_change_of_an_account_is_heard_signed_and_told_of_without_what_it_said(
    site: Site, receiver: Receiver
) -> None:
    made = await ask(site, "POST", "/webhooks", {"url": receiver.url, "events": ["account.*"]}, status=201)
    other = {"url": f"{receiver.url}?other", "events": ["account.deleted"]}
    deaf = await ask(site, "POST", "/webhooks", other, status=201)
    account = await tell(site, "account.created")
    await within(lambda: len(receiver.received) == 1)
    [got] = receiver.received
    assert got.headers["content-type"] == "application/json"
    assert got.json == {
        "project_id": account.project_id,
        "account_id": account.id,
        "event": "account.created",
        "event_date": got.json["event_date"],
        "record_type": "account",
        "record_id": account.id,
        "sent_at": got.json["sent_at"],
        "provider": "humaans",
        "origin_owner_id": account.owner.id,
        "origin_owner_name": "Customer",
        "origin_username": None,
        "setup_information": {},
    }
    assert stackone(made["secret"], got)
    assert standard(made["secret"], got)
    [line] = await settled(site, made, "delivered")
    assert line["event_id"] == got.headers["webhook-id"]
    assert [(each["status"], each["error"]) for each in line["attempts"]] == [(200, None)]
    assert "Customer" not in str(line)
    assert await log_of(site, deaf) == []
    metrics = (await site.client.get("/metrics")).text
    assert 'gateway_webhook_attempts_total{outcome="delivered"} 1.0' in metrics


async def test_what_is_refused_is_tried_again_under_its_id_until_it_is_dead_and_can_be_sent_again(
    site: Site, receiver: Receiver
) -> None:
    webhook = await ask(site, "POST", "/webhooks", {"url": receiver.url}, status=201)
    receiver.statuses = [500]
    await tell(site, "account.updated")
    [line] = await settled(site, webhook, "dead")
    assert (line["reason"], line["replayable"]) == ("failed", True)
    assert [(each["status"], each["error"]) for each in line["attempts"]] == [(500, "status")] * 3
    receiver.statuses = [200]
    assert await ask(site, "POST", f"/webhooks/{webhook['id']}/replay", status=202) == {"replayed": 1}
    [line] = await settled(site, webhook, "delivered")
    again = await ask(site, "POST", f"/webhooks/deliveries/{line['id']}/replay", status=202)
    assert again["state"] == "pending"
    await within(lambda: len(receiver.received) == 5)
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1
    assert (await ask(site, "GET", f"/webhooks/{webhook['id']}"))["failing_since"] is None


@pytest.mark.parametrize("known", ["older", "newer"])
async def test_a_receiver_that_knows_one_of_two_secrets_is_reached_whichever_it_is(
    site: Site, receiver: Receiver, known: str
) -> None:
    webhook = await ask(site, "POST", "/webhooks", {"url": receiver.url}, status=201)
    rotated = await ask(site, "POST", f"/webhooks/{webhook['id']}/rotate_secret")
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != webhook["secret"]
    assert rotated["older_secret_until"] is not None
    secret = {"older": webhook, "newer": rotated}[known]["secret"]
    receiver.accepts = lambda got: stackone(secret, got)
    await tell(site, "account.updated")
    [line] = await settled(site, webhook, "delivered")
    assert [each["status"] for each in line["attempts"]] == {"older": [200], "newer": [401, 200]}[known]
    assert all(standard(secret, got) for got in receiver.received)
    assert all(standard(webhook["secret"], got) for got in receiver.received)


async def test_a_secret_that_others_know_ends_at_once(site: Site, receiver: Receiver) -> None:
    webhook = await ask(site, "POST", "/webhooks", {"url": receiver.url}, status=201)
    last = await ask(site, "POST", f"/webhooks/{webhook['id']}/rotate_secret?overlap_seconds=0")
    assert last["older_secret_until"] is None
    await ask(site, "POST", f"/webhooks/{webhook['id']}/ping", status=202)
    await within(lambda: len(receiver.received) == 1)
    [got] = receiver.received
    assert stackone(last["secret"], got)
    assert standard(last["secret"], got)
    assert not standard(webhook["secret"], got)
    assert receiver.events == ["webhook.ping"]


async def test_an_endpoint_lives_from_create_to_delete_and_shows_no_secret_again(site: Site) -> None:
    url = "https://example.com/hook"
    made = await ask(site, "POST", "/webhooks", {"url": url, "description": "ours"}, status=201)
    seen = {name: value for name, value in made.items() if name != "secret"}
    assert await ask(site, "GET", "/webhooks") == [seen]
    changed = await ask(site, "PATCH", f"/webhooks/{made['id']}", {"enabled": False, "events": ["account.error"]})
    assert (changed["enabled"], changed["disabled_reason"], changed["events"], changed["url"]) == (
        False,
        "disabled",
        ["account.error"],
        url,
    )
    await ask(site, "POST", f"/webhooks/{made['id']}/ping", status=409)
    assert (await ask(site, "PATCH", f"/webhooks/{made['id']}", {"enabled": True}))["enabled"] is True
    assert (await ask(site, "DELETE", f"/webhooks/{made['id']}"))["id"] == made["id"]
    await ask(site, "GET", f"/webhooks/{made['id']}", status=404)
    assert made["secret"] not in str(await ask(site, "GET", "/webhooks"))


OF_ONE = [
    ("GET", "/webhooks/{id}", None),
    ("PATCH", "/webhooks/{id}", {"enabled": False}),
    ("DELETE", "/webhooks/{id}", None),
    ("POST", "/webhooks/{id}/rotate_secret", None),
    ("POST", "/webhooks/{id}/ping", None),
    ("GET", "/webhooks/{id}/deliveries", None),
    ("POST", "/webhooks/{id}/replay", None),
    ("POST", "/webhooks/deliveries/{delivery}/replay", None),
]


async def test_what_is_of_another_project_is_not_there_and_each_call_needs_its_scope(
    site: Site, receiver: Receiver
) -> None:
    webhook = await ask(site, "POST", "/webhooks", {"url": receiver.url}, status=201)
    delivery = await ask(site, "POST", f"/webhooks/{webhook['id']}/ping", status=202)
    stranger = await site.make_key(project="stranger")
    reader, writer = await site.make_key("platform.webhooks:read"), await site.make_key("platform.webhooks:write")
    for method, path, body in OF_ONE:
        there = path.format(id=webhook["id"], delivery=delivery["id"])
        await ask(site, method, there, body, key=stranger, status=404)
        await ask(site, method, there, body, key=writer if method == "GET" else reader, status=403)
    assert await ask(site, "GET", "/webhooks", key=stranger) == []
    assert (await ask(site, "GET", f"/webhooks/{webhook['id']}", key=reader))["enabled"] is True


async def test_what_is_not_valid_is_refused_in_words(site: Site) -> None:
    rows = [
        ({}, "url: is missing"),
        ({"url": "ftp://example.com/"}, "must begin with https://"),
        ({"url": "https://10.0.0.1/"}, "private or special network"),
        ({"url": 1}, "url: must be text"),
        ({"url": "https://e.com/", "events": ["account.gone"]}, "account.gone; known: account.created"),
        ({"url": "https://e.com/", "events": []}, "1 to 50"),
        ({"url": "https://e.com/", "secret": "x"}, "secret: there is no such field"),
        ({"url": "https://e.com/", "enabled": 1}, "true or false"),
        ({"url": "https://e.com/", "description": "a" * 201}, "0 to 200"),
    ]
    for body, says in rows:
        assert says in (await ask(site, "POST", "/webhooks", body, status=400))["message"]
    webhook = await ask(site, "POST", "/webhooks", {"url": "https://e.com/"}, status=201)
    for query, says in [("state=gone", "state must be"), ("page_size=0", "from 1 to 250"), ("limit=1", "unknown")]:
        path = f"/webhooks/{webhook['id']}/deliveries?{query}"
        assert says in (await ask(site, "GET", path, status=400))["message"]
    path = f"/webhooks/{webhook['id']}/rotate_secret?overlap_seconds=604801"
    assert "from 0 to 604800" in (await ask(site, "POST", path, status=400))["message"]
