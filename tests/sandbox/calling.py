"""How the tests talk to a sandbox: in process, by token name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from deploy.sandbox.app import Sandbox, create_app
from deploy.sandbox.choices import Choices
from deploy.sandbox.tokens import by_name

TODAY = date(2026, 11, 24)


@dataclass(frozen=True, slots=True)
class Caller:
    app: Sandbox

    async def send(
        self,
        method: str,
        path: str,
        token: str | None = "all-owner",
        body: object = None,
        query: str = "",
    ) -> httpx.Response:
        headers = {} if token is None else {"authorization": f"Bearer {by_name(token).token}"}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            url = f"/api{path}?{query}" if query else f"/api{path}"
            return await client.request(method, url, headers=headers, json=body)

    async def get(self, path: str, token: str | None = "all-owner", query: str = "") -> httpx.Response:
        return await self.send("GET", path, token, query=query)

    async def page(self, path: str, token: str = "all-owner", query: str = "") -> dict[str, Any]:
        answer = await self.get(path, token, query)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    async def rows(self, path: str, token: str = "all-owner", query: str = "") -> list[dict[str, Any]]:
        """One page of the largest size."""
        page = await self.page(path, token, "&".join(filter(None, ("$limit=250", query))))
        rows: list[dict[str, Any]] = page["data"]
        return rows

    async def steer(self, method: str, path: str, body: object = None) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return await client.request(method, f"/_sandbox{path}", json=body)

    async def person_of(self, token: str) -> str:
        person: str = (await self.get("/token-info", token)).json()["personId"]
        return person


def sandbox(people: int = 60, **choices: Any) -> Caller:
    """A sandbox of its own, on a fixed day."""
    return Caller(create_app(people, Choices().changed(choices), today=TODAY, seed="tests"))
