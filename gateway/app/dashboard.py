"""Joins the parts of the dashboard: a corner of `gateway.app.build`, which alone knows it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import Route

from connectors.hris.operations import OPERATIONS
from connectors.platform import CONNECT_OPERATIONS, PLATFORM_OPERATIONS, WEBHOOK_OPERATIONS
from gateway.app.hub import HubParts, hub_desk, hub_wants
from gateway.auth.admin_password import Password, read_password
from gateway.auth.admin_session import AdminSessions, SessionLifetimes
from gateway.auth.admin_sign_ins import SignInLog
from gateway.auth.login_counts import RedisLoginCounts
from gateway.auth.login_limiter import Limit, LoginCounts, LoginLimiter, MemoryLoginCounts
from gateway.cache.redis_client import RedisClient
from gateway.dashboard.account import AccountPages
from gateway.dashboard.account_history import Evidence
from gateway.dashboard.accounts import AccountsPage
from gateway.dashboard.activity import ActivityPage
from gateway.dashboard.assets import dashboard_renderer, static_routes
from gateway.dashboard.keys import KeyPages
from gateway.dashboard.linking import LinkingPages
from gateway.dashboard.login import LoginPages, NotFoundPage
from gateway.dashboard.page import Around, Shell
from gateway.dashboard.request_tester import RequestTester
from gateway.dashboard.service import AdminService, Books, KeyRing, Register
from gateway.dashboard.tester_page import TesterPage
from gateway.http.site_url import SiteUrl
from gateway.hub.pages import Seal
from gateway.model import Accounts, Clock
from gateway.policy.client_scopes import known_scopes
from gateway.settings.load import Settings
from gateway.unified.call import Call, Page
from gateway.unified.read import ReadService

OF_EACH = Limit(most=5, seconds=300)
"""Sign-ins that one address may try."""

OF_ALL = Limit(most=50, seconds=300)
"""Sign-ins that all addresses may try together, but for those that the operator has signed in from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardParts:
    """What the dashboard shares with the rest of the gateway; `derive` gives a key of its own for a purpose.

    `gateway_for` makes the unified API over other accounts than the stored ones: for the request tester.
    """

    hub: HubParts
    register: Register
    keys: KeyRing
    clock: Clock
    redis: RedisClient | None
    gateway_for: Callable[[Accounts], ReadService]
    derive: Callable[[bytes], bytes]
    evidence: Evidence
    sign_ins: SignInLog


def dashboard_routes(settings: Settings, place: SiteUrl, parts: DashboardParts) -> list[Route]:
    """Give the pages; none where no password is set, so that there is not even a door."""
    password = _password(settings, parts.derive(b"dashboard password"))
    if password is None:
        return []
    clock, hub = parts.clock, parts.hub
    counts = _login_counts(parts)
    lives = SessionLifetimes(whole=settings.dashboard.session_seconds, idle=settings.dashboard.idle_seconds)
    passes = AdminSessions(parts.derive(b"dashboard"), str(password), lives, _new_id)
    show = dashboard_renderer(place.root, settings.hub.product_name, clock.now)
    shell = Shell(place, passes, show, Around(lambda: clock.now().timestamp(), _new_id, counts, parts.sign_ins))
    books = Books(register=parts.register, keys=parts.keys, directory=hub.directory)
    office = AdminService(books, hub.authenticator, hub_desk(hub), hub.linking)

    async def answer(accounts: Accounts, call: Call) -> Page:
        return await parts.gateway_for(accounts).read(call)

    tester = RequestTester(hub.authenticator.accounts, answer, OPERATIONS, clock.monotonic)
    operations = (*OPERATIONS, *PLATFORM_OPERATIONS, *CONNECT_OPERATIONS, *WEBHOOK_OPERATIONS)
    scopes = known_scopes(operations, [each.connector for each in office.providers.values()])
    attempts = LoginLimiter(counts, of_each=OF_EACH, of_all=OF_ALL)
    return [
        *static_routes(),
        *LoginPages(shell, password, attempts).routes(),
        *AccountsPage(shell, office, parts.evidence).routes(),
        *AccountPages(shell, office, hub_wants(settings, hub), parts.evidence).routes(),
        *LinkingPages(shell, office, Seal(hub.key)).routes(),
        *TesterPage(shell, office, tester).routes(),
        *KeyPages(shell, office, scopes).routes(),
        *ActivityPage(shell, office, parts.evidence.audit).routes(),
        *NotFoundPage(shell).routes(),
    ]


def _password(settings: Settings, salt: bytes) -> Password | None:
    text = settings.dashboard.password.get_secret_value()
    return read_password(text, salt) if text else None


def _login_counts(parts: DashboardParts) -> LoginCounts:
    """Returns counts in Redis, which all workers share; in this process where there is no Redis."""
    local = MemoryLoginCounts(parts.clock.monotonic)
    if parts.redis is None:
        return local
    return RedisLoginCounts(parts.redis, local, parts.derive(b"login counts"))


def _new_id() -> str:
    return secrets.token_hex(16)
