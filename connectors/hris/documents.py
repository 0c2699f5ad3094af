"""Documents of a person."""

from connectors.contract import INSTANT, MAP, TEXT, ListOf, Resource
from connectors.hris import enums
from connectors.hris.parts import CONTENT, REFERENCES

DOCUMENTS = Resource(
    "documents",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "name": TEXT,
        "category": enums.HRIS_DOCUMENT_TYPE,
        "contents": ListOf(CONTENT),
        "category_id": TEXT,
        "created_at": INSTANT,
        "updated_at": INSTANT,
        "remote_url": TEXT,
        "file_format": enums.FILE_FORMAT,
        "unified_custom_fields": MAP,
        "type": enums.HRIS_DOCUMENT_TYPE,
    },
)

DOCUMENT_CATEGORIES = Resource("document_categories", REFERENCES.fields)
