"""Company, places and job roles."""

from __future__ import annotations

from deploy.sandbox.model import (
    COMMON,
    COMPANY_ID,
    LIST_ONLY,
    PERSON_ID,
    Field,
    Kind,
    Resource,
    Use,
    computed,
    optional,
    required,
)
from deploy.sandbox.rights import Area

RESOURCES = (
    Resource(
        path="companies",
        area=Area.COMPANY,
        methods=frozenset({"list", "read", "update"}),
        fields=(
            *COMMON,
            required("name"),
            optional("domains", Kind.TEXTS),
            computed("trialEndDate", Kind.DATE),
            computed("status"),
            computed("paymentStatus"),
            computed("package"),
            optional("isTimesheetEnabled", Kind.BOOL),
            optional("requireTimeAwayApprovalFor", Kind.TEXTS),
            optional("autogenerateEmployeeId", Kind.BOOL),
            optional("autogenerateEmployeeIdForNewHires", Kind.BOOL),
            optional("nextEmployeeId"),
        ),
    ),
    Resource(
        path="locations",
        area=Area.COMPANY,
        fields=(
            *COMMON,
            COMPANY_ID,
            required("label"),
            optional("address"),
            optional("city"),
            optional("state"),
            optional("regionCode"),
            optional("postcode"),
            optional("countryCode"),
            optional("country"),
            required("timezone"),
            optional("publicHolidayCalendarId"),
            optional("timeAwayPolicyId", Kind.ID, "time-away-policies"),
        ),
    ),
    Resource(
        path="job-roles",
        area=Area.JOB_ROLES,
        effective=True,
        fields=(
            *COMMON,
            PERSON_ID,
            required("jobTitle"),
            optional("department"),
            optional("reportingTo", Kind.ID, "people"),
            required("effectiveDate", Kind.DATE),
            computed("endDate", Kind.DATE),
            Field(name="note", kind=Kind.TEXT, use=Use.OPTIONAL, private=True),
        ),
    ),
    Resource(
        path="public-holiday-calendars",
        area=Area.COMPANY,
        methods=LIST_ONLY,
        fields=(*COMMON, computed("name"), computed("countryCode")),
    ),
    Resource(
        path="public-holidays",
        area=Area.COMPANY,
        methods=LIST_ONLY,
        fields=(*COMMON, computed("date", Kind.DATE), computed("name"), computed("publicHolidayCalendarId")),
    ),
    Resource(
        path="public-holiday-calendar-days",
        area=Area.COMPANY,
        methods=frozenset({"list", "create", "read", "update"}),
        fields=(
            *COMMON,
            required("publicHolidayCalendarId"),
            required("publicHolidayId", Kind.ID, "public-holidays"),
        ),
    ),
    Resource(path="spaces", area=Area.ADMIN, fields=(*COMMON, COMPANY_ID, required("name"))),
)
