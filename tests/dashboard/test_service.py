"""The operator's actions are those of the API, in all projects; faults have the labels of the forms."""

from dataclasses import dataclass, replace

import pytest

from connectors.exchange import Answer, Request
from gateway.accounts.link import Linker
from gateway.app.stores import Stores
from gateway.auth.authentication import Authenticator
from gateway.dashboard.service import AdminService, Invitation, advice
from gateway.errors import BadRequest, Conflict, NotFound
from gateway.hub.sessions import SessionService
from gateway.model import Account, Actor, ActorKind, Status
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from tests.fakes.accounts import judge
from tests.fakes.core import Vendor, make_linked
from tests.fakes.vendor import VILLAGE
from tests.fixtures.databases import START, TOKEN, new_account

ADMIN = Actor(ActorKind.ADMIN, "sign-in", "192.0.2.1")


@dataclass
class Stage:
    """The service over a database with account `a1` of project `acme`, linked to Village with scope `open`."""

    service: AdminService
    stores: Stores
    scopes: str = "open"

    async def account(self) -> Account:
        return await self.service.find("a1")


@pytest.fixture(name="stage")
async def fixture_stage(sqlite: Stores) -> Stage:
    account = replace(await new_account(sqlite), provider="village")
    await sqlite.accounts.store(replace(account, grant=make_linked("a1", "open").account.grant), TOKEN)

    def answer(request: Request) -> Answer:
        assert request.path == "/token"
        return Answer(200 if stage.scopes else 401, {}, stage.scopes.encode())

    connector = replace(VILLAGE, verify=judge)
    authenticator = Authenticator(sqlite.accounts, {"village": Provider(connector, Policy(connector, Operator()))})
    sessions = SessionService(
        sqlite.sessions, sqlite.accounts, authenticator.providers, now=lambda: START, new_token=lambda: "token"
    )
    linking = Linker(
        accounts=sqlite.accounts, upstream=Vendor(instead=answer), clock=lambda: START, new_id=lambda: "new"
    )
    service = AdminService(
        search=sqlite.account_search,
        keys=sqlite.keys,
        directory=sqlite.accounts,
        authenticator=authenticator,
        sessions=sessions,
        linker=linking,
    )
    stage = Stage(service, sqlite)
    return stage


async def test_an_unknown_account_or_provider_is_reported(stage: Stage) -> None:
    account = await stage.account()
    for unknown in ("b1", "", "a\x00"):
        with pytest.raises(NotFound, match="There is no such account here"):
            await stage.service.find(unknown)
    with pytest.raises(NotFound, match="no connector for other"):
        stage.service.provider(replace(account, provider="other"))
    with pytest.raises(NotFound, match="unlinked just now"):
        await stage.service.verify(replace(account, id="gone"), ADMIN)


async def test_verifying_suspending_resuming_and_unlinking_change_the_account(stage: Stage) -> None:
    stage.scopes = "open closed"
    assert (await stage.service.verify(await stage.account(), ADMIN)).gained == {"closed"}
    with pytest.raises(Conflict, match="active and not suspended"):
        await stage.service.resume(await stage.account(), ADMIN)
    await stage.service.suspend(await stage.account(), ADMIN)
    suspended = await stage.account()
    assert suspended.status is Status.SUSPENDED
    assert [reason.code for reason in suspended.status_reasons] == ["suspended_by_operator"]
    await stage.service.resume(suspended, ADMIN)
    resumed = await stage.account()
    assert (resumed.status, resumed.status_reasons) == (Status.ACTIVE, ())
    await stage.service.unlink(resumed, ADMIN)
    with pytest.raises(NotFound):
        await stage.account()
    records = await stage.stores.audit.read(account_id="a1", most=4)
    assert all(record.by == ADMIN for record in records)


async def test_an_invitation_is_a_session_for_that_customer_only(stage: Stage) -> None:
    project = (await stage.account()).project_id
    invitation = Invitation(
        provider="village", owner_id="c1", owner_name="One", label=" ", additional=True, seconds=3600
    )
    session, token = await stage.service.invite(project, invitation, ADMIN)
    assert (token, session.project_id, session.request.provider, session.request.label) == (
        "token",
        project,
        "village",
        None,
    )
    assert (session.request.owner.id, session.request.multiple, session.request.expires_in) == ("c1", True, 3600)


async def test_an_invitation_for_an_account_is_for_its_owner(stage: Stage) -> None:
    account = await stage.account()
    session, _ = await stage.service.invite_again(account, ADMIN)
    assert (session.request.account_id, session.request.owner) == ("a1", account.owner)


async def test_faults_of_an_invitation_have_the_labels_of_the_form(stage: Stage) -> None:
    invitation = Invitation(provider="other", owner_id="", owner_name="\x00", label="x" * 201)
    with pytest.raises(BadRequest) as caught:
        await stage.service.invite("p1", invitation, ADMIN)
    for name in ("HR system", "Customer id", "Customer name", "Label"):
        assert f"{name} must be " in caught.value.message
    assert "origin_" not in caught.value.message
    assert await stage.stores.sessions.find_number(1) is None


async def test_a_project_is_chosen_or_created(stage: Stage) -> None:
    acme = (await stage.account()).project_id
    assert (await stage.service.project(acme, "ignored")).name == "acme"
    assert (await stage.service.project("", " fresh ")).name == "fresh"
    with pytest.raises(NotFound):
        await stage.service.project("p9", "")
    for invalid in ("", "  ", "x" * 201, "a\x00b"):
        with pytest.raises(BadRequest):
            await stage.service.project("", invalid)
    assert sorted(each.name for each in await stage.service.keys.projects()) == ["acme", "fresh"]


def test_every_status_but_active_has_advice() -> None:
    account = make_linked("a1").account
    for status in Status:
        text = advice(replace(account, status=status), "Village")
        assert bool(text) == (status is not Status.ACTIVE), status
        assert "{" not in text
