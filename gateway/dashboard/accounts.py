"""The first page of the dashboard: all linked accounts, with search, filters and pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.routing import Route

from gateway.accounts.search import Search
from gateway.accounts.usage import Usage
from gateway.accounts.usage_store import UsageStore
from gateway.dashboard.service import AdminService
from gateway.dashboard.site import HOME, AdminVisit, DashboardSite
from gateway.model import Account, Project, Status

PAGE_SIZE = 25
MAX_TEXT_LENGTH = 200
_MAX_PAGE = 1_000_000
_FILTERS = ("q", "project", "provider", "status")


@dataclass(frozen=True, slots=True)
class Row:
    account: Account
    provider_name: str
    project: str
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Tab:
    """A link to all accounts, or to those of one status, with their number."""

    label: str
    number: int
    url: str
    selected: bool


class AccountsPage:
    def __init__(self, site: DashboardSite, service: AdminService, usage: UsageStore) -> None:
        self._site = site
        self._service = service
        self._usage = usage

    def routes(self) -> Sequence[Route]:
        return [self._site.page(HOME, "dashboard_accounts", self._show)]

    async def _show(self, visit: AdminVisit) -> None:
        query = dict(parse_qsl(visit.scope["query_string"].decode("latin-1")))
        projects = await self._service.keys.projects()
        search, page = read_search(query, projects)
        counts = await self._service.search.count(search)
        total = counts.get(search.status, 0) if search.status else sum(counts.values())
        accounts = await self._service.search.search(search)
        usage = await self._usage.read([each.id for each in accounts])
        names = {each.id: each.name for each in projects}
        values = {
            "section": "accounts",
            "rows": [self._row(each, names, usage) for each in accounts],
            "tabs": _tabs(query, counts, search.status),
            "query": {key: query.get(key, "") for key in _FILTERS},
            "narrowed": bool(search.text or search.project_id or search.provider or search.status),
            "projects": projects,
            "providers": {key: each.connector.name for key, each in self._service.providers.items()},
            "first": search.skip + 1,
            "last": search.skip + len(accounts),
            "total": total,
            "previous_page": _url(query, page=str(page - 1)) if page > 1 else "",
            "next_page": _url(query, page=str(page + 1)) if search.skip + len(accounts) < total else "",
        }
        await self._site.show(visit, "accounts.html", values)

    def _row(self, account: Account, names: Mapping[str, str], usage: Mapping[str, Usage]) -> Row:
        name = self._service.provider_name(account)
        return Row(account, name, names.get(account.project_id, ""), usage.get(account.id))


def read_search(query: Mapping[str, str], projects: Sequence[Project]) -> tuple[Search, int]:
    """Returns the search of a query string and the number of its page. Values that make no sense are ignored."""
    text = "".join(each for each in query.get("q", "").strip()[:MAX_TEXT_LENGTH] if each.isprintable())
    number = query.get("page", "")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else 1
    page = min(max(page, 1), _MAX_PAGE)
    status, project = query.get("status", ""), query.get("project", "")
    search = Search(
        text=text,
        project_id=project if any(each.id == project for each in projects) else None,
        provider=query.get("provider", "")[:MAX_TEXT_LENGTH],
        status=Status(status) if status in set(Status) else None,
        skip=(page - 1) * PAGE_SIZE,
        most=PAGE_SIZE,
    )
    return search, page


def _tabs(query: Mapping[str, str], counts: Mapping[Status, int], selected: Status | None) -> list[Tab]:
    everything = Tab("All", sum(counts.values()), _url(query, status="", page=""), selected is None)
    shown = [each for each in Status if counts.get(each) or each is selected]
    return [
        everything,
        *(
            Tab(each.value.capitalize(), counts.get(each, 0), _url(query, status=each.value, page=""), each is selected)
            for each in shown
        ),
    ]


def _url(query: Mapping[str, str], **changes: str) -> str:
    pairs = {key: value for key, value in {**query, **changes}.items() if value and key in {*_FILTERS, *changes}}
    return "?" + urlencode(pairs) if pairs else "?"
