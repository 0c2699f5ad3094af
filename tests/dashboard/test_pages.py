"""What the operator sees and does in the dashboard; nothing that others have written becomes part of a page."""

import asyncio
import os
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors.exchange import Grant
from deploy.sandbox.tokens import by_name
from gateway.auth.api_key import is_well_formed
from gateway.model import Account, Caching, Ceilings, Owner, Secret, Status, StatusReason
from gateway.webhooks.endpoints import Endpoint
from gateway.webhooks.events import account_event
from gateway.webhooks.signature import new_secret
from tests.fixtures.dashboard_browser import Operator, hidden, open_dashboard
from tests.fixtures.databases import told_of
from tests.fixtures.gateway import Sandbox
from tests.fixtures.linking import Time

MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


def told(page: str) -> str:
    """Give the note that an action has left."""
    found = re.search(r'<p class="note \w+" role="status">(.*?)</p>', page)
    assert found is not None, page
    return found[1]


async def many(operator: Operator, count: int) -> None:
    """Put accounts into the database, each linked a minute after the other."""
    project = await operator.project()
    for number in range(count):
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
        account = Account(
            id=f"a{number}",
            project_id=project.id,
            provider="humaans",
            owner=Owner(id=f"customer-{number}", name=f"Customer {number}"),
            status=Status.ACTIVE,
            grant=Grant(scopes=frozenset({"public:read"}), found_by="token-info"),
            revision=0,
            created_at=now,
            updated_at=now,
        )
        await operator.stores.accounts.store(account, Secret("t"))


# --- the list -----------------------------------------------------------------------------------------------


async def test_accounts_are_shown_a_page_at_a_time_the_latest_first(operator: Operator) -> None:
    await operator.stores.accounts.unlink((await operator.account()).project_id, operator.site.account)
    await many(operator, 27)
    first = await operator.see()
    names = re.findall(r">(Customer \d+)<", first)
    assert names == [f"Customer {number}" for number in range(26, 1, -1)]
    assert re.search("1.25 of 27", first)
    [after] = re.findall(r'rel="next" href="/dashboard([^"]*)"', first)
    second = (await operator.site.client.get(f"/dashboard{after}")).text
    assert re.findall(r">(Customer \d+)<", second) == ["Customer 1", "Customer 0"]
    assert 'rel="next"' not in second
    assert 'rel="prev"' in second


async def test_they_are_found_by_owner_label_id_and_narrowed_by_project_and_status(operator: Operator) -> None:
    await many(operator, 3)
    await operator.stores.accounts.update(replace((await operator.account()), label="Pilot 50%"))
    await operator.site.link("public-user", project="other")
    other = await operator.project("other")
    await operator.stores.accounts.mark("a1", Status.ERROR, StatusReason("x", "It broke.", datetime.now(UTC)))
    for query, found in (
        ({"q": "customer 2"}, ["Customer 2"]),
        ({"q": "CUSTOMER-1"}, ["Customer 1"]),
        ({"q": "ilot 5"}, ["Customer"]),
        ({"q": "50%"}, ["Customer"]),
        ({"q": "0%"}, ["Customer"]),
        ({"q": "%"}, ["Customer"]),
        ({"q": operator.site.account[3:]}, ["Customer"]),
        ({"q": "nobody"}, []),
        ({"status": "error"}, ["Customer 1"]),
        ({"status": "nonsense", "q": "customer-"}, ["Customer 2", "Customer 1", "Customer 0"]),
        ({"project": other.id}, ["Customer"]),
        ({"project": other.id, "status": "error"}, []),
        ({"provider": "other"}, []),
    ):
        page = await operator.see(**query)
        assert re.findall(r'class="name"[^>]*>([^<]*)<', page) == found, query
        assert ("Nothing matches" in page) == (not found)
    assert "It broke." in await operator.see(status="error")
    assert re.findall(r">(\w+) <span class=\"number\">(\d+)<", await operator.see()) == [
        ("All", "5"),
        ("Active", "4"),
        ("Error", "1"),
    ]


async def test_an_empty_gateway_says_what_to_do_next(visitor: Operator) -> None:
    await visitor.sign_in()
    assert "Link the first account" in await visitor.see()
    assert "Create the first key" in await visitor.see("/keys")
    assert "Name of the project" in await visitor.see("/link")


# --- one account --------------------------------------------------------------------------------------------


async def test_the_page_says_what_the_token_may_do_and_what_would_open_the_rest(operator: Operator) -> None:
    operator.site.account = await operator.site.link("only-public-read")
    page = await operator.see(f"/accounts/{operator.site.account}")
    assert "<code>public:read</code>" in page
    assert "new hires and leavers are hidden" in page
    closed = page.partition("Not available")[2]
    assert "<code>private:read</code>" in closed
    assert "<code>compensations:read</code>" in closed
    assert by_name("only-public-read").token not in page


async def test_how_an_account_may_be_cached_is_told(operator: Operator) -> None:
    for caching, said in (
        (Caching(), "As set for all accounts"),
        (Caching(enabled=False), "Off: each request asks Humaans"),
        (Caching(ceilings=Ceilings(fresh=30)), "Fresh for at most 30 seconds"),
    ):
        await operator.stores.accounts.update(replace(await operator.account(), caching=caching))
        assert said in await operator.see(f"/accounts/{operator.site.account}")


async def test_an_account_is_suspended_and_resumed(operator: Operator) -> None:
    path = f"/accounts/{operator.site.account}"
    operator.site.key = await operator.site.make_key()
    page = await operator.follow(await operator.send(f"{path}/suspend"))
    assert "is suspended" in told(page)
    assert "The operator of this gateway has suspended it." in page
    assert "What to do" in page
    assert (await operator.site.get()).status_code == 412
    assert "suspended already" in told(await operator.follow(await operator.send(f"{path}/suspend")))
    assert told(await operator.follow(await operator.send(f"{path}/resume"))) == "The account is active again."
    assert (await operator.site.get()).status_code == 200
    assert "not suspended" in told(await operator.follow(await operator.send(f"{path}/resume")))
    assert 'role="status"' not in await operator.see(path), "a note is shown once"


async def test_a_token_is_checked_now_and_what_has_changed_is_said(operator: Operator, sandbox: Sandbox) -> None:
    path = f"/accounts/{operator.site.account}"
    account = await operator.account()
    await operator.stores.accounts.update(
        replace(account, grant=Grant(scopes=frozenset({"public:read"}), found_by="x"))
    )
    page = await operator.follow(await operator.send(f"{path}/verify"))
    assert "the token works. Gained:" in told(page)
    assert "Its scopes have not changed." in told(await operator.follow(await operator.send(f"{path}/verify")))
    sandbox.steer("POST", "/faults", {"kind": "server_error"})
    page = await operator.follow(await operator.send(f"{path}/verify"))
    assert re.search(r"answered /\S+ with 5\d\d", told(page))
    assert (await operator.account()).status is Status.ACTIVE


async def test_a_token_that_is_refused_is_told_as_the_account_s_state(operator: Operator) -> None:
    await operator.stores.accounts.store(await operator.account(), Secret("x" * 32))
    page = await operator.follow(await operator.send(f"/accounts/{operator.site.account}/verify"))
    assert "does not accept" in told(page)
    assert '<span class="badge bad">Error</span>' in page
    again = await operator.follow(await operator.send(f"/accounts/{operator.site.account}/verify"))
    assert "does not accept" in told(again), "it is still refused"


async def test_unlinking_takes_a_typed_word_and_leaves_nothing(operator: Operator) -> None:
    path = f"/accounts/{operator.site.account}/unlink"
    answer = await operator.send(path, {"confirmation": "yes"})
    assert answer.status_code == 400
    assert "Type unlink to confirm. Nothing has been deleted." in answer.text
    assert (await operator.account()).status is Status.ACTIVE
    page = await operator.follow(await operator.send(path, {"confirmation": " Unlink "}))
    assert "The account of Customer is unlinked." in told(page)
    assert await operator.stores.accounts.find(operator.site.account) is None
    for gone in ("", "/unlink", "/relink", "/try"):
        answer = await operator.get(f"/accounts/{operator.site.account}{gone}")
        assert answer.status_code == 404
        assert "There is no such account here." in answer.text
        assert "Sign out" in answer.text


async def test_history_and_use_are_told_in_words(operator: Operator) -> None:
    path = f"/accounts/{operator.site.account}"
    before = await operator.see(path)
    assert "No calls yet" in before
    assert "<dt>Verified</dt><dd><time" in before
    await operator.send(f"{path}/suspend")
    await operator.send(f"{path}/resume")
    page = await operator.see(path)
    told = [
        re.sub(r"<[^>]+>|\s+", " ", each).strip() for each in re.findall(r"(?s)<li><span class=.what.>(.*?)</li>", page)
    ]
    assert [each.partition(" ")[0] for each in told] == ["Resumed", "Suspended", "Linked"]
    assert "Operator, in the dashboard, from 127.0.0.1" in told[0]
    assert "Codes: suspended_by_operator" in told[1]
    assert "Scopes: " in told[2]
    operator.site.key = await operator.site.make_key()
    [key] = await operator.stores.keys.all()
    await operator.send(f"/keys/{key.id}/revoke")
    await operator.send(f"{path}/unlink", {"confirmation": "unlink"})
    audit = await operator.see("/audit")
    words = re.findall(r'class="what">([^<]+)<', audit)
    signed_in = "Signed in to the dashboard"
    assert words == ["Unlinked", "API key revoked", "API key created", "Resumed", "Suspended", signed_in, "Linked"]
    assert "demo" in audit
    assert "Scopes: *" in audit
    first = (await operator.stores.audit.read(most=1))[0].id
    assert re.findall(r'class="what">([^<]+)<', await operator.see("/audit", before=str(first - 3))) == words[4:]
    other = (await operator.project("other")).id
    assert "Nothing here" in await operator.see("/audit", project=other)


async def test_calls_are_counted_where_the_operator_sees_them(
    environ: dict[str, str], stack: AsyncExitStack, clock: Time
) -> None:
    operator = await open_dashboard({**environ, "GATEWAY_ACCOUNTS_USAGE_FLUSH_SECONDS": "0.05"}, stack, clock)
    operator.site.key, operator.site.account = await operator.site.make_key(), await operator.site.link("all-owner")
    await operator.sign_in()
    for _ in range(3):
        assert (await operator.site.get()).status_code == 200
    for _ in range(500):
        if "of 3 calls" in await operator.see(f"/accounts/{operator.site.account}"):
            break
        await asyncio.sleep(0.02)
    page = await operator.see(f"/accounts/{operator.site.account}")
    assert '<dd>67% <span class="soft">of 3 calls' in page
    assert "67%" in await operator.see()


async def test_what_was_sent_to_the_product_is_told_with_the_account(operator: Operator) -> None:
    account, now = await operator.account(), datetime.now(UTC)
    url = "https://127.0.0.1:9/<b>hook</b>"
    endpoint = Endpoint(id="e1", project_id=account.project_id, url=url, events=("*",), created_at=now, updated_at=now)
    book = operator.stores.endpoints
    assert await book.add(endpoint, new_secret(os.urandom), told_of(endpoint))
    page = await operator.see(f"/accounts/{account.id}")
    assert "Nothing has been sent about this account yet." in page
    await book.send(endpoint, account_event("account.updated", account, "ev1", now), now)
    for _ in range(500):
        page = await operator.see(f"/accounts/{account.id}")
        if "the last <time" in page:
            break
        await asyncio.sleep(0.02)
    told = page.partition("Webhook deliveries")[2]
    assert "account.updated" in told
    assert "On its way" in told
    assert "1 attempt, the last" in told
    assert "https://127.0.0.1:9/&lt;b&gt;hook&lt;/b&gt;" in told


# --- linking ------------------------------------------------------------------------------------------------


async def test_the_operator_links_an_account_in_the_hub_and_comes_back(operator: Operator) -> None:
    project = (await operator.project()).id
    form = {"project": project, "owner_id": "c7", "owner_name": "Seven Ltd", "label": "East", "how": "here"}
    answer = await operator.send("/link", form)
    assert re.fullmatch(r"/connect/hcs_[\w-]+", answer.headers["location"])
    client = operator.site.client
    page = await client.get((await client.get(answer.headers["location"])).headers["location"])
    assert "for Seven Ltd" in page.text
    assert 'href="/dashboard"' in page.text
    credential = by_name("all-owner").token
    done = await client.post("/connect", data={**hidden(page.text), "credential": credential}, headers={})
    shown = await operator.follow(done)
    assert told(shown) == "The account is linked, and its token works."
    assert all(each in shown for each in ("Seven Ltd", "c7", "East", "demo"))
    assert credential not in shown
    link = (await operator.send("/link", {**form, "how": "send", "owner_id": "c8", "life": "86400"})).text
    [url] = re.findall(r"http://gateway(/connect/hcs_[\w-]+)</code>", link)
    assert "within 1 day" in link
    page = await client.get(url, follow_redirects=True)
    done = await client.post("/connect", data={**hidden(page.text), "credential": credential})
    assert done.headers["location"] == "/connect/done", "a link for a customer does not lead to the dashboard"


async def test_relinking_keeps_the_account(operator: Operator) -> None:
    before = await operator.account()
    answer = await operator.send(f"/accounts/{before.id}/relink", {"how": "here"})
    client = operator.site.client
    page = await client.get(answer.headers["location"], follow_redirects=True)
    assert "Reconnect" in page.text
    token = by_name("only-public-read").token
    done = await client.post("/connect", data={**hidden(page.text), "credential": token})
    assert done.headers["location"] == f"/dashboard/accounts/{before.id}?linked=now"
    after = await operator.account()
    assert (after.id, after.owner) == (before.id, before.owner)
    assert after.grant.scopes == {"public:read"}


FAULTS = [
    ({"owner_id": ""}, "Customer id must be 1 to 200 printable characters."),
    ({"owner_name": "x" * 201}, "Customer name must be 1 to 200 printable characters."),
    ({"provider": "other"}, "HR system must be one of: humaans."),
    ({"project": "", "new_project": " "}, "Choose a project, or give a new one a name"),
    ({"project": "nonsense"}, "There is no such project."),
]


async def test_a_faulty_form_is_shown_again_with_what_is_wrong(operator: Operator) -> None:
    whole = {"project": (await operator.project()).id, "owner_id": "c7", "owner_name": "Seven", "label": "Kept"}
    for form, said in FAULTS:
        answer = await operator.send("/link", {**whole, "how": "here", **form})
        assert answer.status_code in {400, 404}, form
        assert said in answer.text
        assert 'value="Kept"' in answer.text


async def test_nobody_else_s_cookie_leads_from_the_hub_to_the_dashboard(operator: Operator) -> None:
    answer = await operator.send(f"/accounts/{operator.site.account}/relink", {"how": "send"})
    [url] = re.findall(r"http://gateway(/connect/hcs_[\w-]+)</code>", answer.text)
    client = operator.site.client
    client.cookies.set("hub_return", "0" * 64)
    page = await client.get(url, follow_redirects=True)
    assert "Back to the dashboard" not in page.text


# --- keys ---------------------------------------------------------------------------------------------------


async def test_a_key_is_shown_once_works_and_is_revoked(operator: Operator) -> None:
    project = (await operator.project()).id
    form = {"project": project, "kind": "chosen", "scope": ["hris.employees:read", "hris.locations:read", "nonsense"]}
    answer = await operator.send("/keys", form)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    [secret] = re.findall(r'<code id="made">(hrk_\w+)</code>', answer.text)
    assert is_well_formed(secret)
    operator.site.key = secret
    assert (await operator.site.get()).status_code == 200
    assert (await operator.site.get("/groups")).status_code == 403
    listed = await operator.see("/keys")
    assert secret not in listed
    assert secret[:12] in listed
    [key] = await operator.stores.keys.all()
    assert key.scopes == {"hris.employees:read", "hris.locations:read"}
    page = await operator.follow(await operator.send(f"/keys/{key.id}/revoke"))
    assert f"The key {secret[:12]}… is revoked." in told(page)
    assert '<span class="badge idle">Revoked</span>' in page
    assert (await operator.site.get()).status_code == 401
    assert (await operator.get("/keys/nonsense/revoke")).status_code == 404


async def test_a_form_that_is_sent_again_makes_no_second_key(operator: Operator) -> None:
    page = await operator.see("/keys/new")
    form = {**hidden(page), "kind": "all", "project": (await operator.project()).id}
    assert (await operator.post("/keys", form)).status_code == 200
    again = await operator.post("/keys", form)
    assert again.status_code == 409
    assert "has been sent before" in again.text
    assert len(await operator.stores.keys.all()) == 1


async def test_a_key_of_no_scope_is_not_made_and_a_new_project_is(operator: Operator) -> None:
    answer = await operator.send("/keys", {"kind": "chosen", "new_project": "fresh", "project": ""})
    assert answer.status_code == 400
    assert "Choose at least one scope" in answer.text
    assert await operator.stores.keys.find_project("fresh") is None
    answer = await operator.send("/keys", {"kind": "read", "new_project": "fresh", "project": ""})
    assert "<dd>fresh</dd>" in answer.text
    assert "hris.*:read" in answer.text


# --- the request tester -------------------------------------------------------------------------------------


async def test_a_request_is_tried_as_a_real_call_and_all_is_said_of_it(operator: Operator) -> None:
    path = f"/accounts/{operator.site.account}/try"
    form = {"operation": "list_employees", "query.page_size": "2", "query.filter[email]": ""}
    first = (await operator.send(path, form)).text
    assert '<span class="badge good">200</span>' in first
    assert "hris-gateway; fwd=miss; stored" in first
    assert "&#34;first_name&#34;" in first
    curl = f"curl -s -H &#39;x-account-id: {operator.site.account}&#39; -u &#34;$API_KEY:&#34;"
    assert f"{curl} &#39;http://gateway/unified/hris/employees?page_size=2&#39;" in first
    again = (await operator.send(path, form)).text
    assert "hris-gateway; hit; ttl=" in again
    assert "<dt>Upstream calls</dt><dd>0</dd>" in again
    operator.site.key = await operator.site.make_key()
    real = await operator.site.get(page_size="2")
    assert real.headers["cache-status"].startswith("hris-gateway; hit"), "it is the same cache"
    fresh = (await operator.send(path, {**form, "cache": "no-cache"})).text
    assert "fwd=request" in fresh
    assert "cache-control: no-cache" in fresh


async def test_rights_are_those_that_are_chosen(operator: Operator) -> None:
    path = f"/accounts/{operator.site.account}/try"
    form = {"operation": "list_employees", "rights": "chosen", "scopes": "hris.employees:read, hris.groups:read"}
    page = (await operator.send(path, form)).text
    withheld = page.partition("Withheld fields")[2]
    assert re.search(r"<code>\w+</code> <p>Needs hris\.\w+:read, from the operator of this gateway", withheld)
    denied = (await operator.send(path, {**form, "scopes": "hris.groups:read"})).text
    assert '<span class="badge bad">403</span>' in denied
    assert "lacks the scope hris.employees:read" in denied
    odd = await operator.send(path, {**form, "scopes": "everything"})
    assert odd.status_code == 400
    assert "There is no scope everything" in odd.text
    await operator.site.make_key("hris.groups:read")
    [key] = await operator.stores.keys.all()
    assert "lacks the scope hris.employees:read" in (await operator.send(path, {**form, "rights": key.id})).text
    assert (await operator.send(path, {**form, "rights": "nonsense"})).status_code == 400
    assert [each.id for each in await operator.stores.keys.all()] == [key.id], "no key is left behind"


async def test_faults_of_a_tried_request_are_shown_as_a_caller_gets_them(operator: Operator) -> None:
    path = f"/accounts/{operator.site.account}/try"
    page = (await operator.send(path, {"operation": "list_employees", "query.page_size": "9999"})).text
    assert '<span class="badge bad">400</span>' in page
    assert "page_size must be a whole number" in page
    missing = await operator.send(f"{path}?operation=get_employee", {"operation": "get_employee", "id.id": " "})
    assert (missing.status_code, "Fill in the id" in missing.text) == (400, True)
    page = (await operator.send(path, {"operation": "get_employee", "id.id": "../x y"})).text
    assert '<span class="badge bad">404</span>' in page
    assert "/unified/hris/employees/..%2Fx%20y" in page
    unknown = (await operator.send(path, {"operation": "delete_everything"})).text
    assert "GET /unified/hris/employees</code>" in unknown


async def test_a_large_answer_is_cut(operator: Operator) -> None:
    path = f"/accounts/{operator.site.account}/try"
    answer = await operator.send(path, {"operation": "list_employees", "query.page_size": "250"})
    assert "The first 64 KB of" in answer.text
    assert len(answer.text) < 300_000


# --- what others have written -------------------------------------------------------------------------------


def marked(account: Account) -> dict[str, Account]:
    """Give the account with markup in each thing that a customer or a vendor has written."""
    owner, reason = account.owner, StatusReason(MARKUP, MARKUP, datetime.now(UTC))
    said = Grant(scopes=frozenset({MARKUP}), found_by=MARKUP, role=MARKUP, warnings=(MARKUP,))
    return {
        "owner id": replace(account, owner=replace(owner, id=MARKUP)),
        "owner name": replace(account, owner=replace(owner, name=MARKUP)),
        "username": replace(account, owner=replace(owner, username=MARKUP)),
        "label": replace(account, label=MARKUP),
        "reason": replace(account, status=Status.ERROR, status_reasons=(reason,)),
        "grant": replace(account, grant=said),
        "kind": replace(account, kind=MARKUP),
    }


async def places_that_show_markup(operator: Operator, account: Account) -> list[str]:
    """Look at every page about an account; give those that show markup, which must be as text."""
    await operator.stores.keys.create_key(account.project_id, ["hris.groups:read"])
    key = (await operator.stores.keys.all())[-1]
    own = (f"/accounts/{account.id}{each}" for each in ("", "/unlink", "/relink", "/try"))
    found = []
    for path in ("", "/link", "/keys", f"/keys/{key.id}/revoke", *own):
        page = await operator.see(path)
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        found += [path] if ESCAPED in page else []
    return found


async def test_what_others_write_is_never_markup(operator: Operator) -> None:
    account = await operator.account()
    for field, changed in marked(account).items():
        now = await operator.account()
        await operator.stores.accounts.update(replace(changed, revision=now.revision))
        assert await places_that_show_markup(operator, changed), field
    gone = await operator.send(f"/accounts/{account.id}/unlink", {"confirmation": "unlink"})
    assert "<script>alert" not in await operator.follow(gone)


async def test_nor_is_the_name_of_a_project(operator: Operator) -> None:
    operator.site.account = await operator.site.link("all-owner", project=MARKUP)
    assert len(await places_that_show_markup(operator, await operator.account())) > 4
    page = await operator.send(f"/accounts/{operator.site.account}/unlink", {"confirmation": "unlink"})
    assert "<script>alert" not in await operator.follow(page)


async def test_nor_is_what_is_typed_into_forms_and_addresses(operator: Operator) -> None:
    project = (await operator.project()).id
    path = f"/accounts/{operator.site.account}/try"
    answers = [
        await operator.get("", q=MARKUP, status=MARKUP, provider=MARKUP, project=MARKUP, page=MARKUP),
        await operator.get(path, operation=MARKUP),
        await operator.get(f"/accounts/{MARKUP}"),
        await operator.get(f"/{MARKUP}"),
        await operator.send("/link", {"project": project, "owner_id": MARKUP, "owner_name": "", "label": MARKUP}),
        await operator.send("/keys", {"kind": MARKUP, "new_project": MARKUP, "project": "", "scope": MARKUP}),
        await operator.send(path, {"operation": "list_employees", "query.filter[email]": MARKUP, "cache": MARKUP}),
        await operator.send(path, {"operation": "list_employees", "rights": "chosen", "scopes": MARKUP}),
        await operator.send(f"/accounts/{operator.site.account}/unlink", {"confirmation": MARKUP}),
        await operator.get("/login", next=MARKUP),
    ]
    for answer in answers:
        assert "<script>alert" not in answer.text, answer.url
        assert "<img src=x" not in answer.text, answer.url


async def test_an_answer_is_never_markup(operator: Operator, sandbox: Sandbox) -> None:
    path = f"/accounts/{operator.site.account}/try"
    page = (await operator.send(path, {"operation": "list_employees", "query.fields": MARKUP})).text
    body = page.partition("<pre")[2].partition(">")[2].partition("</pre>")[0]
    assert "&lt;script&gt;" in body
    assert "<" not in body
    sandbox.steer("POST", "/faults", {"kind": "html_error"})
    page = (await operator.send(path, {"operation": "list_companies"})).text
    assert "<" not in page.partition("<pre")[2].partition(">")[2].partition("</pre>")[0]


async def test_the_marker_of_a_link_is_believed_only_after_one(operator: Operator, clock: Time) -> None:
    path = f"/accounts/{operator.site.account}"
    clock.moved += timedelta(minutes=11)
    assert 'role="status"' not in await operator.see(path, linked="now")
