"""An account is linked only by a token that the vendor takes, and keeps up with what the token may do."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.connector import Connector
from connectors.exchange import Answer, BearerToken, CredentialField, Grant, Refusal, Request, Verification
from connectors.humaans.connector import HUMAANS
from gateway.accounts.link import CheckedToken, Linker, LinkRequest
from gateway.accounts.store import AccountStore
from gateway.errors import Conflict, GatewayError, RateLimited, Unprocessable, VendorFailure
from gateway.model import (
    GATEWAY,
    Account,
    Actor,
    ActorKind,
    Caching,
    Ceilings,
    Cipher,
    LinkedAccount,
    Owner,
    OwnerLinked,
    Secret,
    Status,
    StatusReason,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BACKEND = Actor(ActorKind.KEY, "k1", "192.0.2.1")
READ = Grant(scopes=frozenset({"public:read"}), found_by="token-info")


def flow() -> Verification:
    """Take the body of the second answer for the token's scopes."""
    first = yield Request("GET", "/first", headers={"accept": "application/json"})
    if first.status == 401:
        return Refusal("The vendor does not take it.")
    second = yield Request("GET", "/second")
    return Grant(scopes=frozenset(second.body.decode().split()), found_by="token-info")


FIELD = CredentialField(key="token", label="Token", pattern=".+", advice="")
VENDOR: Connector = replace(
    HUMAANS,
    key="vendor",
    name="Vendor",
    base_url="https://vendor.test",
    auth=BearerToken(credential=FIELD),
    verify=flow,
)


def owner_of(account: Account) -> tuple[str, str, str]:
    return account.project_id, account.provider, account.owner.id


@dataclass
class Books(AccountStore):
    """Accounts in memory."""

    accounts: dict[str, tuple[Account, Secret]] = field(default_factory=dict)
    heard: list[tuple[str, Actor]] = field(default_factory=list)

    async def find_by_owner(self, project_id: str, provider: str, owner_id: str) -> Account | None:
        for account, _ in self.accounts.values():
            if owner_of(account) == (project_id, provider, owner_id):
                return account
        return None

    async def store(
        self, account: Account, credential: Secret, by: Actor = GATEWAY, *, alone: bool = False, replaced: bool = False
    ) -> Account:
        if alone and not account.revision and await Books.find_by_owner(self, *owner_of(account)):
            raise OwnerLinked
        self.heard.append(("replaced" if replaced else "stored", by))
        stored = replace(account, revision=account.revision + 1)
        self.accounts[account.id] = (stored, credential)
        return stored

    async def renew(self, account: Account, credential: Secret, by: Actor = GATEWAY) -> Account:
        assert self.accounts[account.id][1] == credential
        stored = await self.store(account, credential, by)
        self.heard[-1] = ("renewed", by)
        return stored

    async def note_verified(self, account_id: str) -> None:
        assert account_id in self.accounts
        self.heard.append(("confirmed", GATEWAY))

    async def unlink(self, project_id: str, account_id: str, by: Actor = GATEWAY) -> Account | None:
        self.heard.append(("erased", by))
        account, _ = self.accounts.get(account_id, (None, None))
        if account is None or account.project_id != project_id:
            return None
        del self.accounts[account_id]
        return account


class BlindBooks(Books):
    async def find_by_owner(self, project_id: str, provider: str, owner_id: str) -> Account | None:  # noqa: ARG002
        return None


class LateBooks(Books):
    """Another may act between the question for an owner's account and its answer."""

    async def find_by_owner(self, project_id: str, provider: str, owner_id: str) -> Account | None:
        found = await super().find_by_owner(project_id, provider, owner_id)
        await asyncio.sleep(0)
        return found


@dataclass
class Vendor:
    """A way to a vendor that answers by a function."""

    answer: Callable[[Request], Answer]
    asked: list[tuple[str, Request]] = field(default_factory=list)

    async def send(self, base_url: str, request: Request) -> Answer:
        self.asked.append((base_url, request))
        return self.answer(request)


class NoCipher:
    """Linking seals nothing itself."""

    def seal(self, plain: bytes, context: bytes) -> bytes:
        raise NotImplementedError

    def open(self, sealed: bytes, context: bytes) -> bytes:
        raise NotImplementedError


def granting(scopes: str) -> Vendor:
    return Vendor(lambda _: Answer(200, {}, scopes.encode()))


def answering(status: int, headers: dict[str, str] | None = None) -> Vendor:
    return Vendor(lambda _: Answer(status, headers or {}, b"planted vendor body"))


def parts(books: Books, vendor: Vendor) -> Linker:
    return Linker(accounts=books, upstream=vendor, clock=lambda: NOW, new_id=lambda: f"id{len(books.accounts)}")


def application(token: str = "planted-token", owner: str = "customer", project: str = "p1") -> LinkRequest:
    return LinkRequest(project_id=project, owner=Owner(id=owner, name="Customer"), credential=Secret(token))


def linked(books: Books, account_id: str = "id0") -> LinkedAccount:
    cipher: Cipher = NoCipher()
    return LinkedAccount(*books.accounts[account_id], cipher)


async def books_with(status: Status = Status.ACTIVE, reasons: tuple[StatusReason, ...] = ()) -> Books:
    books = Books()
    account = await parts(books, granting("public:read")).link(VENDOR, application())
    books.accounts[account.id] = (replace(account, status=status, status_reasons=reasons), Secret("planted-token"))
    return books


async def test_two_who_link_one_owner_at_once_link_one_account() -> None:
    """Both have found no account when they ask to store; the later one's token is the one that stays."""
    books = LateBooks()
    asked = [parts(books, granting("public:read")).link(VENDOR, application(token)) for token in ("first", "second")]
    made = await asyncio.gather(*asked)
    assert [(account.id, account.revision) for account in made] == [("id0", 1), ("id0", 2)]
    assert books.accounts == {"id0": (made[1], Secret("second"))}


async def test_an_owner_who_is_never_found_and_always_there_is_a_conflict() -> None:
    """As by another who links and unlinks in turn; nothing is stored then."""
    books = await books_with()
    blind = BlindBooks(books.accounts)
    with pytest.raises(Conflict, match="try again"):
        await parts(blind, granting("public:read")).link(VENDOR, application("other"))
    assert books.accounts["id0"][1] == Secret("planted-token")


async def test_a_further_account_is_made_beside_the_first() -> None:
    books = await books_with()
    await parts(books, granting("public:read")).link(VENDOR, replace(application(), apart=True))
    assert set(books.accounts) == {"id0", "id1"}


async def test_a_good_token_is_asked_about_with_the_connectors_headers_and_stored() -> None:
    books, vendor = Books(), granting("public:read private:read")
    account = await parts(books, vendor).link(VENDOR, replace(application(" planted-token\n"), by=BACKEND))
    assert books.heard == [("stored", BACKEND)]
    assert [(base, request.path) for base, request in vendor.asked] == [
        ("https://vendor.test", "/first"),
        ("https://vendor.test", "/second"),
    ]
    assert vendor.asked[0][1].headers == {
        "accept": "application/json",
        "authorization": "Bearer planted-token",
    }
    assert books.accounts == {"id0": (account, Secret("planted-token"))}
    assert (account.status, account.provider, account.revision) == (Status.ACTIVE, "vendor", 1)
    assert account.grant.scopes == {"public:read", "private:read"}
    assert account.created_at == account.updated_at == NOW


@pytest.mark.parametrize(
    ("token", "vendor", "error", "words"),
    [
        ("t", answering(401), Unprocessable, "The vendor does not take it."),
        ("", granting("x"), Unprocessable, "empty"),
        (" \r\n", granting("x"), Unprocessable, "empty"),
        ("planted token", granting("x"), Unprocessable, "spaces"),
        ("planted\r\nx-header: y", granting("x"), Unprocessable, "line breaks"),
        ("planted\x00", granting("x"), Unprocessable, "special characters"),
        ("plänted", granting("x"), Unprocessable, "special characters"),
        ("planted" * 100, granting("x"), Unprocessable, "longer than 512"),
        ("t", answering(500), VendorFailure, "Vendor answered /first with 500"),
    ],
)
async def test_what_is_not_taken_is_refused_with_its_reason_and_not_stored(
    token: str, vendor: Vendor, error: type[GatewayError], words: str
) -> None:
    books = Books()
    with pytest.raises(error, match=words) as refused:
        await parts(books, vendor).link(VENDOR, application(token))
    assert books.accounts == {}
    assert "planted" not in refused.value.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "7"}, 7), ({"retry-after": "soon"}, None), ({"retry-after": "-1"}, None), ({}, None)],
)
async def test_a_vendor_that_is_busy_says_when_to_come_back(headers: dict[str, str], seconds: int | None) -> None:
    books = Books()
    with pytest.raises(RateLimited, match="try again later") as refused:
        await parts(books, answering(429, headers)).link(VENDOR, application())
    assert refused.value.retry_after == seconds
    assert books.accounts == {}


async def test_a_network_fault_is_passed_on_and_nothing_is_stored() -> None:
    def fail(_: Request) -> Answer:
        raise VendorFailure("no connection")

    books = Books()
    with pytest.raises(VendorFailure, match="no connection"):
        await parts(books, Vendor(fail)).link(VENDOR, application())
    assert books.accounts == {}


async def test_linking_the_same_owner_again_updates_the_account() -> None:
    books = await books_with(Status.ERROR, (StatusReason("invalid_credentials", "Old.", NOW),))
    again = await parts(books, granting("private:read")).link(VENDOR, application("better"))
    assert (again.id, again.revision, again.status, again.status_reasons) == ("id0", 2, Status.ACTIVE, ())
    assert books.accounts["id0"] == (again, Secret("better"))


EVERY_LINK = frozenset({"grant", "status", "status_reasons", "revision", "updated_at"})
"""What a new token changes in any case."""
UNLIKE: dict[str, Any] = {
    "owner": Owner(id="customer", name="Renamed", username="ann"),
    "status": Status.ERROR,
    "status_reasons": (StatusReason("invalid_credentials", "Old.", NOW),),
    "label": "Payroll",
    "kind": "test",
    "setup_information": {"region": "eu"},
    "grant": Grant(scopes=frozenset({"pay"}), found_by="probe", role="user", warnings=("one",), ends_at=NOW),
    "caching": Caching(enabled=False, ceilings=Ceilings(5, 6)),
    "created_at": NOW - timedelta(days=9),
    "updated_at": NOW - timedelta(days=8),
}
"""For each field of an account a value that no default has."""
NAMED: Mapping[str, tuple[Callable[[LinkRequest], LinkRequest], Any]] = {
    "nothing": (lambda asked: asked, None),
    "owner": (lambda asked: replace(asked, owner=Owner(id="customer", name="New", username="bob")), "New"),
    "label": (lambda asked: replace(asked, label="New"), "New"),
    "kind": (lambda asked: replace(asked, kind="production"), "production"),
    "setup_information": (lambda asked: replace(asked, setup_information={"a": "b"}), {"a": "b"}),
}
"""What a request may name of an account, and what the account has afterwards."""


@pytest.mark.parametrize("named", NAMED)
async def test_linking_again_changes_what_the_request_names_and_no_other_field(named: str) -> None:
    """Over every field of an account: one that is added later is held to it, too."""
    every = {each.name for each in fields(Account)}
    assert set(UNLIKE) == every - {"id", "project_id", "provider", "revision"}
    books = await books_with()
    before = replace(books.accounts["id0"][0], **UNLIKE)
    books.accounts["id0"] = (before, Secret("planted-token"))
    plain = replace(application("better"), owner=Owner(id="customer", name=""))
    ask, value = NAMED[named]
    after = await parts(books, granting("private:read")).link(VENDOR, ask(plain))
    changed = {name for name in every if getattr(after, name) != getattr(before, name)}
    assert changed == EVERY_LINK | ({named} - {"nothing"})
    if named != "nothing":
        assert (after.owner.name if named == "owner" else getattr(after, named)) == value


@pytest.mark.parametrize("other", [{"owner": "another"}, {"project": "p2"}])
async def test_another_owner_or_project_gets_an_account_of_its_own(other: dict[str, str]) -> None:
    books = await books_with()
    await parts(books, granting("public:read")).link(VENDOR, application(**other))
    assert list(books.accounts) == ["id0", "id1"]


async def test_a_new_token_does_not_end_a_suspension() -> None:
    reason = StatusReason("suspended_by_operator", "Suspended.", NOW)
    books = await books_with(Status.SUSPENDED, (reason,))
    again = await parts(books, granting("public:read")).link(VENDOR, application())
    assert (again.status, again.status_reasons) == (Status.SUSPENDED, (reason,))


@pytest.mark.parametrize(
    ("before", "vendor", "after", "gained", "lost", "revision"),
    [
        (Status.ACTIVE, granting("public:read"), Status.ACTIVE, set(), set(), 1),
        (Status.ACTIVE, granting("public:read pay"), Status.ACTIVE, {"pay"}, set(), 2),
        (Status.ACTIVE, granting("pay"), Status.ACTIVE, {"pay"}, {"public:read"}, 2),
        (Status.ACTIVE, answering(401), Status.ERROR, set(), set(), 2),
        (Status.ERROR, granting("public:read"), Status.ACTIVE, set(), set(), 2),
        (Status.EXPIRED, granting("public:read"), Status.ACTIVE, set(), set(), 2),
        (Status.SUSPENDED, granting("pay"), Status.SUSPENDED, {"pay"}, {"public:read"}, 2),
        (Status.SUSPENDED, answering(401), Status.SUSPENDED, set(), set(), 2),
    ],
)
async def test_a_new_check_keeps_what_has_changed(
    *, before: Status, vendor: Vendor, after: Status, gained: set[str], lost: set[str], revision: int
) -> None:
    books = await books_with(before)
    checked = await parts(books, vendor).verify(VENDOR, linked(books), BACKEND)
    refused = "The vendor does not take it." if vendor.answer(Request("GET", "/")).status == 401 else ""
    account = books.accounts["id0"][0]
    assert checked == CheckedToken(account=account, refused=refused, gained=frozenset(gained), lost=frozenset(lost))
    assert (checked.account.status, checked.account.revision) == (after, revision)
    assert books.heard[-1] == (("renewed", BACKEND) if revision == 2 else ("confirmed", GATEWAY))
    reasons = [reason.code for reason in checked.account.status_reasons]
    assert reasons == (["invalid_credentials"] if refused else [])


@pytest.mark.parametrize("status", [Status.ERROR, Status.SUSPENDED])
async def test_a_token_that_is_refused_again_changes_nothing(status: Status) -> None:
    """Else each check would cost a revision, and with it a row of the trail."""
    books = await books_with(status, (StatusReason("invalid_credentials", "It said so before.", NOW),))
    before = dict(books.accounts)
    await parts(books, answering(401)).verify(VENDOR, linked(books))
    assert (books.accounts, books.heard[-1]) == (before, ("confirmed", GATEWAY))


def belonging(company: str | None) -> Connector:
    def of_company() -> Verification:
        grant = yield from flow()
        assert isinstance(grant, Grant)
        return replace(grant, company=company)

    return replace(VENDOR, verify=of_company)


Again = Callable[[Connector, Books, bool], Awaitable[Account]]
WAYS: Mapping[str, Again] = {
    "by owner": lambda connector, books, replacing: parts(books, granting("public:read")).link(
        connector, replace(application("other"), replace_company=replacing)
    ),
    "by account": lambda connector, books, replacing: parts(books, granting("public:read")).relink(
        connector,
        books.accounts["id0"][0],
        Secret("other"),
        replace_company=replacing,
    ),
}
"""The ways in which an account gets another token."""
REFUSED = "refused"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("before", "now", "replacing", "after", "heard"),
    [
        ("acme", "acme", False, "acme", "stored"),
        ("acme", "acme", True, "acme", "stored"),
        ("acme", "bolt", False, REFUSED, ""),
        ("acme", "bolt", True, "bolt", "replaced"),
        # A token that does not say claims nothing: neither that it is another's, nor that it is not.
        ("acme", None, False, "acme", "stored"),
        ("acme", None, True, None, "replaced"),
        # An account of before, or of a vendor that does not say.
        (None, "bolt", False, "bolt", "stored"),
        (None, "bolt", True, "bolt", "replaced"),
        (None, None, False, None, "stored"),
        (None, None, True, None, "replaced"),
    ],
)
async def test_a_token_of_another_company_is_refused_unless_that_is_asked_for(
    way: str, *, before: str | None, now: str | None, replacing: bool, after: str | None, heard: str
) -> None:
    books = await books_with()
    known, secret = books.accounts["id0"]
    known = replace(known, grant=replace(known.grant, company=before))
    books.accounts["id0"] = (known, secret)
    if after == REFUSED:
        with pytest.raises(Conflict, match=r"of another company in Vendor .* replace_company in the connect session"):
            await WAYS[way](belonging(now), books, replacing)
        assert books.accounts["id0"] == (known, secret)
        return
    account = await WAYS[way](belonging(now), books, replacing)
    assert (account.id, account.grant.company, books.heard[-1][0]) == ("id0", after, heard)
    assert books.accounts["id0"][1] == Secret("other")


async def test_a_further_account_of_the_owner_may_be_of_any_company() -> None:
    books = await books_with()
    known, secret = books.accounts["id0"]
    books.accounts["id0"] = (replace(known, grant=replace(known.grant, company="acme")), secret)
    further = replace(application("other"), apart=True)
    account = await parts(books, granting("public:read")).link(belonging("bolt"), further)
    assert (account.id, account.grant.company) == ("id1", "bolt")


@pytest.mark.parametrize(("before", "told", "after"), [(None, "acme", "acme"), ("acme", None, "acme")])
async def test_a_check_learns_the_company_and_forgets_it_no_more(
    before: str | None, told: str | None, after: str
) -> None:
    books = await books_with()
    known, secret = books.accounts["id0"]
    books.accounts["id0"] = (replace(known, grant=replace(known.grant, company=before)), secret)
    checked = await parts(books, granting("public:read")).verify(belonging(told), linked(books), BACKEND)
    assert checked.account.grant.company == after


LATER, SOON = NOW + timedelta(days=9), NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("told_when_given", "told_when_checked", "kept"),
    [(None, None, None), (LATER, None, LATER), (None, SOON, SOON), (LATER, SOON, SOON)],
)
async def test_the_end_of_a_token_is_kept_whoever_tells_it(
    told_when_given: datetime | None, told_when_checked: datetime | None, kept: datetime | None
) -> None:
    books, wanted = Books(), application()
    telling = replace(VENDOR, verify=lambda: ending(told_when_checked))
    wanted = replace(wanted, credential=Secret("planted-token", told_when_given))
    account = await parts(books, granting("public:read")).link(telling, wanted)
    assert account.grant.ends_at == kept
    # The next check may not tell it again.
    checked = await parts(books, granting("public:read")).verify(VENDOR, linked(books))
    assert checked.account.grant.ends_at == kept
    relinked = await parts(books, granting("public:read")).relink(VENDOR, checked.account, Secret("another"))
    assert relinked.grant.ends_at is None


def ending(end: datetime | None) -> Verification:
    grant = yield from flow()
    assert isinstance(grant, Grant)
    return replace(grant, ends_at=end)


async def test_a_vendor_that_is_down_changes_nothing() -> None:
    books = await books_with()
    before = dict(books.accounts)
    with pytest.raises(VendorFailure):
        await parts(books, answering(503)).verify(VENDOR, linked(books))
    assert books.accounts == before
