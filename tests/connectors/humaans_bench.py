"""The gateway on a Humaans stand-in in this process: the real connector, the real core, and no socket."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import httpx

from connectors.exchange import Answer, Request
from connectors.hris.operations import OPERATIONS
from connectors.humaans.connector import HUMAANS
from deploy.sandbox.app import Sandbox, create_app
from deploy.sandbox.choices import Choices
from deploy.sandbox.tokens import by_name
from gateway.model import Cache, LinkedAccount, Secret, Upstream
from tests.fakes.core import NOW, Register, make_key, make_linked
from tests.fakes.vendor import ReadBench

TODAY = NOW.date()
LIST = next(operation for operation in OPERATIONS if operation.id == "list_employees")
GET = next(operation for operation in OPERATIONS if operation.id == "get_employee")
EXPAND = "company,employments,work_location,home_location,groups,skills"
INCLUDE = "avatar_url,avatar,custom_fields,job_description,benefits,bank_details"

V = TypeVar("V", bound=Upstream)


@dataclass
class AppVendor:
    """The way to the sandbox."""

    app: Sandbox
    asked: list[Request] = field(default_factory=list)

    async def send(self, base_url: str, request: Request) -> Answer:
        self.asked.append(request)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as client:
            response = await client.request(
                request.method, base_url + request.path, params=request.query, headers=dict(request.headers)
            )
        return Answer(response.status_code, dict(response.headers), response.content)


def bench_by(
    vendor: Callable[[Sandbox], V], app: Sandbox, token: str = "all-owner", cache: Cache | None = None
) -> ReadBench[V]:
    """Returns a gateway with an account linked by that token of the sandbox, and a key that may ask anything."""
    linked = make_linked("a1", *by_name(token).scopes, provider="humaans")
    register = Register(
        keys={"key": make_key("*")},
        accounts={"a1": LinkedAccount(linked.account, Secret(by_name(token).token), linked.cipher)},
    )
    connector = replace(HUMAANS, base_url="http://sandbox/api")
    return ReadBench(vendor(app), connector=connector, usual=LIST, register=register, cache=cache)


def bench_on(
    app: Sandbox, token: str = "all-owner", vendor: type[AppVendor] = AppVendor, cache: Cache | None = None
) -> ReadBench[AppVendor]:
    return bench_by(vendor, app, token, cache)


def humaans(token: str = "all-owner", people: int = 60, **choices: Any) -> ReadBench[AppVendor]:
    """Returns a gateway on a sandbox of its own, which has those choices for what is unknown."""
    return bench_on(create_app(people, Choices().changed(choices), today=TODAY), token)
