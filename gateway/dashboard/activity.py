"""The audit trail of all accounts, the latest first."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.audit.events import AuditEntry, AuditReader
from gateway.dashboard.page import HOME, Page, Shell
from gateway.dashboard.service import AdminService

ROWS = 50


class ActivityPage:
    def __init__(self, shell: Shell, office: AdminService, trail: AuditReader) -> None:
        self._shell = shell
        self._office = office
        self._trail = trail

    def routes(self) -> Sequence[Route]:
        return [Route(f"{HOME}/activity", Page("activity", self._show, self._shell), methods=["GET"])]

    async def _show(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self._shell.enter(scope, receive, send)
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        projects = await self._office.keys.projects()
        project = asked.get("project", "")
        project = project if any(each.id == project for each in projects) else ""
        events = await _read(self._trail, project, asked)
        values = {
            "section": "activity",
            "events": events[:ROWS],
            "projects": projects,
            "names": {each.id: each.name for each in projects},
            "project": project,
            "narrowed": bool(project or asked.get("before")),
            "after": _address(project, events[ROWS - 1].id) if len(events) > ROWS else "",
        }
        await self._shell.page(visit, "activity.html", values)


async def _read(trail: AuditReader, project: str, asked: Mapping[str, str]) -> Sequence[AuditEntry]:
    before = asked.get("before", "")
    known = before.isascii() and before.isdigit() and len(before) < 19
    return await trail.read(project_id=project or None, before=int(before) if known else None, most=ROWS + 1)


def _address(project: str, before: int) -> str:
    words = {"project": project, "before": str(before)}
    return "?" + urlencode({key: value for key, value in words.items() if value})
