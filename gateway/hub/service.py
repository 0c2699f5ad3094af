"""What the Hub does for a connect session: lists connectors, takes a credential, changes an account.

A session reaches only its own project and owner, and at most the one account that it names or has linked.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.connector import Connector
from connectors.contract import TEXT, Resource
from gateway.accounts.link import Linker, LinkRequest, with_names
from gateway.auth.authentication import Authenticator
from gateway.contract.body import check_body
from gateway.errors import BadRequest, NotFound, Unprocessable
from gateway.hub.session_request import ConnectSession
from gateway.hub.sessions import OVER, SessionService
from gateway.model import Account, Actor, ActorKind, LinkedAccount, Secret, Status
from gateway.policy.capabilities import CATEGORY
from gateway.policy.provider import Provider

VERSION = "1"
ENVIRONMENT = "production"
UNCHANGED = "__secretvalue:**redacted**"
"""The Hub component shows this as dots, and sends it back where a secret was left unchanged."""

Json = dict[str, Any]
LogoUrl = Callable[[str], str]


class HubService:
    def __init__(self, sessions: SessionService, authenticator: Authenticator, linker: Linker) -> None:
        self.sessions = sessions
        self._authenticator = authenticator
        self._linker = linker

    async def list_providers(self, session: ConnectSession, wanted: str = "") -> Sequence[Provider]:
        """Returns the providers that this session may link, or only the wanted one of them."""
        request = session.request
        if request.categories and CATEGORY not in request.categories:
            return ()
        only = {request.provider} if request.provider else set(self._authenticator.providers)
        if request.account_id:
            only &= {(await self._account(session, request.account_id)).account.provider}
        if wanted:
            only &= {wanted}
        return [provider for key, provider in self._authenticator.providers.items() if key in only]

    async def find_provider(self, session: ConnectSession, key: str) -> Provider:
        found = await self.list_providers(session, key)
        if not key or not found:
            raise NotFound("This link is not for that provider.", code="ConnectorNotFoundError")
        return found[0]

    async def find_account(self, session: ConnectSession, account_id: str) -> LinkedAccount:
        """Returns the one account that this session names or has linked. Raises `NotFound` for any other."""
        if not account_id or account_id not in {session.request.account_id, session.linked_id}:
            raise NotFound("This link is not for that account.", code="AccountNotFoundError")
        return await self._account(session, account_id)

    async def link(self, session: ConnectSession, key: str, credential: Secret | None, address: str) -> Account:
        """Checks and stores a credential, which spends the session. Without one, checks the account's own again.

        `address` is the browser's. Raises a `GatewayError` that says what to do.
        """
        by = Actor(ActorKind.SESSION, str(session.id), address)
        provider = await self.find_provider(session, key)
        if credential is None and not session.request.account_id:
            raise Unprocessable(f"Paste the {provider.connector.auth.credential.label} first.")
        await self.sessions.claim(session)
        try:
            account = await self._store_credential(session, provider.connector, credential, by)
        except BaseException:
            # Also when the request is cancelled: the session must stay usable after a failed try.
            await asyncio.shield(self.sessions.release(session))
            raise
        await self.sessions.spend(session, account.id)
        return account

    async def state_scopes(self, session: ConnectSession, chosen: frozenset[str], address: str) -> Account:
        """Stores the scopes that a person states for the token, where the vendor does not reveal them."""
        linked = await self.find_account(session, session.linked_id or "")
        grant = linked.account.grant
        # The scopes that were seen belong to the statement, so that it is one even if nothing is chosen.
        stated = grant.scopes | (chosen & (grant.unknown | grant.doubtful))
        by = Actor(ActorKind.SESSION, str(session.id), address)
        connector = (await self.find_provider(session, linked.account.provider)).connector
        return (await self._linker.verify(connector, linked, by, stated)).account

    async def _store_credential(
        self, session: ConnectSession, connector: Connector, credential: Secret | None, by: Actor
    ) -> Account:
        request = session.request
        if request.account_id:
            linked = await self._account(session, request.account_id)
            if credential is None:
                return await self._verify(connector, linked, by)
            owner = with_names(linked.account.owner, request.owner)
            kind = request.kind or linked.account.kind
            account = replace(linked.account, owner=owner, label=request.label or linked.account.label, kind=kind)
            return await self._linker.relink(
                connector, account, credential, by, replace_company=request.replace_company
            )
        application = LinkRequest(
            project_id=session.project_id,
            owner=request.owner,
            credential=credential or Secret(""),
            label=request.label,
            kind=request.kind,
            apart=request.multiple,
            replace_company=request.replace_company,
            by=by,
        )
        return await self._linker.link(connector, application)

    async def _verify(self, connector: Connector, linked: LinkedAccount, by: Actor) -> Account:
        account = (await self._linker.verify(connector, linked, by)).account
        if account.status is Status.ERROR:
            raise Unprocessable(" ".join(reason.description for reason in account.status_reasons))
        return account

    async def _account(self, session: ConnectSession, account_id: str) -> LinkedAccount:
        linked = await self._authenticator.accounts.find_account(session.project_id, account_id)
        if linked is None or linked.account.owner.id != session.request.owner.id:
            raise BadRequest("The account of this link is no longer linked. Ask for a new link.", code=OVER)
        return linked


# --- the Hub component's format -----------------------------------------------------------------------------


def settings_view(session: ConnectSession) -> Json:
    found: Json = {"enabled_features": []}
    if session.request.account_id:
        found["existing_account_id"] = session.request.account_id
    return found


def connectors_view(providers: Sequence[Provider], logo_url: LogoUrl) -> Json:
    return {
        "integrations": [
            {
                "active": True,
                "name": each.connector.name,
                "provider": each.connector.key,
                "type": CATEGORY,
                "version": VERSION,
                "authentication_config_key": each.connector.auth.credential.key,
                "environment": ENVIRONMENT,
                "integration_id": each.connector.key,
                "logo_url": logo_url(each.connector.key),
            }
            for each in providers
        ]
    }


def form_view(connector: Connector, logo_url: LogoUrl, scopes: Sequence[str]) -> Json:
    """Returns the form of a connector in the Hub component's format, with the scopes to ask for."""
    field = connector.auth.credential
    notice = f"{field.advice} Scopes that it needs: {', '.join(scopes)}." if scopes else field.advice
    return {
        "config": {
            "key": connector.key,
            "name": connector.name,
            "type": "custom",
            "assets": {"icon": logo_url(connector.key)},
            "configFields": [
                {
                    "type": "password",
                    "label": field.label,
                    "key": field.key,
                    "required": True,
                    "readOnly": False,
                    "secret": True,
                    "placeholder": f"Paste the {field.label} here",
                }
            ],
            "configNotices": [{"key": "how", "type": "info", "description": notice, "position": "top"}],
        },
        "hub_settings": {"configured_webhook_events": [], "project_settings": {}},
    }


def account_view(linked: LinkedAccount, connector: Connector) -> Json:
    account = linked.account
    return {
        "secureId": account.id,
        "provider": account.provider,
        "setupInformation": dict(account.setup_information),
        "secrets": {connector.auth.credential.key: UNCHANGED},
        "version": VERSION,
        "authConfigKey": connector.auth.credential.key,
        "environment": ENVIRONMENT,
        "integrationId": account.provider,
    }


def linked_view(account: Account) -> Json:
    return {"id": account.id, "provider": account.provider}


def read_credential(body: Mapping[str, Any], connector: Connector) -> Secret | None:
    """Returns the credential of a checked body, or None where it was left unchanged. Raises `BadRequest`."""
    key = connector.auth.credential.key
    fields = Resource("credentials", {key: TEXT})
    text = check_body(body.get("credentials") or {}, fields, "credentials.").get(key)
    return None if not text or text.startswith(UNCHANGED) else Secret(text)
