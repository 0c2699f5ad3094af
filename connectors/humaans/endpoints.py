"""Which Humaans calls answer which reads of the contract, and why the rest have no answer."""

from collections.abc import Mapping

from connectors.humaans import lists
from connectors.humaans.companies import COMPANY
from connectors.humaans.custom_field_definitions import DEFINITION
from connectors.humaans.documents import CATEGORY, DOCUMENT
from connectors.humaans.employees import EMPLOYEE
from connectors.humaans.employments import AMONG_OTHERS, EMPLOYMENT
from connectors.humaans.groups import DEPARTMENT, GROUP, TEAM, all_groups, departments_of, teams_of
from connectors.humaans.locations import WORKPLACE
from connectors.humaans.scopes import DOCUMENTS, PRIVATE, PUBLIC
from connectors.humaans.tasks import TASK
from connectors.humaans.time_entries import ENTRY as TIME_ENTRY
from connectors.humaans.time_off import BALANCE, ENTRY, POLICY, TYPE, is_time_off
from connectors.humaans.work_eligibility import IDENTITY_DOCUMENT
from connectors.spec import Derived, Endpoint, OfEmployee

PEOPLE_AND_ROLES = (lists.PEOPLE, lists.ROLES_TODAY)

ENDPOINTS = (
    Endpoint(
        table=EMPLOYEE,
        listing=lists.PEOPLE,
        record="/people/{key}",
        scope=PUBLIC,
        kind="employee",
        filters={"email": "email"},
    ),
    Endpoint(
        table=EMPLOYMENT,
        listing=lists.ROLES,
        record="/job-roles/{key}",
        scope=PUBLIC,
        kind="employment",
        of_employee=OfEmployee(lists.ROLES_OF_ONE, "personId"),
        completion=AMONG_OTHERS,
    ),
    Endpoint(table=COMPANY, listing=lists.COMPANIES, record="/companies/{key}", scope=PUBLIC, kind="company"),
    Endpoint(table=WORKPLACE, listing=lists.LOCATIONS, record="/locations/{key}", scope=PUBLIC, kind="location"),
    Endpoint(table=GROUP, listing=Derived(PEOPLE_AND_ROLES, all_groups), record=None, scope=PUBLIC, kind=""),
    Endpoint(table=TEAM, listing=Derived((lists.PEOPLE,), teams_of), record=None, scope=PUBLIC, kind=""),
    Endpoint(table=DEPARTMENT, listing=Derived(PEOPLE_AND_ROLES, departments_of), record=None, scope=PUBLIC, kind=""),
    Endpoint(
        table=ENTRY,
        listing=lists.TIME_AWAY,
        record="/time-away/{key}",
        scope=PUBLIC,
        kind="time_off",
        of_employee=OfEmployee(lists.TIME_AWAY_OF_ONE, "personId"),
        only=is_time_off,
    ),
    Endpoint(
        table=POLICY,
        listing=lists.TIME_AWAY_TYPES,
        record=None,
        scope=PUBLIC,
        kind="time_off_policy",
        of_employee=OfEmployee(lists.TIME_AWAY_TYPES),
        only=is_time_off,
    ),
    Endpoint(
        table=TYPE,
        listing=lists.TIME_AWAY_TYPES,
        record=None,
        scope=PUBLIC,
        kind="time_off_policy",
        only=is_time_off,
    ),
    Endpoint(
        table=BALANCE,
        listing=None,
        record=None,
        scope=PRIVATE,
        kind="time_off_balance",
        of_employee=OfEmployee(lists.TIME_AWAY_PERIODS_OF_ONE, "personId"),
    ),
    Endpoint(
        table=DOCUMENT,
        listing=None,
        record="/documents/{key}",
        scope=DOCUMENTS,
        kind="document",
        of_employee=OfEmployee(lists.DOCUMENTS_OF_ONE, "personId"),
    ),
    Endpoint(table=CATEGORY, listing=lists.DOCUMENT_TYPES, record=None, scope=DOCUMENTS, kind="document_category"),
    Endpoint(
        table=IDENTITY_DOCUMENT,
        listing=None,
        record="/identity-documents/{key}",
        scope=DOCUMENTS,
        kind="work_eligibility",
        of_employee=OfEmployee(lists.IDENTITY_DOCUMENTS_OF_ONE, "personId"),
    ),
    Endpoint(
        table=TIME_ENTRY,
        listing=lists.TIMESHEET_ENTRIES,
        record="/timesheet-entries/{key}",
        scope=PRIVATE,
        kind="time_entry",
    ),
    Endpoint(
        table=TASK,
        listing=lists.TASKS,
        record="/tasks/{key}",
        scope=PRIVATE,
        kind="task",
        of_employee=OfEmployee(lists.TASKS_OF_ONE, "personId"),
    ),
    Endpoint(
        table=DEFINITION,
        listing=lists.CUSTOM_FIELDS,
        record="/custom-fields/{key}",
        scope=PRIVATE,
        kind="custom_field",
    ),
)

NO_SHIFTS = "Humaans plans no shifts; what was worked is in time entries."
NO_SKILLS = "Humaans keeps no skills; a company may keep them in a custom field."

# By operation of the contract, or by resource for all operations of it that nothing above answers.
UNANSWERED: Mapping[str, str] = {
    "shifts": NO_SHIFTS,
    "skills": NO_SKILLS,
    "benefits": "Humaans keeps no benefits.",
    "jobs": "Humaans keeps job titles as text on job roles, not jobs; the titles are in employments.",
    "positions": "Humaans keeps the people in roles, not open or planned positions.",
    "cost_centers": "Humaans keeps no cost centres; a company may keep them in a custom field.",
    "divisions": "Humaans keeps teams and departments, not divisions.",
    "upload_employee_document": "Humaans publishes no way to upload a file.",
    "batch_upload_employee_document": "Humaans publishes no way to upload a file.",
    "invite_employee": "Humaans publishes no way to invite somebody; it is done in Humaans itself.",
    "update_employee_task": "Humaans publishes tasks for reading only.",
}
