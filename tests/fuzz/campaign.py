"""A campaign of Schemathesis against a running gateway, which has to agree with its own document.

The document is closed first: clients have to live with fields and words that are added later, and we do not. It is
filled with an account and with ids, which no generator guesses. It is cut into parts, each for a process of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation
from tests.e2e.processes import ROOT, serving
from tests.e2e.raw_http import ask

Json = dict[str, Any]
HERE = Path(__file__).parent
SEED = 20_261_124
STATEFUL = "stateful"
PROXIED = ("/companies", "/people?$limit=2", "/people/none", "/nowhere", "//elsewhere.test/people", "/people/../audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to try: cases for each operation, in which phases, in how many processes."""

    examples: int
    phases: Sequence[str]
    processes: int
    seed: int = SEED


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Who asks, about which employee, and what may be lost: an account, and a webhook to where nobody is."""

    caller: Caller
    employee: str
    spare: str
    webhook: str


@contextmanager
def ground(folder: Path, people: int) -> Iterator[Ground]:
    """Returns a gateway on a sandbox of its own: a campaign writes, cancels and unlinks."""
    with serving(["deploy.sandbox", "--port", "0", "--people", str(people)], {}, folder / "sandbox.log") as server:
        company = Company(server)
        installation = Installation(folder, company)
        with installation.gateway() as gateway:
            caller = Caller(gateway.url, installation.key(), installation.account())
            # Somebody who has records of every kind.
            employee = company.rows("identity-documents")[0]["personId"]
            hook = {"url": "https://hook.invalid/"}
            made = ask(gateway.url, "/webhooks", caller.headers, method="POST", body=hook)
            spare = installation.link("all-owner")
            yield Ground(caller=caller, employee=employee, spare=spare, webhook=made.json["id"])


def run(ground: Ground, effort: Effort, folder: Path) -> list[str]:
    """Runs a campaign, and give what each part of it says that has found something."""
    answer = ask(ground.caller.url, "/openapi.json")
    assert answer.status == 200, answer.body
    document = answer.json
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name: closed(each) for name, each in schemas.items()}
    whole = filled(document, ground)
    alone = [phase for phase in effort.phases if phase != STATEFUL]
    parts = [(part, alone) for part in cut(whole, effort.processes)] if alone else []
    parts += [(whole, [STATEFUL])] if STATEFUL in effort.phases else []
    with ExitStack() as stack:
        started = [
            stack.enter_context(_start(part, phases, ground.caller, effort, folder / f"part-{number}"))
            for number, (part, phases) in enumerate(parts)
        ]
        said = [(process.communicate()[0], process.returncode) for process in started]
    return [text for text, code in said if code]


def _start(
    document: Json, phases: Sequence[str], caller: Caller, effort: Effort, folder: Path
) -> subprocess.Popen[str]:
    folder.mkdir()
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    words = [sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", str(HERE / "schemathesis.toml")]
    words += ["run", str(file), "--url", caller.url, "--auth", f"{caller.key}:", "--seed", str(effort.seed)]
    words += ["--max-examples", str(effort.examples), "--phases", ",".join(phases), "--warnings", "off"]
    words += ["--generation-database", "none", "--suppress-health-check", "too_slow"]
    environ = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(words, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


# --- the document -----------------------------------------------------------------------------------------------


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


def cut(document: Json, parts: int) -> list[Json]:
    """Returns the document in parts, each with some of the paths. Links lead out of a part, so there are none."""
    paths = list(document["paths"].items())
    found = [{**document, "paths": deepcopy(dict(paths[number::parts]))} for number in range(parts)]
    for part in found:
        for operation in _operations(part):
            for response in operation["responses"].values():
                response.pop("links", None)
    return found


def _operations(document: Json) -> list[Json]:
    return [operation for item in document["paths"].values() for operation in item.values()]


def filled(document: Json, ground: Ground) -> Json:
    """Put in what can be had only from a running gateway, and leave out what no schema can say.

    That is: two parameters that must agree, and names that the provider itself has to know.
    """
    found = deepcopy(document)
    for path, item in found["paths"].items():
        for method, operation in item.items():
            parameters = [each for each in operation["parameters"] if each["name"] not in {"updated_after", "proxy"}]
            operation["parameters"] = parameters
            for parameter in parameters:
                values = _values(parameter, path, method, ground)
                if values:
                    parameter["schema"] = {"type": "string", "enum": list(values)}
            _fill_body(operation, ground)
    proxy = found["components"]["schemas"]["ProxyRequest"]["properties"]
    proxy["path"] = {"type": "string", "enum": list(PROXIED)}
    return found


def _fill_body(operation: Json, ground: Ground) -> None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "time_off_policy_id" in content.get("example", {}):
        content["example"]["time_off_policy_id"] = ids_at(ground.caller, "/unified/hris/time_off_policies")[0]


def _values(parameter: Mapping[str, Any], path: str, method: str, ground: Ground) -> Sequence[str]:
    """Returns the values that a parameter may have; none to leave it as it is."""
    name, account = parameter["name"], ground.caller.account
    if name == "id" and path.startswith("/accounts/"):
        return [account if method == "get" else ground.spare]
    if name == "id" and path.startswith("/webhooks/{id}"):
        return [ground.webhook] if method != "delete" else []
    if name == "id" and "/employees/{id}" in path and not path.startswith("/unified/hris/custom"):
        return [ground.employee]
    if name in {"id", "subResourceId"}:
        return ids_at(ground.caller, path.partition("/{" + name)[0].replace("{id}", ground.employee))
    # Cursors are followed by the stateful phase.
    return {"x-account-id": [account], "next": [""], "provider": ["humaans"] if parameter["in"] == "path" else []}.get(
        name, []
    )


def ids_at(caller: Caller, path: str) -> Sequence[str]:
    """Returns ids of records that are there; none where a list has none or is not answered."""
    reply = ask(caller.url, f"{path}?page_size=2", caller.headers)
    return [record["id"] for record in reply.json["data"]] if reply.status == 200 else []
