"""The request tester: a unified read for one account, with the rights that are chosen, and all that is said of it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.contract import Operation
from gateway.audit.events import AuditEvent
from gateway.contract.query import WITHHELD
from gateway.dashboard.page import HOME, Form, Page, Shell, Visit
from gateway.dashboard.request_tester import CACHE_CHOICES, RequestTester, TestRequest, TestResult, path_of, read_scopes
from gateway.dashboard.service import AdminService
from gateway.errors import BadRequest, GatewayError
from gateway.http.html import sentence
from gateway.http.middleware import context_of
from gateway.http.response import error_body, status_of
from gateway.model import Account, ClientKey
from gateway.policy.provider import Provider
from gateway.unified.headers import page_headers

LARGEST_SHOWN = 64 * 1024
LARGEST_PRETTY = 1024 * 1024
"""Bytes of an answer that are set in lines; a larger one is shown as it is sent."""

LONGEST_VALUE = 1000
USUAL = "list_employees"
CHOSEN = "chosen"
EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Input:
    """One field of the form. `known` are the words that it may hold, where those are few."""

    name: str
    label: str
    value: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """An outcome, ready for the page. `cut` is the size of an answer that is shown in part only."""

    status: int
    milliseconds: int
    upstream_calls: int
    headers: Sequence[tuple[str, str]]
    body: str
    cut: int
    outcome: TestResult


class TesterPage:
    def __init__(self, shell: Shell, office: AdminService, tester: RequestTester) -> None:
        self._shell = shell
        self._office = office
        self._tester = tester

    def routes(self) -> Sequence[Route]:
        path = f"{HOME}/accounts/{{id}}/try"
        return [
            Route(path, Page("try_form", self._form, self._shell), methods=["GET"]),
            Route(path, Page("try", self._try, self._shell), methods=["POST"]),
        ]

    async def _form(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self._shell.enter(scope, receive, send)
        asked = Form(tuple(parse_qsl(scope["query_string"].decode("latin-1"))))
        account = await self._office.find(scope["path_params"]["id"])
        await self._show(visit, account, asked, {})

    async def _try(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit, form = await self._shell.receive(scope, receive, send)
        account = await self._office.find(scope["path_params"]["id"])
        context_of(scope).account_id = account.id
        provider = self._office.provider(account)
        try:
            trial = await self._read(form, account, provider, context_of(scope).request_id)
        except GatewayError as error:
            await self._show(visit, account, form, {"fault": sentence(error.message)}, status_of(error))
            return
        now = datetime.fromtimestamp(self._shell.around.now(), UTC)
        # First: nothing is read of a customer that the trail does not tell of.
        await self._shell.note(AuditEvent.TEST_READ, self._shell.actor(visit), account, operation=trial.operation.id)
        outcome = await self._tester.run(trial, provider, now)
        context_of(scope).upstream_calls = outcome.upstream_calls
        values = {"shown": shown(outcome, now), "curl": curl(trial, self._shell.place.base(scope))}
        await self._show(visit, account, form, values)

    async def _read(self, form: Form, account: Account, provider: Provider, request_id: str) -> TestRequest:
        operation = self._operation(form, provider)
        ids = tuple(form.get(f"id.{name}").strip()[:LONGEST_VALUE] for name in id_names(operation))
        if not all(ids):
            raise BadRequest("Fill in the id that the path names.")
        pairs = [
            (name, value.strip()[:LONGEST_VALUE])
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
        if rights == CHOSEN:
            return read_scopes(form.get("scopes"))
        for key in await self._keys(account):
            if key.id == rights:
                return key.scopes
        raise BadRequest("That key is not one of this project's any more.")

    async def _keys(self, account: Account) -> Sequence[ClientKey]:
        return [each for each in await self._office.keys.all(account.project_id) if each.revoked_at is None]

    def _operation(self, form: Form, provider: Provider) -> Operation:
        """Give the operation that is chosen, or the usual one where this connector answers it."""
        answered = self._answered(provider)
        return answered.get(form.get("operation")) or answered.get(USUAL) or next(iter(answered.values()))

    def _answered(self, provider: Provider) -> Mapping[str, Operation]:
        return {key: each for key, each in self._tester.operations.items() if provider.connector.endpoint(each)}

    async def _show(
        self, visit: Visit, account: Account, form: Form, more: Mapping[str, Any], status: int = 200
    ) -> None:
        provider = self._office.provider(account)
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
        await self._shell.page(visit, "try.html", {**values, **more}, status)


def id_names(operation: Operation) -> list[str]:
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


def id_labels(operation: Operation) -> list[tuple[str, str]]:
    names = id_names(operation)
    of_record = f"{operation.resource.rstrip('s').replace('_', ' ').capitalize()} id"
    if operation.of_employee:
        return list(zip(names, ["Employee id", of_record], strict=False))
    return [(name, of_record) for name in names]


def parameter_names(operation: Operation) -> list[str]:
    """Give the parameters of a read that are worth trying, in the order of the form."""
    found = ["fields", "include"]
    if operation.expand:
        found.insert(1, "expand")
    if operation.kind == "list":
        found = ["page_size", "next", *found, *(f"filter[{name}]" for name in operation.filters)]
    return found


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


def shown(outcome: TestResult, now: datetime) -> Shown:
    """Make an outcome ready for the page: as it would be sent, set in lines, and cut to what a page can hold."""
    if outcome.page:
        status, body, headers = 200, outcome.page.body, page_headers(outcome.page, "")
    else:
        error = outcome.error or GatewayError("nothing was answered")
        status, headers = status_of(error), []
        body = error_body(error, status, now)
    text = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2) if len(body) <= LARGEST_PRETTY else body
    told = {"age", "cache-status", "cache-control", "x-withheld-fields"}
    return Shown(
        status=status,
        milliseconds=round(outcome.seconds * 1000),
        upstream_calls=outcome.upstream_calls,
        headers=[(name.decode(), value.decode("latin-1")) for name, value in headers if name.decode() in told],
        body=text[:LARGEST_SHOWN].decode("utf-8", "ignore"),
        cut=len(text) if len(text) > LARGEST_SHOWN else 0,
        outcome=outcome,
    )


def curl(trial: TestRequest, base: str) -> str:
    """Give the command that asks the same; the key is the caller's to put in."""
    path = path_of(trial.operation, trial.ids, lambda text: quote(text, safe=""))
    query = f"?{urlencode(trial.pairs)}" if trial.pairs else ""
    words = ["curl", "-s", "-H", shlex.quote(f"x-account-id: {trial.account.id}")]
    if trial.cache:
        words += ["-H", shlex.quote(f"cache-control: {trial.cache}")]
    return " ".join([*words, "-u", '"$API_KEY:"', shlex.quote(f"{base}{path}{query}")])
