"""Builds the Hub: its API, its pages and its static files."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from starlette.routing import Route

from connectors.hris.operations import OPERATIONS
from gateway.app.services import Services
from gateway.http.signer import Signer
from gateway.http.site_url import SiteUrl
from gateway.hub.api import HubApi
from gateway.hub.assets import asset_routes, hub_renderer
from gateway.hub.oauth_pages import OAuthPages
from gateway.hub.pages import ConnectPages, SessionSigner
from gateway.hub.service import HubService
from gateway.hub.session_api import ConnectApi
from gateway.hub.sessions import SessionService
from gateway.model import Secret
from gateway.policy.needed_scopes import NeededScope, NeededScopes
from gateway.policy.provider import Provider
from gateway.upstream.oauth import Client

TOKEN_PREFIX = "hcs_"  # noqa: S105 - how every token begins, so that one is known when it is seen


WebhookScopes: TypeAlias = Callable[[Provider], Sequence[NeededScope]]
"""Returns the vendor scopes that a provider's webhooks need, besides those of the operations."""


def session_service(services: Services) -> SessionService:
    return SessionService(
        services.stores.sessions,
        services.stores.accounts,
        services.authenticator.providers,
        now=services.clock.now,
        new_token=lambda: TOKEN_PREFIX + secrets.token_urlsafe(32),
    )


def session_signer(services: Services) -> SessionSigner:
    """Returns what signs the cookies of the Hub's pages."""
    return SessionSigner(Signer(services.vault.derive(b"hub")))


def needed_scopes(services: Services, webhook_scopes: WebhookScopes) -> Mapping[str, NeededScopes]:
    """Returns by provider which vendor scopes a token should have."""
    wanted = services.settings.hub.operations
    used = [each for each in OPERATIONS if not wanted or each.id in wanted]
    return {
        key: NeededScopes(provider.policy, used, webhook_scopes(provider))
        for key, provider in services.authenticator.providers.items()
    }


def hub_routes(services: Services, site_url: SiteUrl, webhook_scopes: WebhookScopes) -> list[Route]:
    settings, authenticator, clock = services.settings, services.authenticator, services.clock
    sessions = session_service(services)
    hub = HubService(sessions, authenticator, services.linker)
    needed = needed_scopes(services, webhook_scopes)
    clients = {
        key: Client(chosen.client_id, Secret(chosen.client_secret.get_secret_value()))
        for key, chosen in settings.connectors.items()
        if chosen.client_id
    }
    renderer = hub_renderer(settings.hub.product_name)
    pages = ConnectPages(hub, needed, site_url, session_signer(services), renderer)
    oauth = OAuthPages(pages, services.upstream, clients, lambda: secrets.token_hex(16), clock.now)
    return [
        *ConnectApi(authenticator, services.operator, sessions, site_url).routes(),
        *HubApi(hub, needed, site_url).routes(),
        *asset_routes({key: provider.connector for key, provider in authenticator.providers.items()}),
        *oauth.routes(),
        *pages.routes(),
    ]
