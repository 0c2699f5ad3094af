"""Every operation of the HRIS contract: method, path, and the client scope that it takes.

Ids, paths, filters and options are those of StackOne's published HRIS OpenAPI (August 2026), ids without `hris_`.
"""

from connectors.contract import Operation
from connectors.hris.requests import BODIES, ODD_RESULTS, RESULTS, STATUSES

BASE = "/unified/hris"

EMPLOYEE_EXPAND = ("company", "employments", "work_location", "home_location", "groups", "skills")
EMPLOYEE_INCLUDE = ("avatar_url", "avatar", "custom_fields", "job_description", "benefits", "bank_details")
SHIFT_FILTERS = ("status", "starts_after", "ends_before")
TIME_OFF_FILTERS = ("policy_ids", "start_date", "end_date")
TIME_ENTRY_FILTERS = ("employee_id", "start_time", "end_time")


def operation(  # noqa: PLR0913 - one argument a column of the table below
    operation_id: str,
    method: str,
    path: str,
    resource: str,
    scope: str,
    *,
    filters: tuple[str, ...] = (),
    expand: tuple[str, ...] = (),
    include: tuple[str, ...] = (),
    parameters: tuple[str, ...] = (),
) -> Operation:
    """Returns an operation. Every list also has the filter `updated_after`."""
    kind = operation_id.partition("_")[0]
    return Operation(
        id=operation_id,
        method=method,
        path=BASE + path,
        resource=resource,
        kind="upload" if kind == "batch" else kind,
        scope=f"hris.{scope}",
        filters=("updated_after", *filters) if kind == "list" else filters,
        expand=expand,
        include=include,
        parameters=parameters,
        body=BODIES.get(operation_id),
        status=STATUSES.get(kind, 200),
        result=ODD_RESULTS.get(operation_id) or RESULTS.get(kind, ""),
    )


OPERATIONS = (
    operation("list_companies", "GET", "/companies", "companies", "companies:read"),
    operation("get_company", "GET", "/companies/{id}", "companies", "companies:read"),
    operation(
        "list_employee_custom_field_definitions",
        "GET",
        "/custom_field_definitions/employees",
        "custom_field_definitions",
        "custom_field_definitions:read",
    ),
    operation(
        "get_employee_custom_field_definition",
        "GET",
        "/custom_field_definitions/employees/{id}",
        "custom_field_definitions",
        "custom_field_definitions:read",
    ),
    operation(
        "list_employees",
        "GET",
        "/employees",
        "employees",
        "employees:read",
        filters=("email", "employee_number"),
        expand=EMPLOYEE_EXPAND,
        include=EMPLOYEE_INCLUDE,
    ),
    operation("create_employee", "POST", "/employees", "employees", "employees:write"),
    operation(
        "get_employee",
        "GET",
        "/employees/{id}",
        "employees",
        "employees:read",
        expand=EMPLOYEE_EXPAND,
        include=EMPLOYEE_INCLUDE,
    ),
    operation("update_employee", "PATCH", "/employees/{id}", "employees", "employees:write"),
    operation("invite_employee", "POST", "/employees/{id}/invite", "employees", "employees:write"),
    operation("list_employee_shifts", "GET", "/employees/{id}/shifts", "shifts", "shifts:read", filters=SHIFT_FILTERS),
    operation("get_employee_shift", "GET", "/employees/{id}/shifts/{subResourceId}", "shifts", "shifts:read"),
    operation(
        "list_employee_time_off_requests",
        "GET",
        "/employees/{id}/time_off",
        "time_off",
        "time_off:read",
        filters=TIME_OFF_FILTERS,
        expand=("policy",),
    ),
    operation("create_employee_time_off_request", "POST", "/employees/{id}/time_off", "time_off", "time_off:write"),
    operation(
        "get_employees_time_off_request",
        "GET",
        "/employees/{id}/time_off/{subResourceId}",
        "time_off",
        "time_off:read",
        expand=("policy",),
    ),
    operation(
        "update_employee_time_off_request",
        "PATCH",
        "/employees/{id}/time_off/{subResourceId}",
        "time_off",
        "time_off:write",
    ),
    operation(
        "cancel_employee_time_off_request",
        "DELETE",
        "/employees/{id}/time_off/{subResourceId}",
        "time_off",
        "time_off:write",
    ),
    operation(
        "batch_upload_employee_document",
        "POST",
        "/employees/{id}/documents/upload/batch",
        "documents",
        "documents:write",
    ),
    operation("upload_employee_document", "POST", "/employees/{id}/documents/upload", "documents", "documents:write"),
    operation(
        "download_employee_document",
        "GET",
        "/employees/{id}/documents/{subResourceId}/download",
        "documents",
        "documents:read",
        parameters=("format", "export_format"),
    ),
    operation("list_employee_documents", "GET", "/employees/{id}/documents", "documents", "documents:read"),
    operation(
        "get_employee_document", "GET", "/employees/{id}/documents/{subResourceId}", "documents", "documents:read"
    ),
    operation(
        "list_employee_categories", "GET", "/documents/employee_categories", "document_categories", "documents:read"
    ),
    operation(
        "get_employee_document_category",
        "GET",
        "/documents/employee_categories/{id}",
        "document_categories",
        "documents:read",
    ),
    operation(
        "list_employee_work_eligibility",
        "GET",
        "/employees/{id}/work_eligibility",
        "work_eligibility",
        "work_eligibility:read",
    ),
    operation(
        "create_employee_work_eligibility_request",
        "POST",
        "/employees/{id}/work_eligibility",
        "work_eligibility",
        "work_eligibility:write",
    ),
    operation(
        "get_employees_work_eligibility",
        "GET",
        "/employees/{id}/work_eligibility/{subResourceId}",
        "work_eligibility",
        "work_eligibility:read",
    ),
    operation(
        "update_employee_work_eligibility_request",
        "PATCH",
        "/employees/{id}/work_eligibility/{subResourceId}",
        "work_eligibility",
        "work_eligibility:write",
    ),
    operation(
        "list_employee_time_off_balances",
        "GET",
        "/employees/{id}/time_off_balances",
        "time_off_balances",
        "time_off_balances:read",
        filters=("policy_ids",),
        expand=("policy",),
    ),
    operation(
        "get_employee_time_off_balance",
        "GET",
        "/employees/{id}/time_off_balances/{subResourceId}",
        "time_off_balances",
        "time_off_balances:read",
        expand=("policy",),
    ),
    operation("list_employments", "GET", "/employments", "employments", "employments:read", expand=("groups",)),
    operation("get_employment", "GET", "/employments/{id}", "employments", "employments:read", expand=("groups",)),
    operation(
        "list_employee_employments",
        "GET",
        "/employees/{id}/employments",
        "employments",
        "employments:read",
        expand=("groups",),
    ),
    operation("create_employee_employment", "POST", "/employees/{id}/employments", "employments", "employments:write"),
    operation(
        "get_employee_employment",
        "GET",
        "/employees/{id}/employments/{subResourceId}",
        "employments",
        "employments:read",
        expand=("groups",),
    ),
    operation(
        "update_employee_employment",
        "PATCH",
        "/employees/{id}/employments/{subResourceId}",
        "employments",
        "employments:write",
    ),
    operation("list_groups", "GET", "/groups", "groups", "groups:read"),
    operation("list_department_groups", "GET", "/groups/departments", "departments", "groups:read"),
    operation("list_cost_center_groups", "GET", "/groups/cost_centers", "cost_centers", "groups:read"),
    operation("list_team_groups", "GET", "/groups/teams", "teams", "groups:read"),
    operation("list_division_groups", "GET", "/groups/divisions", "divisions", "groups:read"),
    operation("list_companies_groups", "GET", "/groups/companies", "companies", "companies:read"),
    operation("get_group", "GET", "/groups/{id}", "groups", "groups:read"),
    operation("get_department_group", "GET", "/groups/departments/{id}", "departments", "groups:read"),
    operation("get_cost_center_group", "GET", "/groups/cost_centers/{id}", "cost_centers", "groups:read"),
    operation("get_team_group", "GET", "/groups/teams/{id}", "teams", "groups:read"),
    operation("get_division_group", "GET", "/groups/divisions/{id}", "divisions", "groups:read"),
    operation("get_company_group", "GET", "/groups/companies/{id}", "companies", "companies:read"),
    operation("list_jobs", "GET", "/jobs", "jobs", "jobs:read"),
    operation("get_job", "GET", "/jobs/{id}", "jobs", "jobs:read"),
    operation("list_locations", "GET", "/locations", "locations", "locations:read"),
    operation("get_location", "GET", "/locations/{id}", "locations", "locations:read"),
    operation("list_positions", "GET", "/positions", "positions", "positions:read", parameters=("status",)),
    operation("get_position", "GET", "/positions/{id}", "positions", "positions:read"),
    operation(
        "list_time_entries", "GET", "/time_entries", "time_entries", "time_entries:read", filters=TIME_ENTRY_FILTERS
    ),
    operation("get_time_entries", "GET", "/time_entries/{id}", "time_entries", "time_entries:read"),
    operation(
        "list_time_off_requests",
        "GET",
        "/time_off",
        "time_off",
        "time_off:read",
        filters=TIME_OFF_FILTERS,
        expand=("policy",),
    ),
    operation("get_time_off_request", "GET", "/time_off/{id}", "time_off", "time_off:read", expand=("policy",)),
    operation("list_shifts", "GET", "/shifts", "shifts", "shifts:read", filters=SHIFT_FILTERS),
    operation("get_shift", "GET", "/shifts/{id}", "shifts", "shifts:read"),
    operation("list_time_off_types", "GET", "/time_off_types", "time_off_types", "time_off_policies:read"),
    operation("get_time_off_type", "GET", "/time_off_types/{id}", "time_off_types", "time_off_policies:read"),
    operation(
        "list_time_off_policies",
        "GET",
        "/time_off_policies",
        "time_off_policies",
        "time_off_policies:read",
        filters=("type",),
    ),
    operation("get_time_off_policy", "GET", "/time_off_policies/{id}", "time_off_policies", "time_off_policies:read"),
    operation(
        "list_employee_time_off_policies",
        "GET",
        "/employees/{id}/time_off_policies",
        "time_off_policies",
        "time_off_policies:read",
        filters=("type",),
    ),
    operation("list_benefits", "GET", "/benefits", "benefits", "benefits:read"),
    operation("get_benefit", "GET", "/benefits/{id}", "benefits", "benefits:read"),
    operation("list_employee_skills", "GET", "/employees/{id}/skills", "skills", "skills:read"),
    operation("create_employee_skill", "POST", "/employees/{id}/skills", "skills", "skills:write"),
    operation("get_employee_skill", "GET", "/employees/{id}/skills/{subResourceId}", "skills", "skills:read"),
    operation(
        "list_employee_tasks",
        "GET",
        "/employees/{id}/tasks",
        "tasks",
        "tasks:read",
        filters=("created_after",),
        expand=("attachments",),
    ),
    operation(
        "get_employee_task",
        "GET",
        "/employees/{id}/tasks/{subResourceId}",
        "tasks",
        "tasks:read",
        expand=("attachments",),
    ),
    operation("update_employee_task", "PATCH", "/employees/{id}/tasks/{subResourceId}", "tasks", "tasks:write"),
    operation(
        "list_tasks", "GET", "/tasks", "tasks", "tasks:read", filters=("created_after",), expand=("attachments",)
    ),
    operation("get_task", "GET", "/tasks/{id}", "tasks", "tasks:read", expand=("attachments",)),
)
