"""Every read of every connector on a stand-in for its vendor whose answers can be bent.

What is asked, and what an answer is made of, is taken from the connector's own tables: a connector that is added is
tested by the rules once `STANDS` has its stand-in.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.contract import Operation
from connectors.exchange import Answer, Request
from connectors.hris.operations import OPERATIONS
from connectors.registry import CONNECTORS
from connectors.spec import Absent, Derived, Endpoint, Join, Nested, Table, joins_of
from deploy.sandbox.app import create_app
from gateway.cache.freshness import NO_DIRECTIVES
from gateway.unified.call import Call, Page
from tests.connectors.humaans_bench import TODAY, AppVendor, bench_by
from tests.fakes.vendor import ReadBench

PEOPLE = 60
Bend = Callable[[Request, Answer], Answer]


@dataclass
class Bent(AppVendor):
    """A stand-in whose answers are bent on their way."""

    bend: Bend = lambda _, answer: answer

    async def send(self, base_url: str, request: Request) -> Answer:
        return self.bend(request, await super().send(base_url, request))


HUMAANS_APP = create_app(PEOPLE, today=TODAY)
STANDS: Mapping[str, Callable[[], ReadBench[Bent]]] = {"humaans": lambda: bench_by(Bent, HUMAANS_APP)}


@dataclass(frozen=True, eq=False)
class Read:
    """A read of a connector, and the endpoint that answers it."""

    connector: str
    operation: Operation
    endpoint: Endpoint

    def __str__(self) -> str:
        return f"{self.connector}-{self.operation.id}"

    @property
    def table(self) -> Table:
        return self.endpoint.table

    def paths(self) -> set[str]:
        """Returns the paths of the lists and the record that its own records are read from."""
        found = {each.path for each in self.endpoint.collections()}
        return found | ({self.endpoint.record} if self.endpoint.record else set())

    def needed_paths(self) -> set[str]:
        """Returns the paths of the lists without which there is no answer."""
        if self.operation.kind == "get" and self.endpoint.record:
            return set()
        listing = self.endpoint.listing
        if self.operation.of_employee and self.endpoint.of_employee:
            listing = self.endpoint.of_employee.listing
        lists = listing.collections if isinstance(listing, Derived) else (listing,)
        return {each.path for each in lists if each}

    def joined_paths(self) -> set[str]:
        return {path for join in joins_within(self.table) for path in paths_of(join)} - self.paths()

    def bench(self, bend: Bend | None = None) -> ReadBench[Bent]:
        bench = STANDS[self.connector]()
        if bend is not None:
            bench.vendor.bend = bend
        return bench

    async def ask(self, bench: ReadBench[Bent], place: tuple[str, str] = ("", ""), **query: str) -> Page:
        """Asks for all fields, of the employee and the record that the place names."""
        operation, endpoint = self.operation, self.endpoint
        wanted = {
            "fields": ",".join(endpoint.table.resource.fields),
            **({"expand": ",".join(operation.expand)} if operation.expand else {}),
            "include": ",".join((*operation.include, "withheld")),
            **({"page_size": "250"} if operation.kind == "list" else {}),
            **query,
        }
        employee, key = place
        return await bench.reads.read(
            Call(
                secret="key",
                account_id="a1",
                operation=operation,
                key=key if operation.kind == "get" else "",
                employee=employee,
                pairs=tuple((name.replace("__", "[") + "]" * ("__" in name), value) for name, value in wanted.items()),
                directives=NO_DIRECTIVES,
                request_id="request",
            )
        )


def joins_within(table: Table) -> Iterator[Join]:
    for rule in table.rows.values():
        if not isinstance(rule, Absent):
            yield from joins_of(rule)
        if isinstance(rule, Nested):
            yield from joins_within(rule.table)


def paths_of(join: Join) -> set[str]:
    return {each.path for each in join.all_collections()}


READS = [
    Read(name, operation, endpoint)
    for name, connector in CONNECTORS.items()
    for operation in OPERATIONS
    if operation.reads and (endpoint := connector.endpoint(operation)) is not None
]


def records_of(page: Page) -> list[dict[str, Any]]:
    data = orjson.loads(page.body)["data"]
    return data if isinstance(data, list) else [data]


class Usual:
    """What is answered where nothing is bent, looked up once."""

    def __init__(self) -> None:
        self._places: dict[Read, tuple[str, str]] = {}
        self._pages: dict[Read, Page] = {}

    async def place(self, read: Read) -> tuple[str, str]:
        """Returns an employee who has such records, where it is about one, and the id of a record."""
        if read not in self._places:
            self._places[read] = await _find(read)
        return self._places[read]

    async def page(self, read: Read) -> Page:
        if read not in self._pages:
            self._pages[read] = await read.ask(read.bench(), await self.place(read))
        return self._pages[read]


async def _find(read: Read) -> tuple[str, str]:
    bench = read.bench()
    employees: list[str] = [""]
    if read.operation.of_employee:
        people = next(each for each in READS if each.operation.id == "list_employees")
        employees = [each["remote_id"] for each in records_of(await people.ask(bench))]
    listing = next(
        each
        for each in READS
        if each.operation.kind == "list"
        and each.endpoint is read.endpoint
        and each.operation.of_employee == read.operation.of_employee
    )
    for employee in employees:
        found = records_of(await listing.ask(bench, (employee, "")))
        if found:
            # The last of them is nobody special.
            return employee, str(found[-1].get("remote_id") or found[-1]["id"])
    raise AssertionError(f"{read}: the stand-in has nothing")
