"""What is watched of an account: the fields of a resource that its token may see, and the lists they come from."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.connector import Connector
from connectors.spec import Absent, Collection, Endpoint, Join
from gateway.model import Account
from gateway.policy.policy import EVERY_SCOPE
from gateway.policy.provider import Provider
from gateway.unified.mapping import Plan, compile_table, joins_for
from gateway.webhooks.event_scopes import LISTS

UNSTEADY = frozenset({"tenure", "avatar", "avatar_url"})
"""Fields that change without a change of the record: a time that passes, and the URLs of photos, which the vendor may
sign again for each reading. A new photo shows in `updated_at`."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A list to watch. `rights` is a text that is equal for equal rights to its records."""

    resource: str
    endpoint: Endpoint
    listing: Collection
    plan: Plan
    rights: str

    @property
    def joins(self) -> tuple[Join, ...]:
        return joins_for(self.endpoint, self.plan)

    @property
    def joined(self) -> tuple[Collection, ...]:
        """Returns the lists that are joined to it, each once, without those that only some records need."""
        found: dict[Collection, None] = {}
        for join in self.joins:
            found.update(dict.fromkeys(join.collections))
            if join.embed is not None:
                found[join.embed.collection] = None
        found.pop(self.listing, None)
        return tuple(found)

    @property
    def resources(self) -> frozenset[str]:
        """Returns the names of all lists that an answer about such records may come from."""
        narrow = (each for join in self.joins for each in join.all_collections())
        return frozenset(each.resource for each in (self.listing, *narrow))


def make_subject(provider: Provider, resource: str, account: Account) -> Subject | None:
    """Returns what is watched of an account, for all client keys; None where its token may not read the list."""
    operation = LISTS.get(resource)
    endpoint = provider.connector.endpoint(operation) if operation else None
    if operation is None or endpoint is None or not isinstance(endpoint.listing, Collection):
        return None
    scopes, policy = account.grant.opens, provider.policy
    if policy.admit_key(operation, EVERY_SCOPE) or policy.admit_token(endpoint, scopes):
        return None
    closed = policy.closed(endpoint.table, EVERY_SCOPE, scopes)
    rows = endpoint.table.rows
    fields = [name for name in rows if name not in closed and name not in UNSTEADY]
    plan = compile_table(
        endpoint.table, [name for name in fields if not isinstance(rows[name], Absent)], frozenset(closed)
    )
    # What the token's owner may see does not show in the scopes, but in their role.
    rights = "\n".join((resource, ",".join(sorted(closed)), account.grant.role or ""))
    return Subject(resource, endpoint, endpoint.listing, plan, rights)


def sources_of(connector: Connector) -> Mapping[str, frozenset[str]]:
    """Returns for each resource that can be watched the names of the lists that its records come from."""
    found = {}
    for resource, operation in LISTS.items():
        endpoint = connector.endpoint(operation)
        if endpoint is not None and isinstance(endpoint.listing, Collection):
            plan = compile_table(endpoint.table, list(endpoint.table.rows), frozenset())
            found[resource] = Subject(resource, endpoint, endpoint.listing, plan, "").resources
    return found
