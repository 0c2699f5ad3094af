"""Documents of a person, and the types that they are sorted by."""

from typing import Any

from connectors.convert import UNREADABLE, Unreadable, identifier, is_there, lost, text, words, wrapper
from connectors.hris import enums
from connectors.hris.documents import DOCUMENT_CATEGORIES
from connectors.hris.documents import DOCUMENTS as RESOURCE
from connectors.humaans import lists
from connectors.humaans.scopes import DOCUMENTS
from connectors.spec import Absent, Field, Join, Table

document_id = identifier("document")
category_id = identifier("document_category")

# Names are the company's own: plain words are known, every other stays `unmapped_value`.
CATEGORIES = {
    "contract": "contract",
    "employment contract": "contract",
    "offer letter": "offer_letter",
    "policy": "policy",
    "payslip": "payslip",
    "certificate": "certificates",
    "certificates": "certificates",
    "visa": "visa",
    "passport": "passport",
    "resume": "resume",
    "cv": "resume",
    "appraisal": "appraisal",
    "performance review": "appraisal",
    "background check": "background_check",
    "driving licence": "driver_license",
    "national id card": "national_id",
}


def file_format(file: Any) -> dict[str, Any] | None:
    """Returns the format by the ending of the file's name."""
    name = text(file.get("filename")) if isinstance(file, dict) else None
    ending = name.rpartition(".")[2].lower() if name and "." in name else None
    if ending is None:
        return None
    return wrapper(ending if ending in enums.FILE_FORMAT.words else "unmapped_value", ending)


def address(file: Any, link: Any) -> str | Unreadable | None:
    """Returns the URL of the document: of the uploaded file, or the link that is stored instead."""
    if _lost(file) or lost(link):
        return UNREADABLE
    return (text(file.get("url")) if isinstance(file, dict) else None) or text(link)


def _lost(file: Any) -> bool:
    """Returns whether there is a file whose URL or name cannot be read."""
    if not isinstance(file, dict):
        return is_there(file)
    return lost(file.get("url")) or lost(file.get("filename"))


def file_name(file: Any) -> str | None:
    """Returns the name of the file, or None."""
    return text(file.get("filename")) if isinstance(file, dict) else None


DOCUMENT_TYPE = Join("document_type", (lists.DOCUMENT_TYPES,), on="documentTypeId", key="id", scope=DOCUMENTS)


def contents(file: Any, link: Any) -> list[dict[str, Any]] | Unreadable | None:
    """Returns the file of a document as the list of its contents."""
    url = address(file, link)
    if isinstance(url, Unreadable):
        return url
    return [{"url": url, "unified_url": None, "file_format": file_format(file)}] if url else None


category = words(enums.HRIS_DOCUMENT_TYPE, CATEGORIES)

DOCUMENT = Table(
    RESOURCE,
    {
        "id": Field("id", document_id),
        "remote_id": "id",
        "name": "name",
        "category": Field(DOCUMENT_TYPE["name"], category),
        "contents": Field(("file", "link"), contents),
        "category_id": Field("documentTypeId", category_id),
        "created_at": "createdAt",
        "updated_at": "updatedAt",
        "remote_url": Field(("file", "link"), address),
        "file_format": Field("file", file_format),
        "unified_custom_fields": Absent("no custom unified fields are configured for this project"),
        "type": Field(DOCUMENT_TYPE["name"], category),
    },
)

CATEGORY = Table(
    DOCUMENT_CATEGORIES,
    {
        "id": Field("id", category_id),
        "remote_id": "id",
        "name": "name",
        "active": Absent("Humaans does not say whether a type is in use"),
    },
)


def file_of(file_id: Any, file: Any) -> dict[str, Any] | Unreadable | None:
    """Returns a file of the contract.

    Category and dates are null: Humaans has them for documents, not for the files in them.
    """
    if lost(file_id) or _lost(file):
        return UNREADABLE
    remote_id = text(file_id)
    if remote_id is None and not isinstance(file, dict):
        return None
    return {
        "id": identifier("file")(remote_id),
        "remote_id": remote_id,
        "name": file_name(file),
        "category": None,
        "contents": contents(file, None),
        "category_id": None,
        "created_at": None,
        "updated_at": None,
        "remote_url": address(file, None),
        "file_format": file_format(file),
    }
