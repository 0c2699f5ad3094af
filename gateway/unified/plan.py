"""Plans of reads: what a read asks for and may show. Made before any cache or the vendor is asked, and remembered."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from connectors.connector import Connector
from connectors.contract import Operation
from connectors.spec import Collection, Derived, Endpoint, Join
from gateway.auth.authentication import Caller, forbidden
from gateway.cache.lru import Lru
from gateway.contract.query import PageLimits, Query, parse
from gateway.errors import BadRequest, NotImplementedHere
from gateway.policy.columns import VisibleColumns, condition_fault
from gateway.policy.policy import Denial, Permission
from gateway.policy.provider import Provider
from gateway.unified.call import Call
from gateway.unified.day_change import asks_for_day
from gateway.unified.filters import compile_conditions
from gateway.unified.mapping import Plan, compile_table, joins_for

REMEMBERED_PLANS = 1024
LONGEST_REMEMBERED = 1024
"""Characters of a query whose plan is remembered. A longer one is planned each time, so that it takes no memory."""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """An admitted read: what it asks for, and what may be shown of it.

    `visible` returns which columns `raw` may show of the records at a vendor's path. A cursor is bound to `binding`,
    and `digest` names the answer; both leave out the account, and the record (`key`) and employee that are asked for.
    `resources` are those that the answer is made of: a change of one of them outdates it. `collections` are the whole
    lists that it may be made of, and `joins` are what is joined to its records. `dated` says that it may depend on the
    day.
    """

    operation: Operation
    endpoint: Endpoint
    query: Query
    allowed: Permission
    mapping: Plan
    visible: Callable[[str], VisibleColumns]
    binding: str
    digest: str
    resources: frozenset[str]
    joins: tuple[Join, ...]
    collections: tuple[Collection, ...]
    dated: bool
    key: str = ""
    employee: str = ""


class Planner:
    """Plans reads. Equal queries under equal scopes are planned once."""

    def __init__(self, page_limits: PageLimits) -> None:
        self._page_limits = page_limits
        self._plans: Lru[tuple[Any, ...], ReadPlan] = Lru(REMEMBERED_PLANS)

    def __len__(self) -> int:
        return len(self._plans)

    def plan(self, call: Call, caller: Caller) -> ReadPlan:
        """Returns the plan of a call. Raises a `GatewayError` for what is not allowed, or cannot be answered."""
        rights = (caller.key.scopes, caller.linked.account.grant.opens)
        remembered_as = (caller.linked.account.provider, call.operation.id, call.pairs, *rights)
        plan = self._plans.get(remembered_as)
        if plan is None:
            plan = self._decide(call, caller.provider, *rights)
            if sum(len(name) + len(value) for name, value in call.pairs) <= LONGEST_REMEMBERED:
                self._plans.put(remembered_as, plan)
        return replace(plan, key=call.key, employee=call.employee) if call.key or call.employee else plan

    def _decide(
        self, call: Call, provider: Provider, key_scopes: frozenset[str], token_scopes: frozenset[str]
    ) -> ReadPlan:
        policy = provider.policy
        endpoint = _endpoint(call.operation, provider.connector)
        query = parse(call.operation, endpoint.table.resource, call.pairs, self._page_limits)
        _check_proxy_parameters(query, provider.connector)
        allowed = policy.decide(endpoint, query, key_scopes, token_scopes)
        if isinstance(allowed, Denial):
            raise forbidden(allowed)
        return make_read_plan(
            call.operation, endpoint, query, allowed, lambda path: policy.visible(path, key_scopes, token_scopes)
        )


def make_read_plan(
    operation: Operation,
    endpoint: Endpoint,
    query: Query,
    allowed: Permission,
    visible: Callable[[str], VisibleColumns],
) -> ReadPlan:
    """Returns the plan of a read whose fields are `allowed`."""
    mapping = compile_table(endpoint.table, allowed.fields, frozenset(allowed.withheld))
    binding = f"{operation.id}\n{query.canonical()}"
    digest = sha256(f"{binding}\0{query.position()}\0{allowed.fingerprint()}".encode()).hexdigest()
    plans = (mapping, compile_conditions(endpoint.table, query.filters).plan)
    joins = joins_for(endpoint, *plans)
    read = [*endpoint.collections(), *(each for join in joins for each in join.all_collections())]
    resources = frozenset(collection.resource for collection in read)
    if operation.of_employee:
        resources |= {"employees"}  # Whether there is such an employee is part of the answer.
    listing = endpoint.listing.collections if isinstance(endpoint.listing, Derived) else (endpoint.listing,)
    narrow = [join.narrow for join in joins]
    joined = [each for join in joins for each in join.all_collections() if each not in narrow]
    whole = dict.fromkeys(each for each in (*listing, *joined) if each is not None)
    return ReadPlan(
        operation=operation,
        endpoint=endpoint,
        query=query,
        allowed=allowed,
        mapping=mapping,
        visible=visible,
        binding=binding,
        digest=digest,
        resources=resources,
        joins=joins,
        collections=tuple(whole),
        dated=bool(joins) or endpoint.of_day or any(map(asks_for_day, plans)),
    )


def _endpoint(operation: Operation, connector: Connector) -> Endpoint:
    endpoint = connector.endpoint(operation)
    if endpoint is None:
        why = connector.why_unanswered(operation) or f"The {connector.name} connector does not answer it."
        raise NotImplementedHere(f"{operation.id} cannot be answered: {why}")
    return endpoint


def _check_proxy_parameters(query: Query, connector: Connector) -> None:
    """Raises `BadRequest` for `proxy` parameters that are more than conditions on columns."""
    faults = [why for name, _ in query.proxy if (why := condition_fault(name, connector.query_words))]
    if faults:
        raise BadRequest("proxy is not sent on: " + "; ".join(faults), errors=faults)
