"""Small objects that are part of other resources and have no operations of their own."""

from connectors.contract import ANY, BOOLEAN, INSTANT, TEXT, ListOf, Resource
from connectors.hris import enums

IMAGE = Resource("image", {"url": TEXT, "base64": TEXT})


JOB_DESCRIPTION = Resource("job_description", {"text": TEXT})


NATIONAL_IDENTITY_NUMBER = Resource(
    "national_identity_number",
    {"value": TEXT, "type": enums.NATIONAL_IDENTITY_NUMBER_TYPE, "country": enums.COUNTRY_CODE},
)


CLEARING_CODE = Resource("clearing_code", {"type": enums.CLEARING_CODE_TYPE, "value": TEXT})


BANK_DETAILS = Resource(
    "bank_details",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "account_name": TEXT,
        "is_primary": BOOLEAN,
        "country_code": enums.COUNTRY_CODE,
        "currency_code": enums.CURRENCY_CODE,
        "bank_name": TEXT,
        "account_type": enums.BANK_ACCOUNT_TYPE,
        "iban": TEXT,
        "local_account_number": TEXT,
        "swift_bic": TEXT,
        "clearing_codes": ListOf(CLEARING_CODE),
    },
)


CUSTOM_FIELDS = Resource(
    "custom_fields",
    {"id": TEXT, "remote_id": TEXT, "name": TEXT, "value": ANY, "value_id": TEXT, "remote_value_id": TEXT},
)


PROFICIENCY = Resource("proficiency", {"id": TEXT, "remote_id": TEXT, "name": TEXT, "value": TEXT, "source_value": ANY})


REFERENCES = Resource("references", {"id": TEXT, "remote_id": TEXT, "name": TEXT, "active": BOOLEAN})


CONTENT = Resource("content", {"url": TEXT, "unified_url": TEXT, "file_format": enums.FILE_FORMAT})


FILE = Resource(
    "file",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "name": TEXT,
        "category": enums.FILE_CATEGORY,
        "contents": ListOf(CONTENT),
        "category_id": TEXT,
        "created_at": INSTANT,
        "updated_at": INSTANT,
        "remote_url": TEXT,
        "file_format": enums.FILE_FORMAT,
    },
)
