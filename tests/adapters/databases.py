"""What the tests of the database share: a time moved by hand, an account, and how a process opens the database."""

from datetime import UTC, datetime, timedelta

from connectors.exchange import Grant
from gateway.adapters.accounts import Database, open_engine
from gateway.adapters.vault import Vault
from gateway.core.actor import AT_THE_COMMAND_LINE
from gateway.core.model import Account, Linked, Owner, Secret, Status, StatusReason
from gateway.core.outbox.endpoints import Endpoint
from gateway.core.trail import Change, What, event

MASTER = bytes(range(32))
TOKEN = Secret("planted-vendor-token")
START = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
REASON = StatusReason("invalid_credentials", "Humaans does not accept the token.", START)


class Time:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed


def open_database(url: str, time: Time, master: bytes = MASTER) -> Database:
    return Database(open_engine(url), Vault(master), memo_seconds=2, clock=time.now, monotonic=time.monotonic)


def told_of(endpoint: Endpoint, what: What = What.WEBHOOK_UPDATED, at: datetime = START) -> Change:
    """Give the row of the trail for a change of an endpoint."""
    return event(what, at, AT_THE_COMMAND_LINE, project_id=endpoint.project_id, details={"webhook": endpoint.id})


async def new_account(database: Database, account_id: str = "a1", project: str = "acme") -> Account:
    made = await database.clients.project(project)
    return Account(
        id=account_id,
        project_id=made.id,
        provider="humaans",
        owner=Owner(id="customer-1", name="Planted Customer Ltd", username="ann"),
        status=Status.ACTIVE,
        label="main",
        setup_information={"domain": "acme"},
        grant=Grant(
            scopes=frozenset({"public:read", "private:read"}),
            found_by="token-info",
            role="owner",
            warnings=("w",),
        ),
        revision=0,
        created_at=START,
        updated_at=START,
    )


async def must_find(database: Database, account: Account) -> Linked:
    linked = await database.find_account(account.project_id, account.id)
    assert linked is not None
    return linked
