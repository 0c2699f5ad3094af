"""What the API says of connectors and accounts is what the policy decides and what the tables hold."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, combinations
from typing import Any

import pytest

from connectors.connector import Connector
from connectors.contract import MAP, TEXT, Operation, Resource, Spec
from connectors.hris.operations import OPERATIONS
from connectors.humaans.connector import HUMAANS
from connectors.needs import Need, any_of
from connectors.spec import Absent
from connectors.writes import Flow, Order, Part, To, Unwritable, Within, Write
from gateway.contract.query import PageLimits, parse
from gateway.errors import BadRequest
from gateway.model import Status
from gateway.policy.capabilities import DETAILS, account_meta, connector_meta, model_of
from gateway.policy.permissions import permissions
from gateway.policy.policy import EVERY_SCOPE, Operator, Permission, Policy, holds
from gateway.policy.provider import Provider
from tests.fakes.accounts import Office
from tests.fakes.core import make_key, make_linked
from tests.fakes.vendor import CREATE, GET, LIST, VILLAGE

OPEN, ALL = frozenset({"open"}), frozenset({"open", "closed"})
BOTH = (LIST, GET, CREATE)
NAMES = "id remote_id name work_email employee_number job_title diet pay_rate work_location avatar_url remote_job_id"
MAPPED = [*NAMES.split(), "updated_at"]
# Written out, not derived: what Village opens to the scope `open` alone.
CLOSED = {"employee_number", "diet", "work_location"}


def provider(operator: Operator | None = None) -> Provider:
    return Provider(VILLAGE, Policy(VILLAGE, operator or Operator()))


def names(meta: Mapping[str, Any], model: str, kind: str) -> list[str]:
    return [each["name"] for each in meta["models"][model][kind]["output"]["defaultFields"]]


# --- connectors ---------------------------------------------------------------------------------------------


def test_a_connector_shows_its_operations_and_the_fields_that_it_fills() -> None:
    meta = connector_meta(provider(), BOTH, ())
    assert {name: meta[name] for name in ("provider", "provider_name", "category", "active")} == {
        "provider": "village",
        "provider_name": "Village",
        "category": "hris",
        "active": True,
    }
    assert list(meta["models"]) == ["employees"]
    assert {kind: entry["apiPath"] for kind, entry in meta["models"]["employees"].items()} == {
        "list": "/unified/hris/employees",
        "get": "/unified/hris/employees/:id",
    }
    assert names(meta, "employees", "list") == MAPPED
    types = {each["name"]: each["type"] for each in meta["models"]["employees"]["get"]["output"]["defaultFields"]}
    assert (types["name"], types["work_location"], types["updated_at"]) == ("string", "object", "datetime")


def test_details_are_added_when_they_are_named() -> None:
    plain, full = (connector_meta(provider(), BOTH, include) for include in ((), DETAILS))
    assert "resources" not in plain
    assert full["resources"] == {"images": {"logo_url": None, "original_logo_horizontal_url": None}}
    seen = connector_meta(provider(), BOTH, DETAILS, "https://gateway.example.com")
    assert seen["resources"]["images"]["logo_url"] == "https://gateway.example.com/hub/logos/village"
    output = full["models"]["employees"]["list"]["output"]
    assert output["unmappedFields"] == [{"name": "pet", "type": "string", "reason": "Village keeps no pets"}]
    paths = {each["name"]: each["fieldPath"] for each in output["defaultFields"]}
    assert (paths["work_email"], paths["job_title"], paths["work_location"]) == ("email", "role.title", "town")


def test_every_operation_of_the_contract_has_a_model_of_its_own() -> None:
    places = [(model_of(operation), operation.kind) for operation in OPERATIONS]
    assert len(set(places)) == len(OPERATIONS)
    assert ("employees", "invite") in places
    assert ("employees_time_off", "cancel") in places
    assert ("employees_documents", "download") in places
    assert ("groups_departments", "list") in places


async def test_connectors_are_listed_and_found_by_name() -> None:
    platform = Office()
    [listed] = await platform.ask("list_connectors_meta")
    assert listed == await platform.ask("get_connector_meta", "village")
    detailed = await platform.ask("get_connector_meta", "village", pairs=[("include", "field_path, resources,")])
    assert "resources" in detailed
    for pairs in ([("include", "everything")], [("page", "1")], [("include", "resources"), ("include", "webhooks")]):
        with pytest.raises(BadRequest, match="include"):
            await platform.ask("list_connectors_meta", pairs=pairs)


# --- accounts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "shown"), [(ALL, MAPPED), (OPEN, [each for each in MAPPED if each not in CLOSED]), (frozenset(), None)]
)
def test_an_account_shows_only_what_its_token_opens(token: frozenset[str], shown: list[str] | None) -> None:
    meta = account_meta(provider(), BOTH, token)
    assert (meta["provider"], meta["category"]) == ("village", "hris")
    if shown is None:
        assert meta["models"] == {}
    else:
        assert names(meta, "employees", "list") == names(meta, "employees", "get") == shown


def test_an_account_does_not_show_what_the_operator_closes() -> None:
    operator = Operator(frozenset({"get_employee"}), frozenset({"employees.name"}))
    meta = account_meta(provider(operator), BOTH, ALL)
    assert list(meta["models"]["employees"]) == ["list"]
    assert names(meta, "employees", "list") == [each for each in MAPPED if each != "name"]


# --- permissions --------------------------------------------------------------------------------------------

MAYOR = {"scope": "closed", "granted_by": "the mayor"}
OPERATOR = "the operator of this gateway, with another API key"


def permissions_of(key: frozenset[str], token: frozenset[str], operator: Operator | None = None) -> dict[str, Any]:
    account = make_linked("a1", *token).account
    return permissions(account, provider(operator), make_key(*key), BOTH)


def fields(answer: Mapping[str, Any], operation: str = "list_employees") -> dict[str, dict[str, Any]]:
    [found] = [each for each in answer["operations"] if each["operation"] == operation]
    return {each.pop("field"): each for each in found["fields"]}


def test_every_field_is_listed_with_what_would_open_it_and_who_grants_that() -> None:
    found = fields(permissions_of(frozenset({"hris.employees:read"}), OPEN))
    pay = {"scope": "hris.compensation:read", "granted_by": OPERATOR}
    sizes = {"scope": "hris.sizes:read", "granted_by": OPERATOR}
    assert found["name"] == {"available": True}
    assert found["pet"] == {"available": False, "reason": "unmapped", "detail": "Village keeps no pets"}
    assert found["diet"] == {"available": False, "reason": "withheld_by_scope", "needs": [MAYOR]}
    assert found["pay_rate"] == {"available": False, "reason": "withheld_by_scope", "needs": [pay]}
    # What closes an object closes all within it, and more may be lacking there.
    assert found["work_location.name"]["needs"] == [MAYOR]
    assert found["work_location.size"]["needs"] == [MAYOR, sizes]


def test_what_closes_an_operation_closes_its_fields_and_all_that_lacks_is_named() -> None:
    answer = permissions_of(frozenset({"hris.employees:write"}), frozenset())
    [listing, _, create] = answer["operations"]
    lacking = [
        {"scope": "hris.employees:read", "granted_by": OPERATOR},
        {"scope": "open or closed", "granted_by": "the mayor"},
    ]
    assert (listing["available"], listing["reason"], listing["needs"]) == (False, "withheld_by_scope", lacking)
    assert fields(answer)["name"]["needs"] == lacking
    assert create == {
        "operation": "create_employee",
        "method": "POST",
        "path": "/unified/hris/employees",
        "available": False,
        "reason": "not_implemented",
        "detail": "The Village connector does not answer it.",
        "fields": [],
    }


def test_what_the_operator_closes_is_named_as_such() -> None:
    answer = permissions_of(EVERY_SCOPE, ALL, Operator(frozenset({"get_employee"}), frozenset({"employees.diet"})))
    consent = [{"scope": "the operator's consent", "granted_by": "the operator of this gateway"}]
    assert fields(answer)["diet"]["needs"] == consent
    assert answer["operations"][1]["needs"] == consent
    assert answer["operations"][0]["available"]


def test_the_grant_is_shown_with_what_it_lacks() -> None:
    answer = permissions_of(frozenset({"hris.*:read"}), OPEN)
    assert answer["granted"] == {
        "scopes": ["open"],
        "unknown": [],
        "found_by": "token-info",
        "role": None,
        "warnings": [],
    }
    assert answer["missing"] == [{"scope": "closed", "opens": "read all", "granted_by": "the mayor"}]
    assert answer["client_scopes"] == ["hris.*:read"]


@pytest.mark.parametrize("status", Status)
def test_only_an_active_account_can_be_used(status: Status) -> None:
    account = replace(make_linked("a1", "open").account, status=status)
    assert permissions(account, provider(), make_key("*"), ())["usable"] == (status is Status.ACTIVE)


SENSITIVE = ("hris.compensation:read", "hris.bank_details:read", "hris.national_ids:read")
WRITING_PEOPLE = ("hris.employees:write", "hris.national_ids:write")


@pytest.mark.parametrize(
    ("key", "token", "method", "lacking"),
    [
        (["*"], "private:read", "GET", set()),
        (["*"], "public:read", "GET", set()),
        (["*"], "documents:read", "GET", {"public:read or private:read"}),
        (["hris.*:read"], "private:read", "GET", set()),
        (["hris.*:read"], "private:write", "PATCH", {"hris.proxy:write", *WRITING_PEOPLE}),
        (["hris.proxy:*", "hris.employees:*", *SENSITIVE], "private:write", "PATCH", {"hris.national_ids:write"}),
        (["hris.proxy:*", *SENSITIVE, *WRITING_PEOPLE], "private:write", "PATCH", {"hris.employees:read"}),
        (["hris.proxy:*", "hris.employees:read", *SENSITIVE, *WRITING_PEOPLE], "private:write", "PATCH", set()),
        (["hris.proxy:*", "hris.employees:read", *WRITING_PEOPLE], "private:write", "PATCH", set(SENSITIVE)),
        (["*"], "public:read", "PATCH", {"private:write"}),
    ],
)
def test_the_vendor_s_own_paths_are_listed_as_the_proxy_decides(
    key: list[str], token: str, method: str, lacking: set[str]
) -> None:
    account = make_linked("a1", token, provider="humaans").account
    answer = permissions(account, Provider(HUMAANS, Policy(HUMAANS, Operator())), make_key(*key), ())
    [found] = [each for each in answer["proxy"] if (each["method"], each["path"]) == (method, "/people/{id}")]
    assert found["available"] == (not lacking)
    assert {each["scope"] for each in found.get("needs", ())} == lacking
    assert len(answer["proxy"]) == sum(len(row.needs) for row in HUMAANS.paths)


# --- writes -------------------------------------------------------------------------------------------------

BODY = Resource(
    "create_employee_request",
    {
        "name": TEXT,
        "diet": TEXT,
        "pay_rate": Spec(TEXT, scope="hris.compensation:write"),
        "home": Resource("home_request", {"street": TEXT, "door": TEXT}),
        "passthrough": MAP,
    },
)


def no_steps(order: Order) -> Flow:  # noqa: ARG001 - a Flow's maker
    raise NotImplementedError
    yield  # type: ignore[unreachable] # which makes it a generator


def write(operation: str, *always: Need) -> Write:
    """Returns a write of people, who need `open`, and of their pay, which needs `closed`."""
    return Write(
        operation=operation,
        body=BODY,
        kind="employee",
        parts=(Part("person", (any_of("open"),), ()), Part("pay", (any_of("closed"),), ())),
        flow=no_steps,
        fields={
            "name": To("person", "name"),
            "diet": Unwritable("Village cooks one meal"),
            "pay_rate": To("pay", "wage"),
            "home": Within({"street": To("person", "street"), "door": Unwritable("doors have no numbers")}),
        },
        always=always,
    )


UPDATE = replace(CREATE, id="update_employee", method="PATCH", path="/unified/hris/employees/{id}", kind="update")
WRITING = replace(VILLAGE, writes=(write("create_employee"), write("update_employee")))
STRICT = replace(VILLAGE, writes=(write("create_employee", any_of("closed")), write("update_employee")))
CLOSING = {"scope": "closed", "granted_by": "the mayor"}
OPENING = {"scope": "open", "granted_by": "the mayor"}
PAYING = {"scope": "hris.compensation:write", "granted_by": OPERATOR}
WRITING_KEY = frozenset({"hris.*:write"})


@pytest.mark.parametrize(
    ("connector", "key", "token", "needs"),
    [
        # For creating and for updating: what each lacks, with None where it lacks nothing; then what their pay does.
        (WRITING, WRITING_KEY, ALL, (None, None, None)),
        (WRITING, WRITING_KEY, OPEN, (None, None, [CLOSING])),
        (WRITING, frozenset({"hris.employees:write"}), ALL, (None, None, [PAYING])),
        (WRITING, frozenset({"hris.employees:write"}), OPEN, (None, None, [PAYING, CLOSING])),
        # Pay alone may be changed, though nobody can be created.
        (WRITING, WRITING_KEY, frozenset({"closed"}), ([OPENING], None, None)),
        (WRITING, WRITING_KEY, frozenset(), ([OPENING], [OPENING], [OPENING, CLOSING])),
        (STRICT, WRITING_KEY, OPEN, ([CLOSING], None, [CLOSING])),
    ],
)
def test_a_write_is_listed_with_the_scopes_that_it_and_its_fields_need(
    connector: Connector, key: frozenset[str], token: frozenset[str], needs: tuple[Any, Any, Any]
) -> None:
    provider = Provider(connector, Policy(connector, Operator()))
    answer = permissions(make_linked("a1", *token).account, provider, make_key(*key), (CREATE, UPDATE))
    create, update = answer["operations"]
    assert (
        create.get("needs"),
        update.get("needs"),
        fields(answer, "update_employee")["pay_rate"].get("needs"),
    ) == needs


def test_every_field_of_a_body_is_listed() -> None:
    provider = Provider(WRITING, Policy(WRITING, Operator()))
    answer = permissions(make_linked("a1", *OPEN).account, provider, make_key("*"), (CREATE,))
    assert fields(answer, "create_employee") == {
        "name": {"available": True},
        "diet": {"available": False, "reason": "unmapped", "detail": "Village cooks one meal"},
        "pay_rate": {"available": False, "reason": "withheld_by_scope", "needs": [CLOSING]},
        "home": {"available": True},
        "home.street": {"available": True},
        "home.door": {"available": False, "reason": "unmapped", "detail": "doors have no numbers"},
        "passthrough": {"available": True},
    }
    meta = account_meta(provider, (CREATE, UPDATE), OPEN)
    entry = meta["models"]["employees"]["create"]
    assert [each["name"] for each in entry["input"]["defaultFields"]] == ["name", "home", "passthrough"]
    assert entry["output"] == {"defaultFields": []}
    full = connector_meta(provider, (CREATE,), DETAILS)["models"]["employees"]["create"]["input"]
    assert [(each["name"], each["fieldPath"]) for each in full["defaultFields"]] == [
        ("name", "name"),
        ("pay_rate", "wage"),
        ("home", ""),
        ("passthrough", ""),
    ]
    assert full["unmappedFields"] == [{"name": "diet", "type": "string", "reason": "Village cooks one meal"}]
    assert list(account_meta(provider, (CREATE, UPDATE), frozenset({"closed"}))["models"]["employees"]) == ["update"]


def test_what_the_operator_hides_cannot_be_written_either() -> None:
    provider = Provider(WRITING, Policy(WRITING, Operator(fields=frozenset({"employees.name"}))))
    answer = permissions(make_linked("a1", *ALL).account, provider, make_key("*"), (CREATE,))
    consent = [{"scope": "the operator's consent", "granted_by": "the operator of this gateway"}]
    assert fields(answer, "create_employee")["name"]["needs"] == consent


# --- the same decisions as a call gets ----------------------------------------------------------------------

SCOPES = tuple(HUMAANS.scopes)
TOKENS = [frozenset(each) for each in chain.from_iterable(combinations(SCOPES, size) for size in (0, 1, 2, 7, 8))]
KEYS = [
    EVERY_SCOPE,
    frozenset({"hris.*:read"}),
    frozenset({"hris.employees:read"}),
    frozenset({"hris.employees:read", "hris.employments:read", "hris.compensation:read"}),
    frozenset(),
]
READS = [operation for operation in OPERATIONS if HUMAANS.endpoint(operation)]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: " ".join(sorted(key)) or "none")
def test_permissions_and_meta_say_what_a_call_would_get(key: frozenset[str]) -> None:
    policy = Policy(HUMAANS, Operator())
    provider = Provider(HUMAANS, policy)
    for token in TOKENS:
        account = make_linked("a1", *token, provider="humaans").account
        answer = permissions(account, provider, make_key(*key), OPERATIONS)
        assert [each["operation"] for each in answer["operations"]] == [each.id for each in OPERATIONS]
        by_operation = {each["operation"]: each for each in answer["operations"]}
        models = account_meta(provider, OPERATIONS, token)["models"]
        for operation in READS:
            line = by_operation[operation.id]
            allowed = whole(policy, operation, key, token)
            expected = visible(operation, allowed) if allowed else set()
            assert {each["field"] for each in line["fields"] if each["available"]} == expected, operation.id
            assert line["available"] == bool(allowed)
            if key == EVERY_SCOPE:
                entry = models.get(model_of(operation), {}).get(operation.kind)
                shown = {each["name"] for each in entry["output"]["defaultFields"]} if entry else set()
                assert shown == {each for each in expected if "." not in each}


def whole(policy: Policy, operation: Operation, key: frozenset[str], token: frozenset[str]) -> Permission | None:
    """Decide as a call would be decided that asks for everything, with every field named."""
    endpoint = HUMAANS.endpoint(operation)
    assert endpoint is not None
    if not holds(key, operation.scope):
        return None
    asked = {"expand": operation.expand, "include": operation.include, "fields": tuple(endpoint.table.rows)}
    pairs = [(name, ",".join(values)) for name, values in asked.items() if values]
    query = parse(operation, endpoint.table.resource, pairs, PageLimits(25, 250))
    decided = policy.decide(endpoint, query, key, token)
    return decided if isinstance(decided, Permission) else None


def visible(operation: Operation, allowed: Permission) -> set[str]:
    """Returns the fields that a call shows and the connector fills, those within others too."""
    endpoint = HUMAANS.endpoint(operation)
    assert endpoint is not None
    found: set[str] = set()

    def walk(table: Any, prefix: str) -> None:
        for name, rule in table.rows.items():
            path = f"{prefix}{name}"
            if isinstance(rule, Absent) or path in allowed.withheld:
                continue
            found.add(path)
            if hasattr(rule, "table"):
                walk(rule.table, f"{path}.")

    walk(endpoint.table, "")
    return found
