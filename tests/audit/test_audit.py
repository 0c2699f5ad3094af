"""What the audit trail and the log tell: every act of the operator and of a key, and no text of a caller's."""

import re
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest
from redis import Redis

from gateway.audit.events import AuditEntry, AuditEvent
from gateway.model import ActorKind
from tests.fixtures.dashboard_browser import Operator, hidden, open_dashboard
from tests.fixtures.gateway import Site, open_site
from tests.fixtures.linking import Time

ADDRESS = "203.0.113.9"
PLANTED = ["PLANTED-" + "x" * 3000, "jane@example.com", "planted-vendor-token-0123456789abcdef", "x" * 24]


async def rows(at: Operator, *what: AuditEvent) -> list[AuditEntry]:
    return list(await at.stores.audit.read(what=what))


async def test_signing_in_and_out_and_failing_to_are_in_the_trail_with_the_address(
    environ: dict[str, str], stack: AsyncExitStack, clock: Time, capfd: pytest.CaptureFixture[str]
) -> None:
    own = {**environ, "GATEWAY_SERVER_ADDRESS_HEADER": "x-forwarded-for", "GATEWAY_LOG_LEVEL": "warning"}
    at = await open_dashboard(own, stack, clock)
    at.site.client.headers["x-forwarded-for"] = ADDRESS
    assert (await at.sign_in("not the password")).status_code == 403
    assert (await at.sign_in()).status_code == 303
    page = await at.get("")
    await at.post("/logout", hidden(page.text))
    found = await rows(at, AuditEvent.SIGN_IN_FAILED, AuditEvent.SIGNED_IN, AuditEvent.SIGNED_OUT)
    assert [each.what for each in found] == [AuditEvent.SIGNED_OUT, AuditEvent.SIGNED_IN, AuditEvent.SIGN_IN_FAILED]
    assert {(each.by.kind, each.by.address) for each in found} == {(ActorKind.ADMIN, ADDRESS)}
    for _ in range(6):
        answer = await at.sign_in("not the password")
    assert answer.status_code == 429
    said = [line for line in capfd.readouterr().err.splitlines() if "sign-in refused" in line]
    assert len(said) == 7
    assert all(ADDRESS in line and "not the password" not in line for line in said)
    assert "too many attempts" in said[-1]


async def test_a_sign_in_that_has_ended_is_over_though_redis_forgets(
    environ: dict[str, str], stack: AsyncExitStack, clock: Time, redis_url: str
) -> None:
    at = await open_dashboard(environ, stack, clock)
    await at.sign_in()
    copied = dict(at.site.client.cookies)
    await at.post("/logout", hidden((await at.get("")).text))
    stack.enter_context(Redis.from_url(redis_url)).flushall()
    at.site.client.cookies.update(copied)
    answer = await at.get("")
    assert (answer.status_code, "login" in answer.headers.get("location", "")) == (303, True)
    # It is forgotten when the cookie is over by itself.
    await at.stores.sign_ins.tidy(clock.now() + timedelta(days=1))
    assert not await at.stores.sign_ins.has_ended("any")


async def test_what_an_operator_reads_of_a_customer_is_in_the_trail(operator: Operator) -> None:
    page = await operator.get(f"/accounts/{operator.site.account}/try")
    form = {**hidden(page.text), "operation": "list_employees", "rights": "*"}
    assert (await operator.post(f"/accounts/{operator.site.account}/try", form)).status_code == 200
    [entry] = await rows(operator, AuditEvent.TEST_READ)
    assert (entry.account_id, entry.details, entry.by.kind) == (
        operator.site.account,
        {"operation": "list_employees"},
        ActorKind.ADMIN,
    )
    assert "Read with the request tester" in await operator.see("/audit")


async def test_changes_of_webhooks_are_in_the_trail_by_key(site: Site) -> None:
    async def ask(method: str, path: str, body: Any = None) -> httpx.Response:
        answer = await site.client.request(method, path, json=body, auth=(site.key, ""))
        assert answer.status_code < 300, answer.text
        return answer

    made = (await ask("POST", "/webhooks", {"url": "https://app.example.com/hook", "events": ["account.*"]})).json()
    path = f"/webhooks/{made['id']}"
    await ask("PATCH", path, {"url": "https://other.example.com/hook"})
    await ask("PATCH", path, {"enabled": False})
    await ask("POST", f"{path}/rotate_secret")
    await ask("DELETE", path)
    found = [each for each in await site.stores.audit.read() if each.what.value.startswith("webhook.")]
    assert [each.what for each in reversed(found)] == [
        AuditEvent.WEBHOOK_CREATED,
        AuditEvent.WEBHOOK_UPDATED,
        AuditEvent.WEBHOOK_UPDATED,
        AuditEvent.WEBHOOK_SECRET_ROTATED,
        AuditEvent.WEBHOOK_DELETED,
    ]
    assert all(each.by.kind is ActorKind.KEY and each.details["webhook"] == made["id"] for each in found)
    assert [each.details.get("fields") for each in reversed(found)][1:3] == [["url"], ["disabled"]]
    assert "example.com" not in str([each.details for each in found])


@pytest.mark.parametrize("planted", PLANTED)
async def test_the_log_names_accounts_that_are_there_and_no_text_of_a_caller_s(
    environ: dict[str, str], stack: AsyncExitStack, capfd: pytest.CaptureFixture[str], planted: str
) -> None:
    site = await open_site({**environ, "GATEWAY_LOG_LEVEL": "info"}, stack)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    capfd.readouterr()
    for key in (site.key, "nobody", ""):
        for path in ("/unified/hris/employees", "/unified/hris/employees/x", "/unified/nowhere"):
            await site.client.get(path, auth=(key, ""), headers={"x-account-id": planted})
        headers = {"x-account-id": planted}
        await site.client.post("/unified/hris/employees", json={}, auth=(key, ""), headers=headers)
        await site.client.post("/unified/proxy", json={"path": "/people"}, auth=(key, ""), headers=headers)
        for method in ("GET", "PATCH", "DELETE"):
            await site.client.request(method, f"/accounts/{planted}", json={}, auth=(key, ""))
        await site.client.get(f"/accounts/{planted}/meta", auth=(key, ""))
        await site.client.post(f"/hooks/humaans/{planted}", json={})
    said = capfd.readouterr().err
    assert len(said.splitlines()) >= 30
    assert planted not in said
    # Of an account that is there every answer names it, also one that refuses.
    narrow = await site.make_key("hris.groups:read")
    await site.get()
    await site.get(fields="nonsense")
    await site.get(key=narrow)
    await site.client.post(
        "/unified/proxy", json={"path": "/nowhere"}, auth=(site.key, ""), headers={"x-account-id": site.account}
    )
    await site.client.post(
        "/unified/hris/employees", json={"x": 1}, auth=(site.key, ""), headers={"x-account-id": site.account}
    )
    await site.client.get(f"/accounts/{site.account}", auth=(site.key, ""))
    lines = [line for line in capfd.readouterr().err.splitlines() if '"request"' in line]
    assert len(lines) == 6
    assert all(re.search(rf'"account": ?"{site.account}"', line) for line in lines), lines
