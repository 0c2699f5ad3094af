"""Bodies to begin with: what most callers send, by operation. Ids stand for those that a list has given."""

from collections.abc import Mapping
from typing import Any

BODIES: Mapping[str, Mapping[str, Any]] = {
    "create_employee": {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "work_email": "ada.lovelace@example.com",
        "start_date": "2027-03-01T00:00:00.000Z",
        "job_title": "Analyst",
        "department": "Research",
        "work_location": {"city": "London", "country": {"value": "GB"}},
    },
    "update_employee": {"personal_phone_number": "+44 7700 900123"},
    "create_employee_employment": {"job_title": "Senior Analyst", "effective_date": "2027-09-01T00:00:00.000Z"},
    "update_employee_employment": {"job_title": "Lead Analyst"},
    "create_employee_time_off_request": {
        "start_date": "2027-06-07T00:00:00.000",
        "end_date": "2027-06-11T00:00:00.000",
        "time_off_policy_id": "an id of /unified/hris/time_off_policies",
    },
    "update_employee_time_off_request": {"end_date": "2027-06-10T00:00:00.000"},
    "create_employee_work_eligibility_request": {"type": {"value": "passport"}, "number": "X1234567"},
    "update_employee_work_eligibility_request": {"number": "X7654321"},
}
