"""Accounts of projects in memory, as linking and the platform API need them; and calls of the platform API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.connector import Connector
from connectors.exchange import Answer, Request, Verification
from connectors.exchange import Grant as Granted
from connectors.exchange import Refusal as Refused
from connectors.platform import PLATFORM_OPERATIONS
from gateway.accounts.link import Linker
from gateway.accounts.service import AccountService, PlatformCall
from gateway.accounts.store import AccountStore
from gateway.auth.authentication import Authenticator
from gateway.errors import Conflict
from gateway.model import GATEWAY, Account, AccountFilter, Actor, Secret, Upstream
from gateway.policy.policy import Operator, Policy
from gateway.policy.provider import Provider
from tests.fakes.core import Memory, Register, Time, Vendor, make_key, make_linked
from tests.fakes.vendor import CREATE, GET, LIST, PAGES, VILLAGE


@dataclass
class Books(AccountStore):
    """A store over the accounts of a `Register`, so that what is written here is what is found there."""

    register: Register
    asked: list[AccountFilter] = field(default_factory=list)
    changed_by: list[Actor] = field(default_factory=list)

    async def find_by_owner(self, project_id: str, provider: str, owner_id: str) -> Account | None:
        raise NotImplementedError

    async def find(self, account_id: str) -> Account | None:
        linked = self.register.accounts.get(account_id)
        return linked.account if linked else None

    async def select(self, project_id: str, choice: AccountFilter) -> Sequence[Account]:
        self.asked.append(choice)
        found = [
            each.account
            for each in self.register.accounts.values()
            if each.account.project_id == project_id
            and (not choice.ids or each.account.id in choice.ids)
            and (not choice.providers or each.account.provider in choice.providers)
            and (not choice.owner_ids or each.account.owner.id in choice.owner_ids)
            and (not choice.statuses or each.account.status in choice.statuses)
        ]
        return found[choice.skip : choice.skip + choice.most]

    async def update(self, account: Account, by: Actor = GATEWAY) -> Account:
        self.changed_by.append(by)
        linked = self.register.accounts[account.id]
        if linked.account.revision != account.revision:
            raise Conflict("changed since")
        amended = replace(account, revision=account.revision + 1)
        self.register.accounts[account.id] = replace(linked, account=amended)
        return amended

    async def store(self, account: Account, credential: Secret, by: Actor = GATEWAY, **_: object) -> Account:
        stored = await self.update(account, by)
        self.register.accounts[account.id] = replace(self.register.accounts[account.id], credential=credential)
        return stored

    async def renew(self, account: Account, credential: Secret, by: Actor = GATEWAY) -> Account:
        return await self.store(account, credential, by)

    async def note_verified(self, account_id: str) -> None:
        assert account_id in self.register.accounts

    async def unlink(self, project_id: str, account_id: str, by: Actor = GATEWAY) -> Account | None:
        self.changed_by.append(by)
        [account] = await self.select(project_id, AccountFilter(ids=(account_id,)))
        del self.register.accounts[account_id]
        return account


def judge() -> Verification:
    """Take the vendor's answer for what the token may do; a 401 for a token that is none."""
    answer = yield Request("GET", "/token")
    return (
        Refused("Village does not know it.")
        if answer.status == 401
        else Granted(scopes=frozenset(answer.body.decode().split()), found_by="token-info")
    )


async def no_webhooks(account: Account) -> None:
    """Village sends none."""


@dataclass
class Office:
    """The platform API with all its parts at hand. Account `a1` of project `p1` is linked to Village."""

    operator: Operator = field(default_factory=Operator)
    granting: str = "open closed"
    deadline: float = 30.0
    upstream: Upstream | None = None
    providers: Mapping[str, Connector] = field(default_factory=lambda: {"village": replace(VILLAGE, verify=judge)})

    def __post_init__(self) -> None:
        self.time = Time()
        self.memory = Memory(self.time)
        self.vendor = Vendor(instead=self.token_answer)
        self.register = Register(
            keys={"key": make_key("*"), "stranger": make_key("*", project="p2")},
            accounts={"a1": make_linked("a1", "open"), "b1": make_linked("b1", "open", project="p2")},
        )
        ids = iter("abc")
        self.books = books = Books(self.register)
        providers = {name: Provider(each, Policy(each, self.operator)) for name, each in self.providers.items()}
        self.authenticator = Authenticator(self.register, providers)
        self.platform = AccountService(
            providers,
            books,
            Linker(
                accounts=books,
                upstream=self.upstream or self.vendor,
                clock=lambda: self.time.moment,
                new_id=lambda: next(ids),
                deadline=self.deadline,
            ),
            operations=(LIST, GET, CREATE),
            page=PAGES,
            vendor_webhook=no_webhooks,
        )

    def token_answer(self, request: Request) -> Answer:
        assert request.path == "/token"
        return Answer(200 if self.granting else 401, {}, self.granting.encode())

    def account(self, account_id: str = "a1") -> Account:
        return self.register.accounts[account_id].account

    async def ask(
        self,
        operation_id: str,
        named: str = "",
        body: Mapping[str, Any] | None = None,
        *,
        secret: str | None = "key",
        pairs: Sequence[tuple[str, str]] = (),
    ) -> Any:
        async def read() -> Mapping[str, Any]:
            assert body is not None, "nobody should read the body of this call"
            return body

        [operation] = [each for each in PLATFORM_OPERATIONS if each.id == operation_id]
        key = await self.authenticator.admit_key(secret, operation, self.operator)
        return await self.platform.answer(
            PlatformCall(key=key, operation=operation, named=named, pairs=tuple(pairs), body=read)
        )
