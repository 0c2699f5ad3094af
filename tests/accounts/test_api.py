"""Linked accounts over HTTP: listed, changed, linked again, unlinked; and what is told of what they can do."""

from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from redis import Redis

from deploy.sandbox.tokens import by_name
from gateway.audit.events import AuditEvent
from gateway.http.context import RequestContext
from gateway.http.middleware import RequestMiddleware
from gateway.http.request_observer import RequestObserver
from gateway.model import Status, StatusReason
from gateway.observability.metrics import make_metrics
from tests.fixtures.gateway import Sandbox, Site, now, open_site

SECRET = by_name("all-owner").token


async def ask(
    site: Site, method: str, path: str, *, key: str = "", body: Any = None, content: bytes | None = None
) -> httpx.Response:
    answer = await site.client.request(method, path, json=body, content=content, auth=(key or site.key, ""))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert SECRET not in answer.text
    return answer


async def listed(site: Site, query: str = "") -> list[str]:
    answer = await ask(site, "GET", f"/accounts{query}")
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()]


# --- which accounts -----------------------------------------------------------------------------------------


async def test_accounts_are_a_bare_list_in_pages_oldest_first(site: Site) -> None:
    ids = [site.account, *[await site.link("only-public-read") for _ in range(4)]]
    await site.link("all-owner", project="stranger")
    assert await listed(site) == ids
    pages = [await listed(site, f"?page_size=2&page={number}") for number in (1, 2, 3, 4)]
    assert pages == [ids[:2], ids[2:4], ids[4:], []]


async def test_lists_in_the_query_repeat_their_name_with_and_without_brackets(site: Site) -> None:
    first, second, third = site.account, await site.link("all-owner"), await site.link("all-owner")
    await site.stores.accounts.mark(second, Status.SUSPENDED, StatusReason("code", "Why.", now()))
    owner = (await ask(site, "GET", f"/accounts/{third}")).json()["origin_owner_id"]
    assert await listed(site, f"?account_ids={first}&account_ids={third}&page_size=25") == [first, third]
    assert await listed(site, f"?account_ids[]={first}&account_ids%5B%5D={second}") == [first, second]
    assert await listed(site, "?status=suspended&status=error") == [second]
    assert await listed(site, f"?origin_owner_id={owner}&providers=humaans&provider=other") == [third]
    assert await listed(site, "?provider=other") == []
    assert await listed(site, f"?account_ids={first}&status=error") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/accounts?status=gone", None, 400, "status has no gone"),
        ("GET", "/accounts?limit=1", None, 400, "unknown parameter 'limit'"),
        ("GET", "/accounts?page_size=251", None, 400, "from 1 to 250"),
        ("GET", "/accounts?account_ids=%00", None, 400, "cannot be printed"),
        ("GET", "/accounts?account_ids=%FF", None, 400, "percent-encoded"),
        ("GET", "/accounts/{id}?fields=id", None, 400, "takes no parameters"),
        ("GET", "/accounts/nobody", None, 404, "no such linked account"),
        ("GET", "/accounts/%00", None, 404, "no such linked account"),
        ("GET", "/accounts/nobody/permissions", None, 404, "no such linked account"),
        ("GET", "/accounts/", None, 404, "no such path"),
        ("GET", "/accounts/{id}/secrets", None, 404, "no such path"),
        ("PUT", "/accounts/{id}", {}, 405, "does not take PUT"),
        ("POST", "/accounts", {}, 405, "does not take POST"),
        ("PATCH", "/accounts/{id}", [], 400, "must be a JSON object"),
        ("PATCH", "/accounts/{id}", {"colour": "red"}, 400, "colour: there is no such field"),
        ("PATCH", "/accounts/{id}", {"label": "x" * (1 << 20)}, 400, "larger than 1048576 bytes"),
        ("PATCH", "/accounts/nobody", {"label": "x"}, 404, "no such linked account"),
        ("GET", "/connectors/meta?include=all", None, 400, "include has no all"),
        ("GET", "/connectors/meta/other", None, 404, "no connector for 'other'"),
        ("GET", "/connectors", None, 404, "no such path"),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_the_contract_s_form(
    site: Site, method: str, path: str, body: Any, status: int, says: str
) -> None:
    answer = await ask(site, method, path.replace("{id}", site.account), body=body)
    told = answer.json()
    assert (answer.status_code, told["statusCode"]) == (status, status)
    assert says in told["message"]
    assert told["timestamp"].endswith("Z")


@pytest.mark.parametrize("content", [b"", b"{", b'{"label":"\\ud800"}', b"[" * 5000, b"\xff"])
async def test_a_body_that_is_no_json_is_a_400(site: Site, content: bytes) -> None:
    answer = await ask(site, "PATCH", f"/accounts/{site.account}", content=content)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("The body is")


@pytest.mark.parametrize("way", ["GET ", "PATCH ", "DELETE ", "GET /meta", "GET /permissions"])
async def test_an_account_of_another_project_cannot_be_told_from_none(site: Site, way: str) -> None:
    method, _, rest = way.partition(" ")
    foreign = await site.link("all-owner", project="stranger")
    answers = [
        await ask(site, method, f"/accounts/{name}{rest}", body={"label": "x"} if method == "PATCH" else None)
        for name in (foreign, "A" * 22)
    ]
    assert [each.status_code for each in answers] == [404, 404]
    bodies = [each.json() | {"timestamp": ""} for each in answers]
    assert bodies[0] == bodies[1]
    stranger = await site.make_key(project="stranger")
    assert (await ask(site, "GET", f"/accounts/{foreign}", key=stranger)).json()["label"] is None


# --- changes ------------------------------------------------------------------------------------------------


async def test_a_change_is_answered_and_kept_and_asks_nobody(site: Site, sandbox: Sandbox) -> None:
    sandbox.reset()
    # As the SDK sends it, which adds the type by itself.
    body = {"label": "Main", "origin_owner_name": "Acme", "setup_information": {"region": "eu"}, "type": "production"}
    changed = await ask(site, "PATCH", f"/accounts/{site.account}", body=body)
    account = changed.json()
    assert changed.status_code == 200
    assert {name: account[name] for name in body} == body
    assert account["updated_at"] > account["created_at"]
    assert (await ask(site, "GET", f"/accounts/{site.account}")).json() == account
    assert sandbox.calls() == []
    assert (await site.get()).status_code == 200


async def test_a_better_token_opens_more_at_once_in_the_same_account(site: Site, sandbox: Sandbox) -> None:
    account = await site.link("only-public-read")
    before = await permissions(site, account)
    narrow = await site.get(account=account, page_size="1")
    assert "personal_email" not in narrow.json()["data"][0]
    assert before["granted"]["warnings"]
    body = {"credentials": {"apiToken": SECRET}}
    changed = await ask(site, "PATCH", f"/accounts/{account}", body=body)
    assert (changed.status_code, changed.json()["id"], changed.json()["credentials"]) == (200, account, {})
    wide = await site.get(account=account, page_size="1")
    assert "personal_email" in wide.json()["data"][0]
    after = await permissions(site, account)
    assert (len(after["granted"]["scopes"]), after["missing"], after["granted"]["warnings"]) == (8, [], [])
    sandbox.reset()
    refused = await ask(site, "PATCH", f"/accounts/{account}", body={"credentials": {"apiToken": "x" * 32}})
    assert (refused.status_code, [call["path"] for call in sandbox.calls()]) == (422, ["/token-info"])
    assert "does not accept this token" in refused.json()["message"]
    assert await permissions(site, account) == after
    assert (await site.get(account=account, page_size="1")).json() == wide.json()


async def test_a_new_token_ends_an_error(site: Site) -> None:
    await site.stores.accounts.mark(site.account, Status.ERROR, StatusReason("invalid_credentials", "Revoked.", now()))
    broken = (await ask(site, "GET", f"/accounts/{site.account}")).json()
    assert (broken["status"], broken["status_reasons"][0]["description"]) == ("error", "Revoked.")
    assert (await site.get()).status_code == 412
    body = {"secrets": {"apiToken": SECRET}}
    mended = (await ask(site, "PATCH", f"/accounts/{site.account}", body=body)).json()
    assert (mended["status"], mended["status_reasons"]) == ("active", [])
    assert (await site.get()).status_code == 200


async def test_a_vendor_that_is_ill_says_nothing_about_a_token(site: Site, sandbox: Sandbox) -> None:
    before = (await ask(site, "GET", f"/accounts/{site.account}")).json()
    sandbox.steer("POST", "/faults", {"kind": "server_error"})
    body = {"credentials": {"apiToken": SECRET}, "label": "x"}
    assert (await ask(site, "PATCH", f"/accounts/{site.account}", body=body)).status_code == 502
    sandbox.reset()
    assert (await ask(site, "GET", f"/accounts/{site.account}")).json() == before


# --- unlinking ----------------------------------------------------------------------------------------------


async def test_unlinking_answers_the_account_and_touches_no_other(site: Site, sandbox: Sandbox, redis_url: str) -> None:
    """`test_unlink.py` has all that is purged."""
    other = await site.link("all-owner")
    for account in (site.account, other):
        assert (await site.get(account=account)).status_code == 200
    with Redis.from_url(redis_url) as redis:
        before = stored_of(redis, other)
        assert before
        answer = await ask(site, "DELETE", f"/accounts/{site.account}")
        assert (answer.status_code, answer.json()["id"]) == (200, site.account)
        assert (stored_of(redis, site.account), stored_of(redis, other)) == ({}, before)
    history = await site.stores.audit.read(account_id=site.account)
    assert [entry.what for entry in history] == [AuditEvent.UNLINKED, AuditEvent.LINKED]
    assert (await ask(site, "DELETE", f"/accounts/{site.account}")).status_code == 404
    assert (await site.get()).status_code == 404
    sandbox.reset()
    assert (await site.get(account=other)).headers["cache-status"].startswith("hris-gateway; hit")
    assert (await listed(site), sandbox.calls()) == ([other], [])


def stored_of(redis: Redis, account: str) -> dict[str, object]:
    """Returns keys that name an account, wherever in them, with their values as the server would write them to disk.

    Not the leases: no request waits for the release of one, so it may be there a moment longer.
    """
    keys = [key.decode() for key in redis.scan_iter()]
    return {key: redis.dump(key) for key in keys if account in key and ":lease:" not in key}


# --- what can be done ---------------------------------------------------------------------------------------


async def permissions(site: Site, account: str, key: str = "") -> dict[str, Any]:
    answer = await ask(site, "GET", f"/accounts/{account}/permissions", key=key)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(
    ("token", "scopes", "available", "needs"),
    [
        ("all-owner", ["*"], True, []),
        ("only-public-read", ["*"], False, ["private:read"]),
        ("all-owner", ["platform.*:read", "hris.locations:read"], False, ["hris.employees:read"]),
        ("only-public-read", ["platform.*:read"], False, ["hris.employees:read", "private:read"]),
        (
            "only-documents-read",
            ["platform.*:read"],
            False,
            ["hris.employees:read", "public:read or private:read", "private:read"],
        ),
    ],
)
async def test_permissions_say_of_a_field_what_the_answers_show(
    site: Site, token: str, scopes: list[str], available: bool, needs: list[str]
) -> None:
    account, key = await site.link(token), await site.make_key(*scopes)
    told = await permissions(site, account, key)
    [listing] = [each for each in told["operations"] if each["operation"] == "list_employees"]
    [field] = [each for each in listing["fields"] if each["field"] == "personal_email"]
    assert (field["available"], [each["scope"] for each in field.get("needs", ())]) == (available, needs)
    answer = await site.get(account=account, key=key, page_size="1")
    shown = answer.status_code == 200 and "personal_email" in answer.json()["data"][0]
    assert shown == available


async def test_what_humaans_lacks_is_told_with_the_words_of_the_501(site: Site) -> None:
    told = await permissions(site, site.account)
    [shifts] = [each for each in told["operations"] if each["operation"] == "list_shifts"]
    answer = await site.get("/shifts")
    assert (answer.status_code, shifts["reason"], shifts["available"]) == (501, "not_implemented", False)
    assert shifts["detail"] in answer.json()["message"]


async def test_meta_is_of_the_connector_or_narrower_for_an_account(site: Site) -> None:
    [listed_meta] = (await ask(site, "GET", "/connectors/meta?include=field_path,unmapped_fields")).json()
    [plain] = (await ask(site, "GET", "/connectors/meta")).json()
    assert plain == (await ask(site, "GET", "/connectors/meta/humaans")).json() != listed_meta
    full = (await ask(site, "GET", f"/accounts/{site.account}/meta")).json()
    assert full == {name: plain[name] for name in ("provider", "category", "models")}
    narrow = (await ask(site, "GET", f"/accounts/{await site.link('only-public-read')}/meta")).json()
    assert narrow["models"].keys() < full["models"].keys()
    assert "employees_documents" not in narrow["models"]


async def test_log_and_metrics_learn_the_operation_and_the_account(site: Site) -> None:
    seen: list[RequestContext] = []
    edge = RequestMiddleware(
        site.edge.app,
        RequestObserver(make_metrics(), lambda: "r", lambda context, *_: seen.append(context)),
        now=now,
        max_query_bytes=1000,
        max_header_bytes=10_000,
    )
    transport = httpx.ASGITransport(edge)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", auth=(site.key, "")) as client:
        await client.patch(f"/accounts/{site.account}", json={"label": "x"})
        await client.get(f"/accounts/{site.account}/meta?token=x")
        await client.get("/connectors/meta")
    assert [(each.operation, each.account_id, each.status, each.error) for each in seen] == [
        ("update_account", site.account, 200, ""),
        ("get_account_meta_info", "", 400, "ValidationError"),
        ("list_connectors_meta", "", 200, ""),
    ]


async def test_the_operator_may_close_a_platform_call(environ: dict[str, str], stack: AsyncExitStack) -> None:
    site = await open_site({**environ, "GATEWAY_POLICY_FORBIDDEN_OPERATIONS": "delete_account"}, stack)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    assert (await ask(site, "DELETE", f"/accounts/{site.account}")).status_code == 403
    assert await listed(site) == [site.account]
