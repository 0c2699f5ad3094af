"""Builds the Hub: its API, its pages and its static files."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.routing import Route

from connectors.hris.operations import OPERATIONS
from gateway.accounts.link import Linker
from gateway.app.services import operator_of
from gateway.auth.authentication import Authenticator
from gateway.http.signer import Signer
from gateway.http.site_url import SiteUrl
from gateway.hub.api import HubApi
from gateway.hub.assets import asset_routes, hub_renderer
from gateway.hub.oauth_pages import OAuthPages
from gateway.hub.pages import ConnectPages, SessionSigner
from gateway.hub.service import HubService
from gateway.hub.session_api import ConnectApi
from gateway.hub.sessions import Sessions, SessionService
from gateway.model import Directory, Secret
from gateway.policy.needed_scopes import NeededScope, NeededScopes
from gateway.policy.provider import Provider
from gateway.settings.load import Settings
from gateway.upstream.oauth import Client

TOKEN_PREFIX = "hcs_"  # noqa: S105 - how every token begins, so that one is known when it is seen


@dataclass(frozen=True, slots=True)
class HubParts:
    """What the Hub shares with the rest of the gateway; `key` is for the cookies of its pages alone.

    `beside` gives the scopes that a provider's token is to have for what is no operation.
    """

    authenticator: Authenticator
    directory: Directory
    sessions: Sessions
    linking: Linker
    key: bytes
    beside: Callable[[Provider], Sequence[NeededScope]]


def hub_desk(parts: HubParts) -> SessionService:
    return SessionService(
        parts.sessions,
        parts.directory,
        parts.authenticator.providers,
        now=parts.linking.clock,
        new_token=lambda: TOKEN_PREFIX + secrets.token_urlsafe(32),
    )


def hub_wants(settings: Settings, parts: HubParts) -> Mapping[str, NeededScopes]:
    """Give by provider which scopes to ask for."""
    used = [each for each in OPERATIONS if not settings.hub.operations or each.id in settings.hub.operations]
    providers = parts.authenticator.providers
    return {key: NeededScopes(provider.policy, used, parts.beside(provider)) for key, provider in providers.items()}


def hub_routes(settings: Settings, place: SiteUrl, parts: HubParts) -> list[Route]:
    providers = parts.authenticator.providers
    desk = hub_desk(parts)
    hub = HubService(desk, parts.authenticator, parts.linking)
    wants = hub_wants(settings, parts)
    clients = {
        key: Client(chosen.client_id, Secret(chosen.client_secret.get_secret_value()))
        for key, chosen in settings.connectors.items()
        if chosen.client_id
    }
    pages = ConnectPages(hub, wants, place, SessionSigner(Signer(parts.key)), hub_renderer(settings.hub.product_name))
    operator = operator_of(settings)
    return [
        *ConnectApi(parts.authenticator, operator, desk, place).routes(),
        *HubApi(hub, wants, place).routes(),
        *asset_routes({key: provider.connector for key, provider in providers.items()}),
        *OAuthPages(
            pages, parts.linking.upstream, clients, lambda: secrets.token_hex(16), parts.linking.clock
        ).routes(),
        *pages.routes(),
    ]
