"""Connect sessions: the permission to link one account, created by a backend and used by its customer's browser.

The token is shown once, and only its digest is stored. A session has one owner in one project. It ends after a time, or
with the link that it was created for.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.convert import instant
from connectors.platform_bodies import ACCOUNT_TYPES, AUTHENTICATE_CONNECT_SESSION
from gateway.accounts.store import AccountStore
from gateway.contract.body import check_body, refuse
from gateway.errors import BadRequest, NotFound
from gateway.hub.session_request import ConnectSession, SessionRequest, read_session_request
from gateway.hub.session_store import SessionStore
from gateway.model import AccountFilter, Actor, Owner
from gateway.policy.provider import Provider

OVER = "ConnectSessionOverError"
MOST_TRIES = 50
"""Credentials that one session may try: enough for mistakes, too few to guess one."""

TRY_SECONDS = 600
"""After so long a try counts as lost: its process has ended."""

ORGANIZATION = 1
"""The contract has a number of the organisation; a gateway has only one."""

Json = dict[str, Any]


class SessionService:
    """Creates sessions for a project's backend and finds them by the token that the browser sends."""

    def __init__(
        self,
        sessions: SessionStore,
        directory: AccountStore,
        providers: Mapping[str, Provider],
        *,
        now: Callable[[], datetime],
        new_token: Callable[[], str],
    ) -> None:
        self._sessions = sessions
        self._directory = directory
        self._providers = providers
        self._now = now
        self._new_token = new_token

    async def create(self, project_id: str, body: Mapping[str, Any], by: Actor) -> tuple[ConnectSession, str]:
        """Returns a new session for a body of `create_connect_session`, with its token. Raises `BadRequest`."""
        request = read_session_request(body, self._providers)
        if request.account_id:
            await self._check_owner(project_id, request, request.account_id)
        token, now = self._new_token(), self._now()
        session = ConnectSession(
            id=0,
            digest=digest_of(token),
            project_id=project_id,
            request=request,
            created_at=now,
            expires_at=now + timedelta(seconds=request.expires_in),
        )
        return await self._sessions.add(session, by), token

    async def authenticate(self, project_id: str, body: Mapping[str, Any]) -> ConnectSession:
        """Returns the session of the token in a body. Raises `BadRequest` or `NotFound`."""
        token = check_body(body, AUTHENTICATE_CONNECT_SESSION)["token"]
        session = await self._sessions.find(digest_of(token))
        if session is None or session.project_id != project_id:
            raise NotFound("There is no such connect session in the project of this API key.", code="NotFoundError")
        self._check_open(session)
        return session

    async def find_open(self, token: str) -> ConnectSession:
        """Returns the session of a token. Raises `BadRequest`, since the Hub component hides the text of a 401."""
        session = await self._sessions.find(digest_of(token)) if token else None
        if session is None:
            raise BadRequest("This link is not valid. Ask for a new one where you got it.", code=OVER)
        self._check_open(session)
        return session

    async def find_unexpired(self, number: int) -> ConnectSession | None:
        """Returns the session with this number until it expires, spent or not, to show its result."""
        session = await self._sessions.find_number(number)
        return session if session and self._now() < session.expires_at else None

    async def claim(self, session: ConnectSession) -> None:
        """Claims the session for one try. Raises `BadRequest`."""
        self._check_open(session)
        now = self._now()
        if not await self._sessions.claim(session.id, now, now - timedelta(seconds=TRY_SECONDS), MOST_TRIES):
            raise BadRequest(
                "This link is in use, has been used, or was tried too often. Ask for a new one.", code=OVER
            )

    async def release(self, session: ConnectSession) -> None:
        await self._sessions.release(session.id)

    async def spend(self, session: ConnectSession, account_id: str) -> None:
        await self._sessions.spend(session.id, account_id)

    def _check_open(self, session: ConnectSession) -> None:
        if session.spent:
            raise BadRequest("This link has been used. Ask for a new one where you got it.", code=OVER)
        if self._now() >= session.expires_at:
            raise BadRequest("This link has expired. Ask for a new one where you got it.", code=OVER)

    async def _check_owner(self, project_id: str, request: SessionRequest, account_id: str) -> None:
        found = await self._directory.select(project_id, AccountFilter(ids=(account_id,)))
        fault = ""
        if not found:
            fault = "account_id: names no linked account of this project"
        elif found[0].owner.id != request.owner.id:
            fault = "account_id: names an account of another origin_owner_id"
        elif request.provider not in {None, found[0].provider}:
            fault = f"account_id: names an account of {found[0].provider}, not of provider"
        refuse([fault] if fault else [])


def digest_of(token: str) -> str:
    """Returns the stored digest of a token. The token has 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def session_json(session: ConnectSession, *, number_as_text: bool) -> Json:
    """Returns a session in the contract's format. Newer SDKs of StackOne take the organisation's number as text."""
    request = session.request
    return {
        "id": session.id,
        "organization_id": str(ORGANIZATION) if number_as_text else ORGANIZATION,
        "project_id": session.project_id,
        "categories": list(request.categories) or None,
        "provider": request.provider,
        **owner_json(request.owner),
        "account_id": request.account_id,
        "label": request.label,
        "created_at": instant(session.created_at.isoformat()),
        "metadata": dict(request.metadata) if request.metadata else None,
        "type": request.kind or ACCOUNT_TYPES[0],
        "integration_id": request.provider,
    }


def owner_json(owner: Owner) -> Json:
    return {
        "origin_owner_id": owner.id,
        "origin_owner_name": owner.name,
        "origin_username": owner.username,
    }
