"""What tests of writes share: a company of their own, and how to write and read back."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.web.support import Sandbox, Site, start_sandbox

SOMEBODY = "VMB1yzL5uL8VvNNCJc9rykJz"
"""An id as Humaans makes them, of nobody in particular."""


@pytest.fixture(name="sandbox_server", scope="module")
def fixture_own_sandbox() -> Iterator[Sandbox]:
    """A company of its own: others count on theirs to stay as it is."""
    process, sandbox = start_sandbox(60)
    yield sandbox
    process.terminate()
    process.communicate()


async def send(
    site: Site, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **options: Any
) -> httpx.Response:
    return await site.client.request(
        method,
        f"/unified/hris{path}",
        json=body,
        auth=(options.pop("key", site.key), ""),
        headers={"x-account-id": options.pop("account", site.account), **(headers or {})},
        **options,
    )


async def written(site: Site, path: str, body: Any, headers: Mapping[str, str] | None = None) -> str:
    """Create a record and give its id."""
    answer = await send(site, "POST", path, body, headers)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["data"]["id"]
    return found


async def data(site: Site, path: str, **query: str) -> Any:
    answer = await site.get(path, headers=None, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def hired(name: str, **more: Any) -> dict[str, Any]:
    return {
        "first_name": name,
        "last_name": "Li",
        "work_email": f"{name}@example.com",
        "start_date": "2026-01-01T00:00:00.000Z",
        "job_title": "Engineer",
        "department": "Design",
        "work_location": {"city": "Lisbon", "country": {"value": "PT"}},
        **more,
    }


PAY = {"pay_rate": "50000", "pay_currency": "GBP", "pay_period": {"value": "year"}}


async def employee_of(site: Site) -> str:
    """Give the vendor's id of somebody who is there from the beginning."""
    people = await data(site, "/employees", fields="remote_id,created_at", page_size="250")
    return str(min(people, key=lambda each: each["created_at"])["remote_id"])
