"""Time away and its settings, working patterns, and timesheets."""

from __future__ import annotations

from deploy.sandbox.model import (
    COMMON,
    COMPANY_ID,
    LIST_AND_READ,
    PERSON_ID,
    Kind,
    Resource,
    computed,
    one_of,
    optional,
    required,
)
from deploy.sandbox.rights import Area

_TIME_AWAY = Resource(
    path="time-away",
    area=Area.TIME_AWAY,
    fields=(
        *COMMON,
        PERSON_ID,
        required("startDate", Kind.DATE),
        one_of("startPeriod", "full", "am", "pm"),
        required("endDate", Kind.DATE),
        one_of("endPeriod", "full", "am", "pm"),
        required("timeAwayTypeId", Kind.ID, "time-away-types"),
        computed("timeAwayType", Kind.OBJECT),
        computed("name"),
        computed("type"),
        computed("isTimeOff", Kind.BOOL),
        optional("workingFromLocationId"),
        optional("note"),
        computed("breakdown", Kind.OBJECTS),
        computed("days", Kind.NUMBER),
        one_of("requestStatus", "pending", "approved", "declined", guarded=True),
        computed("reviewedBy", Kind.ID),
        computed("reviewedAt", Kind.STAMP),
        optional("reviewNote"),
        computed("publicHolidayCalendarId"),
        computed("workingDays", Kind.OBJECTS),
    ),
)

_TIME_AWAY_SETUP = (
    Resource(
        path="time-away-types",
        area=Area.COMPANY,
        fields=(*COMMON, COMPANY_ID, required("name"), optional("color"), optional("isTimeOff", Kind.BOOL)),
    ),
    Resource(
        path="time-away-policies",
        area=Area.SETUP,
        fields=(*COMMON, COMPANY_ID, required("name"), optional("maxPtoCarryOver", Kind.NUMBER)),
    ),
    Resource(
        path="time-away-allocations",
        area=Area.OWN_TIME,
        fields=(
            *COMMON,
            PERSON_ID,
            one_of("type", "specific", "placeOfWork"),
            optional("effectiveDate", Kind.DATE),
            required("timeAwayPolicyId", Kind.ID, "time-away-policies"),
            computed("timeAwayPolicy", Kind.OBJECT),
        ),
    ),
    Resource(
        path="time-away-adjustments",
        area=Area.OWN_TIME,
        fields=(
            *COMMON,
            PERSON_ID,
            optional("timeAwayAllocationId", Kind.ID, "time-away-allocations"),
            required("amount", Kind.NUMBER),
            optional("note"),
        ),
    ),
    Resource(
        path="time-away-periods",
        area=Area.OWN_TIME,
        methods=LIST_AND_READ,
        fields=(
            *COMMON,
            computed("personId", Kind.ID),
            computed("startDate", Kind.DATE),
            computed("endDate", Kind.DATE),
            computed("isCurrentPeriod", Kind.BOOL),
            computed("allowance", Kind.MONEY),
            computed("ptoUsed", Kind.MONEY),
            computed("ptoUpcoming", Kind.MONEY),
            computed("ptoCarriedOver", Kind.MONEY),
            computed("timeAwayAllocation", Kind.OBJECT),
        ),
    ),
)

_WORKING = (
    Resource(
        path="working-patterns",
        area=Area.SETUP,
        fields=(*COMMON, COMPANY_ID, required("name"), optional("workingDays", Kind.OBJECTS)),
    ),
    Resource(
        path="working-pattern-allocations",
        area=Area.OWN_TIME,
        fields=(
            *COMMON,
            PERSON_ID,
            required("workingPatternId", Kind.ID, "working-patterns"),
            required("startDate", Kind.DATE),
            optional("endDate", Kind.DATE),
        ),
    ),
    Resource(
        path="timesheet-entries",
        area=Area.OWN_TIME,
        fields=(
            *COMMON,
            PERSON_ID,
            required("date", Kind.DATE),
            required("startTime", Kind.TIME),
            optional("endTime", Kind.TIME),
            computed("duration", Kind.OBJECT),
        ),
    ),
    Resource(
        path="timesheet-submissions",
        area=Area.OWN_TIME,
        fields=(
            *COMMON,
            PERSON_ID,
            required("startDate", Kind.DATE),
            required("endDate", Kind.DATE),
            one_of("status", "pending", "approved", "rejected", guarded=True),
            computed("submittedAt", Kind.STAMP),
            computed("reviewedBy", Kind.ID),
            computed("reviewedAt", Kind.STAMP),
            optional("changesRequested"),
            computed("durationAsTime", Kind.OBJECT),
            computed("durationAsDays", Kind.NUMBER),
        ),
    ),
)

RESOURCES = (_TIME_AWAY, *_TIME_AWAY_SETUP, *_WORKING)
