"""Bad input, bad keys and bad vendors: each gets a clear error in the contract's shape, and nothing is half done."""

import re
from base64 import b64encode
from contextlib import AsyncExitStack

import httpx
import pytest

from gateway.model import Status, StatusReason
from tests.fixtures.gateway import Sandbox, Site, now, open_site

SHAPE = {"statusCode", "message", "timestamp", "errorCode"}


def assert_error(answer: httpx.Response, status: int, says: str = "") -> None:
    body = answer.json()
    assert (answer.status_code, body["statusCode"]) == (status, status)
    assert SHAPE <= body.keys() <= SHAPE | {"errors", "provider_errors"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert says in body["message"]
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Basic {key:}", 200),
        ("Basic {key}", 200),
        ("Basic {:key}", 200),
        ("basic {key:}", 200),
        ("Basic {key:ignored}", 200),
        ("Basic {somebody:key}", 200),
        ("Bearer {key}", 401),
        ("Basic {wrong:}", 401),
        ("Basic {:}", 401),
        ("Basic not-base64!", 401),
        ("Basic /w==", 401),
        ("", 401),
    ],
)
async def test_the_key_is_taken_as_user_as_password_and_bare(site: Site, authorization: str, status: int) -> None:
    plain = re.search(r"\{(.*)\}", authorization)
    header = authorization
    if plain:
        text = plain[1].replace("key", site.key)
        header = authorization.replace(plain[0], b64encode(text.encode()).decode())
    answer = await site.client.get(
        "/unified/hris/employees", headers={"authorization": header, "x-account-id": site.account}
    )
    assert answer.status_code == status
    if status == 401:
        assert_error(answer, 401, "user name of HTTP Basic authentication")
        assert answer.headers["www-authenticate"].startswith("Basic")


async def test_a_missing_account_id_is_a_400_that_names_the_header(site: Site) -> None:
    answer = await site.client.get("/unified/hris/employees", auth=(site.key, ""))
    assert_error(answer, 400, "x-account-id")


@pytest.mark.parametrize("account", ["no-such-account", "{}", "a b", "' OR 1=1 --", "x" * 5000])
async def test_an_unknown_account_is_a_404(site: Site, account: str) -> None:
    assert_error(await site.get(account=account), 404, "no such linked account")


async def test_an_account_of_another_project_is_a_404(site: Site) -> None:
    assert_error(await site.get(key=await site.make_key(project="another")), 404, "no such linked account")


async def test_a_revoked_key_is_a_401(site: Site) -> None:
    key = await site.make_key()
    assert (await site.get(key=key)).status_code == 200
    await site.stores.keys.revoke_key(key[:12])
    assert_error(await site.get(key=key), 401)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("page_size=0", "page_size must be a whole number from 1 to 250"),
        ("page_size=251", "from 1 to 250"),
        ("page_size=ten", "from 1 to 250"),
        ("page_size=1&page_size=2", "page_size is given twice"),
        ("nonsense=1", "unknown parameter 'nonsense'; known: expand, fields, filter[email]"),
        ("filter[name]=x", "unknown filter 'filter[name]'; known: filter[updated_after], filter[email]"),
        ("filter%5Bname%5D=x", "unknown filter 'filter[name]'"),
        ("filter[updated_after]=yesterday", "date-time with a zone"),
        ("filter[email]=", "filter[email] is empty"),
        ("fields=id,salary", "fields has no salary; known: id, remote_id"),
        ("expand=pets", "expand has no pets"),
        ("include=pets", "include has no pets"),
        ("raw=maybe", "raw must be true or false"),
        ("next=garbage", "next is not a cursor of this list"),
        ("page=2&next=x", "exclude each other"),
        ("proxy[]=1", "does not name a parameter"),
        ("x=%ff", "percent-encoded UTF-8"),
        ("&".join(f"a{n}=1" for n in range(101)), "at most 100 parameters"),
        ("fields=" + "x" * 20000, "longer than 16384 bytes"),
    ],
)
async def test_a_faulty_query_is_a_400_that_says_what_is_wrong(site: Site, query: str, says: str) -> None:
    answer = await site.client.get(
        f"/unified/hris/employees?{query}", auth=(site.key, ""), headers={"x-account-id": site.account}
    )
    assert_error(answer, 400, says)


async def test_all_faults_of_a_query_are_reported_at_once(site: Site) -> None:
    answer = await site.get(page_size="0", nonsense="1", raw="x")
    assert len(answer.json()["errors"]) == 3


async def test_headers_that_are_too_long_are_a_400(site: Site) -> None:
    assert_error(await site.get(headers={"x-long": "x" * 40000}), 400, "longer than 32768 bytes")


async def test_a_header_that_decides_is_not_given_twice(site: Site) -> None:
    headers = [("x-account-id", site.account), ("x-account-id", "other")]
    answer = await site.client.get("/unified/hris/employees", auth=(site.key, ""), headers=headers)
    assert_error(answer, 400, "given twice")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/unified/hris/", 404),
        ("GET", "/unified/hris/nonsense", 404),
        ("GET", "/unified/hris/employees/", 404),
        ("GET", "/unified/crm/contacts", 404),
        ("POST", "/healthz", 405),
        ("DELETE", "/unified/hris/employees", 405),
        ("PUT", "/unified/hris/employees/1", 405),
        ("GET", "/unified/hris/benefits", 501),
        ("GET", "/unified/hris/employees/1/shifts/2", 501),
    ],
)
async def test_an_unknown_path_or_method_is_an_error_in_the_contract_s_shape(
    site: Site, method: str, path: str, status: int
) -> None:
    answer = await site.client.request(
        method, path, auth=(site.key, ""), headers={"x-account-id": site.account}, content=b"{broken json"
    )
    assert_error(answer, status)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("TRACE", "/unified/hris/employees", "GET, POST"),
        ("PUT", "/accounts/1", "DELETE, GET, HEAD, PATCH"),
        ("GET", "/unified/proxy", "POST"),
    ],
)
async def test_a_wrong_method_gets_the_allowed_ones(site: Site, method: str, path: str, allowed: str) -> None:
    answer = await site.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_a_cursor_is_bound_to_its_account_and_its_query(site: Site) -> None:
    other = await site.link("all-owner")
    cursor = (await site.get(page_size="5")).json()["next"]
    assert (await site.get(page_size="5", next=cursor)).status_code == 200
    assert (await site.get(page_size="9", next=cursor)).status_code == 200
    assert_error(await site.get(page_size="5", next=cursor, account=other), 400, "not a cursor of this list")
    assert_error(await site.get(page_size="5", next=cursor, fields="id"), 400, "not a cursor of this list")
    assert_error(await site.get(page_size="5", next=cursor[:-1]), 400, "not a cursor of this list")
    assert_error(await site.get(page_size="5", next=cursor + "A"), 400, "not a cursor of this list")


async def test_a_suspended_account_is_a_412_and_costs_no_call(site: Site, sandbox: Sandbox) -> None:
    sandbox.reset()
    await site.stores.accounts.mark(site.account, Status.SUSPENDED, StatusReason("x", "Paused by us.", now()))
    assert_error(await site.get(), 412, "suspended. Paused by us.")
    assert sandbox.calls() == []


VENDOR_FAULTS = [
    ({"kind": "server_error", "status": 500}, 502, "Humaans answered 500 to /people"),
    ({"kind": "server_error", "status": 503}, 502, "Humaans answered 503 to /people"),
    ({"kind": "html_error"}, 502, "Humaans answered"),
    ({"kind": "truncated_json"}, 502, ""),
    ({"kind": "garbage_json"}, 502, "cannot be read"),
    ({"kind": "wrong_content_type"}, 502, "not JSON"),
    ({"kind": "empty_body"}, 502, "broken or cut short"),
    ({"kind": "wrong_envelope"}, 502, "unknown shape"),
    ({"kind": "deep_json"}, 502, "1 of 1 rows in 'data' are not objects"),
    ({"kind": "connection_reset"}, 502, "could not be reached"),
    ({"kind": "redirect", "location": "http://127.0.0.1:1/"}, 502, "Humaans answered 302"),
    ({"kind": "rate_limit", "retry_after": 30}, 429, "try again in 30 seconds"),
    ({"kind": "rate_limit", "retry_after": None}, 429, "try again in 60 seconds"),
    ({"kind": "forbidden"}, 403, "refuses /people"),
]


@pytest.mark.parametrize(("fault", "status", "says"), VENDOR_FAULTS, ids=[str(row[0]) for row in VENDOR_FAULTS])
async def test_each_kind_of_vendor_fault_is_reported_and_not_cached(
    site: Site, sandbox: Sandbox, fault: dict[str, object], status: int, says: str
) -> None:
    sandbox.steer("POST", "/faults", {**fault, "path": "/people", "times": None})
    answer = await site.get()
    assert_error(answer, status, says)
    assert ("retry-after" in answer.headers) == (status == 429)
    sandbox.steer("DELETE", "/faults")
    again = await site.get()
    assert (again.status_code, again.headers["cache-status"]) == (200, "hris-gateway; fwd=miss; stored")


async def test_a_passing_fault_is_tried_again(site: Site, sandbox: Sandbox) -> None:
    sandbox.steer("POST", "/faults", {"kind": "server_error", "status": 503, "path": "/people", "times": 2})
    assert (await site.get()).status_code == 200


async def test_a_vendor_401_puts_the_account_in_error_at_once(site: Site, sandbox: Sandbox) -> None:
    sandbox.steer("POST", "/faults", {"kind": "unauthorized", "times": None})
    answer = await site.get()
    assert_error(answer, 412, "Humaans refused the account's token (401)")
    assert answer.json()["errorCode"] == "AccountInvalidCredentialsError"
    sandbox.reset()
    assert_error(await site.get(), 412, "refused the account's token")
    assert sandbox.calls() == []
    account = await site.stores.accounts.find(site.account)
    assert account is not None
    assert (account.status, account.status_reasons[0].code) == ("error", "invalid_credentials")


async def test_a_401_to_a_token_that_the_vendor_accepts_is_a_502_and_the_account_stays(
    site: Site, sandbox: Sandbox
) -> None:
    sandbox.steer("POST", "/faults", {"kind": "unauthorized", "path": "/people", "times": None})
    answer = await site.get()
    assert_error(answer, 502, "refused this call (401) although it accepts the token: try again")
    assert answer.json()["provider_errors"][0]["status"] == 401
    sandbox.reset()
    assert (await site.get()).status_code == 200


async def test_a_silent_vendor_is_a_408_within_the_deadline(
    environ: dict[str, str], sandbox: Sandbox, stack: AsyncExitStack
) -> None:
    site = await open_site({**environ, "GATEWAY_UPSTREAM_DEADLINE_SECONDS": "0.3"}, stack)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    sandbox.steer("POST", "/faults", {"kind": "latency", "seconds": 3, "path": "/people", "times": None})
    answer = await site.get()
    assert_error(answer, 408, "did not answer within 0.3 seconds")
    assert answer.headers["retry-after"] == "1"
