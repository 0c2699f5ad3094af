"""What the Hub does for the holder of a connect session: offer connectors, take a credential, edit an account.

A session reaches its own project, its own owner, and at most the one account that it names or has made.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.connector import Connector
from connectors.contract import TEXT, Resource
from gateway.accounts.link import LinkContext, LinkRequest, as_named, link, relink, verify
from gateway.auth.authentication import Authenticator
from gateway.contract.body import check_body
from gateway.errors import BadRequest, NotFound, Unprocessable
from gateway.hub.sessions import OVER, ConnectSession, SessionService
from gateway.model import Account, Actor, ActorKind, Linked, Secret, Status
from gateway.policy.capabilities import CATEGORY
from gateway.policy.provider import Provider

VERSION = "1"
ENVIRONMENT = "production"
UNCHANGED = "__secretvalue:**redacted**"
"""What the Hub component shows as dots, and sends back where a secret was left as it was."""

Json = dict[str, Any]
LogoUrl = Callable[[str], str]


class HubService:
    def __init__(self, desk: SessionService, authenticator: Authenticator, parts: LinkContext) -> None:
        self.desk = desk
        self._authenticator = authenticator
        self._parts = parts

    async def choices(self, session: ConnectSession, wanted: str = "") -> Sequence[Provider]:
        """Give the providers that this session may link, or of them the wanted one."""
        wish = session.wish
        if wish.categories and CATEGORY not in wish.categories:
            return ()
        only = {wish.provider} if wish.provider else set(self._authenticator.providers)
        if wish.account_id:
            only &= {(await self._account(session, wish.account_id)).account.provider}
        if wanted:
            only &= {wanted}
        return [provider for key, provider in self._authenticator.providers.items() if key in only]

    async def choice(self, session: ConnectSession, key: str) -> Provider:
        found = await self.choices(session, key)
        if not key or not found:
            raise NotFound("This link is not for that provider.", code="ConnectorNotFoundError")
        return found[0]

    async def find(self, session: ConnectSession, account_id: str) -> Linked:
        """Give the one account that this session edits or has made."""
        if not account_id or account_id not in {session.wish.account_id, session.linked_id}:
            raise NotFound("This link is not for that account.", code="AccountNotFoundError")
        return await self._account(session, account_id)

    async def link(self, session: ConnectSession, key: str, credential: Secret | None, address: str) -> Account:
        """Check a credential and keep it, which spends the session. Without one, check the account's own again.

        `address` is the browser's.
        """
        by = Actor(ActorKind.SESSION, str(session.id), address)
        provider = await self.choice(session, key)
        if credential is None and not session.wish.account_id:
            raise Unprocessable(f"Paste the {provider.connector.auth.credential.label} first.")
        await self.desk.claim(session)
        try:
            account = await self._keep(session, provider.connector, credential, by)
        except BaseException:
            # Even when the request is being ended: a good link must not be lost to a bad token.
            await asyncio.shield(self.desk.release(session))
            raise
        await self.desk.spend(session, account.id)
        return account

    async def state(self, session: ConnectSession, chosen: frozenset[str], address: str) -> Account:
        """Take a person's word for scopes that could not be told of the token which this session has linked."""
        linked = await self.find(session, session.linked_id or "")
        grant = linked.account.grant
        # What was seen to be there is part of the statement, which so is one although nothing is chosen.
        stated = grant.scopes | (chosen & (grant.unknown | grant.doubtful))
        by = Actor(ActorKind.SESSION, str(session.id), address)
        connector = (await self.choice(session, linked.account.provider)).connector
        return (await verify(connector, linked, self._parts, by, stated)).account

    async def _keep(
        self, session: ConnectSession, connector: Connector, credential: Secret | None, by: Actor
    ) -> Account:
        wish = session.wish
        if wish.account_id:
            linked = await self._account(session, wish.account_id)
            if credential is None:
                return await self._verified(connector, linked, by)
            owner = as_named(linked.account.owner, wish.owner)
            kind = wish.kind or linked.account.kind
            account = replace(linked.account, owner=owner, label=wish.label or linked.account.label, kind=kind)
            return await relink(connector, account, credential, self._parts, by, replace_company=wish.replace_company)
        application = LinkRequest(
            project_id=session.project_id,
            owner=wish.owner,
            credential=credential or Secret(""),
            label=wish.label,
            kind=wish.kind,
            apart=wish.multiple,
            replace_company=wish.replace_company,
            by=by,
        )
        return await link(connector, application, self._parts)

    async def _verified(self, connector: Connector, linked: Linked, by: Actor) -> Account:
        account = (await verify(connector, linked, self._parts, by)).account
        if account.status is Status.ERROR:
            raise Unprocessable(" ".join(reason.description for reason in account.status_reasons))
        return account

    async def _account(self, session: ConnectSession, account_id: str) -> Linked:
        linked = await self._authenticator.accounts.find_account(session.project_id, account_id)
        if linked is None or linked.account.owner.id != session.wish.owner.id:
            raise BadRequest("The account of this link is no longer linked. Ask for a new link.", code=OVER)
        return linked


# --- what the Hub component reads and sends -----------------------------------------------------------------


def settings_view(session: ConnectSession) -> Json:
    found: Json = {"enabled_features": []}
    if session.wish.account_id:
        found["existing_account_id"] = session.wish.account_id
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
    """Give the form of a connector, made from its declaration, with the scopes that are wanted."""
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


def account_view(linked: Linked, connector: Connector) -> Json:
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
