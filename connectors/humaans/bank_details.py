"""Bank accounts of a person."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from connectors.convert import UNREADABLE, Unreadable, identifier, lost, text, wrapper
from connectors.hris.parts import BANK_DETAILS as RESOURCE
from connectors.humaans import lists
from connectors.humaans.scopes import PRIVATE
from connectors.spec import Absent, Field, Join, Row, Table

# Their column -> the contract's word for that kind of clearing code.
CLEARING_CODES = {"sortCode": "sort_code", "routingNumber": "aba_routing"}


def clearing_codes(*values: Any) -> list[dict[str, Any]] | Unreadable | None:
    """Returns the clearing codes of an account, with the contract's word for each kind."""
    if any(map(lost, values)):
        return UNREADABLE
    found = [
        {"type": wrapper(ours, theirs), "value": text(value)}
        for (theirs, ours), value in zip(CLEARING_CODES.items(), values, strict=True)
        if text(value)
    ]
    return found or None


def newest_first(person: Row, matches: Sequence[Row], today: date) -> Sequence[Row]:  # noqa: ARG001 - a Pick
    """Returns the bank accounts of a person, the newest first."""
    return sorted(matches, key=lambda row: (str(row.get("createdAt")), str(row.get("id"))), reverse=True)


BANK_ACCOUNTS = Join(
    "bank_accounts",
    (lists.BANK_ACCOUNTS,),
    on="id",
    key="personId",
    scope=PRIVATE,
    pick=newest_first,
    narrow=lists.BANK_ACCOUNTS_OF_ONE,
)

BANK_ACCOUNT = Table(
    RESOURCE,
    {
        "id": Field("id", identifier("bank_account")),
        "remote_id": "id",
        "account_name": "nameOnAccount",
        "is_primary": Absent("Humaans does not say which account is the main one"),
        "country_code": Absent("Humaans keeps no country of an account"),
        "currency_code": Absent("Humaans keeps no currency of an account"),
        "bank_name": "bankName",
        "account_type": Absent("Humaans keeps no kind of account"),
        "iban": Absent("Humaans keeps no IBAN apart from the account number"),
        "local_account_number": "accountNumber",
        "swift_bic": "swiftCode",
        "clearing_codes": Field(tuple(CLEARING_CODES), clearing_codes),
    },
)
