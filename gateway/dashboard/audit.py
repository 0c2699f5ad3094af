"""The audit log of all accounts and keys, the latest record first."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from starlette.routing import Route

from gateway.audit.store import AuditStore
from gateway.dashboard.service import AdminService
from gateway.dashboard.site import HOME, AdminVisit, DashboardSite

PAGE_SIZE = 50
_PATH = f"{HOME}/audit"


class AuditPage:
    def __init__(self, site: DashboardSite, service: AdminService, audit: AuditStore) -> None:
        self._site = site
        self._service = service
        self._audit = audit

    def routes(self) -> Sequence[Route]:
        return [self._site.page(_PATH, "dashboard_audit", self._show)]

    async def _show(self, visit: AdminVisit) -> None:
        query = dict(parse_qsl(visit.scope["query_string"].decode("latin-1")))
        projects = {each.id: each.name for each in await self._service.keys.projects()}
        project = query.get("project", "") if query.get("project") in projects else ""
        before = _read_id(query.get("before", ""))
        # One more than the page has, to know whether there is a next page.
        records = await self._audit.read(project_id=project or None, before=before, most=PAGE_SIZE + 1)
        older = records[PAGE_SIZE - 1].id if len(records) > PAGE_SIZE else None
        values = {
            "section": "audit",
            "records": records[:PAGE_SIZE],
            "projects": projects,
            "project": project,
            "narrowed": bool(project or query.get("before")),
            "older": _query(project, older) if older is not None else "",
        }
        await self._site.show(visit, "audit.html", values)


def _read_id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _query(project: str, before: int) -> str:
    pairs = {"project": project, "before": str(before)}
    return "?" + urlencode({key: value for key, value in pairs.items() if value})
