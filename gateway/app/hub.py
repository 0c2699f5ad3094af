"""Joins the parts of the Hub: a corner of `gateway.app.build`, which alone knows it."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.routing import Route

from connectors.hris.operations import OPERATIONS
from gateway.accounts.link import Parts
from gateway.app.services import operator_of
from gateway.auth.authentication import Entrance
from gateway.http.site_url import Place
from gateway.hub.api import HubApi
from gateway.hub.assets import hub_renderer, static_routes
from gateway.hub.oauth_pages import ConsentPages
from gateway.hub.pages import ConnectPages, Seal
from gateway.hub.service import Hub
from gateway.hub.session_api import ConnectApi
from gateway.hub.sessions import Making, SessionDesk, Sessions
from gateway.model import Directory, Secret
from gateway.policy.needed_scopes import Wanted, Wants
from gateway.policy.provider import Provider
from gateway.settings.load import Settings
from gateway.upstream.oauth import Client

TOKEN_PREFIX = "hcs_"  # noqa: S105 - how every token begins, so that one is known when it is seen


@dataclass(frozen=True, slots=True)
class HubParts:
    """What the Hub shares with the rest of the gateway; `key` is for the cookies of its pages alone.

    `beside` gives the scopes that a provider's token is to have for what is no operation.
    """

    entrance: Entrance
    directory: Directory
    sessions: Sessions
    linking: Parts
    key: bytes
    beside: Callable[[Provider], Sequence[Wanted]]


def hub_desk(parts: HubParts) -> SessionDesk:
    making = Making(now=parts.linking.clock, new_token=lambda: TOKEN_PREFIX + secrets.token_urlsafe(32))
    return SessionDesk(parts.sessions, parts.directory, parts.entrance.providers, making)


def hub_wants(settings: Settings, parts: HubParts) -> Mapping[str, Wants]:
    """Give by provider which scopes to ask for."""
    used = [each for each in OPERATIONS if not settings.hub.operations or each.id in settings.hub.operations]
    providers = parts.entrance.providers
    return {key: Wants(provider.policy, used, parts.beside(provider)) for key, provider in providers.items()}


def hub_routes(settings: Settings, place: Place, parts: HubParts) -> list[Route]:
    providers = parts.entrance.providers
    desk = hub_desk(parts)
    hub = Hub(desk, parts.entrance, parts.linking)
    wants = hub_wants(settings, parts)
    clients = {
        key: Client(chosen.client_id, Secret(chosen.client_secret.get_secret_value()))
        for key, chosen in settings.connectors.items()
        if chosen.client_id
    }
    pages = ConnectPages(hub, wants, place, Seal(parts.key), hub_renderer(settings.hub.product_name))
    operator = operator_of(settings)
    return [
        *ConnectApi(parts.entrance, operator, desk, place).routes(),
        *HubApi(hub, wants, place).routes(),
        *static_routes({key: provider.connector for key, provider in providers.items()}),
        *ConsentPages(
            pages, parts.linking.upstream, clients, lambda: secrets.token_hex(16), parts.linking.clock
        ).routes(),
        *pages.routes(),
    ]
