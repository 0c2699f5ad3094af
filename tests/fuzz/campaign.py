"""A campaign of Schemathesis against a running gateway: its own document, closed and filled in, is what it is held to.

Closed, because clients have to live with fields and words that are added later, and we do not: an answer with anything
that the document does not name is a fault here. Filled in, because no generator guesses an account or an id.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.installation import Caller
from tests.e2e.wire import ask

Json = dict[str, Any]
HERE = Path(__file__).parent
SEED = 20_261_124


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to try: cases for each operation, in which phases, with how many workers."""

    examples: int
    phases: Sequence[str]
    workers: int = 4


def closed(schema: Any) -> Any:
    """Close every object that names its fields, and every enum that has words."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(each) for name, each in schema.items()}
    words = found.get("anyOf", [{}])[0]
    if "enum" in words and found["anyOf"][1:] == [{"type": ["string", "null"]}]:
        return {"enum": [*words["enum"], None]}
    if "properties" in found and "allOf" not in found:
        found.setdefault("additionalProperties", False)
    return found


def filled(document: Json, caller: Caller, spare: str, employee: str) -> Json:
    """Put in what can be had only from a running gateway: the account, and ids of records that are there."""
    found = deepcopy(document)
    for path, item in found["paths"].items():
        for method, operation in item.items():
            for parameter in operation["parameters"]:
                values = _values(parameter, path, method, caller, spare, employee)
                if values:
                    parameter["schema"] = {"type": "string", "enum": values}
    paths = ["/companies", "/people?$limit=2", "/people/none", "/nowhere", "//elsewhere.test/people", "/people/../audit"]
    proxied = found["paths"]["/unified/proxy"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    proxied["properties"]["path"] = {"type": "string", "enum": paths}
    return found


def _values(  # noqa: PLR0911 - a table of cases
    parameter: Json, path: str, method: str, caller: Caller, spare: str, employee: str
) -> Sequence[str]:
    """Give the values that a parameter may have; none to leave it as it is."""
    match parameter["name"]:
        case "x-account-id":
            return [caller.account]
        case "next":
            return [""]  # Cursors are followed by the stateful phase.
        case "provider" if parameter["in"] == "path":
            return ["humaans"]
        case "id" if path.startswith("/accounts/"):
            return [caller.account if method == "get" else spare]
        case "id" if "/employees/{id}" in path:
            return [employee]
        case "id" | "subResourceId":
            return ids_at(caller, path.rpartition("/{")[0].replace("{id}", employee).removesuffix("/{subResourceId}"))
    return []


def ids_at(caller: Caller, path: str) -> Sequence[str]:
    reply = ask(caller.url, f"{path}?page_size=2", caller.headers)
    return [record["id"] for record in reply.json["data"]] if reply.status == 200 else []


def run(caller: Caller, spare: str, employee: str, effort: Effort, folder: Path) -> tuple[bool, str]:
    """Run a campaign; give whether it found nothing, and what it says."""
    document = ask(caller.url, "/openapi.json").json
    file = folder / "openapi.json"
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name: closed(each) for name, each in schemas.items()}
    file.write_text(json.dumps(filled(document, caller, spare, employee)))
    words = [sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", str(HERE / "schemathesis.toml")]
    words += ["run", str(file), "--url", caller.url, "--auth", f"{caller.key}:", "--seed", str(SEED)]
    words += ["--max-examples", str(effort.examples), "--phases", ",".join(effort.phases)]
    words += ["--workers", str(effort.workers)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr
