"""Builds the dashboard: the operator's pages, and their sign-in."""

import secrets
from collections.abc import Callable

from starlette.routing import Route

from connectors.hris.operations import OPERATIONS
from connectors.platform import CONNECT_OPERATIONS, PLATFORM_OPERATIONS, WEBHOOK_OPERATIONS
from gateway.app.hub import WebhookScopes, needed_scopes, session_service, session_signer
from gateway.app.services import Services
from gateway.auth.admin_password import Password, read_password
from gateway.auth.admin_session import AdminSessions
from gateway.auth.admin_sign_ins import SignInLog
from gateway.auth.authentication import Authenticator
from gateway.auth.login_counts import RedisLoginCounts
from gateway.auth.login_limiter import Limit, LoginCounts, LoginLimiter, MemoryLoginCounts
from gateway.cache.redis_client import RedisClient
from gateway.dashboard.account import AccountPages
from gateway.dashboard.accounts import AccountsPage
from gateway.dashboard.assets import asset_routes, dashboard_renderer
from gateway.dashboard.audit import AuditPage
from gateway.dashboard.keys import KeyPages
from gateway.dashboard.linking import LinkingPages
from gateway.dashboard.login import LoginPages, NotFoundPage
from gateway.dashboard.request_tester import RequestTester
from gateway.dashboard.service import AdminService
from gateway.dashboard.site import DashboardSite
from gateway.dashboard.tester_page import TesterPage
from gateway.http.site_url import SiteUrl
from gateway.model import Accounts, Clock
from gateway.observability.logs import Logger
from gateway.policy.client_scopes import known_scopes
from gateway.settings.load import Settings
from gateway.unified.call import Call, Page
from gateway.unified.read import ReadService

ADDRESS_LIMIT = Limit(most=5, seconds=300)
"""Sign-in attempts from one address."""

TOTAL_LIMIT = Limit(most=50, seconds=300)
"""Sign-in attempts from all addresses together, except those from which the operator has signed in before."""


def dashboard_routes(
    services: Services, site_url: SiteUrl, reads: ReadService, webhook_scopes: WebhookScopes
) -> list[Route]:
    """Returns the routes of the dashboard; none if no password is set."""
    settings, stores, clock, derive = services.settings, services.stores, services.clock, services.vault.derive
    text = settings.dashboard.password.get_secret_value()
    if not text:
        return []
    password = read_password(text, derive(b"dashboard password"))
    counts = _login_counts(services.redis, clock, derive(b"login counts"))
    site = DashboardSite(
        site_url,
        dashboard_renderer(site_url.root, settings.hub.product_name, clock.now),
        sessions=_sessions(settings, derive(b"dashboard"), password),
        now=lambda: clock.now().timestamp(),
        new_id=_new_id,
        counts=counts,
        sign_ins=SignInLog(stores.sign_ins, stores.audit.note, _log_refusals(services.logger)),
    )
    service = AdminService(
        search=stores.account_search,
        keys=stores.keys,
        directory=stores.accounts,
        authenticator=services.authenticator,
        sessions=session_service(services),
        linker=services.linker,
    )
    account_pages = AccountPages(
        site,
        service,
        needed=needed_scopes(services, webhook_scopes),
        audit=stores.audit,
        usage=stores.usage,
        endpoints=stores.endpoints,
    )
    operations = (*OPERATIONS, *PLATFORM_OPERATIONS, *CONNECT_OPERATIONS, *WEBHOOK_OPERATIONS)
    scopes = known_scopes(operations, [each.connector for each in service.providers.values()])
    return [
        *asset_routes(),
        *LoginPages(site, password, LoginLimiter(counts, ADDRESS_LIMIT, TOTAL_LIMIT)).routes(),
        *AccountsPage(site, service, stores.usage).routes(),
        *account_pages.routes(),
        *LinkingPages(site, service, session_signer(services)).routes(),
        *TesterPage(site, service, _request_tester(services, reads)).routes(),
        *KeyPages(site, service, scopes).routes(),
        *AuditPage(site, service, stores.audit).routes(),
        *NotFoundPage(site).routes(),
    ]


def _request_tester(services: Services, reads: ReadService) -> RequestTester:
    async def read(accounts: Accounts, call: Call) -> Page:
        return await reads.with_accounts(Authenticator(accounts, services.authenticator.providers)).read(call)

    return RequestTester(services.stores.accounts, read, OPERATIONS, services.clock.monotonic)


def _sessions(settings: Settings, key: bytes, password: Password) -> AdminSessions:
    chosen = settings.dashboard
    return AdminSessions(key, str(password), lifetime=chosen.session_seconds, idle=chosen.idle_seconds, new_id=_new_id)


def _login_counts(redis: RedisClient | None, clock: Clock, secret: bytes) -> LoginCounts:
    """Returns counts in Redis, shared by all workers; counts of this process if there is no Redis."""
    local = MemoryLoginCounts(clock.monotonic)
    return local if redis is None else RedisLoginCounts(redis, local, secret)


def _log_refusals(logger: Logger) -> Callable[[str, str], None]:
    """Returns the function that logs a refused sign-in: why, and from which address."""
    return lambda why, address: logger.warning("sign-in refused", detail=why, address=address)


def _new_id() -> str:
    return secrets.token_hex(16)
