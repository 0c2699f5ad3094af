"""The first page: all linked accounts, searched and narrowed, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.accounts.search import Search
from gateway.accounts.usage import Usage
from gateway.dashboard.account_history import Evidence
from gateway.dashboard.page import HOME, Page, Shell
from gateway.dashboard.service import AdminService
from gateway.model import Account, Project, Status

ROWS = 25
LONGEST_TEXT = 200
_MOST_PAGES = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    account: Account
    name: str
    project: str
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Tab:
    """All accounts, or those of one status."""

    word: str
    number: int
    url: str
    chosen: bool


class AccountsPage:
    def __init__(self, shell: Shell, office: AdminService, evidence: Evidence) -> None:
        self._shell = shell
        self._office = office
        self._evidence = evidence

    def routes(self) -> Sequence[Route]:
        return [Route(HOME, Page("accounts", self._list, self._shell), methods=["GET"])]

    async def _list(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self._shell.enter(scope, receive, send)
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        projects = await self._office.keys.projects()
        search, page = read_search(asked, projects)
        counts = await self._office.register.count(search)
        total = counts.get(search.status, 0) if search.status else sum(counts.values())
        found = await self._office.register.search(search)
        usages = await self._evidence.usages.read([each.id for each in found])
        names = {each.id: each.name for each in projects}
        values = {
            "section": "accounts",
            "rows": [self._row(each, names, usages) for each in found],
            "tabs": _tabs(asked, counts, search.status),
            "asked": {key: asked.get(key, "") for key in ("q", "project", "provider", "status")},
            "narrowed": bool(search.text or search.project_id or search.provider or search.status),
            "projects": projects,
            "providers": {key: each.connector.name for key, each in self._office.providers.items()},
            "first": search.skip + 1,
            "last": search.skip + len(found),
            "total": total,
            "before": self._address(asked, page - 1) if page > 1 else "",
            "after": self._address(asked, page + 1) if search.skip + len(found) < total else "",
        }
        await self._shell.page(visit, "accounts.html", values)

    def _row(self, account: Account, names: Mapping[str, str], usages: Mapping[str, Usage]) -> Row:
        provider = self._office.providers.get(account.provider)
        name = provider.connector.name if provider else account.provider
        return Row(account, name, names.get(account.project_id, ""), usages.get(account.id))

    def _address(self, asked: Mapping[str, str], page: int) -> str:
        return _with(asked, page=str(page))


def read_search(asked: Mapping[str, str], projects: Sequence[Project]) -> tuple[Search, int]:
    """Read what is searched for, and the number of the page. What makes no sense narrows nothing."""
    text = "".join(each for each in asked.get("q", "").strip()[:LONGEST_TEXT] if each.isprintable())
    number = asked.get("page", "")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else 1
    page = min(max(page, 1), _MOST_PAGES)
    status = asked.get("status", "")
    project = asked.get("project", "")
    search = Search(
        text=text,
        project_id=project if any(each.id == project for each in projects) else None,
        provider=asked.get("provider", "")[:LONGEST_TEXT],
        status=Status(status) if status in set(Status) else None,
        skip=(page - 1) * ROWS,
        most=ROWS,
    )
    return search, page


def _tabs(asked: Mapping[str, str], counts: Mapping[Status, int], chosen: Status | None) -> list[Tab]:
    everything = Tab("All", sum(counts.values()), _with(asked, status="", page=""), chosen is None)
    shown = [each for each in Status if counts.get(each) or each is chosen]
    return [
        everything,
        *(
            Tab(each.value.capitalize(), counts.get(each, 0), _with(asked, status=each.value, page=""), each is chosen)
            for each in shown
        ),
    ]


def _with(asked: Mapping[str, str], **changes: str) -> str:
    known = {key: asked.get(key, "") for key in ("q", "project", "provider", "status")}
    words = {key: value for key, value in {**known, **changes}.items() if value}
    return "?" + urlencode(words) if words else "?"
