"""Builds the platform API: linked accounts, and what connectors and accounts can do."""

from starlette.routing import Route

from connectors.hris.operations import OPERATIONS
from connectors.platform import PLATFORM_OPERATIONS
from gateway.accounts.api import PlatformApi
from gateway.accounts.service import AccountService
from gateway.app.services import Services
from gateway.vendor_events.registration import WebhookRegistrar


def platform_routes(services: Services, registrar: WebhookRegistrar) -> list[Route]:
    service = AccountService(
        services.authenticator.providers,
        services.stores.accounts,
        services.linker,
        operations=OPERATIONS,
        page=services.page_limits,
        vendor_webhook=registrar.health,
        public_url=services.settings.server.public_url,
    )
    return PlatformApi(
        service.answer,
        PLATFORM_OPERATIONS,
        authenticator=services.authenticator,
        operator=services.operator,
        max_body_bytes=services.settings.limits.max_body_bytes,
    ).routes()
