"""Admission of a write: checks the body and all scopes before anything is sent to the vendor."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors import ids
from connectors.contract import Operation
from connectors.writes import PASSTHROUGH, Order, Sorted, Write, sort_out
from gateway.auth.authentication import Caller
from gateway.contract.body import check_body, parse_json
from gateway.errors import BadRequest, Forbidden, NotFound, NotImplementedHere
from gateway.model import LinkedAccount
from gateway.policy.access import AccessReport
from gateway.policy.policy import WithheldReason
from gateway.policy.provider import Provider

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCall:
    """A write request: who calls, for which account, which operation, about which records, with which body.

    `body` reads the body. It is called only after the caller is known and allowed to do this.
    """

    secret: str | None
    account_id: str | None
    operation: Operation
    key: str = ""
    employee: str = ""
    body: Callable[[], Awaitable[bytes]]
    parameters: bool = False
    idempotency_key: str | None = None
    request_id: str


@dataclass(frozen=True, slots=True)
class AdmittedWrite:
    """A write that is checked and may be carried out; nothing is sent yet. `asked` is the body as received."""

    call: WriteCall
    linked: LinkedAccount
    provider: Provider
    write: Write
    order: Order
    asked: Mapping[str, Any]


async def admit_write(call: WriteCall, caller: Caller, today: date) -> AdmittedWrite:
    """Returns the write. Raises a `GatewayError` that names everything that is wrong with it."""
    linked, provider = caller.linked, caller.provider
    write = provider.connector.write(call.operation)
    if write is None:
        why = provider.connector.why_unanswered(call.operation)
        why = why or f"The {provider.connector.name} connector does not do it."
        raise NotImplementedHere(f"{call.operation.id} cannot be done: {why}")
    if call.parameters:
        raise BadRequest("This operation takes no parameters in the query.")
    asked = parse_json(await call.body()) if write.body else {}
    body = check_body(asked, write.body) if write.body else {}
    found = sort_out(write, body)
    access = AccessReport(provider.policy, caller.key.scopes, linked.account.grant.opens)
    _check_access(call.operation, found, access)
    if found.faults:
        raise BadRequest("The body cannot be carried out: " + "; ".join(found.faults), errors=found.faults)
    order = Order(
        employee=_remote_id("employee", call.employee),
        key=_remote_id(write.kind, call.key),
        parts=found.parts,
        today=today,
    )
    return AdmittedWrite(call, linked, provider, write, order, asked)


def _check_access(operation: Operation, found: Sorted, access: AccessReport) -> None:
    """Raises `Forbidden` where the operation or a field of the body is closed. It names every missing scope."""
    report = access.of(operation)
    if report is None:  # pragma: no cover - it has a write, so it can be done
        raise NotImplementedHere(f"{operation.id} cannot be done.")
    fields = {each.path: each for each in report.fields}
    closed: dict[WithheldReason, list[str]] = {why: [] for why in report.closings}
    if not found.paths and not closed:
        return
    for path in found.paths:
        field = fields.get(PASSTHROUGH if path.startswith(f"{PASSTHROUGH}.") else path)
        for why in field.closings if field else ():
            closed.setdefault(why, []).append(path)
    if not closed:
        return
    lines = [
        f"{', '.join(paths) if paths and why not in report.closings else operation.id} needs {why.needs}, "
        f"to be had from {why.granter}"
        for why, paths in closed.items()
    ]
    raise Forbidden("; ".join(lines) + ".", errors=[f"missing scope: {why.needs}" for why in closed])


def _remote_id(kind: str, given: str) -> str:
    """Returns the vendor's id of a record in the path, empty for empty. Raises `NotFound` for what can be none."""
    if not given:
        return ""
    found = ids.decode(kind, given)
    if found is None or not _ID.fullmatch(found):
        raise NotFound(f"There is no such {kind.replace('_', ' ')}, or this account's token may not see it.")
    return found
