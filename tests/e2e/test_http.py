"""What no client library shows: the forms of a request that are all taken, and what the headers of an answer say."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation
from tests.e2e.processes import Server, within
from tests.e2e.raw_http import ask, basic

LIST = "/unified/hris/employees"
SEEN_SECONDS = 60.0


@pytest.mark.parametrize("form", ["{key}:", "{key}", ":{key}", "{key}:anything"])
@pytest.mark.parametrize("scheme", ["Basic", "basic"])
def test_a_key_is_taken_as_user_name_bare_and_as_password(caller: Caller, form: str, scheme: str) -> None:
    credentials = basic(form.format(key=caller.key)).replace("Basic", scheme)
    reply = ask(caller.url, LIST, {"authorization": credentials, "x-account-id": caller.account})
    assert reply.status == 200
    assert len(reply.json["data"]) == 25


@pytest.mark.parametrize(
    "authorization", ["", "Bearer {key}", "Basic {key}", "Basic", "Basic !!!", "Basic /w==", "Basic Og==", "{key}"]
)
def test_any_other_form_is_a_401_that_says_which_is_right(caller: Caller, authorization: str) -> None:
    headers = {"x-account-id": caller.account}
    if authorization:
        headers["authorization"] = authorization.format(key=caller.key)
    reply = ask(caller.url, LIST, headers)
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith("Basic ")
    assert_is_an_error(reply.json, 401, "user name of HTTP Basic authentication")


def assert_is_an_error(body: dict[str, Any], status: int, words: str) -> None:
    assert body["statusCode"] == status
    assert words in body["message"]
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None


@pytest.mark.parametrize(
    "form", ["filter[email]={}", "filter%5Bemail%5D={}", "filter%5bemail%5d={}", "%66ilter[%65mail]={}"]
)
def test_brackets_may_be_plain_or_percent_encoded(caller: Caller, company: Company, form: str) -> None:
    [someone, *_] = (row for row in company.rows("people") if row["email"])
    for email in (someone["email"], someone["email"].replace("@", "%40")):
        reply = caller.get(f"/employees?{form.format(email)}")
        assert [each["remote_id"] for each in reply.json["data"]] == [someone["id"]]


@pytest.mark.parametrize("form", ["proxy[status]=active", "proxy%5Bstatus%5D=active"])
def test_proxy_brackets_too(caller: Caller, company: Company, form: str) -> None:
    reply = caller.get(f"/employees?page_size=250&{form}", cache_control="no-cache")
    assert [call["query"]["status"] for call in company.calls("/people")] == ["active"]
    assert len(reply.json["data"]) == sum(row["status"] == "active" for row in company.rows("people"))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("colour=blue", "unknown parameter 'colour'; known: expand, fields,"),
        ("filter[name]=x", "unknown filter 'filter[name]'; known: filter[updated_after], filter[email],"),
        ("filter[email][x]=x", "unknown filter"),
        ("page_size=5&page_size=6", "page_size is given twice"),
        ("filter[updated_after]=yesterday", "must be a date-time with a zone"),
        ("raw=perhaps", "raw must be true or false"),
        ("fields=%FF", "percent-encoded UTF-8"),
        ("&".join(["raw=false"] * 101), "at most 100 parameters"),
        ("fields=" + "x" * 16384, "longer than 16384 bytes"),
    ],
)
def test_what_is_not_understood_is_a_400_and_is_never_passed_over(
    caller: Caller, company: Company, query: str, words: str
) -> None:
    reply = caller.get(f"/employees?{query}", cache_control="no-cache")
    assert reply.status == 400
    assert_is_an_error(reply.json, 400, words)
    assert company.calls() == []


def test_a_second_answer_says_that_it_is_cached_and_how_old_it_is(
    caller: Caller, company: Company, installation: Installation
) -> None:
    fresh = replace(caller, account=installation.link("all-owner"))
    company.clear()
    first, second = (fresh.get("/employees?page_size=3") for _ in range(2))
    assert first.headers["cache-status"] == "hris-gateway; fwd=miss; stored"
    assert second.headers["cache-status"].startswith("hris-gateway; hit; ttl=")
    assert second.body == first.body
    assert 0 <= int(second.headers["age"]) < 60
    assert len(company.calls("/people")) == 1
    third = fresh.get("/employees?page_size=3", cache_control="no-cache")
    assert "hit" not in third.headers["cache-status"]
    assert len(company.calls("/people")) == 2


@pytest.mark.parametrize(
    "account", ["", "x" * 5000, "../../etc/passwd", "%00", "' OR 1=1 --"], ids=["none", "long", "path", "nul", "sql"]
)
def test_an_account_id_of_any_kind_is_refused_with_a_message(caller: Caller, account: str) -> None:
    reply = replace(caller, account=account).get("/employees")
    assert reply.status == (404 if account else 400)
    assert_is_an_error(reply.json, reply.status, "account" if account else "x-account-id")


def test_what_a_command_changes_a_running_gateway_sees(
    gateway: Server, caller: Caller, installation: Installation
) -> None:
    """Commands and gateway share the database as processes of their own: nothing may hold on to an older state."""
    changing = replace(caller, account=installation.link("all-owner"))
    assert changing.get("/employees").status == 200
    for action, status in (("suspend", 412), ("resume", 200), ("unlink", 404)):
        installation.run("accounts", action, changing.account)
        within(SEEN_SECONDS, partial(answers, changing, status))
    assert "StoreUnavailableError" not in gateway.log.read_text()


def answers(caller: Caller, status: int) -> bool:
    return caller.get("/employees").status == status
