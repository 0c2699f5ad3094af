"""Parts for tests of the core, all in memory: a clock set by hand, a cache, accounts, and a made-up vendor.

The vendor, Village, has people, their roles and their towns, and pages that are small enough to count.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from connectors.contract import INSTANT, TEXT, Given, Operation, Resource, Spec
from connectors.convert import identifier
from connectors.exchange import Answer, BearerToken, CredentialField, Grant, Request, Verification
from connectors.paging import OffsetPaging
from connectors.spec import OWN_KEY, Absent, Collection, Connector, Endpoint, Field, Join, Nested, Table, any_of
from gateway.core.ask import Asker, Clock
from gateway.core.cursor import CursorSigner
from gateway.core.freshness import NO_DIRECTIVES, Directives
from gateway.core.model import Account, Cache, ClientKey, Linked, Owner, Secret, Status, StatusReason, Unsealable, Upstream
from gateway.core.policy import Operator, Policy
from gateway.core.query import PageLimits
from gateway.core.reads import Reads
from gateway.core.retry import RetryPolicy
from gateway.core.serve import Around, Call, Gateway, Limits, Page, Provider
from gateway.core.sweeps import Keeping, Sweeps

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PAGES = PageLimits(default=25, most=250)
Rows = list[dict[str, Any]]


@dataclass
class Time:
    """A clock that stands still until it is moved."""

    moment: datetime = NOW

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def clock(self) -> Clock:
        return Clock(now=lambda: self.moment, monotonic=lambda: self.moment.timestamp(), jitter=lambda: 0.5)


@dataclass
class Memory:
    """A shared cache. `forget_all` of a kind is what eviction looks like."""

    time: Time
    values: dict[str, tuple[float, bytes]] = field(default_factory=dict)

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return [self._live(key) for key in keys]

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        until = self.time.moment.timestamp() + seconds
        self.values |= {key: (until, value) for key, value in values.items()}
        return True

    async def forget(self, account_id: str) -> None:
        self.values = {key: value for key, value in self.values.items() if not key.startswith(f"{{{account_id}}}:")}

    def evict(self, *kinds: str) -> None:
        self.values = {key: value for key, value in self.values.items() if key.split(":")[1] not in kinds}

    def kinds(self) -> set[str]:
        return {key.split(":")[1] for key in self.values}

    def _live(self, key: str) -> bytes | None:
        until, value = self.values.get(key, (0.0, None))
        return value if self.time.moment.timestamp() < until else None


class Forgetful:
    """A cache that keeps nothing."""

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return [None] * len(keys)

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        return False

    async def forget(self, account_id: str) -> None:
        """There is nothing to forget."""


@dataclass(frozen=True)
class Seal:
    """A cipher in name: it hides nothing, but it opens only what it sealed in the same context."""

    key: str

    def seal(self, plain: bytes, context: bytes) -> bytes:
        return self._mark(plain, context) + plain

    def open(self, sealed: bytes, context: bytes) -> bytes:
        mark, plain = sealed[:32], sealed[32:]
        if mark != self._mark(plain, context):
            raise Unsealable("not sealed so")
        return plain

    def _mark(self, plain: bytes, context: bytes) -> bytes:
        return sha256(b"\0".join((self.key.encode(), context, plain))).digest()


@dataclass
class Register:
    """The database in memory."""

    keys: dict[str, ClientKey] = field(default_factory=dict)
    accounts: dict[str, Linked] = field(default_factory=dict)
    asked: int = 0

    async def find_key(self, secret: str) -> ClientKey | None:
        return self.keys.get(secret)

    async def find_account(self, project_id: str, account_id: str) -> Linked | None:
        self.asked += 1
        linked = self.accounts.get(account_id)
        return linked if linked and linked.account.project_id == project_id else None

    async def mark(
        self, account_id: str, status: Status, reason: StatusReason | None, *, revision: int | None = None
    ) -> None:
        linked = self.accounts[account_id]
        if revision in {None, linked.account.revision}:
            reasons = (reason,) if reason else ()
            changed = replace(linked.account, status=status, status_reasons=reasons, revision=linked.account.revision + 1)
            self.accounts[account_id] = replace(linked, account=changed)

    def change(self, account_id: str, **changes: Any) -> None:
        linked = self.accounts[account_id]
        self.accounts[account_id] = replace(linked, account=replace(linked.account, **changes))


def make_key(*scopes: str, project: str = "p1") -> ClientKey:
    return ClientKey(id="k", project_id=project, prefix="hg_", scopes=frozenset(scopes), created_at=NOW)


def make_linked(account_id: str, *scopes: str, provider: str = "village", project: str = "p1") -> Linked:
    account = Account(
        id=account_id,
        project_id=project,
        provider=provider,
        owner=Owner(id=f"owner of {account_id}", name="Owner"),
        status=Status.ACTIVE,
        grant=Grant(scopes=frozenset(scopes), found_by="token-info"),
        revision=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return Linked(account, Secret(f"token of {account_id}"), Seal(account_id))


def json_answer(body: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json; charset=utf-8", **named}, orjson.dumps(body))


def refusal(status: int, **headers: str) -> Answer:
    return json_answer({"code": status, "name": "Fault", "message": f"no: {status}"}, status, **headers)


@dataclass
class Vendor:
    """A vendor in memory. `instead` may answer a call otherwise, or raise; it sees it after it was noted."""

    lists: dict[str, Rows] = field(default_factory=dict)
    most: int = 250
    instead: Callable[[Request], Answer | None] = lambda _: None
    asked: list[Request] = field(default_factory=list)

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        self.asked.append(request)
        return self.instead(request) or self._usual(request)

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]

    def take_calls(self) -> int:
        """Give how many calls came since the last time."""
        calls = len(self.asked)
        self.asked.clear()
        return calls

    def _usual(self, request: Request) -> Answer:
        rows = self.lists.get(request.path)
        if rows is None:
            listing, _, key = request.path.rpartition("/")
            found = [row for row in self.lists.get(listing, ()) if row["id"] == key]
            return json_answer(found[0]) if found else refusal(404)
        query = dict(request.query)
        limit, skip = min(int(query.pop("limit", "10")), self.most), int(query.pop("skip", "0"))
        known = [row for row in rows if all(str(row.get(name)) == value for name, value in query.items())]
        return json_answer({"total": len(known), "data": known[skip : skip + limit]})


# --- Village ----------------------------------------------------------------------------------------------------

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
        "work_location": Nested(
            Table(TOWN_RESOURCE, {"id": "id", "name": "name", "size": "size"}), source=TOWN.whole
        ),
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


def no_flow() -> Verification:
    raise NotImplementedError
    yield Request("GET", "/")


VILLAGE = Connector(
    key="village",
    name="Village",
    base_url="https://village.test",
    auth=BearerToken(credential=CredentialField(key="token", label="Token", pattern=".+", advice="")),
    paging=OffsetPaging(limit="limit", offset="skip", size=250),
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
    never=frozenset({"secret"}),
    fault_text=lambda body: str(body.get("message", "")) if isinstance(body, dict) else "",
)

READER = "hris.employees:read"
ALL_SCOPES = (READER, "hris.compensation:read", "hris.sizes:read")


def person(number: int, **values: Any) -> dict[str, Any]:
    """Make a row in which everything is known. People are updated a minute after each other."""
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
        **values,
    }


def village(people: int) -> Vendor:
    """Make a vendor with so many people, each with a role, in three towns."""
    return Vendor(
        {
            "/people": [person(number) for number in range(people)],
            "/roles": [{"id": f"r{each}", "person": f"p{each}", "title": f"Title {each}"} for each in range(people)],
            "/towns": [{"id": f"t{each}", "name": f"Town {each}", "size": str(each)} for each in range(3)],
        }
    )


@dataclass
class Bench:
    """A gateway with all its parts at hand. Secrets of keys are their names; account `a1` is linked to Village."""

    vendor: Upstream
    time: Time = field(default_factory=Time)
    cache: Cache | None = None
    connector: Connector = VILLAGE
    operator: Operator = field(default_factory=Operator)
    fresh: Mapping[str, int] = field(default_factory=dict)
    deadline: float = 30.0
    most_bytes: int = 8 << 20
    register: Register = field(default_factory=Register)

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
        asker = Asker(self.vendor, RetryPolicy(retries=0, longest_wait=0.0), clock)
        sweeps = Sweeps(asker, Keeping(self.fresh, 60, 3600), side_by_side=4)
        policy = Policy(self.connector, self.operator)
        self.gateway = Gateway(
            self.register,
            {provider: Provider(self.connector, policy)},
            cache,
            Reads(asker, sweeps, CursorSigner(b"k" * 32, 3600)),
            Around(clock, Limits(self.deadline, PAGES, self.most_bytes)),
        )
        self.requests = 0

    async def ask(
        self,
        operation: Operation = LIST,
        key: str = "",
        *,
        secret: str | None = "key",
        account: str | None = "a1",
        directives: Directives = NO_DIRECTIVES,
        **query: str,
    ) -> Page:
        """Ask. In names of the query, `filter__x` stands for `filter[x]`."""
        self.requests += 1
        return await self.gateway.answer(
            Call(
                secret=secret,
                account_id=account,
                operation=operation,
                key=key,
                pairs=tuple((_parameter(name), value) for name, value in query.items()),
                directives=directives,
                request_id=f"request {self.requests}",
            )
        )

    async def body(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        body: dict[str, Any] = orjson.loads((await self.ask(*args, **kwargs)).body)
        return body

    async def walk(self, **query: str) -> Rows:
        """Give the records of all pages."""
        found: Rows = []
        cursor: dict[str, str] = {}
        while True:
            body = await self.body(**query, **cursor)
            found += body["data"]
            if body["next"] is None:
                return found
            cursor = {"next": body["next"]}


def _parameter(name: str) -> str:
    outer, _, inner = name.partition("__")
    return f"{outer}[{inner}]" if inner else outer
