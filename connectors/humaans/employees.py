"""Employees: the people of Humaans with their current job role, place of work and company."""

from typing import Any

from connectors.convert import (
    UNREADABLE,
    Unreadable,
    full_name,
    identifier,
    is_there,
    latest,
    lost,
    text,
    words,
    wrapper,
)
from connectors.hris import enums
from connectors.hris.employees import EMPLOYEES as RESOURCE
from connectors.humaans.bank_details import BANK_ACCOUNT, BANK_ACCOUNTS
from connectors.humaans.companies import COMPANY, OWN_COMPANY
from connectors.humaans.custom_fields import CUSTOM_FIELD, CUSTOM_VALUES
from connectors.humaans.employments import CURRENT_ROLE, EMPLOYMENT, ROLE_HISTORY
from connectors.humaans.groups import department_id, groups_of
from connectors.humaans.locations import HOME, PLACE_OF_WORK, WORKPLACE
from connectors.humaans.nationalities import NATIONALITIES
from connectors.humaans.scopes import PRIVATE
from connectors.spec import Absent, Field, Nested, Table

employee_id = identifier("employee")
company_id = identifier("company")
nationality = words(enums.COUNTRY_CODE, NATIONALITIES)

STATUSES = {"newHire": "pending", "active": "active", "offboarded": "terminated"}

# Free text in Humaans: the plain words are known, every other stays `unmapped_value`.
GENDERS = {
    "female": "female",
    "woman": "female",
    "male": "male",
    "man": "male",
    "non-binary": "non_binary",
    "nonbinary": "non_binary",
    "diverse": "diverse",
    "other": "other",
    "prefer not to say": "not_disclosed",
    "not disclosed": "not_disclosed",
}

# One free text, `contractType`, holds either how much somebody works or on what footing.
SCHEDULES = {"full time": "full_time", "fulltime": "full_time", "part time": "part_time", "parttime": "part_time"}
FOOTINGS = {
    "permanent": "permanent",
    "contractor": "contractor",
    "freelance": "freelance",
    "freelancer": "freelance",
    "intern": "intern",
    "internship": "intern",
    "apprentice": "apprentice",
    "apprenticeship": "apprentice",
    "temporary": "temporary",
    "fixed term": "temporary",
    "seasonal": "seasonal",
    "volunteer": "volunteer",
    "casual": "casual",
}


def photo(value: Any) -> str | None:
    """Returns the URL of the largest variant of a profile photo."""
    variants = value.get("variants") if isinstance(value, dict) else None
    if not isinstance(variants, dict):
        return None
    largest = max((size for size in variants if size.isdecimal() and len(size) < 9), key=int, default=None)
    return text(variants[largest]) if largest else None


def image(value: Any) -> dict[str, Any] | None:
    """Returns the profile photo as the contract's image object."""
    url = photo(value)
    return {"url": url, "base64": None} if url else None


def citizenships(several: Any, single: Any) -> list[dict[str, Any]] | Unreadable | None:
    """Returns the countries of the nationalities.

    They are read from the list, or from the older single value where the list is missing.
    """
    if lost(single) or (is_there(several) and not isinstance(several, list)):
        return UNREADABLE
    names = several if isinstance(several, list) and several else [single]
    return [found for found in map(nationality, names) if found] or None


def tax_id(value: Any) -> dict[str, Any] | None:
    """Returns the tax id as a national number. Its kind and country are unknown, as Humaans does not state them."""
    number = text(value)
    if number is None:
        return None
    return {"value": number, "type": wrapper("unmapped_value", "taxId"), "country": None}


def tax_ids(value: Any) -> list[dict[str, Any]] | None:
    """Returns the tax id as a list of one national number."""
    found = tax_id(value)
    return [found] if found else None


EMPLOYEE = Table(
    RESOURCE,
    {
        "id": Field("id", employee_id),
        "remote_id": "id",
        "unified_custom_fields": Absent("no custom unified fields are configured for this project"),
        "title": Absent("Humaans keeps no form of address"),
        "first_name": "firstName",
        "last_name": "lastName",
        "name": Field(("firstName", "lastName"), full_name),
        "display_name": "preferredName",
        "avatar_url": Field("profilePhoto", photo),
        "personal_email": Field("personalEmail", scope=PRIVATE),
        "personal_phone_number": Field("personalPhoneNumber", scope=PRIVATE),
        "work_email": "email",
        "work_phone_number": "phoneNumber",
        "job_id": Absent("Humaans keeps job titles, not jobs"),
        "job_title": CURRENT_ROLE["jobTitle"],
        "job_description": Absent("Humaans keeps no job descriptions"),
        "department_id": Field(CURRENT_ROLE["department"], department_id),
        "department": CURRENT_ROLE["department"],
        "groups": Field(("teams", CURRENT_ROLE["department"], "companyId"), groups_of),
        "cost_centers": Absent("Humaans keeps no cost centres"),
        "manager_id": Field(CURRENT_ROLE["reportingTo"], employee_id),
        "remote_manager_id": CURRENT_ROLE["reportingTo"],
        "gender": Field("gender", words(enums.GENDER, GENDERS), scope=PRIVATE),
        "preferred_language": Absent("Humaans lists spoken languages, not a preferred one"),
        "ethnicity": Absent("Humaans keeps no ethnicity"),
        "date_of_birth": Field("birthday", scope=PRIVATE),
        "birthday": Field("birthday", scope=PRIVATE),
        "marital_status": Absent("Humaans keeps no marital status"),
        "avatar": Field("profilePhoto", image),
        "hire_date": "employmentStartDate",
        "start_date": "employmentStartDate",
        "tenure": Absent("Humaans keeps no tenure; it follows from `start_date`"),
        "work_anniversary": Absent("Humaans keeps no anniversary; it follows from `start_date`"),
        "employment_type": Field("contractType", words(enums.EMPLOYMENT_TYPE, FOOTINGS)),
        "employment_contract_type": Field("contractType", words(enums.EMPLOYMENT_SCHEDULE_TYPE, SCHEDULES)),
        "employment_status": Field("status", words(enums.EMPLOYMENT_STATUS, STATUSES)),
        "termination_date": Field("employmentEndDate", scope=PRIVATE),
        "company_name": OWN_COMPANY["name"],
        "company_id": Field("companyId", company_id),
        "citizenships": Field(("nationalities", "nationality"), citizenships, scope=PRIVATE),
        "home_location": Nested(HOME, scope=PRIVATE),
        "work_location": Nested(WORKPLACE, source=PLACE_OF_WORK.whole),
        "company": Nested(COMPANY, source=OWN_COMPANY.whole),
        "employments": Nested(EMPLOYMENT, source=ROLE_HISTORY.whole, many=True),
        "custom_fields": Nested(CUSTOM_FIELD, source=CUSTOM_VALUES.whole, many=True, scope=PRIVATE),
        "benefits": Absent("Humaans keeps no benefits"),
        "employee_number": Field("employeeId", scope=PRIVATE),
        "bank_details": Nested(BANK_ACCOUNT, source=BANK_ACCOUNTS.whole, many=True, scope=PRIVATE),
        "national_identity_number": Field("taxId", tax_id, scope=PRIVATE),
        "national_identity_numbers": Field("taxId", tax_ids, scope=PRIVATE),
        "skills": Absent("Humaans keeps no skills"),
        "created_at": "createdAt",
        # A change of role changes the employee that we show, but not the person's own `updatedAt`.
        "updated_at": Field(("updatedAt", CURRENT_ROLE["updatedAt"]), latest),
        "remote_job_id": Absent("Humaans keeps job titles, not jobs"),
        "remote_department_id": Absent("Humaans knows departments by name only"),
        "remote_company_id": "companyId",
    },
)
