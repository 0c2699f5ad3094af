"""Scopes that nobody could tell are tried, and those that a person states are believed: the vendor decides in the end.

Held over every operation of every connector, by the tables alone.
"""

from dataclasses import replace

import pytest

from connectors.contract import Operation
from connectors.exchange import Answer, Grant
from connectors.hris.operations import OPERATIONS
from connectors.registry import CONNECTORS
from gateway.errors import Forbidden
from gateway.policy.access import AccessReport
from gateway.policy.permissions import permissions
from gateway.policy.policy import EVERY_SCOPE, Operator, Policy
from gateway.policy.provider import Provider
from tests.fakes.core import make_key, make_linked, refusal
from tests.fakes.writes import PAID, Script, WriteBench

POLICIES = [Policy(connector, Operator()) for connector in CONNECTORS.values()]
ROUTES = [
    (policy, operation)
    for policy in POLICIES
    for operation in OPERATIONS
    if policy.connector.endpoint(operation) or policy.connector.write(operation)
]
READS = frozenset({"public:read"})


def grants(policy: Policy) -> list[Grant]:
    """Give grants of all kinds: each scope told alone, unknown alone, in doubt alone, and stated then."""
    scopes = [frozenset({scope}) for scope in policy.connector.scopes]
    nothing = Grant(scopes=frozenset(), found_by="probe")
    found = [nothing]
    for each in scopes:
        doubts = replace(nothing, unknown=each), replace(nothing, doubtful=each)
        found += [replace(nothing, scopes=each), *doubts, *(one.with_statement(each) for one in doubts)]
        # Somebody states another one: then this one is not there.
        found += [doubts[0].with_statement(other) for other in scopes if other != each]
    return found


@pytest.mark.parametrize(("policy", "operation"), ROUTES, ids=lambda each: getattr(each, "id", ""))
def test_what_is_open_is_decided_by_the_scopes_that_are_sure_or_can_only_be_tried(
    policy: Policy, operation: Operation
) -> None:
    for grant in grants(policy):
        believed = grant.stated & grant.scopes
        expected = AccessReport(policy, EVERY_SCOPE, grant.scopes | grant.unknown).of(operation)
        assert AccessReport(policy, EVERY_SCOPE, grant.opens).of(operation) == expected
        assert believed <= grant.opens
        assert not (grant.doubtful & grant.opens)
        assert not (grant.stated and grant.unknown)
        assert grant.certain is not bool(grant.unknown or believed)


@pytest.mark.parametrize("policy", POLICIES)
def test_permissions_tell_what_is_only_tried(policy: Policy) -> None:
    """Open by an unknown scope is told as that; of a grant without any nothing is."""
    provider = Provider(policy.connector, policy)
    for grant in grants(policy):
        linked = make_linked("a1", provider=policy.connector.key).account
        told = permissions(replace(linked, grant=grant), provider, make_key("*"), OPERATIONS)
        assert told["granted"]["unknown"] == sorted(grant.unknown)
        assert not {each["scope"] for each in told["missing"]} & grant.opens
        rows = [
            *told["operations"],
            *(field for each in told["operations"] for field in each["fields"]),
            *told["proxy"],
        ]
        unsure = [row for row in rows if "unknown" in row]
        assert all(row["available"] and "needs" not in row for row in unsure)
        needs = {word for row in unsure for each in row["unknown"] for word in each["scope"].split(" or ")}
        assert grant.unknown <= needs if grant.unknown and needs else not needs


def office(script: dict[str, Answer], grant: Grant) -> WriteBench:
    made = WriteBench(Script(dict(script)))
    made.register.change("a1", grant=grant)
    return made


UNKNOWN = frozenset({"private:write", "compensations:write"})
READING = Grant(scopes=READS | {"compensations:read"}, found_by="probe")
TRIED = replace(READING, unknown=UNKNOWN)
TOLD = Grant(scopes=READING.scopes | UNKNOWN, found_by="token-info")


@pytest.mark.parametrize(
    ("grant", "sent"),
    [
        (TOLD, True),
        (TRIED, True),
        (TRIED.with_statement(UNKNOWN), True),
        (TRIED.with_statement(frozenset({"private:write"})), False),
        (TRIED.with_statement(READS), False),
        (READING, False),
    ],
)
async def test_a_write_is_sent_unless_its_scope_is_surely_lacking(grant: Grant, *, sent: bool) -> None:
    desk = office({}, grant)
    if sent:
        assert (await desk.hire(**PAID)).status == 201
        return
    with pytest.raises(Forbidden, match="compensations:write, to be had from"):
        await desk.hire(**PAID)
    assert desk.vendor.sent() == []


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (TOLD, "though its scopes cover it: the role of the person who made the token does not allow it"),
        (TRIED, "it lacks the scope, or its maker's role does not allow it"),
        (TRIED.with_statement(UNKNOWN), "it lacks the scope, or its maker's role does not allow it"),
    ],
)
async def test_a_refusal_of_the_vendor_says_no_more_than_is_known(grant: Grant, words: str) -> None:
    desk = office({"POST /people": refusal(403)}, grant)
    with pytest.raises(Forbidden, match=words) as refused:
        await desk.hire(**PAID)
    assert refused.value.code == "ProviderForbiddenError"
    assert [each.status for each in refused.value.provider_errors] == [403]
