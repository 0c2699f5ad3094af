"""The scopes of a Humaans API token, with what each is said to grant (docs.humaans.io/api, introduction)."""

from collections.abc import Mapping

from connectors.needs import any_of

SCOPES: Mapping[str, str] = {
    "public:read": "read what is public to the whole company",
    "private:read": "read everything the role allows except compensations and documents",
    "private:write": "change everything the role allows except compensations and documents",
    "compensations:read": "read compensations",
    "compensations:write": "change compensations",
    "documents:read": "read personal and identity documents",
    "documents:write": "change personal and identity documents",
    "webhooks:manage": "read and change webhooks",
}

PUBLIC = any_of("public:read", "private:read")
PRIVATE = any_of("private:read")
PAY = any_of("compensations:read")
DOCUMENTS = any_of("documents:read")

PRIVATE_WRITE = any_of("private:write")
PAY_WRITE = any_of("compensations:write")
DOCUMENTS_WRITE = any_of("documents:write")
WEBHOOKS = any_of("webhooks:manage")
