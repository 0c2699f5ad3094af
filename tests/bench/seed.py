"""Copies one linked account many times, each with a data key and a sealed token of its own, by the gateway's own store.

`python -m tests.bench.seed ACCOUNT COUNT`, with the settings of the gateway in the environment.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from connectors.registry import CONNECTORS
from gateway.accounts.rows import write_account
from gateway.accounts.sealed_rows import AccountRows
from gateway.app.services import open_the_vault
from gateway.app.stores import open_stores
from gateway.auth.api_key import new_id
from gateway.db.engine import reading, writing
from gateway.db.schema import account_usage, accounts, credentials
from gateway.model import LinkedAccount, Owner
from gateway.settings.load import Settings, read_settings

BATCH = 2000
SPREAD_SECONDS = 21600
"""Verifications of the copies are due over the next six hours, as those of accounts that are in use for long."""


async def copy(settings: Settings, account_id: str, count: int) -> list[str]:
    """Writes the rows of `count` further accounts. Returns their ids."""
    ids: list[str] = []
    vault = open_the_vault(settings)
    now = datetime.now(UTC)
    rows = AccountRows(vault, lambda: now)
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, vault)
        stack.push_async_callback(stores.close)
        async with reading(stores.engine) as connection:
            project = (
                await connection.execute(select(accounts.c.project_id).where(accounts.c.id == account_id))
            ).scalar_one()
        linked = await stores.accounts.find_account(project, account_id)
        if linked is None:
            raise ValueError(f"there is no account {account_id}")
        for begin in range(0, count, BATCH):
            made = [
                _rows(rows, linked, number, now + timedelta(seconds=SPREAD_SECONDS * (number + 1) / count))
                for number in range(begin, min(begin + BATCH, count))
            ]
            async with writing(stores.engine) as connection:
                for place, table in enumerate((accounts, credentials, account_usage)):
                    await connection.execute(insert(table), [each[place] for each in made])
            ids += [each[0]["id"] for each in made]
    return ids


def _rows(rows: AccountRows, linked: LinkedAccount, number: int, due: datetime) -> tuple[Mapping[str, Any], ...]:
    copied = replace(linked.account, id=new_id(), owner=Owner(id=f"copy {number}", name=f"Company {number} Ltd"))
    verified = due - timedelta(seconds=SPREAD_SECONDS)
    usage = {"account_id": copied.id, "check_at": due, "verified_at": verified, "failures": 0}
    counts = {"hits": 0, "misses": 0, "errors": 0}
    return write_account(copied), rows.sealed(copied, linked.credential.reveal.encode()), {**usage, **counts}


def main() -> int:
    ids = asyncio.run(copy(read_settings(dict(os.environ), CONNECTORS), sys.argv[1], int(sys.argv[2])))
    print("\n".join(ids))
    return 0


if __name__ == "__main__":
    sys.exit(main())
