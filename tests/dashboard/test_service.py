"""The operator's actions are those of the API, in all projects; what makes no sense is said in words of the page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from connectors.exchange import Answer, Request
from gateway.accounts.link import LinkContext
from gateway.accounts.search import Search
from gateway.auth.authentication import Authenticator
from gateway.dashboard.service import AdminService, Books, Invitation, advice
from gateway.errors import BadRequest, Conflict, NotFound
from gateway.hub.sessions import ConnectSession, SessionService
from gateway.model import Account, Actor, ActorKind, ClientKey, Project, Secret, Status
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from tests.fakes.accounts import Books as Directory
from tests.fakes.accounts import judge
from tests.fakes.core import NOW, Memory, Register, Time, Vendor, make_linked
from tests.fakes.vendor import VILLAGE

ADMIN = Actor(ActorKind.ADMIN, "sign-in", "192.0.2.1")


@dataclass
class Accounts:
    """All accounts, for looking one up."""

    register: Register

    async def search(self, search: Search) -> Sequence[Account]:
        raise NotImplementedError

    async def count(self, search: Search) -> Mapping[Status, int]:
        raise NotImplementedError

    async def find(self, account_id: str) -> Account | None:
        linked = self.register.accounts.get(account_id)
        return linked.account if linked else None


@dataclass
class Keys:
    names: list[str] = field(default_factory=lambda: ["p1"])

    async def projects(self) -> Sequence[Project]:
        return [Project(id=name, name=name, created_at=NOW) for name in self.names]

    async def ensure_project(self, name: str) -> Project:
        self.names.append(name)
        return Project(id=name, name=name, created_at=NOW)

    async def all(self, project_id: str | None = None) -> Sequence[ClientKey]:
        raise NotImplementedError

    async def create_key(self, project_id: str, scopes: Iterable[str], by: Actor) -> tuple[ClientKey, Secret]:
        raise NotImplementedError

    async def revoke_key(self, id_or_prefix: str, by: Actor) -> ClientKey | None:
        raise NotImplementedError


@dataclass
class Sessions:
    """Keeps the sessions that are made; none is looked for."""

    made: list[ConnectSession] = field(default_factory=list)

    async def add(self, session: ConnectSession, by: Actor) -> ConnectSession:
        assert by == ADMIN
        self.made.append(session)
        return replace(session, id=len(self.made))

    async def find(self, digest: str) -> ConnectSession | None:
        raise NotImplementedError

    async def find_number(self, number: int) -> ConnectSession | None:
        raise NotImplementedError

    async def claim(self, number: int, now: datetime, given_up: datetime, most: int) -> bool:
        raise NotImplementedError

    async def release(self, number: int) -> None:
        raise NotImplementedError

    async def spend(self, number: int, account_id: str) -> None:
        raise NotImplementedError


class Stage:
    """An office with account `a1` of project `p1`, linked to Village."""

    def __init__(self) -> None:
        self.time = Time()
        self.memory = Memory(self.time)
        self.granting = "open"
        self.register = Register(accounts={"a1": make_linked("a1", "open")})
        self.keys, self.sessions = Keys(), Sessions()
        vendor = Vendor(instead=self._answer)
        directory = Directory(self.register)
        connector = replace(VILLAGE, verify=judge)
        authenticator = Authenticator(self.register, {"village": Provider(connector, Policy(connector, Operator()))})
        parts = LinkContext(ledger=directory, upstream=vendor, clock=lambda: self.time.moment, new_id=lambda: "new")
        desk = SessionService(
            self.sessions,
            directory,
            authenticator.providers,
            now=lambda: self.time.moment,
            new_token=lambda: "token",
        )
        books = Books(register=Accounts(self.register), keys=self.keys, directory=directory)
        self.office = AdminService(books, authenticator, desk, parts)

    def _answer(self, request: Request) -> Answer:
        assert request.path == "/token"
        return Answer(200 if self.granting else 401, {}, self.granting.encode())

    @property
    def account(self) -> Account:
        return self.register.accounts["a1"].account


async def test_what_is_not_there_is_told() -> None:
    stage = Stage()
    assert await stage.office.find("a1") == stage.account
    for strange in ("b1", "", "a\x00"):
        with pytest.raises(NotFound, match="There is no such account here"):
            await stage.office.find(strange)
    with pytest.raises(NotFound, match="no connector for other"):
        stage.office.provider(replace(stage.account, provider="other"))
    with pytest.raises(NotFound, match="unlinked just now"):
        await stage.office.verify(replace(stage.account, id="gone"), ADMIN)


async def test_checking_suspending_resuming_and_unlinking_change_the_account() -> None:
    stage = Stage()
    stage.granting = "open closed"
    assert (await stage.office.verify(stage.account, ADMIN)).gained == {"closed"}
    with pytest.raises(Conflict, match="active and not suspended"):
        await stage.office.resume(stage.account, ADMIN)
    await stage.office.suspend(stage.account, ADMIN)
    assert stage.account.status is Status.SUSPENDED
    assert [reason.code for reason in stage.account.status_reasons] == ["suspended_by_operator"]
    await stage.office.resume(stage.account, ADMIN)
    assert (stage.account.status, stage.account.status_reasons) == (Status.ACTIVE, ())
    await stage.office.unlink(stage.account, ADMIN)
    assert stage.register.accounts == {}


async def test_an_invitation_is_a_session_for_that_customer_and_no_other() -> None:
    stage = Stage()
    invitation = Invitation(provider="village", owner_id="c1", owner_name="One", label=" ", apart=True, seconds=3600)
    session, token = await stage.office.invite("p1", invitation, ADMIN)
    assert (token, session.project_id, session.request.provider, session.request.label) == (
        "token",
        "p1",
        "village",
        None,
    )
    assert (session.request.owner.id, session.request.multiple, session.request.expires_in) == ("c1", True, 3600)
    again, _ = await stage.office.invite_again(stage.account, ADMIN)
    assert (again.request.account_id, again.request.owner) == ("a1", stage.account.owner)


async def test_faults_of_an_invitation_are_said_in_the_words_of_the_form() -> None:
    stage = Stage()
    with pytest.raises(BadRequest) as caught:
        await stage.office.invite(
            "p1", Invitation(provider="other", owner_id="", owner_name="\x00", label="x" * 201), ADMIN
        )
    said = caught.value.message
    for name in ("HR system", "Customer id", "Customer name", "Label"):
        assert f"{name} must be " in said
    assert "origin_" not in said
    assert stage.sessions.made == []


async def test_a_project_is_chosen_or_made() -> None:
    stage = Stage()
    assert (await stage.office.project("p1", "ignored")).name == "p1"
    assert (await stage.office.project("", " fresh ")).name == "fresh"
    with pytest.raises(NotFound):
        await stage.office.project("p9", "")
    for strange in ("", "  ", "x" * 201, "a\x00b"):
        with pytest.raises(BadRequest):
            await stage.office.project("", strange)
    assert stage.keys.names == ["p1", "fresh"]


def test_every_state_but_active_says_what_to_do() -> None:
    account = make_linked("a1").account
    for status in Status:
        said = advice(replace(account, status=status), "Village")
        assert bool(said) == (status is not Status.ACTIVE), status
        assert "{" not in said
