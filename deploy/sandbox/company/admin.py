"""Custom fields and values, webhooks, tasks, roles and the audit log."""

from __future__ import annotations

from deploy.sandbox.company.cast import ADMIN, CAST, OWNER, USER
from deploy.sandbox.company.plan import person_id
from deploy.sandbox.company.world import COMPANY_ID, World
from deploy.sandbox.ids import stable_token
from deploy.sandbox.model import JsonObject
from deploy.sandbox.tokens import ROLES

# Name, section, type, choices, and the value that people have (None: a person's id).
FIELDS: tuple[tuple[str, str, str, tuple[str, ...], str | list[str] | None], ...] = (
    ("T-shirt size", "basics", "select", ("S", "M", "L", "XXL"), "M"),
    ("Cost centre", "details", "text", (), "CC-4200 / R&D"),
    ("Skills", "basics", "multiSelect", ("Python", "Go", "Sales"), ["Python", "Go"]),
    ("Portfolio", "social", "link", (), "https://example.com/portfolio"),
    ("Visa expiry", "details", "date", (), "2031-05-31"),
    ("Buddy", "details", "person", (), None),
    ("About me", "basics", "longText", (), 'First line\nSecond, "quoted" & <em>marked</em>'),
)


def custom_fields(world: World) -> list[JsonObject]:
    return [
        world.row(
            "custom-field",
            name,
            companyId=COMPANY_ID,
            name=name,
            section=section,
            resourceId=None,
            type=kind,
            config={"choices": list(choices)} if choices else None,
        )
        for name, section, kind, choices, _ in FIELDS
    ]


def custom_values(world: World) -> list[JsonObject]:
    """All fields for the cast, the first one for everybody, and one value of the ordinary user twice."""
    cast = {person_id(world.seed, index) for index in range(len(CAST))}
    rows = [_outdated(world)]
    for person in world.people:
        wanted = FIELDS if person["id"] in cast else FIELDS[:1]
        rows += [_value(world, person["id"], name, value) for name, _, _, _, value in wanted]
    return rows


def _value(world: World, owner: str, field_name: str, value: str | list[str] | None) -> JsonObject:
    return world.row(
        "custom-value",
        owner,
        field_name,
        personId=owner,
        customFieldId=world.id("custom-field", field_name),
        resourceId=None,
        value=person_id(world.seed, ADMIN) if value is None else value,
    )


def _outdated(world: World) -> JsonObject:
    """A person and field may have several rows; the newest `updatedAt` is the one that counts."""
    row = _value(world, person_id(world.seed, USER), FIELDS[0][0], "XXL")
    stamp = f"{world.day(-400)}T09:30:00.000Z"
    return row | {"id": world.id("custom-value", "outdated"), "createdAt": stamp, "updatedAt": stamp}


def webhooks(world: World) -> list[JsonObject]:
    return [
        world.row(
            "webhook",
            0,
            companyId=COMPANY_ID,
            url="https://hooks.example.com/humaans",
            events=["person.created", "person.updated"],
            secret=stable_token(world.seed, "webhook-secret", 0),
            status="active",
        )
    ]


def webhook_events(world: World) -> list[JsonObject]:
    return [
        world.row(
            "webhook-event",
            0,
            webhookId=world.id("webhook", 0),
            event="person.updated",
            data={"id": person_id(world.seed, USER)},
            status="delivered",
            timestamp=f"{world.day(-3)}T12:00:00.000Z",
        )
    ]


def tasks(world: World) -> list[JsonObject]:
    return [
        world.row(
            "task",
            person["id"],
            personId=person["id"],
            title="Complete your profile",
            description=None,
            status="open",
            priority="normal",
            dueDate=world.day(7),
        )
        for person in world.people
        if person["status"] == "newHire"
    ] + [
        world.row(
            "task",
            "buddy",
            personId=person_id(world.seed, USER),
            title="Meet your new team mate",
            description="Lunch is on us",
            status="done",
            priority="low",
            dueDate=world.day(-2),
        )
    ]


def roles(world: World) -> list[JsonObject]:
    return [world.row("role", name, name=name) for name in ROLES]


def role_members(world: World) -> list[JsonObject]:
    return [
        world.row("role-member", person["id"], personId=person["id"], roleId=world.id("role", person["role"]))
        for person in world.people
    ]


def audit_events(world: World) -> list[JsonObject]:
    owner = person_id(world.seed, OWNER)
    return [
        world.row(
            "audit-event",
            number,
            companyId=COMPANY_ID,
            seq=str(number),
            ts=f"{world.day(-10 + number)}T08:00:00.000Z",
            request={
                "id": world.id("request", number),
                "path": "/people",
                "method": "patch",
                "ip": "192.0.2.7",
            },
            action="people.patch",
            actor={"personId": owner},
            entity={"id": person_id(world.seed, USER), "fieldsChanged": ["preferredName"]},
            subject="person",
        )
        for number in range(3)
    ]
