"""All resources of the API by path, and for each the function that makes its rows."""

from __future__ import annotations

from collections.abc import Callable

from deploy.sandbox.company import build
from deploy.sandbox.company.world import World
from deploy.sandbox.model import JsonObject, Resource
from deploy.sandbox.tables import admin, papers, pay, people, time, work

_TABLES = (people, work, pay, papers, time, admin)

RESOURCES: dict[str, Resource] = {row.path: row for table in _TABLES for row in table.RESOURCES}

BUILDERS: dict[str, Callable[[World], list[JsonObject]]] = build.BUILDERS

if missing := RESOURCES.keys() ^ BUILDERS.keys():
    raise ValueError(f"with fields or with rows, but not both: {', '.join(sorted(missing))}")
