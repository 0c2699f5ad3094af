"""A person who works, worked or will work for the company."""

from connectors.contract import INSTANT, MAP, NUMBER, TEXT, Given, ListOf, Resource, Spec
from connectors.hris import enums
from connectors.hris.benefits import BENEFITS
from connectors.hris.companies import COMPANIES
from connectors.hris.employments import EMPLOYMENTS
from connectors.hris.groups import COST_CENTER_SHARES, GROUPS
from connectors.hris.locations import LOCATIONS
from connectors.hris.parts import BANK_DETAILS, CUSTOM_FIELDS, IMAGE, JOB_DESCRIPTION, NATIONAL_IDENTITY_NUMBER
from connectors.hris.skills import SKILLS

INCLUDE = Given.INCLUDE
EXPAND = Given.EXPAND
ASKED = Given.ASKED

EMPLOYEES = Resource(
    "employees",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "unified_custom_fields": MAP,
        "title": TEXT,
        "first_name": TEXT,
        "last_name": TEXT,
        "name": TEXT,
        "display_name": TEXT,
        "avatar_url": Spec(TEXT, given=INCLUDE),
        "personal_email": TEXT,
        "personal_phone_number": TEXT,
        "work_email": TEXT,
        "work_phone_number": TEXT,
        "job_id": TEXT,
        "job_title": TEXT,
        "job_description": Spec(JOB_DESCRIPTION, given=INCLUDE),
        "department_id": TEXT,
        "department": TEXT,
        "groups": Spec(ListOf(GROUPS), given=EXPAND),
        "cost_centers": ListOf(COST_CENTER_SHARES),
        "manager_id": TEXT,
        "remote_manager_id": TEXT,
        "gender": enums.GENDER,
        "preferred_language": enums.PREFERRED_LANGUAGE,
        "ethnicity": enums.ETHNICITY,
        "date_of_birth": INSTANT,
        "birthday": INSTANT,
        "marital_status": enums.MARITAL_STATUS,
        "avatar": Spec(IMAGE, given=INCLUDE),
        "hire_date": INSTANT,
        "start_date": INSTANT,
        "tenure": NUMBER,
        "work_anniversary": INSTANT,
        "employment_type": enums.EMPLOYMENT_TYPE,
        "employment_contract_type": enums.EMPLOYMENT_SCHEDULE_TYPE,
        "employment_status": enums.EMPLOYMENT_STATUS,
        "termination_date": INSTANT,
        "company_name": TEXT,
        "company_id": TEXT,
        "citizenships": ListOf(enums.COUNTRY_CODE),
        "home_location": Spec(LOCATIONS, given=EXPAND),
        "work_location": Spec(LOCATIONS, given=EXPAND),
        "company": Spec(COMPANIES, given=EXPAND),
        "employments": Spec(ListOf(EMPLOYMENTS), given=EXPAND),
        "custom_fields": Spec(ListOf(CUSTOM_FIELDS), given=INCLUDE),
        "benefits": Spec(ListOf(BENEFITS), given=INCLUDE),
        "employee_number": TEXT,
        "bank_details": Spec(ListOf(BANK_DETAILS), given=INCLUDE, scope="hris.bank_details:read"),
        "national_identity_number": Spec(NATIONAL_IDENTITY_NUMBER, scope="hris.national_ids:read"),
        "national_identity_numbers": Spec(ListOf(NATIONAL_IDENTITY_NUMBER), scope="hris.national_ids:read"),
        "skills": Spec(ListOf(SKILLS), given=EXPAND),
        "created_at": INSTANT,
        "updated_at": INSTANT,
        # Names that the contract allows in `fields` though its schema does not list them.
        "remote_job_id": Spec(TEXT, given=ASKED),
        "remote_department_id": Spec(TEXT, given=ASKED),
        "remote_company_id": Spec(TEXT, given=ASKED),
    },
)
