"""The cache as a caller sees it: what the headers say, what a request may demand, and that tenants share nothing."""

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
import redis

from gateway.model import Secret
from tests.fixtures.gateway import Sandbox, Site, open_site
from tests.fixtures.linking import Time


def status(answer: object) -> str:
    return str(answer.headers["cache-status"]).split(";")[1].strip()  # type: ignore[attr-defined]


async def test_the_second_answer_is_a_hit_and_says_its_age(site: Site, sandbox: Sandbox) -> None:
    first = await site.get()
    sandbox.reset()
    second = await site.get()
    assert (status(first), status(second)) == ("fwd=miss", "hit")
    assert first.headers["cache-status"] == "hris-gateway; fwd=miss; stored"
    assert second.content == first.content
    assert 0 <= int(second.headers["age"]) < 60
    assert second.headers["cache-control"].startswith("private, max-age=")
    assert sandbox.calls() == []


async def test_the_same_query_in_another_order_is_the_same_answer(site: Site) -> None:
    await site.get(fields="id,first_name")
    assert status(await site.get(fields="first_name,id")) == "hit"


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("no-cache", "fwd=request"),
        ("max-age=0", "fwd=request"),
        ("no-store", "fwd=bypass"),
        ("max-age=60", "hit"),
        ("max-stale=5, unknown", "hit"),
    ],
)
async def test_a_request_may_demand_a_fresh_answer(site: Site, directive: str, expected: str) -> None:
    await site.get()
    assert status(await site.get(headers={"cache-control": directive})) == expected


async def test_no_store_stores_nothing(site: Site) -> None:
    await site.get(headers={"cache-control": "no-store"})
    assert status(await site.get()) == "fwd=miss"


async def test_a_change_upstream_is_seen_with_no_cache(site: Site, sandbox: Sandbox) -> None:
    one = (await site.get(page_size="1", fields="remote_id,first_name")).json()["data"][0]
    sandbox.steer("PATCH", f"/rows/people/{one['remote_id']}", {"firstName": "Changed"})
    cached = await site.get(page_size="1", fields="remote_id,first_name")
    fresh = await site.get(page_size="1", fields="remote_id,first_name", headers={"cache-control": "no-cache"})
    sandbox.steer("PATCH", f"/rows/people/{one['remote_id']}", {"firstName": one["first_name"]})
    assert cached.json()["data"] == [one]
    assert fresh.json()["data"][0]["first_name"] == "Changed"


async def test_redis_holds_only_sealed_values_under_keys_that_begin_with_the_account(
    site: Site, redis_url: str
) -> None:
    people = (await site.get(page_size="100")).json()["data"]
    store = redis.Redis.from_url(redis_url)
    keys = list(store.scan_iter(match=f"{{{site.account}}}:*"))
    values = b"".join(store.dump(key) or b"" for key in keys)
    store.close()
    assert len(keys) >= 5
    personal = [person[name] for person in people for name in ("remote_id", "last_name", "personal_email")]
    # Three bytes occur by chance in a megabyte of random ones; eight do once in ten million runs.
    secrets = [text.encode() for text in personal if text and len(text.encode()) >= 8]
    assert len(secrets) > len(people)
    for secret in secrets:
        assert secret not in values
        assert not any(secret in key for key in keys)


async def test_a_cold_miss_reads_redis_twice_and_a_local_hit_never(site: Site, redis_url: str) -> None:
    """The first look reads the generations too; the other comes with the lease, in case another worker was first."""
    with redis.Redis.from_url(redis_url) as store:
        for looks, expected in ((2, "fwd=miss"), (0, "hit")):
            store.config_resetstat()
            assert status(await site.get(fields="id,first_name")) == expected
            assert store.info("commandstats").get("cmdstat_mget", {"calls": 0})["calls"] == looks


async def test_accounts_of_one_token_share_nothing(site: Site, sandbox: Sandbox) -> None:
    await site.get()
    sandbox.reset()
    other = await site.link("all-owner")
    assert status(await site.get(account=other)) == "fwd=miss"


async def test_a_relink_makes_the_old_answers_unreachable(site: Site, sandbox: Sandbox) -> None:
    await site.get()
    account = await site.stores.accounts.find(site.account)
    assert account is not None
    linked = await site.stores.accounts.find_account(account.project_id, account.id)
    assert linked is not None
    await site.stores.accounts.store(account, Secret(linked.credential.reveal))
    sandbox.reset()
    assert status(await site.get()) == "fwd=miss"


WITHOUT_REDIS = [
    {"GATEWAY_REDIS_URL": "redis://127.0.0.1:1"},
    {"GATEWAY_REDIS_URL": "unix:///nowhere/redis.sock"},
    {"GATEWAY_CACHE_ENABLED": "false"},
    {"GATEWAY_CACHE_FRESH_SECONDS_EMPLOYEES": "0", "GATEWAY_CACHE_FRESH_SECONDS_EMPLOYMENTS": "0"},
]


@pytest.mark.parametrize("change", WITHOUT_REDIS, ids=str)
async def test_without_a_store_every_answer_is_right_and_a_walk_goes_on(
    environ: dict[str, str], stack: AsyncExitStack, change: dict[str, str], sandbox: Sandbox
) -> None:
    site = await open_site({**environ, "GATEWAY_CACHE_LOCAL_BYTES": "0", **change}, stack)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    first = await site.get(page_size="40", fields="id,job_title")
    assert first.headers["cache-status"] == "hris-gateway; fwd=miss"
    second = await site.get(page_size="40", fields="id,job_title", next=first.json()["next"])
    assert (second.status_code, second.json()["next"]) == (200, None)
    assert len({one["id"] for one in first.json()["data"] + second.json()["data"]}) == 60
    ready = await site.client.get("/readyz")
    assert ready.status_code == 200
    added = sandbox.steer("POST", "/rows/people", NEWCOMER)
    stale = await site.get(page_size="40", fields="id,job_title", next=first.json()["next"])
    sandbox.steer("DELETE", f"/rows/people/{added['id']}")
    assert (stale.status_code, stale.json()["errorCode"]) == (400, "StaleCursorError")


NEWCOMER = {
    "firstName": "Late",
    "lastName": "Comer",
    "email": "late.comer@example.com",
    "locationId": "remote",
    "remoteCity": "Lisbon",
    "remoteCountryCode": "PT",
    "employmentStartDate": "2026-01-01",
}


async def test_a_walk_goes_on_in_its_own_reading_while_people_come_and_go(site: Site, sandbox: Sandbox) -> None:
    first = await site.get(page_size="40", fields="id")
    added = sandbox.steer("POST", "/rows/people", NEWCOMER)
    fresh = await site.get(page_size="40", fields="id", headers={"cache-control": "no-cache"})
    second = await site.get(page_size="40", fields="id", next=first.json()["next"])
    sandbox.steer("DELETE", f"/rows/people/{added['id']}")
    assert fresh.status_code == 200
    seen = [one["id"] for one in first.json()["data"] + second.json()["data"]]
    assert (len(seen), len(set(seen)), second.json()["next"]) == (60, 60, None)


async def test_a_cursor_older_than_its_lifetime_is_stale(
    environ: dict[str, str], stack: AsyncExitStack, clock: Time
) -> None:
    site = await open_site({**environ, "GATEWAY_CACHE_CURSOR_SECONDS": "600"}, stack, clock.clock)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    first = await site.get(page_size="40", fields="id")
    clock.moved += timedelta(seconds=602)
    stale = await site.get(page_size="40", fields="id", next=first.json()["next"])
    assert (stale.status_code, stale.json()["errorCode"]) == (400, "StaleCursorError")
