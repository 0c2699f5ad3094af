"""The Humaans lists that reads are made of, each with the query that we send."""

from collections.abc import Mapping

from connectors.spec import OWN_KEY, TODAY, Collection

# Without `status=all` Humaans lists active people only.
PEOPLE = Collection("/people", "employees", {"status": "all"})

COMPANIES = Collection("/companies", "companies")
LOCATIONS = Collection("/locations", "locations")

ROLES = Collection("/job-roles", "employments")
ROLES_TODAY = Collection("/job-roles", "employments", {"$asOf": TODAY})
ROLES_TO_COME = Collection("/job-roles", "employments", {"effectiveDate[$gt]": TODAY})
ROLES_OF_ONE = Collection("/job-roles", "employments", {"personId": OWN_KEY})

COMPENSATIONS = Collection("/compensations", "employments")
COMPENSATIONS_OF_ONE = Collection("/compensations", "employments", {"personId": OWN_KEY})
COMPENSATION_TYPES = Collection("/compensation-types", "companies")

CUSTOM_FIELDS = Collection("/custom-fields", "custom_fields")
CUSTOM_VALUES = Collection("/custom-values", "custom_fields")
CUSTOM_VALUES_OF_ONE = Collection("/custom-values", "custom_fields", {"personId": OWN_KEY})

BANK_ACCOUNTS = Collection("/bank-accounts", "bank_details")
BANK_ACCOUNTS_OF_ONE = Collection("/bank-accounts", "bank_details", {"personId": OWN_KEY})

TIME_AWAY = Collection("/time-away", "time_off")
TIME_AWAY_OF_ONE = Collection("/time-away", "time_off", {"personId": OWN_KEY})
TIME_AWAY_TYPES = Collection("/time-away-types", "time_off_policies")
TIME_AWAY_PERIODS_OF_ONE = Collection("/time-away-periods", "time_off_balances", {"personId": OWN_KEY})

DOCUMENTS_OF_ONE = Collection("/documents", "documents", {"personId": OWN_KEY})
DOCUMENT_TYPES = Collection("/document-types", "document_categories")

IDENTITY_DOCUMENTS_OF_ONE = Collection("/identity-documents", "work_eligibility", {"personId": OWN_KEY})
IDENTITY_DOCUMENT_TYPES = Collection("/identity-document-types", "document_categories")

TIMESHEET_ENTRIES = Collection("/timesheet-entries", "time_entries")

TASKS = Collection("/tasks", "tasks")
TASKS_OF_ONE = Collection("/tasks", "tasks", {"personId": OWN_KEY})

# What Humaans changes by itself after a write to a list. Wider than is known: too much read again is only slow.
CONSEQUENCES: Mapping[str, tuple[str, ...]] = {
    "/people": (
        "employments",
        "custom_fields",
        "bank_details",
        "time_off",
        "time_off_balances",
        "documents",
        "work_eligibility",
        "tasks",
    ),
    "/job-roles": ("employees",),
    "/time-away": ("time_off_balances",),
    "/identity-documents": ("documents",),
}
