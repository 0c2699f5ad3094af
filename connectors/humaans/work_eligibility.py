"""Work eligibility: the identity documents of a person."""

from connectors.convert import identifier, same_words, words
from connectors.hris import enums
from connectors.hris.work_eligibility import WORK_ELIGIBILITY as RESOURCE
from connectors.humaans import lists
from connectors.humaans.documents import file_of
from connectors.humaans.scopes import DOCUMENTS
from connectors.spec import Field, Join, Table

KINDS = {
    "passport": "passport",
    "visa": "visa",
    "work visa": "visa",
    "driving licence": "driver_license",
    "driver's license": "driver_license",
    "driving license": "driver_license",
    "birth certificate": "birth_certificate",
    "other": "other",
}

KIND = Join("kind", (lists.IDENTITY_DOCUMENT_TYPES,), on="identityDocumentTypeId", key="id", scope=DOCUMENTS)

IDENTITY_DOCUMENT = Table(
    RESOURCE,
    {
        "id": Field("id", identifier("work_eligibility")),
        "remote_id": "id",
        "type": Field(KIND["name"], words(enums.WORK_ELIGIBILITY_TYPE, KINDS)),
        "sub_type": "name",
        "document": Field(("fileId", "file"), file_of),
        "valid_from": "issueDate",
        "valid_to": "expiryDate",
        "issued_by": Field("issuingCountry", same_words(enums.COUNTRY_CODE)),
        "number": "number",
    },
)
