"""What the operations that write are sent. No field is required by the contract itself, and every one may be null.

Names and types are those of StackOne's published HRIS OpenAPI (August 2026). Pay and national numbers take a client
scope of their own, as they do in reading.
"""

from collections.abc import Mapping

from connectors.contract import BOOLISH, INSTANT, LOCAL, MAP, NUMBER, TEXT, ListOf, Resource, Spec, Type, Words
from connectors.hris import enums
from connectors.hris.employments import CONTRACT_TYPE, EMPLOYMENT_GRADE, TYPE, WORK_TIME
from connectors.hris.parts import CUSTOM_FIELDS, FILE, IMAGE, NATIONAL_IDENTITY_NUMBER, PROFICIENCY
from connectors.hris.time_off import REASON

PAY = "hris.compensation:write"
NATIONAL_IDS = "hris.national_ids:write"

SUBDIVISION = Words("ISO3166_2SubDivisionEnum", frozenset())
CONFIDENTIAL = Words("ConfidentialEnumApiModel", frozenset({"true", "false", "unmapped_value"}))
UPLOAD_CATEGORY = Words("HrisDocumentsUploadCategoryEnumApiModel", enums.HRIS_DOCUMENT_TYPE.words)

LOCATION = Resource(
    "employee_location_request",
    {
        "id": TEXT,
        "name": TEXT,
        "phone_number": TEXT,
        "street_1": TEXT,
        "street_2": TEXT,
        "city": TEXT,
        "zip_code": TEXT,
        "country": enums.COUNTRY_CODE,
        "passthrough": MAP,
        "state": SUBDIVISION,
    },
)

BENEFIT = Resource(
    "benefit_request",
    {
        "id": TEXT,
        "name": TEXT,
        "benefit_type": enums.BENEFITS_TYPE,
        "provider": TEXT,
        "description": TEXT,
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
)

COST_CENTER = Resource(
    "cost_center_request",
    {
        "id": TEXT,
        "name": TEXT,
        "distribution_percentage": NUMBER,
    },
)

_EMPLOYMENT: Mapping[str, Spec | Type] = {
    "unified_custom_fields": MAP,
    "job_title": TEXT,
    "pay_rate": Spec(TEXT, scope=PAY),
    "pay_period": Spec(enums.PAY_PERIOD, scope=PAY),
    "pay_frequency": Spec(enums.PAY_FREQUENCY, scope=PAY),
    "pay_currency": Spec(TEXT, scope=PAY),
    "effective_date": INSTANT,
    "end_date": INSTANT,
    "grade": EMPLOYMENT_GRADE,
    "employment_type": enums.EMPLOYMENT_TYPE,
    "employment_contract_type": enums.EMPLOYMENT_SCHEDULE_TYPE,
    "type": TYPE,
    "contract_type": CONTRACT_TYPE,
    "work_time": WORK_TIME,
    "payroll_code": TEXT,
}

EMPLOYMENT_OF_EMPLOYEE = Resource("employee_employment_request", {**_EMPLOYMENT, "passthrough": MAP})
EMPLOYMENT_OF_NEW = Resource("new_employment_request", {**_EMPLOYMENT, "job_id": TEXT})
CREATE_EMPLOYMENT = Resource("create_employment_request", {**_EMPLOYMENT, "job_id": TEXT, "passthrough": MAP})
UPDATE_EMPLOYMENT = Resource("update_employment_request", {**_EMPLOYMENT, "passthrough": MAP})

_EMPLOYEE: Mapping[str, Spec | Type] = {
    "title": TEXT,
    "first_name": TEXT,
    "last_name": TEXT,
    "name": TEXT,
    "display_name": TEXT,
    "avatar_url": TEXT,
    "personal_email": TEXT,
    "personal_phone_number": TEXT,
    "work_email": TEXT,
    "work_phone_number": TEXT,
    "job_id": TEXT,
    "job_title": TEXT,
    "department_id": TEXT,
    "team_id": TEXT,
    "department": TEXT,
    "manager_id": TEXT,
    "gender": enums.GENDER,
    "preferred_language": enums.PREFERRED_LANGUAGE,
    "ethnicity": enums.ETHNICITY,
    "date_of_birth": INSTANT,
    "birthday": INSTANT,
    "marital_status": enums.MARITAL_STATUS,
    "avatar": IMAGE,
    "hire_date": INSTANT,
    "start_date": INSTANT,
    "employment_type": enums.EMPLOYMENT_TYPE,
    "employment_contract_type": enums.EMPLOYMENT_SCHEDULE_TYPE,
    "employment_status": enums.EMPLOYMENT_STATUS,
    "termination_date": INSTANT,
    "company_name": TEXT,
    "company_id": TEXT,
    "citizenships": ListOf(enums.COUNTRY_CODE),
    "employment": EMPLOYMENT_OF_EMPLOYEE,
    "custom_fields": ListOf(CUSTOM_FIELDS),
    "benefits": ListOf(BENEFIT),
    "employee_number": TEXT,
    "national_identity_number": Spec(NATIONAL_IDENTITY_NUMBER, scope=NATIONAL_IDS),
    "national_identity_numbers": Spec(ListOf(NATIONAL_IDENTITY_NUMBER), scope=NATIONAL_IDS),
    "home_location": LOCATION,
    "work_location": LOCATION,
    "passthrough": MAP,
}

CREATE_EMPLOYEE = Resource(
    "create_employee_request",
    {**_EMPLOYEE, "employments": ListOf(EMPLOYMENT_OF_NEW), "cost_centers": ListOf(COST_CENTER)},
)
UPDATE_EMPLOYEE = Resource("update_employee_request", _EMPLOYEE)
INVITE_EMPLOYEE = Resource(
    "invite_employee_request",
    {
        "passthrough": MAP,
    },
)
TIME_OFF = Resource(
    "time_off_request",
    {
        "approver_id": TEXT,
        "status": enums.TIME_OFF_STATUS,
        "type": enums.TIME_OFF_TYPE,
        "start_date": LOCAL,
        "end_date": LOCAL,
        "start_half_day": BOOLISH,
        "end_half_day": BOOLISH,
        "time_off_policy_id": TEXT,
        "reason": REASON,
        "comment": TEXT,
        "passthrough": MAP,
    },
)
WORK_ELIGIBILITY = Resource(
    "work_eligibility_request",
    {
        "document": FILE,
        "issued_by": enums.COUNTRY_CODE,
        "number": TEXT,
        "sub_type": TEXT,
        "type": enums.WORK_ELIGIBILITY_TYPE,
        "valid_from": INSTANT,
        "valid_to": INSTANT,
        "passthrough": MAP,
    },
)
UPLOAD_DOCUMENT = Resource(
    "upload_document_request",
    {
        "name": TEXT,
        "file_format": enums.FILE_FORMAT,
        "content": TEXT,
        "category_id": TEXT,
        "path": TEXT,
        "confidential": CONFIDENTIAL,
        "category": UPLOAD_CATEGORY,
    },
)
UPLOAD_DOCUMENTS = Resource(
    "upload_documents_request",
    {
        "items": ListOf(UPLOAD_DOCUMENT),
    },
)
CREATE_SKILL = Resource(
    "create_skill_request",
    {
        "id": TEXT,
        "name": TEXT,
        "maximum_proficiency": PROFICIENCY,
        "minimum_proficiency": PROFICIENCY,
    },
)
UPDATE_TASK = Resource(
    "update_task_request",
    {
        "comment": TEXT,
        "status": enums.TASK_STATUS,
    },
)


BODIES = {
    "create_employee": CREATE_EMPLOYEE,
    "update_employee": UPDATE_EMPLOYEE,
    "invite_employee": INVITE_EMPLOYEE,
    "create_employee_employment": CREATE_EMPLOYMENT,
    "update_employee_employment": UPDATE_EMPLOYMENT,
    "create_employee_time_off_request": TIME_OFF,
    "update_employee_time_off_request": TIME_OFF,
    "create_employee_work_eligibility_request": WORK_ELIGIBILITY,
    "update_employee_work_eligibility_request": WORK_ELIGIBILITY,
    "upload_employee_document": UPLOAD_DOCUMENT,
    "batch_upload_employee_document": UPLOAD_DOCUMENTS,
    "create_employee_skill": CREATE_SKILL,
    "update_employee_task": UPDATE_TASK,
}
"""By operation: what it is sent."""

STATUSES = {"create": 201, "upload": 201, "batch": 202}
"""By kind of operation: the status of its success, where that is not 200."""

RESULTS = {
    "create": "CreateResult",
    "update": "UpdateResult",
    "cancel": "DeleteResult",
    "invite": "InviteEmployeeResult",
    "upload": "WriteResultApiModel",
    "batch": "BatchResultApiModel",
}
"""By kind of operation: the contract's name for what it answers."""

ODD_RESULTS = {"update_employee_time_off_request": "CreateResult"}
"""By operation: where the contract's answer is not that of its kind."""

READ_AS = {
    "create_employee_request": "employees",
    "update_employee_request": "employees",
    "employee_location_request": "locations",
    "employee_employment_request": "employments",
    "new_employment_request": "employments",
    "create_employment_request": "employments",
    "update_employment_request": "employments",
    "time_off_request": "time_off",
    "work_eligibility_request": "work_eligibility",
}
"""By body, or object within one: the resource that it is read as. What the operator hides there is not written."""
