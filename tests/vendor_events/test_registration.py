"""An account's webhook at its vendor is registered, checked and removed, and its state is shown."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from connectors.exchange import Answer, Grant, Request
from gateway.accounts.listeners import CredentialListener
from gateway.accounts.token_rejection import TokenRejections
from gateway.app.stores import Stores
from gateway.db.engine import writing
from gateway.db.schema import credentials
from gateway.errors import StoreUnavailable
from gateway.model import Account, Secret, Status, Upstream
from gateway.vendor_events.model import VendorWebhookState
from gateway.vendor_events.registration import (
    BATCH,
    FIRST_WAIT,
    LEASE,
    REGISTER_SECONDS,
    REMOVE_SECONDS,
    WebhookRegistrar,
)
from gateway.vendor_events.store import VendorWebhookStore
from tests.fakes.core import Register, Time, json_answer, make_linked
from tests.fakes.vendor_events import CHECK, Damaged, Down, RegistrarSetup, Slow, Unreachable
from tests.fixtures.databases import must_find, new_account
from tests.simulation.virtual_clock import in_virtual_time

# --- registering --------------------------------------------------------------------------------------------


async def test_an_endpoint_is_registered_with_our_address_and_the_account_s_token() -> None:
    setup = RegistrarSetup()
    await setup.registrar.ensure(setup.linked())
    [request] = setup.vendor.asked
    assert (request.method, request.path) == ("POST", "/hooks")
    url, secret, known = json.loads(request.body or b"")
    assert (url, len(secret), known) == ("https://gateway.test/hooks/village/a1", 43, None)
    assert request.headers["authorization"] == "Bearer token of a1"
    webhook = setup.webhook()
    assert (webhook.state, webhook.remote_id, webhook.secret) == (VendorWebhookState.ACTIVE, "h1", Secret(secret))
    assert CHECK / 2 <= webhook.due_at - setup.time.moment <= CHECK
    assert secret not in repr(webhook)
    assert (await setup.health())["state"] == "active"


async def test_one_that_stands_is_looked_after_when_it_is_due_and_keeps_its_secret() -> None:
    setup = RegistrarSetup()
    await setup.registrar.ensure(setup.linked())
    secret = setup.webhook().secret
    assert secret is not None
    await setup.registrar.ensure(setup.linked())
    assert len(setup.vendor.asked) == 1
    setup.time.forward(CHECK.total_seconds())
    await setup.registrar.ensure(setup.linked())
    assert len(setup.vendor.asked) == 2
    assert (setup.webhook().remote_id, setup.webhook().secret) == ("h1", secret)
    assert setup.counted == {"village registered": 1, "village checked": 1}


@pytest.mark.parametrize(
    ("setup", "account", "state", "says"),
    [
        (RegistrarSetup(enabled=False), "a1", "not_registered", "vendor_events.enabled"),
        (RegistrarSetup(public_url=""), "a1", "not_registered", "server.public_url"),
        (RegistrarSetup(public_url="http://gateway.test"), "a1", "not_registered", "must begin with https"),
        (RegistrarSetup(), "b1", "not_allowed", "lacks the scope closed"),
    ],
)
async def test_what_stands_in_the_way_is_said_and_the_vendor_is_not_asked(
    setup: RegistrarSetup, account: str, state: str, says: str
) -> None:
    for _ in "before and after":
        told = await setup.health(account)
        assert (told["state"], told["needs"], told["granted_by"]) == (state, "closed", "the mayor")
        assert says in told["reason"]
        await setup.registrar.ensure(setup.linked(account))
    assert setup.vendor.asked == []
    # It is not looked at again and again.
    assert CHECK / 2 <= setup.webhook(account).due_at - setup.time.moment <= CHECK


async def test_a_plain_address_will_do_for_a_vendor_that_has_one_itself() -> None:
    setup = RegistrarSetup(public_url="http://127.0.0.1:8080")
    provider = setup.providers["village"]
    setup.providers["village"] = replace(
        provider, connector=replace(provider.connector, base_url="http://127.0.0.1:8081")
    )
    await setup.registrar.ensure(setup.linked())
    assert (await setup.health())["state"] == "active"


async def test_an_account_that_is_not_active_is_left_as_it_is_and_one_of_a_quiet_vendor_has_no_health() -> None:
    setup = RegistrarSetup()
    setup.register.change("a1", status=Status.SUSPENDED)
    await setup.registrar.ensure(setup.linked(), force=True)
    assert setup.asked() == []
    quiet = make_linked("c1", "open", provider="quiet")
    await setup.registrar.ensure(quiet)
    assert await setup.registrar.health(quiet.account) is None


async def test_a_vendor_that_refuses_is_asked_again_ever_more_seldom() -> None:
    setup = RegistrarSetup(statuses={"POST": 403})
    waits = []
    for _ in range(12):
        await setup.registrar.ensure(setup.linked())
        waits.append(setup.webhook().due_at - setup.time.moment)
        setup.time.forward(waits[-1].total_seconds())
    assert waits[:3] == [FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4]
    assert waits[-1] == CHECK
    told = await setup.health()
    assert (told["state"], told["reason"], told["failures"]) == ("not_registered", "Village answered 403", 12)
    setup.statuses.clear()
    await setup.registrar.ensure(setup.linked())
    told = await setup.health()
    assert (told["state"], told["reason"], told["failures"]) == ("active", None, 0)


async def test_one_that_stood_and_cannot_be_looked_after_is_failing_but_still_known() -> None:
    setup = RegistrarSetup()
    await setup.registrar.ensure(setup.linked())
    secret = setup.webhook().secret
    assert secret is not None
    setup.statuses["POST"] = 503
    await setup.registrar.ensure(setup.linked(), force=True)
    assert (await setup.health())["state"] == "failing"
    assert (setup.webhook().remote_id, setup.webhook().secret) == ("h1", secret)


@pytest.mark.parametrize(
    ("upstream", "reason"),
    [(Unreachable(), "The provider could not be reached."), (Slow(), "Village took longer than 10 seconds")],
)
def test_a_vendor_that_cannot_be_reached_or_is_slow_is_a_failure_with_its_reason(
    upstream: Upstream, reason: str
) -> None:
    setup = RegistrarSetup(upstream=upstream)
    in_virtual_time(setup.registrar.ensure(setup.linked()))
    told = in_virtual_time(setup.health())
    assert (told["state"], told["reason"], told["failures"]) == ("not_registered", reason, 1)


# --- several at once ----------------------------------------------------------------------------------------


async def test_of_two_who_are_at_it_at_once_the_later_counts_and_the_earlier_takes_away_what_it_made() -> None:
    setup = RegistrarSetup()
    usual = setup.answer

    def answer(request: Request) -> Answer:
        made = usual(request)
        if request.method == "POST":
            # The account is linked again while the vendor makes the endpoint.
            setup.store.leases["a1"] += 1
        return made

    setup.vendor.instead = answer
    await setup.registrar.ensure(setup.linked())
    assert setup.asked() == ["POST /hooks", "DELETE /hooks/h1"]
    assert setup.webhook().remote_id is None
    # Nobody else looks at it until the lease of the later one is over.
    assert setup.webhook().due_at == setup.time.moment + LEASE


async def test_an_endpoint_that_was_made_for_an_account_just_unlinked_is_taken_away() -> None:
    setup = RegistrarSetup()
    usual = setup.answer

    def answer(request: Request) -> Answer:
        setup.register.accounts.pop("a1", None)
        return usual(request)

    setup.vendor.instead = answer
    await setup.registrar.ensure(make_linked("a1", "open", "closed"))
    assert setup.asked() == ["POST /hooks", "DELETE /hooks/h1"]


# --- looking after ------------------------------------------------------------------------------------------


async def test_a_round_sees_to_all_that_are_due_and_one_that_cannot_be_opened_keeps_nobody_waiting() -> None:
    names = ("damaged", "a1", "c1", "suspended")
    setup = RegistrarSetup(register=Damaged(accounts={name: make_linked(name, "open", "closed") for name in names}))
    setup.register.change("suspended", status=Status.SUSPENDED)
    assert await setup.registrar.check_due() == 3
    assert set(setup.store.webhooks) == {"a1", "c1"}
    assert await setup.registrar.check_due() == 1


async def test_a_start_tries_again_at_once_what_was_in_the_way_before() -> None:
    setup = RegistrarSetup(statuses={"POST": 500})
    await setup.registrar.ensure(setup.linked())
    setup.statuses.clear()
    await setup.registrar.check_due()
    assert (await setup.health())["state"] == "active"
    assert setup.webhook("b1").state is VendorWebhookState.NOT_ALLOWED
    # But not each time that what is due is checked.
    setup.statuses["POST"] = 500
    await setup.registrar.ensure(setup.linked(), force=True)
    await setup.registrar.check_due()
    assert setup.counted == {"village failed": 2, "village registered": 1}


async def test_when_the_gateway_has_moved_its_endpoints_are_seen_to_at_once() -> None:
    before = RegistrarSetup()
    await before.registrar.ensure(before.linked())
    for address, asked in (("https://gateway.test", 0), ("https://gateway.test.example", 1)):
        after = RegistrarSetup(public_url=address, register=before.register, account_cache=before.store)
        await after.registrar.check_due()
        assert len(after.vendor.asked) == asked
    assert before.webhook().url == "https://gateway.test.example/hooks/village/a1"


async def test_all_that_is_due_is_checked_batch_after_batch() -> None:
    many = {f"a{number}": make_linked(f"a{number}", "open", "closed") for number in range(BATCH + 1)}
    setup = RegistrarSetup(register=Register(accounts=many))
    assert [await setup.registrar.check_due() for _ in range(3)] == [BATCH, 1, 0]
    assert {webhook.state for webhook in setup.store.webhooks.values()} == {VendorWebhookState.ACTIVE}
    assert len(setup.store.webhooks) == BATCH + 1


async def test_that_the_database_is_away_is_left_to_the_supervisor() -> None:
    register = Register()
    down = RegistrarSetup(register=register, account_cache=Down(register))
    with pytest.raises(StoreUnavailable):
        await down.registrar.check_due()


async def test_when_webhooks_are_switched_off_those_that_stand_are_taken_away() -> None:
    on = RegistrarSetup()
    await on.registrar.ensure(on.linked())
    off = RegistrarSetup(enabled=False, register=on.register, account_cache=on.store)
    off.time.forward(CHECK.total_seconds())
    await off.registrar.ensure(off.linked())
    assert off.asked() == ["DELETE /hooks/h1"]
    assert (off.webhook().remote_id, off.webhook().secret) == (None, None)


# --- with the account ---------------------------------------------------------------------------------------


class Accounts:
    """Accounts in a database, whose vendor webhooks follow their credentials. Account `a1` is linked to Village."""

    def __init__(self, stores: Stores, setup: RegistrarSetup, store: VendorWebhookStore | None = None) -> None:
        self.stores = stores
        self.setup = setup
        upstream = setup.upstream or setup.vendor
        registrar = WebhookRegistrar(
            setup.config,
            store or stores.vendor_webhooks,
            stores.accounts,
            upstream,
            token_rejections=TokenRejections(stores.accounts, upstream, lambda: setup.time.moment),
            providers=setup.providers,
            clock=lambda: setup.time.moment,
            metrics=setup.metrics,
        )
        stores.accounts.listen(CredentialListener(before_delete=registrar.remove, after_store=registrar.follow))

    async def link(self, token: str = "first") -> Account:
        grant = Grant(scopes=frozenset({"open", "closed"}), found_by="token-info")
        account = replace(await new_account(self.stores), provider="village", grant=grant)
        return await self.stores.accounts.store(account, Secret(token))

    async def unlink(self, account: Account) -> Account | None:
        return await self.stores.accounts.unlink(account.project_id, account.id)


async def test_a_new_credential_sees_to_the_webhook_even_when_it_is_not_due(sqlite: Stores) -> None:
    setup = RegistrarSetup()
    account = await Accounts(sqlite, setup).link()
    account = await sqlite.accounts.store(account, Secret("second"))
    assert [each.headers["authorization"] for each in setup.vendor.asked] == ["Bearer first", "Bearer second"]
    assert setup.counted == {"village registered": 1, "village checked": 1}
    await sqlite.accounts.update(replace(account, label="new"))
    assert len(setup.vendor.asked) == 2


async def test_an_endpoint_at_the_company_of_the_old_token_is_taken_away_with_the_old_token(sqlite: Stores) -> None:
    setup = RegistrarSetup()
    account = await Accounts(sqlite, setup).link()

    def elsewhere(request: Request) -> Answer | None:
        return json_answer({"id": "other", "secret": "its own"}) if request.method == "POST" else None

    setup.vendor.instead = lambda request: elsewhere(request) or setup.answer(request)
    await sqlite.accounts.store(account, Secret("second"))
    assert setup.asked() == ["POST /hooks", "POST /hooks", "DELETE /hooks/h1"]
    assert setup.vendor.asked[-1].headers["authorization"] == "Bearer first"
    webhook = await sqlite.vendor_webhooks.find(account.id)
    assert webhook is not None
    assert (webhook.remote_id, webhook.secret) == ("other", Secret("its own"))


async def test_of_a_company_that_is_replaced_the_endpoint_goes_though_the_new_token_may_have_none(
    sqlite: Stores,
) -> None:
    setup = RegistrarSetup()
    account = await Accounts(sqlite, setup).link()
    unable = replace(account, grant=replace(account.grant, scopes=frozenset({"open"}), company="another"))
    await sqlite.accounts.store(unable, Secret("second"), replaced=True)
    assert setup.asked() == ["POST /hooks", "DELETE /hooks/h1"]
    assert setup.vendor.asked[-1].headers["authorization"] == "Bearer first"


async def test_no_fault_of_a_webhook_is_one_of_the_account(sqlite: Stores) -> None:
    accounts = Accounts(sqlite, RegistrarSetup(), Down(Register()))
    stored = await accounts.link("new")
    assert (await must_find(sqlite, stored)).credential == Secret("new")
    assert await accounts.unlink(stored) == stored
    assert await sqlite.accounts.find(stored.id) is None


async def test_a_credential_that_cannot_be_opened_can_be_replaced(sqlite: Stores) -> None:
    account = await Accounts(sqlite, RegistrarSetup()).link()
    async with writing(sqlite.engine) as connection:
        await connection.execute(update(credentials).values(sealed=b"damaged"))
    sqlite.accounts.purge(account.id)
    stored = await sqlite.accounts.store(account, Secret("new"))
    assert (await must_find(sqlite, stored)).credential == Secret("new")


@pytest.mark.parametrize(("status", "outcome"), [(200, "removed"), (404, "not_removed"), (500, "not_removed")])
async def test_unlinking_takes_the_endpoint_away_first_and_is_not_stopped_by_the_vendor(
    sqlite: Stores, status: int, outcome: str
) -> None:
    setup = RegistrarSetup(statuses={} if status == 200 else {"DELETE": status})
    accounts = Accounts(sqlite, setup)
    account = await accounts.link()
    assert await accounts.unlink(account)
    assert setup.asked() == ["POST /hooks", "DELETE /hooks/h1"]
    assert setup.vendor.asked[-1].headers["authorization"] == "Bearer first"
    assert setup.counted == {"village registered": 1, f"village {outcome}": 1}
    assert await sqlite.accounts.find(account.id) is None


def test_a_vendor_that_does_not_answer_holds_up_an_unlinking_for_a_few_seconds_only() -> None:
    setup = RegistrarSetup()
    in_virtual_time(setup.registrar.ensure(setup.linked()))
    slow = RegistrarSetup(upstream=Slow(), register=setup.register, account_cache=setup.store)
    time = Time()
    in_virtual_time(slow.registrar.remove(slow.linked()), time)
    assert (time.moment - Time().moment).total_seconds() == pytest.approx(REMOVE_SECONDS, abs=0.1)
    assert slow.counted == {"village not_removed": 1}


async def test_an_account_that_has_no_webhook_is_unlinked_without_a_word_to_the_vendor(sqlite: Stores) -> None:
    setup = RegistrarSetup(enabled=False)
    accounts = Accounts(sqlite, setup)
    assert await accounts.unlink(await accounts.link())
    assert setup.vendor.asked == []


def test_a_turn_is_longer_than_anything_that_is_done_in_one() -> None:
    assert timedelta(seconds=REGISTER_SECONDS + 2 * REMOVE_SECONDS) < LEASE
