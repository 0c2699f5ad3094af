"""Documents, identity documents, emergency contacts and equipment."""

from __future__ import annotations

from deploy.sandbox.company.cast import OWNER
from deploy.sandbox.company.plan import person_id
from deploy.sandbox.company.world import COMPANY_ID, World
from deploy.sandbox.model import JsonObject

_DOCUMENT_TYPES = ("Contract", "Right to work", "Policy")
_IDENTITY_TYPES = ("Passport", "National id card", "Driving licence")
_RELATIONSHIPS = ("Partner", "Parent", "Sibling", "Friend", "Flatmate's aunt")
_EQUIPMENT = (("Laptop", 'MacBook Pro 14"'), ("Phone", "Pixel 9"), ("Monitor", "U2723QE"))


def documents(world: World) -> list[JsonObject]:
    """A contract for everybody, a linked document for every fifth, and one of the company."""
    owner = person_id(world.seed, OWNER)
    common: JsonObject = {"companyId": COMPANY_ID, "source": None, "sourceId": None, "createdBy": owner}
    rows = [_policy(world, common)]
    for index, person in enumerate(world.people):
        file_id = world.id("file", person["id"])
        name = f"contract-{index}.pdf"
        rows.append(
            world.row(
                "document",
                person["id"],
                personId=person["id"],
                name="Employment contract",
                documentTypeId=world.id("document-type", "Contract"),
                folderId=world.id("document-folder", 0),
                link=None,
                fileId=file_id,
                file={"id": file_id, "url": f"https://files.example.com/{file_id}", "filename": name},
                issueDate=person["employmentStartDate"],
                **common,
            )
        )
    return rows


def _policy(world: World, common: JsonObject) -> JsonObject:
    return world.row(
        "document",
        "policy",
        personId=None,
        name="Travel policy",
        documentTypeId=world.id("document-type", "Policy"),
        folderId=None,
        link="https://wiki.example.com/travel",
        fileId=None,
        file=None,
        issueDate=None,
        **common,
    )


def document_types(world: World) -> list[JsonObject]:
    return [world.row("document-type", name, companyId=COMPANY_ID, name=name) for name in _DOCUMENT_TYPES]


def document_folders(world: World) -> list[JsonObject]:
    audience = {"type": "everyone", "rules": []}
    owner = person_id(world.seed, OWNER)
    return [
        world.row(
            "document-folder",
            0,
            companyId=COMPANY_ID,
            name="Contracts",
            audience=audience,
            createdBy=owner,
            deletedAt=None,
        )
    ]


def identity_documents(world: World) -> list[JsonObject]:
    """A paper for every third person, of one kind after the other; every second one with a file."""
    chance = world.chance("identity-documents")
    return [
        _identity(world, person, index // 3, f"X{chance.randrange(10_000_000):07d}")
        for index, person in enumerate(world.people)
        if index % 3 == 0
    ]


def _identity(world: World, person: JsonObject, number: int, reads: str) -> JsonObject:
    kind = _IDENTITY_TYPES[number % len(_IDENTITY_TYPES)]
    file_id = world.id("identity-file", person["id"])
    file = {"id": file_id, "url": f"https://files.example.com/{file_id}", "filename": f"{kind.lower()}.png"}
    with_file = number % 2 == 0
    return world.row(
        "identity-document",
        person["id"],
        personId=person["id"],
        identityDocumentTypeId=world.id("identity-document-type", kind),
        name="Category B" if kind == "Driving licence" else None,
        number=reads,
        issuingCountry=person["countryCode"],
        issueDate=world.day(-1000),
        expiryDate=world.day(2650),
        fileId=file_id if with_file else None,
        file=file if with_file else None,
    )


def identity_types(world: World) -> list[JsonObject]:
    return [world.row("identity-document-type", name, name=name) for name in _IDENTITY_TYPES]


def contacts(world: World) -> list[JsonObject]:
    return [
        world.row(
            "emergency-contact",
            person["id"],
            personId=person["id"],
            name=f"Robin {person['lastName']}",
            relationship=_RELATIONSHIPS[index % len(_RELATIONSHIPS)],
            phoneNumber=f"+44 7700 900{index % 1000:03d}",
            email=None if index % 2 else f"robin.{index}@example.com",
        )
        for index, person in enumerate(world.people)
        if index % 6 != 5
    ]


def equipment(world: World) -> list[JsonObject]:
    rows = []
    for index, person in enumerate(world.people):
        kind, name = _EQUIPMENT[index % len(_EQUIPMENT)]
        rows.append(
            world.row(
                "equipment",
                person["id"],
                personId=person["id"],
                equipmentTypeId=world.id("equipment-type", kind),
                equipmentNameId=world.id("equipment-name", name),
                name=name,
                type=kind,
                serialNumber=f"SN-{100_000 + index}",
                assignedDate=person["employmentStartDate"],
                returnedDate=person["lastWorkingDay"],
            )
        )
    return rows


def equipment_types(world: World) -> list[JsonObject]:
    return [world.row("equipment-type", kind, name=kind) for kind, _ in _EQUIPMENT]


def equipment_names(world: World) -> list[JsonObject]:
    return [world.row("equipment-name", name, name=name) for _, name in _EQUIPMENT]
