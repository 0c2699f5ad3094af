"""The page of the request tester: a unified read for one account, its answer, and which fields were left out why."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson
from starlette.routing import Route

from connectors.contract import Operation
from gateway.audit.events import AuditEvent
from gateway.contract.query import WITHHELD
from gateway.dashboard.request_tester import CACHE_CHOICES, RequestTester, TestRequest, TestResult, path_of, read_scopes
from gateway.dashboard.service import AdminService
from gateway.dashboard.site import HOME, AdminVisit, DashboardSite
from gateway.errors import BadRequest, GatewayError
from gateway.http.context import context_of
from gateway.http.forms import Form
from gateway.http.html import sentence
from gateway.http.response import error_body, status_of
from gateway.model import Account, ClientKey
from gateway.policy.provider import Provider
from gateway.unified.headers import page_headers

MAX_SHOWN_BYTES = 64 * 1024
MAX_INDENTED_BYTES = 1024 * 1024
"""Size of an answer up to which it is indented; a larger one is shown as it is sent."""

MAX_VALUE_LENGTH = 1000
DEFAULT_OPERATION = "list_employees"
CHOSEN_SCOPES = "chosen"
EVERYTHING = "*"
_SHOWN_HEADERS = {"age", "cache-status", "cache-control", "x-withheld-fields"}
_PATH = f"{HOME}/accounts/{{id}}/try"


@dataclass(frozen=True, slots=True)
class Input:
    """One field of the form. `hint` names the possible values, or shows an example."""

    name: str
    label: str
    value: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ResultView:
    """A result, ready for the page. `full_size` is the size of a body that is shown in part, else 0."""

    status: int
    milliseconds: int
    upstream_calls: int
    headers: Sequence[tuple[str, str]]
    body: str
    full_size: int
    result: TestResult


class TesterPage:
    def __init__(self, site: DashboardSite, service: AdminService, tester: RequestTester) -> None:
        self._site = site
        self._service = service
        self._tester = tester

    def routes(self) -> Sequence[Route]:
        return [
            self._site.page(_PATH, "dashboard_try_form", self._show_form),
            self._site.form(_PATH, "dashboard_try", self._try),
        ]

    async def _show_form(self, visit: AdminVisit) -> None:
        query = Form(tuple(parse_qsl(visit.scope["query_string"].decode("latin-1"))))
        account = await self._service.find(visit.scope["path_params"]["id"])
        await self._send(visit, account, query, {})

    async def _try(self, visit: AdminVisit, form: Form) -> None:
        account = await self._service.find(visit.scope["path_params"]["id"])
        context = context_of(visit.scope)
        context.account_id = account.id
        provider = self._service.provider(account)
        try:
            request = await self._read(form, account, provider, context.request_id)
        except GatewayError as error:
            await self._send(visit, account, form, {"fault": sentence(error.message)}, status_of(error))
            return
        now = datetime.fromtimestamp(self._site.now(), UTC)
        # Before the read: no customer's data is read without a record in the audit log.
        actor = self._site.actor(visit)
        await self._site.record(AuditEvent.TEST_READ, actor, account, operation=request.operation.id)
        result = await self._tester.run(request, provider, now)
        context.upstream_calls = result.upstream_calls
        values = {"shown": view(result, now), "curl": curl(request, self._site.site_url.base(visit.scope))}
        await self._send(visit, account, form, values)

    async def _read(self, form: Form, account: Account, provider: Provider, request_id: str) -> TestRequest:
        operation = self._operation(form, provider)
        ids = tuple(form.get(f"id.{name}").strip()[:MAX_VALUE_LENGTH] for name in id_names(operation))
        if not all(ids):
            raise BadRequest("Fill in the id that the path names.")
        pairs = [
            (name, value.strip()[:MAX_VALUE_LENGTH])
            for name in parameter_names(operation)
            if (value := form.get(f"query.{name}")).strip()
        ]
        cache = form.get("cache")
        return TestRequest(
            account=account,
            operation=operation,
            scopes=await self._scopes(form, account),
            ids=ids,
            pairs=tuple(pairs),
            cache=cache if cache in CACHE_CHOICES else "",
            request_id=request_id,
        )

    async def _scopes(self, form: Form, account: Account) -> frozenset[str]:
        rights = form.get("rights") or EVERYTHING
        if rights == EVERYTHING:
            return frozenset({EVERYTHING})
        if rights == CHOSEN_SCOPES:
            return read_scopes(form.get("scopes"))
        for key in await self._keys(account):
            if key.id == rights:
                return key.scopes
        raise BadRequest("That key is not one of this project's any more.")

    async def _keys(self, account: Account) -> Sequence[ClientKey]:
        return [each for each in await self._service.keys.all(account.project_id) if each.revoked_at is None]

    def _operation(self, form: Form, provider: Provider) -> Operation:
        """Returns the chosen operation, else the default one, else any that the connector answers."""
        answered = self._answered(provider)
        return answered.get(form.get("operation")) or answered.get(DEFAULT_OPERATION) or next(iter(answered.values()))

    def _answered(self, provider: Provider) -> Mapping[str, Operation]:
        return {key: each for key, each in self._tester.operations.items() if provider.connector.endpoint(each)}

    async def _send(
        self, visit: AdminVisit, account: Account, form: Form, more: Mapping[str, Any], status: int = 200
    ) -> None:
        provider = self._service.provider(account)
        operation = self._operation(form, provider)
        values = {
            "section": "accounts",
            "account": account,
            "provider_name": provider.connector.name,
            "operations": list(self._answered(provider).values()),
            "operation": operation,
            "ids": [Input(name, label, form.get(f"id.{name}")) for name, label in id_labels(operation)],
            "parameters": [
                Input(name, name, form.get(f"query.{name}"), _hint(operation, name))
                for name in parameter_names(operation)
            ],
            "keys": await self._keys(account),
            "rights": form.get("rights") or EVERYTHING,
            "scopes": form.get("scopes"),
            "caches": CACHE_CHOICES,
            "cache": form.get("cache"),
            "fault": "",
            "shown": None,
            "curl": "",
        }
        await self._site.show(visit, "try.html", {**values, **more}, status)


def id_names(operation: Operation) -> list[str]:
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


def id_labels(operation: Operation) -> list[tuple[str, str]]:
    names = id_names(operation)
    of_record = f"{operation.resource.rstrip('s').replace('_', ' ').capitalize()} id"
    if operation.of_employee:
        return list(zip(names, ["Employee id", of_record], strict=False))
    return [(name, of_record) for name in names]


def parameter_names(operation: Operation) -> list[str]:
    """Returns the parameters of a read that the form offers, in its order."""
    names = ["fields", "include"]
    if operation.expand:
        names.insert(1, "expand")
    if operation.kind == "list":
        names = ["page_size", "next", *names, *(f"filter[{name}]" for name in operation.filters)]
    return names


def _hint(operation: Operation, name: str) -> str:
    known = {"expand": operation.expand, "include": (*operation.include, WITHHELD)}.get(name)
    if known:
        return ", ".join(known)
    if name.endswith(("after]", "before]", "_time]", "_date]")):
        return "such as 2026-01-31T00:00:00Z"
    return {
        "fields": "names with commas between them; empty for all",
        "page_size": "25 unless you say otherwise",
        "next": "the cursor of the answer before",
    }.get(name, "")


def view(result: TestResult, now: datetime) -> ResultView:
    """Returns a result as the page shows it: as it would be sent, indented, and cut to a size that a page can hold."""
    if result.page:
        status, body, headers = 200, result.page.body, page_headers(result.page, "")
    else:
        error = result.error or GatewayError("nothing was answered")
        status, headers = status_of(error), []
        body = error_body(error, status, now)
    text = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2) if len(body) <= MAX_INDENTED_BYTES else body
    return ResultView(
        status=status,
        milliseconds=round(result.seconds * 1000),
        upstream_calls=result.upstream_calls,
        headers=[
            (name.decode(), value.decode("latin-1")) for name, value in headers if name.decode() in _SHOWN_HEADERS
        ],
        body=text[:MAX_SHOWN_BYTES].decode("utf-8", "ignore"),
        full_size=len(text) if len(text) > MAX_SHOWN_BYTES else 0,
        result=result,
    )


def curl(request: TestRequest, base: str) -> str:
    """Returns the curl command of the same request; the reader sets the key."""
    path = path_of(request.operation, request.ids, lambda text: quote(text, safe=""))
    query = f"?{urlencode(request.pairs)}" if request.pairs else ""
    arguments = ["curl", "-s", "-H", shlex.quote(f"x-account-id: {request.account.id}")]
    if request.cache:
        arguments += ["-H", shlex.quote(f"cache-control: {request.cache}")]
    return " ".join([*arguments, "-u", '"$API_KEY:"', shlex.quote(f"{base}{path}{query}")])
