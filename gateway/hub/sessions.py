"""Connect sessions: the permission to link one account, which a backend makes and its customer's browser uses.

The token is shown once and only its digest is kept. A session is of one owner in one project, ends by the clock, and
is spent by the link that it was made for.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from connectors.convert import instant
from connectors.platform_bodies import ACCOUNT_TYPES, AUTHENTICATE_CONNECT_SESSION
from gateway.contract.body import check_body, refuse
from gateway.errors import BadRequest, NotFound
from gateway.hub.session_request import SessionRequest, read_session_request
from gateway.model import Actor, Choice, Directory, Owner
from gateway.policy.provider import Provider

OVER = "ConnectSessionOverError"
MOST_TRIES = 50
"""Credentials that one session may try: enough for anybody's clipboard, too few to search for one."""

TRY_SECONDS = 600
"""A try that has not ended after so long never will: its process is gone."""

ORGANIZATION = 1
"""There is one organisation in a gateway; the contract wants its number."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectSession:
    """`claimed_at` is set while a credential is being tried, `linked_id` is the account that came of a good one."""

    id: int
    digest: str = field(repr=False)
    project_id: str
    wish: SessionRequest
    created_at: datetime
    expires_at: datetime
    claimed_at: datetime | None = None
    linked_id: str | None = None

    @property
    def spent(self) -> bool:
        return self.linked_id is not None


class Sessions(Protocol):
    """The database, as connect sessions need it."""

    async def add(self, session: ConnectSession, by: Actor) -> ConnectSession:
        """Keep a new session and give it with its number. What ended long ago is dropped on the way."""

    async def find(self, digest: str) -> ConnectSession | None: ...

    async def find_number(self, number: int) -> ConnectSession | None: ...

    async def claim(self, number: int, now: datetime, given_up: datetime, most: int) -> bool:
        """Take the session for one try, unless it is spent, taken since `given_up`, or was tried `most` times."""

    async def release(self, number: int) -> None:
        """Give a claimed session back: the try has failed."""

    async def spend(self, number: int, account_id: str) -> None:
        """Note the account that a claimed session has linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """Time and chance."""

    now: Callable[[], datetime]
    new_token: Callable[[], str]


class SessionService:
    """Makes sessions for a project's backend and finds them again by what the browser shows."""

    def __init__(
        self, sessions: Sessions, directory: Directory, providers: Mapping[str, Provider], making: Making
    ) -> None:
        self._sessions = sessions
        self._directory = directory
        self._providers = providers
        self._making = making

    async def create(self, project_id: str, body: Mapping[str, Any], by: Actor) -> tuple[ConnectSession, str]:
        """Make a session as the body of a call wants it, and give its token this one time."""
        wish = read_session_request(body, self._providers)
        if wish.account_id:
            await self._must_be_the_owners(project_id, wish, wish.account_id)
        token, now = self._making.new_token(), self._making.now()
        session = ConnectSession(
            id=0,
            digest=digest_of(token),
            project_id=project_id,
            wish=wish,
            created_at=now,
            expires_at=now + timedelta(seconds=wish.expires_in),
        )
        return await self._sessions.add(session, by), token

    async def authenticate(self, project_id: str, body: Mapping[str, Any]) -> ConnectSession:
        """Tell a project's backend what a token stands for."""
        token = check_body(body, AUTHENTICATE_CONNECT_SESSION)["token"]
        session = await self._sessions.find(digest_of(token))
        if session is None or session.project_id != project_id:
            raise NotFound("There is no such connect session in the project of this API key.", code="NotFoundError")
        self._must_live(session)
        return session

    async def enter(self, token: str) -> ConnectSession:
        """Give the session of a token. Raises `BadRequest`, never 401: the Hub component hides the text of that."""
        session = await self._sessions.find(digest_of(token)) if token else None
        if session is None:
            raise BadRequest("This link is not valid. Ask for a new one where you got it.", code=OVER)
        self._must_live(session)
        return session

    async def reenter(self, number: int) -> ConnectSession | None:
        """Give the session of this number until it expires, spent or not: to show what came of it."""
        session = await self._sessions.find_number(number)
        return session if session and self._making.now() < session.expires_at else None

    async def claim(self, session: ConnectSession) -> None:
        """Take the session for one try, or raise."""
        self._must_live(session)
        now = self._making.now()
        if not await self._sessions.claim(session.id, now, now - timedelta(seconds=TRY_SECONDS), MOST_TRIES):
            raise BadRequest(
                "This link is in use, has been used, or was tried too often. Ask for a new one.", code=OVER
            )

    async def release(self, session: ConnectSession) -> None:
        await self._sessions.release(session.id)

    async def spend(self, session: ConnectSession, account_id: str) -> None:
        await self._sessions.spend(session.id, account_id)

    def _must_live(self, session: ConnectSession) -> None:
        if session.spent:
            raise BadRequest("This link has been used. Ask for a new one where you got it.", code=OVER)
        if self._making.now() >= session.expires_at:
            raise BadRequest("This link has expired. Ask for a new one where you got it.", code=OVER)

    async def _must_be_the_owners(self, project_id: str, wish: SessionRequest, account_id: str) -> None:
        found = await self._directory.select(project_id, Choice(ids=(account_id,)))
        fault = ""
        if not found:
            fault = "account_id: names no linked account of this project"
        elif found[0].owner.id != wish.owner.id:
            fault = "account_id: names an account of another origin_owner_id"
        elif wish.provider not in {None, found[0].provider}:
            fault = f"account_id: names an account of {found[0].provider}, not of provider"
        refuse([fault] if fault else [])


def digest_of(token: str) -> str:
    """Give what is kept of a token. It has 256 random bits: a slow hash would only slow us."""
    return hashlib.sha256(token.encode()).hexdigest()


def shown(session: ConnectSession, *, number_as_text: bool) -> Json:
    """Give the contract's form of a session. Newer SDKs of StackOne want the organisation's number as text."""
    wish = session.wish
    return {
        "id": session.id,
        "organization_id": str(ORGANIZATION) if number_as_text else ORGANIZATION,
        "project_id": session.project_id,
        "categories": list(wish.categories) or None,
        "provider": wish.provider,
        **shown_owner(wish.owner),
        "account_id": wish.account_id,
        "label": wish.label,
        "created_at": instant(session.created_at.isoformat()),
        "metadata": dict(wish.metadata) if wish.metadata else None,
        "type": wish.kind or ACCOUNT_TYPES[0],
        "integration_id": wish.provider,
    }


def shown_owner(owner: Owner) -> Json:
    return {
        "origin_owner_id": owner.id,
        "origin_owner_name": owner.name,
        "origin_username": owner.username,
    }
