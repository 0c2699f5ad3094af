"""Work eligibility: identity documents. Their files cannot be written, as Humaans publishes no upload."""

from typing import Any

from connectors.convert import normal
from connectors.hris.requests import WORK_ELIGIBILITY as BODY
from connectors.humaans.scopes import DOCUMENTS, DOCUMENTS_WRITE
from connectors.humaans.work_eligibility import KINDS
from connectors.humaans.writes import steps
from connectors.humaans.writes.steps import FIXED, Listed
from connectors.writes import Flow, Order, Part, Rule, To, Unwritable, Write, Written, WrongValues, day, same_word

WHAT = "work eligibility"
OURS = {normal(theirs): ours for theirs, ours in KINDS.items()}

FIELDS: dict[str, Rule] = {
    "document": Unwritable("Humaans publishes no way to upload a file"),
    "issued_by": To("document", "issuingCountry", same_word),
    "number": To("document", "number"),
    "sub_type": To("document", "name"),
    "type": To("kind", "word", empties=False),
    "valid_from": To("document", "issueDate", day),
    "valid_to": To("document", "expiryDate", day),
}


def add(order: Order) -> Flow:
    """Creates an identity document."""
    kind = yield from _kind(order)
    columns = {**order.of("document"), **kind, "personId": order.employee}
    made = yield steps.create("/identity-documents", columns, "add the identity document")
    return Written(made.id)


def change(order: Order) -> Flow:
    """Changes an identity document."""
    path = f"/identity-documents/{order.key}"
    found = yield steps.read(path, "read the identity document", WHAT)
    steps.must_be_of(found.record, order.employee, WHAT)
    columns = {**order.of("document"), **(yield from _kind(order))}
    if not columns:
        raise WrongValues("nothing is given that could be changed")
    yield steps.change(path, columns, "change the identity document", WHAT)
    return Written(order.key)


def _kind(order: Order) -> Any:
    """Returns the one type of the company that a word of the contract stands for."""
    word = order.of("kind").get("word")
    if word is None:
        return {}
    types = yield from _types()
    found = [row for row in types if OURS.get(normal(str(row.get("name")))) == word]
    exact = [row for row in found if normal(str(row.get("name"))) == normal(word)]
    if len(exact or found) != 1:
        names = ", ".join(str(row.get("name"))[:60] for row in types) or "none"
        which = "none of them is" if not found else "several of them are"
        raise WrongValues(f"type: of the company's types of identity document ({names}) {which} {word}")
    return {"identityDocumentTypeId": (exact or found)[0].get("id")}


def _types() -> Listed:
    return (yield from steps.listed("/identity-document-types", "read the types of identity documents"))


def _parts(*calls: str) -> tuple[Part, ...]:
    needs = (DOCUMENTS_WRITE, DOCUMENTS)
    return (Part("document", needs, calls), Part("kind", needs, ("GET /identity-document-types",)))


WRITES = (
    Write(
        operation="create_employee_work_eligibility_request",
        body=BODY,
        kind="work_eligibility",
        parts=_parts("POST /identity-documents"),
        flow=add,
        fields=FIELDS,
        required={"type": ("kind.word",)},
        fixed=FIXED,
    ),
    Write(
        operation="update_employee_work_eligibility_request",
        body=BODY,
        kind="work_eligibility",
        parts=_parts("GET /identity-documents/{key}", "PATCH /identity-documents/{key}"),
        flow=change,
        fields=FIELDS,
        fixed=FIXED,
    ),
)
