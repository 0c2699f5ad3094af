"""Writes on a vendor that is a function, with all that they need in memory."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from connectors.connector import Connector
from connectors.contract import Operation
from connectors.exchange import Answer, Request
from connectors.hris.operations import OPERATIONS
from connectors.humaans.connector import HUMAANS
from gateway.accounts.token_rejection import TokenRejections
from gateway.auth.authentication import Authenticator
from gateway.errors import GatewayError
from gateway.model import IdempotencyKey, IdempotencyRecord, IdempotencyState, LinkedAccount
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from gateway.unified.idempotency import Idempotency, WriteResult
from gateway.unified.idempotency_store import IdempotencyStore
from gateway.unified.write import WriteService
from gateway.unified.write_admission import WriteCall
from gateway.unified.write_steps import StepRunner
from gateway.upstream.retry import RetryPolicy
from gateway.upstream.vendor import VendorClient
from tests.fakes.core import Register, Time, json_answer, make_key, make_linked

OPERATION = {operation.id: operation for operation in OPERATIONS}


def listed(*rows: dict[str, Any]) -> Answer:
    return json_answer({"total": len(rows), "limit": 250, "skip": 0, "data": list(rows)})


def accept(request: Request) -> Answer | GatewayError:
    """Answers as a vendor that accepts everything."""
    if request.method == "GET":
        known = {
            "/compensation-types": listed({"id": "salary", "name": "Salary", "baseType": "salary"}),
            "/custom-fields": listed({"id": "f1", "name": "Size"}, {"id": "f2", "name": "Club"}),
        }
        return known.get(request.path) or json_answer({"id": "x", "personId": "ann", "isTimeOff": True})
    return json_answer({"id": f"new-{request.path[1:]}"}, 201 if request.method == "POST" else 200)


@dataclass
class Script:
    """A vendor: its calls, and its answers by method and path; it accepts the rest."""

    instead: dict[str, Answer | GatewayError] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        self.asked.append(request)
        outcome = self.instead.get(f"{request.method} {request.path}") or accept(request)
        if isinstance(outcome, GatewayError):
            raise outcome
        return outcome

    def sent(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.asked]

    def written(self) -> list[str]:
        return [call for call in self.sent() if not call.startswith("GET")]


@dataclass
class MemoryIdempotencyStore(IdempotencyStore):
    """Idempotency records in memory."""

    records: dict[tuple[str, str], IdempotencyRecord] = field(default_factory=dict)

    async def begin(self, key: IdempotencyKey, now: datetime, since: datetime) -> IdempotencyRecord | None:
        self.records = {key: each for key, each in self.records.items() if each.created_at >= since}
        known = self.records.get((key.account_id, key.key))
        if known is None:
            self.records[key.account_id, key.key] = IdempotencyRecord(
                key.request, IdempotencyState.STARTED, 0, b"", now
            )
        return known

    async def end(self, key: IdempotencyKey, state: IdempotencyState, status: int = 0, sealed: bytes = b"") -> None:
        place = (key.account_id, key.key)
        self.records[place] = replace(self.records[place], state=state, status=status, sealed=sealed)

    async def release(self, key: IdempotencyKey) -> None:
        del self.records[key.account_id, key.key]


@dataclass
class WriteBench:
    """The write service with a scripted vendor. `invalidated` lists the invalidations."""

    vendor: Script = field(default_factory=Script)
    scopes: tuple[str, ...] = tuple(HUMAANS.scopes)
    key: tuple[str, ...] = ("*",)
    operator: Operator = field(default_factory=Operator)
    announces: bool = True
    invalidated: list[str] = field(default_factory=list)
    touched: list[frozenset[str] | None] = field(default_factory=list)
    idempotency: MemoryIdempotencyStore = field(default_factory=MemoryIdempotencyStore)
    time: Time = field(default_factory=Time)
    connector: Connector = HUMAANS

    def __post_init__(self) -> None:
        self.register = Register(
            keys={"key": make_key(*self.key)}, accounts={"a1": make_linked("a1", *self.scopes, provider="humaans")}
        )
        clock = self.time.clock()
        client = VendorClient(self.vendor, RetryPolicy(retries=2, longest_wait=2.0, first_wait=0.001), clock)
        authenticator = Authenticator(
            self.register, {"humaans": Provider(self.connector, Policy(self.connector, self.operator))}
        )
        steps = StepRunner(self.vendor, client, clock, TokenRejections(self.register, self.vendor, clock.now))
        self.writes = WriteService(
            authenticator, steps, Idempotency(self.idempotency, clock), self._invalidate, clock, deadline=30.0
        )
        self.requests = 0

    async def _invalidate(self, linked: LinkedAccount, resources: frozenset[str] | None, new_id: str) -> bool:
        self.invalidated.append(f"{linked.account.id} {new_id}")
        self.touched.append(resources)
        return self.announces

    async def ask(
        self, operation: Operation | str, body: Any = None, *, once: str | None = None, **values: Any
    ) -> WriteResult:
        found = OPERATION[operation] if isinstance(operation, str) else operation
        self.requests += 1

        async def raw() -> bytes:
            return body if isinstance(body, bytes) else orjson.dumps(body)

        call = {
            "secret": "key",
            "account_id": "a1",
            "employee": "ann" if found.of_employee else "",
            "key": "" if found.kind == "create" else "x",
            "request_id": f"request {self.requests}",
            **values,
        }
        return await self.writes.write(WriteCall(operation=found, body=raw, idempotency_key=once, **call))

    async def hire(self, once: str | None = None, **more: Any) -> WriteResult:
        return await self.ask("create_employee", {**HIRED, **more}, once=once)


HIRED = {
    "first_name": "Ada",
    "last_name": "Li",
    "work_email": "ada@example.com",
    "start_date": "2026-12-01T00:00:00.000Z",
    "job_title": "Engineer",
    "work_location": {"id": "loc1"},
}
PAID: dict[str, Any] = {"employment": {"pay_rate": "52000", "pay_currency": "GBP", "pay_period": {"value": "year"}}}
SIZED: dict[str, Any] = {"custom_fields": [{"id": "f1", "value": "L"}, {"id": "f2", "value": "Chess"}]}
AWAY = {"start_date": "2026-12-07", "end_date": "2026-12-09", "time_off_policy_id": "t1"}
