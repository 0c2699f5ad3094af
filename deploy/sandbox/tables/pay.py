"""Compensations, their types, and bank accounts."""

from __future__ import annotations

from deploy.sandbox.model import (
    COMMON,
    COMPANY_ID,
    PERSON_ID,
    Kind,
    Resource,
    Use,
    one_of,
    optional,
    required,
)
from deploy.sandbox.rights import Area

RESOURCES = (
    Resource(
        path="compensations",
        area=Area.PAY,
        effective=True,
        fields=(
            *COMMON,
            PERSON_ID,
            required("compensationTypeId", Kind.ID, "compensation-types"),
            required("amount", Kind.MONEY),
            required("currency"),
            # The documents' example has "annual"; the rest of the enumeration is not known, so any text goes.
            optional("period"),
            optional("note"),
            required("effectiveDate", Kind.DATE),
            optional("endDate", Kind.DATE),
            optional("endReason"),
        ),
    ),
    Resource(
        path="compensation-types",
        area=Area.PAY_SETUP,
        fields=(
            *COMMON,
            COMPANY_ID,
            required("name"),
            one_of("baseType", "salary", "bonus", "commission", "equity", "custom", use=Use.REQUIRED),
        ),
    ),
    Resource(
        path="bank-accounts",
        area=Area.PERSONAL,
        fields=(
            *COMMON,
            PERSON_ID,
            required("bankName"),
            required("nameOnAccount"),
            required("accountNumber"),
            optional("swiftCode"),
            optional("sortCode"),
            optional("routingNumber"),
        ),
    ),
)
