"""Custom fields and values, webhooks, tasks, roles and the audit log."""

from __future__ import annotations

from deploy.sandbox.model import (
    COMMON,
    COMPANY_ID,
    LIST_AND_READ,
    PERSON_ID,
    Kind,
    Resource,
    Use,
    computed,
    one_of,
    optional,
    required,
)
from deploy.sandbox.rights import Area

FIELD_TYPES = ("text", "longText", "select", "multiSelect", "link", "date", "person")

RESOURCES = (
    Resource(
        path="custom-fields",
        area=Area.SETUP,
        fields=(
            *COMMON,
            COMPANY_ID,
            required("name"),
            required("section"),
            optional("resourceId", Kind.ID),
            one_of("type", *FIELD_TYPES, use=Use.REQUIRED),
            optional("config", Kind.OBJECT),
        ),
    ),
    Resource(
        path="custom-values",
        area=Area.CUSTOM,
        fields=(
            *COMMON,
            PERSON_ID,
            required("customFieldId", Kind.ID, "custom-fields"),
            optional("resourceId", Kind.ID),
            required("value", Kind.TEXT_OR_TEXTS),
        ),
    ),
    Resource(
        path="webhooks",
        area=Area.WEBHOOKS,
        fields=(
            *COMMON,
            COMPANY_ID,
            required("url"),
            required("events", Kind.TEXTS),
            computed("secret"),
            computed("status"),
        ),
    ),
    Resource(
        path="webhook-events",
        area=Area.WEBHOOKS,
        methods=LIST_AND_READ,
        fields=(
            *COMMON,
            computed("webhookId", Kind.ID),
            computed("event"),
            computed("data", Kind.OBJECT),
            computed("status"),
            computed("timestamp", Kind.STAMP),
        ),
    ),
    Resource(
        path="tasks",
        area=Area.OWN_TIME,
        methods=LIST_AND_READ,
        fields=(
            *COMMON,
            PERSON_ID,
            computed("title"),
            computed("description"),
            computed("status"),
            computed("priority"),
            computed("dueDate", Kind.DATE),
        ),
    ),
    Resource(path="roles", area=Area.ADMIN, methods=LIST_AND_READ, fields=(*COMMON, computed("name"))),
    Resource(
        path="role-members",
        area=Area.ADMIN,
        methods=LIST_AND_READ,
        fields=(*COMMON, computed("personId", Kind.ID), computed("roleId", Kind.ID)),
    ),
    Resource(
        path="audit-events",
        area=Area.ADMIN,
        methods=LIST_AND_READ,
        fields=(
            *COMMON,
            COMPANY_ID,
            computed("seq"),
            computed("ts", Kind.STAMP),
            computed("request", Kind.OBJECT),
            computed("action"),
            computed("actor", Kind.OBJECT),
            computed("entity", Kind.OBJECT),
            computed("subject"),
        ),
    ),
)
