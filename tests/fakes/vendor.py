"""Village, a made-up vendor with people, their roles and their towns, and a gateway linked to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Generic, TypeVar

import orjson

from connectors.connector import Connector
from connectors.contract import INSTANT, TEXT, Given, Operation, Resource, Spec
from connectors.convert import identifier
from connectors.exchange import BearerToken, CredentialField, Request, TokenCheck, Verification
from connectors.humaans.connector import HUMAANS
from connectors.needs import any_of
from connectors.paging import OffsetPaging
from connectors.spec import OWN_KEY, Absent, Collection, Endpoint, Field, Join, Nested, Table
from gateway.accounts.token_rejection import TokenRejections
from gateway.auth.authentication import Authenticator
from gateway.cache.freshness import NO_DIRECTIVES, Directives, Windows
from gateway.cache.local import LocalCache
from gateway.cache.singleflight import Leases, SingleFlight
from gateway.contract.query import PageLimits
from gateway.model import Cache, Upstream
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from gateway.unified.answer_cache import AnswerCache
from gateway.unified.block_cache import BlockCache
from gateway.unified.call import Call, Page
from gateway.unified.collections import Collections
from gateway.unified.compose import Composer
from gateway.unified.cursor import CursorSigner
from gateway.unified.plan import Planner
from gateway.unified.read import ReadService
from gateway.unified.snapshot_store import SnapshotStore
from gateway.upstream.retry import RetryPolicy
from gateway.upstream.vendor import VendorClient
from tests.fakes.core import A_MINUTE, Memory, Register, Rows, Time, Vendor, make_key, make_linked, unjittered

PAGES = PageLimits(default=25, most=250)
V = TypeVar("V", bound=Upstream)

PUBLIC, PRIVATE = any_of("open", "closed"), any_of("closed")
PEOPLE = Collection("/people", "employees")
ROLES = Collection("/roles", "employments")
TOWNS = Collection("/towns", "locations")

ROLE = Join(
    "role",
    (ROLES,),
    on="id",
    key="person",
    scope=PUBLIC,
    narrow=Collection("/roles", "employments", {"person": OWN_KEY}),
)
TOWN = Join("town", (TOWNS,), on="town", key="id", scope=PRIVATE)

TOWN_RESOURCE = Resource("locations", {"id": TEXT, "name": TEXT, "size": Spec(TEXT, scope="hris.sizes:read")})
EMPLOYEES = Resource(
    "employees",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "name": TEXT,
        "work_email": TEXT,
        "employee_number": TEXT,
        "job_title": TEXT,
        "diet": TEXT,
        "pay_rate": Spec(TEXT, scope="hris.compensation:read"),
        "pet": TEXT,
        "work_location": Spec(TOWN_RESOURCE, given=Given.EXPAND),
        "avatar_url": Spec(TEXT, given=Given.INCLUDE),
        "remote_job_id": Spec(TEXT, given=Given.ASKED),
        "updated_at": INSTANT,
    },
)
EMPLOYEE = Table(
    EMPLOYEES,
    {
        "id": Field("id", identifier("employee")),
        "remote_id": "id",
        "name": "name",
        "work_email": "email",
        "employee_number": Field("number", scope=PRIVATE),
        "job_title": ROLE["title"],
        "diet": Field("diet", scope=PRIVATE),
        "pay_rate": "pay",
        "pet": Absent("Village keeps no pets"),
        "work_location": Nested(Table(TOWN_RESOURCE, {"id": "id", "name": "name", "size": "size"}), source=TOWN.whole),
        "avatar_url": "photo",
        "remote_job_id": ROLE["id"],
        "updated_at": "updated",
    },
)
LIST = Operation(
    id="list_employees",
    method="GET",
    path="/unified/hris/employees",
    resource="employees",
    kind="list",
    scope="hris.employees:read",
    filters=("updated_after", "email", "employee_number"),
    expand=("work_location", "groups"),
    include=("avatar_url",),
)
GET = replace(LIST, id="get_employee", path="/unified/hris/employees/{id}", kind="get", filters=())
CREATE = replace(LIST, id="create_employee", method="POST", kind="create", scope="hris.employees:write")


def check_token() -> TokenCheck:
    """Takes a 401 there for a token that is none, and any list for one that is."""
    answer = yield Request("GET", "/token")
    return {200: True, 401: False}.get(answer.status)


def no_flow() -> Verification:
    yield Request("GET", "/")
    raise NotImplementedError


# Village has no more than what is written here: not what Humaans is written to, or passed through.
EMPTY: dict[str, Any] = {each.name: () for each in fields(Connector) if isinstance(getattr(HUMAANS, each.name), tuple)}
VILLAGE = replace(
    replace(HUMAANS, **EMPTY, events=None),
    key="village",
    name="Village",
    base_url="https://village.test",
    auth=BearerToken(credential=CredentialField(key="token", label="Token", pattern=".+", advice="")),
    paging=OffsetPaging(limit="limit", offset="skip", size=250, created="made", updated="changed"),
    scopes={"open": "read what is open", "closed": "read all"},
    granter="the mayor",
    endpoints=(
        Endpoint(
            table=EMPLOYEE,
            listing=PEOPLE,
            record="/people/{key}",
            scope=PUBLIC,
            kind="employee",
            filters={"email": "email"},
        ),
    ),
    verify=no_flow,
    check_token=check_token,
    unanswered={},
    never=frozenset({"secret"}),
    fault_text=lambda body: str(body.get("message", "")) if isinstance(body, dict) else "",
)

READER = "hris.employees:read"
ALL_SCOPES = (READER, "hris.compensation:read", "hris.sizes:read")


MADE = "2025-06-01T09:00:00.000Z"


def person(number: int, /, **values: Any) -> dict[str, Any]:
    """Returns a row in which everything is known. People are updated a minute after each other."""
    return {
        "id": f"p{number}",
        "name": f"Person {number}",
        "email": f"p{number}@village.test",
        "number": str(number),
        "diet": "fish",
        "pay": "100",
        "town": f"t{number % 3}",
        "photo": f"https://village.test/{number}.jpg",
        "updated": f"2026-01-01T{number // 60:02d}:{number % 60:02d}:00Z",
        "secret": "planted-secret",
        "made": MADE,
        **values,
    }


def make_vendor(people: int) -> Vendor:
    """Returns a vendor with so many people, each with a role, in three towns."""
    return Vendor(
        {
            "/people": [person(number) for number in range(people)],
            "/roles": [
                {"id": f"r{each}", "person": f"p{each}", "title": f"Title {each}", "made": MADE}
                for each in range(people)
            ],
            "/towns": [{"id": f"t{each}", "name": f"Town {each}", "size": str(each)} for each in range(3)],
            "/token": [],
        }
    )


@dataclass
class ReadBench(Generic[V]):
    """The read service with fakes around it. Secrets of keys are their names; account `a1` is linked to Village."""

    vendor: V
    time: Time = field(default_factory=unjittered)
    cache: Cache | None = None
    connector: Connector = VILLAGE
    usual: Operation = LIST
    operator: Operator = field(default_factory=Operator)
    fresh: Mapping[str, int] = field(default_factory=dict)
    windows: Windows = A_MINUTE
    local_bytes: int = 0
    subscribed: bool = True
    deadline: float = 30.0
    stale_wait: float = 3.0
    max_value_bytes: int = 8 << 20
    register: Register = field(default_factory=Register)
    unreadable: list[tuple[str, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory = Memory(self.time)
        cache = self.memory if self.cache is None else self.cache
        self.register.keys = {"key": make_key(*ALL_SCOPES), **self.register.keys}
        provider = self.connector.key
        self.register.accounts = {
            "a1": make_linked("a1", *self.connector.scopes, provider=provider),
            **self.register.accounts,
        }
        clock = self.time.clock()
        client = VendorClient(self.vendor, RetryPolicy(retries=0, longest_wait=0.0), clock)
        self.flights = SingleFlight()
        fresh = {name: replace(self.windows, fresh=seconds) for name, seconds in self.fresh.items()}
        self.local = LocalCache(
            clock.monotonic,
            lambda: self.subscribed,
            max_bytes=self.local_bytes,
            seconds=10,
            unsubscribed_seconds=1,
        )
        self.planner = Planner(PAGES)
        collections = Collections(
            client,
            SnapshotStore(BlockCache(self.local_bytes), self.time.seconds, 3600, b"k"),
            self.flights,
            Leases(cache, 5, clock.monotonic),
            lambda resource: fresh.get(resource, self.windows),
            concurrency=4,
        )
        composer = Composer(
            client,
            collections,
            CursorSigner(b"k" * 32, 3600),
            TokenRejections(self.register, self.vendor, clock.now),
            lambda *each: self.unreadable.append(each),
        )
        policy = Policy(self.connector, self.operator)
        self.reads = ReadService(
            Authenticator(self.register, {provider: Provider(self.connector, policy)}),
            self.planner,
            AnswerCache(cache, self.local, clock, self.max_value_bytes),
            composer,
            self.flights,
            clock,
            deadline=self.deadline,
            stale_wait=self.stale_wait,
        )
        self.requests = 0

    async def ask(
        self,
        operation: Operation | None = None,
        key: str = "",
        *,
        secret: str | None = "key",
        account: str | None = "a1",
        directives: Directives = NO_DIRECTIVES,
        employee: str = "",
        **query: str,
    ) -> Page:
        """Ask, the usual list if nothing else is said. In names of the query, `filter__x` stands for `filter[x]`."""
        self.requests += 1
        return await self.reads.read(
            Call(
                secret=secret,
                account_id=account,
                operation=operation or self.usual,
                key=key,
                employee=employee,
                pairs=tuple((_parameter(name), value) for name, value in query.items()),
                directives=directives,
                request_id=f"request {self.requests}",
            )
        )

    async def body(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        body: dict[str, Any] = orjson.loads((await self.ask(*args, **kwargs)).body)
        return body

    async def walk(self, **query: Any) -> Rows:
        """Returns the records of all pages."""
        found: Rows = []
        cursor: dict[str, str] = {}
        while True:
            body = await self.body(**query, **cursor)
            found += body["data"]
            if body["next"] is None:
                return found
            cursor = {"next": body["next"]}


def freshness_of(page: Page) -> tuple[int, int, str, bool]:
    """Returns the age of an answer, its remaining freshness, why the vendor was asked, and whether it was stored."""
    fresh = page.freshness
    return fresh.age, fresh.ttl, fresh.forwarded, fresh.stored


def _parameter(name: str) -> str:
    outer, _, inner = name.partition("__")
    return f"{outer}[{inner}]" if inner else outer
