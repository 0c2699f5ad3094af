"""What is watched of an account: every field of a resource that its token may see, and the lists these are made of."""

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
"""Fields that change by themselves: a time that passes, and the addresses of photos, which may be signed anew for
each reading. A new photo shows in `updated_at`."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A list to watch. `rights` says what of its records is seen, in words that are equal for equal rights."""

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
        """Give the lists that are joined to it, each once, without those that only some records want."""
        found: dict[Collection, None] = {}
        for join in self.joins:
            found.update(dict.fromkeys(join.collections))
            if join.embed is not None:
                found[join.embed.collection] = None
        found.pop(self.listing, None)
        return tuple(found)

    @property
    def resources(self) -> frozenset[str]:
        """Give the names of the lists that answers about such records may be made of."""
        narrow = (each for join in self.joins for each in join.all_collections())
        return frozenset(each.resource for each in (self.listing, *narrow))


def make_subject(provider: Provider, resource: str, account: Account) -> Subject | None:
    """Give what is watched of an account, whatever a client key may see; None where its token may not ask."""
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
    # What the person may see who made the token shows in no scope, but in what they are.
    rights = "\n".join((resource, ",".join(sorted(closed)), account.grant.role or ""))
    return Subject(resource, endpoint, endpoint.listing, plan, rights)


def sources_of(connector: Connector) -> Mapping[str, frozenset[str]]:
    """Give for each resource that can be watched the names of the lists that its records are made of."""
    found = {}
    for resource, operation in LISTS.items():
        endpoint = connector.endpoint(operation)
        if endpoint is not None and isinstance(endpoint.listing, Collection):
            plan = compile_table(endpoint.table, list(endpoint.table.rows), frozenset())
            found[resource] = Subject(resource, endpoint, endpoint.listing, plan, "").resources
    return found
