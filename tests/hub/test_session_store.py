"""Connect sessions in SQLite and PostgreSQL: found by digest, claimed by one, spent once, gone in time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from gateway.app.stores import Stores
from gateway.audit.events import AuditEvent
from gateway.hub.session_request import ConnectSession, SessionRequest
from gateway.hub.session_store import RETENTION
from gateway.model import Actor, ActorKind, Owner
from tests.fixtures.databases import START, TOKEN, new_account

LONG_AGO = START - timedelta(minutes=10)
WISH = SessionRequest(
    owner=Owner(id="c", name="Customer Ltd", username="ann"),
    provider="humaans",
    categories=("hris",),
    multiple=True,
    label="main",
    kind="test",
    metadata={"plan": ["large"]},
    expires_in=600,
)


BY = Actor(ActorKind.KEY, "k1", "203.0.113.9")


async def added(stores: Stores, digest: str = "d1", **changes: object) -> ConnectSession:
    project = await stores.keys.ensure_project("acme")
    session = ConnectSession(
        id=0,
        digest=digest,
        project_id=project.id,
        request=replace(WISH, **changes),  # type: ignore[arg-type] # fields by name
        created_at=START,
        expires_at=START + timedelta(seconds=600),
    )
    return await stores.sessions.add(session, BY)


async def test_a_session_comes_back_whole(stores: Stores) -> None:
    session = await added(stores)
    other = await added(stores, "d2")
    assert session.request == WISH
    assert session.id != other.id
    assert await stores.sessions.find("d1") == await stores.sessions.find_number(session.id) == session
    assert await stores.sessions.find("d3") is None


async def test_of_many_at_once_one_claims(stores: Stores) -> None:
    session = await added(stores)
    claims = [stores.sessions.claim(session.id, START, LONG_AGO, 9) for _ in range(5)]
    assert sorted(await asyncio.gather(*claims)) == [False] * 4 + [True]


async def test_a_claim_ends_by_release_or_by_time_but_not_after_a_link(stores: Stores) -> None:
    sessions, session = stores.sessions, await added(stores)
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    assert await sessions.claim(session.id, START, LONG_AGO, 9)
    await sessions.release(session.id)
    assert await sessions.claim(session.id, START, LONG_AGO, 9)
    # Whoever claimed it has been gone since.
    later = START + timedelta(minutes=11)
    assert await sessions.claim(session.id, later, later - timedelta(minutes=10), 9)
    await sessions.spend(session.id, account.id)
    await sessions.release(session.id)
    never = later + timedelta(days=1)
    assert not await sessions.claim(session.id, never, never, 9)
    found = await sessions.find("d1")
    assert found is not None
    assert (found.spent, found.linked_id) == (True, account.id)


async def test_tries_are_counted(stores: Stores) -> None:
    session = await added(stores)
    for expected in (True, True, False):
        assert await stores.sessions.claim(session.id, START, LONG_AGO, 2) is expected
        await stores.sessions.release(session.id)


async def test_a_session_goes_with_the_account_that_it_edits_or_has_made(stores: Stores) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    edits = await added(stores, multiple=False, account_id=account.id)
    made = await added(stores, "d2")
    other = await added(stores, "d3")
    await stores.sessions.spend(made.id, account.id)
    await stores.accounts.unlink(account.project_id, account.id)
    found = [await stores.sessions.find_number(each.id) for each in (edits, made, other)]
    assert found == [None, None, other]


async def test_the_open_sessions_of_an_owner_go_with_its_last_account(stores: Stores) -> None:
    """They carry its name, and would link it again; while it has another account they are that one's."""
    first = await stores.accounts.store(await new_account(stores, "a1"), TOKEN)
    last = await stores.accounts.store(await new_account(stores, "a2"), TOKEN)
    theirs = await added(stores, owner=first.owner)
    other = await added(stores, "d2")
    await stores.accounts.unlink(first.project_id, first.id)
    assert await stores.sessions.find_number(theirs.id) == theirs
    await stores.accounts.unlink(last.project_id, last.id)
    found = [await stores.sessions.find_number(each.id) for each in (theirs, other)]
    assert found == [None, other]


async def test_what_has_long_expired_is_deleted_by_the_clock_and_leaves_the_files(stores: Stores) -> None:
    """Whether it was used or not, and though no other is made."""
    session = await added(stores)
    for waited, left in ((RETENTION, True), (RETENTION + timedelta(seconds=1), False)):
        assert (await stores.sessions.tidy(session.expires_at + waited) == 0) == left
        assert (await stores.sessions.find("d1") is not None) == left
    assert await stores.purges.unclean()
    assert await stores.purges.clean()


async def test_the_trail_tells_who_made_a_session(stores: Stores) -> None:
    session = await added(stores)
    [entry] = await stores.audit.read(what=[AuditEvent.SESSION_CREATED])
    assert (entry.by, entry.project_id, entry.details) == (BY, session.project_id, {"session": str(session.id)})
