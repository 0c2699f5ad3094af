"""Documents, identity documents, emergency contacts and equipment."""

from __future__ import annotations

from deploy.sandbox.model import (
    COMMON,
    COMPANY_ID,
    LIST_ONLY,
    PERSON_ID,
    Kind,
    Resource,
    computed,
    optional,
    required,
)
from deploy.sandbox.rights import Area

RESOURCES = (
    Resource(
        path="documents",
        area=Area.DOCUMENTS,
        fields=(
            *COMMON,
            COMPANY_ID,
            # Null for a document of the company.
            optional("personId", Kind.ID, "people"),
            required("name"),
            optional("documentTypeId", Kind.ID, "document-types"),
            optional("folderId", Kind.ID, "document-folders"),
            optional("link"),
            computed("fileId", Kind.ID),
            computed("file", Kind.OBJECT),
            optional("source"),
            optional("sourceId"),
            optional("issueDate", Kind.DATE),
            computed("createdBy", Kind.ID),
        ),
    ),
    Resource(
        path="document-types",
        area=Area.DOCUMENT_SETUP,
        methods=frozenset({"list", "create", "read", "update"}),
        fields=(*COMMON, COMPANY_ID, required("name")),
    ),
    Resource(
        path="document-folders",
        area=Area.DOCUMENT_SETUP,
        fields=(
            *COMMON,
            COMPANY_ID,
            required("name"),
            optional("audience", Kind.OBJECT),
            computed("createdBy", Kind.ID),
            computed("deletedAt", Kind.STAMP),
        ),
    ),
    Resource(
        path="identity-documents",
        area=Area.DOCUMENTS,
        fields=(
            *COMMON,
            PERSON_ID,
            required("identityDocumentTypeId", Kind.ID, "identity-document-types"),
            optional("name"),
            optional("number"),
            optional("issuingCountry"),
            optional("issueDate", Kind.DATE),
            optional("expiryDate", Kind.DATE),
            computed("fileId", Kind.ID),
            computed("file", Kind.OBJECT),
        ),
    ),
    Resource(
        path="identity-document-types",
        area=Area.DOCUMENT_SETUP,
        methods=LIST_ONLY,
        fields=(*COMMON, computed("name")),
    ),
    Resource(
        path="emergency-contacts",
        area=Area.PERSONAL,
        fields=(
            *COMMON,
            PERSON_ID,
            required("name"),
            optional("relationship"),
            optional("phoneNumber"),
            optional("email"),
        ),
    ),
    Resource(
        path="equipment",
        area=Area.EQUIPMENT,
        fields=(
            *COMMON,
            PERSON_ID,
            optional("equipmentTypeId", Kind.ID, "equipment-types"),
            optional("equipmentNameId", Kind.ID, "equipment-names"),
            computed("name"),
            computed("type"),
            optional("serialNumber"),
            optional("assignedDate", Kind.DATE),
            optional("returnedDate", Kind.DATE),
        ),
    ),
    Resource(path="equipment-types", area=Area.EQUIPMENT, methods=LIST_ONLY, fields=(*COMMON, computed("name"))),
    Resource(path="equipment-names", area=Area.EQUIPMENT, methods=LIST_ONLY, fields=(*COMMON, computed("name"))),
)
