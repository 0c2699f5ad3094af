"""Connect sessions in SQLite and PostgreSQL: found by digest, claimed by one, spent once, gone in time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from gateway.accounts.store import Database
from gateway.audit.events import AuditEvent
from gateway.hub.session_request import SessionRequest
from gateway.hub.session_store import KEPT
from gateway.hub.sessions import ConnectSession
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


async def added(database: Database, digest: str = "d1", **changes: object) -> ConnectSession:
    project = await database.clients.project("acme")
    session = ConnectSession(
        id=0,
        digest=digest,
        project_id=project.id,
        wish=replace(WISH, **changes),  # type: ignore[arg-type] # fields by name
        created_at=START,
        expires_at=START + timedelta(seconds=600),
    )
    return await database.sessions.add(session, BY)


async def test_a_session_comes_back_whole(database: Database) -> None:
    session = await added(database)
    other = await added(database, "d2")
    assert session.wish == WISH
    assert session.id != other.id
    assert await database.sessions.find("d1") == await database.sessions.find_number(session.id) == session
    assert await database.sessions.find("d3") is None


async def test_of_many_at_once_one_claims(database: Database) -> None:
    session = await added(database)
    claims = [database.sessions.claim(session.id, START, LONG_AGO, 9) for _ in range(5)]
    assert sorted(await asyncio.gather(*claims)) == [False] * 4 + [True]


async def test_a_claim_ends_by_release_or_by_time_but_not_after_a_link(database: Database) -> None:
    sessions, session = database.sessions, await added(database)
    account = await database.store(await new_account(database), TOKEN)
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


async def test_tries_are_counted(database: Database) -> None:
    session = await added(database)
    for expected in (True, True, False):
        assert await database.sessions.claim(session.id, START, LONG_AGO, 2) is expected
        await database.sessions.release(session.id)


async def test_a_session_goes_with_the_account_that_it_edits_or_has_made(database: Database) -> None:
    account = await database.store(await new_account(database), TOKEN)
    edits = await added(database, multiple=False, account_id=account.id)
    made = await added(database, "d2")
    other = await added(database, "d3")
    await database.sessions.spend(made.id, account.id)
    await database.erase(account.project_id, account.id)
    found = [await database.sessions.find_number(each.id) for each in (edits, made, other)]
    assert found == [None, None, other]


async def test_the_open_sessions_of_an_owner_go_with_its_last_account(database: Database) -> None:
    """They carry its name, and would link it again; while it has another account they are that one's."""
    first = await database.store(await new_account(database, "a1"), TOKEN)
    last = await database.store(await new_account(database, "a2"), TOKEN)
    theirs = await added(database, owner=first.owner)
    other = await added(database, "d2")
    await database.erase(first.project_id, first.id)
    assert await database.sessions.find_number(theirs.id) == theirs
    await database.erase(last.project_id, last.id)
    found = [await database.sessions.find_number(each.id) for each in (theirs, other)]
    assert found == [None, other]


async def test_what_has_long_expired_is_deleted_by_the_clock_and_leaves_the_files(database: Database) -> None:
    """Whether it was used or not, and though no other is made."""
    session = await added(database)
    for waited, left in ((KEPT, True), (KEPT + timedelta(seconds=1), False)):
        assert (await database.sessions.tidy(session.expires_at + waited) == 0) == left
        assert (await database.sessions.find("d1") is not None) == left
    assert await database.erasures.unclean()
    assert await database.erasures.clean()


async def test_the_trail_tells_who_made_a_session(database: Database) -> None:
    session = await added(database)
    [entry] = await database.audit.read(what=[AuditEvent.SESSION_CREATED])
    assert (entry.by, entry.project_id, entry.details) == (BY, session.project_id, {"session": str(session.id)})
