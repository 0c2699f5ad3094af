"""Builds the dashboard: the operator's pages, and their sign-in."""

import secrets
from collections.abc import Callable

import structlog
from starlette.routing import Route

from connectors.hris.operations import OPERATIONS
from connectors.platform import CONNECT_OPERATIONS, PLATFORM_OPERATIONS, WEBHOOK_OPERATIONS
from gateway.app.hub import HubParts, hub_desk, hub_wants
from gateway.app.stores import Stores
from gateway.auth.admin_password import Password, read_password
from gateway.auth.admin_session import AdminSessions
from gateway.auth.admin_sign_ins import SignInLog
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
from gateway.http.signer import Signer
from gateway.http.site_url import SiteUrl
from gateway.hub.pages import SessionSigner
from gateway.model import Accounts, Clock
from gateway.policy.client_scopes import known_scopes
from gateway.settings.load import Settings
from gateway.unified.call import Call, Page
from gateway.unified.read import ReadService

ADDRESS_LIMIT = Limit(most=5, seconds=300)
"""Sign-in attempts from one address."""

TOTAL_LIMIT = Limit(most=50, seconds=300)
"""Sign-in attempts from all addresses together, except those from which the operator has signed in before."""


def dashboard_routes(
    settings: Settings,
    *,
    hub: HubParts,
    stores: Stores,
    redis: RedisClient | None,
    clock: Clock,
    reader_for: Callable[[Accounts], ReadService],
    derive: Callable[[bytes], bytes],
    logger: structlog.typing.FilteringBoundLogger,
) -> list[Route]:
    """Returns the routes of the dashboard; none if no password is set.

    `reader_for` returns the unified API over other accounts than the stored ones, for the request tester. `derive`
    returns a key for a purpose.
    """
    text = settings.dashboard.password.get_secret_value()
    if not text:
        return []
    password = read_password(text, derive(b"dashboard password"))
    site_url = SiteUrl(settings.server.public_url, settings.hub.allowed_origins)
    counts = _login_counts(redis, clock, derive(b"login counts"))
    site = DashboardSite(
        site_url,
        dashboard_renderer(site_url.root, settings.hub.product_name, clock.now),
        sessions=_sessions(settings, derive(b"dashboard"), password),
        now=lambda: clock.now().timestamp(),
        new_id=_new_id,
        counts=counts,
        sign_ins=SignInLog(stores.sign_ins, stores.audit.note, _log_refusals(logger)),
    )
    service = AdminService(
        search=stores.account_search,
        keys=stores.keys,
        directory=hub.directory,
        authenticator=hub.authenticator,
        sessions=hub_desk(hub),
        linker=hub.linking,
    )

    async def read(accounts: Accounts, call: Call) -> Page:
        return await reader_for(accounts).read(call)

    account_pages = AccountPages(
        site,
        service,
        needed=hub_wants(settings, hub),
        audit=stores.audit,
        usage=stores.usage,
        endpoints=stores.endpoints,
    )
    operations = (*OPERATIONS, *PLATFORM_OPERATIONS, *CONNECT_OPERATIONS, *WEBHOOK_OPERATIONS)
    scopes = known_scopes(operations, [each.connector for each in service.providers.values()])
    tester = RequestTester(hub.authenticator.accounts, read, OPERATIONS, clock.monotonic)
    return [
        *asset_routes(),
        *LoginPages(site, password, LoginLimiter(counts, ADDRESS_LIMIT, TOTAL_LIMIT)).routes(),
        *AccountsPage(site, service, stores.usage).routes(),
        *account_pages.routes(),
        *LinkingPages(site, service, SessionSigner(Signer(hub.key))).routes(),
        *TesterPage(site, service, tester).routes(),
        *KeyPages(site, service, scopes).routes(),
        *AuditPage(site, service, stores.audit).routes(),
        *NotFoundPage(site).routes(),
    ]


def _sessions(settings: Settings, key: bytes, password: Password) -> AdminSessions:
    chosen = settings.dashboard
    return AdminSessions(key, str(password), lifetime=chosen.session_seconds, idle=chosen.idle_seconds, new_id=_new_id)


def _login_counts(redis: RedisClient | None, clock: Clock, secret: bytes) -> LoginCounts:
    """Returns counts in Redis, shared by all workers; counts of this process if there is no Redis."""
    local = MemoryLoginCounts(clock.monotonic)
    return local if redis is None else RedisLoginCounts(redis, local, secret)


def _log_refusals(logger: structlog.typing.FilteringBoundLogger) -> Callable[[str, str], None]:
    """Returns the function that logs a refused sign-in: why, and from which address."""
    return lambda why, address: logger.warning("sign-in refused", detail=why, address=address)


def _new_id() -> str:
    return secrets.token_hex(16)
