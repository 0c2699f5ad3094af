"""An employment: a job that somebody has or had, with its pay."""

from connectors.contract import BOOLEAN, DURATION, INSTANT, MAP, NUMBER, TEXT, ListOf, Resource, Spec
from connectors.hris import enums
from connectors.hris.groups import COST_CENTERS, GROUPS
from connectors.hris.parts import JOB_DESCRIPTION

EMPLOYMENT_GRADE = Resource("employment_grade", {"id": TEXT, "remote_id": TEXT, "name": TEXT, "description": TEXT})


TYPE = Resource("type", {"id": TEXT, "remote_id": TEXT, "label": TEXT, "type": enums.TYPE})


CONTRACT_TYPE = Resource(
    "contract_type", {"id": TEXT, "remote_id": TEXT, "label": TEXT, "contract_type": enums.CONTRACT_TYPE}
)


WORK_TIME = Resource("work_time", {"duration": DURATION, "period": enums.WORK_TIME_UNIT})


EMPLOYMENT_JOB = Resource(
    "employment_job",
    {"id": TEXT, "remote_id": TEXT, "title": TEXT, "description": JOB_DESCRIPTION, "owner_id": TEXT, "parent_id": TEXT},
)


MANAGER_ROLE = Resource("manager_role", {"id": TEXT, "remote_id": TEXT, "label": TEXT, "role_type": enums.ROLE_TYPE})


EMPLOYMENT_MANAGER = Resource(
    "employment_manager", {"id": TEXT, "remote_id": TEXT, "name": TEXT, "email": TEXT, "role": MANAGER_ROLE}
)


EMPLOYMENTS = Resource(
    "employments",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "unified_custom_fields": MAP,
        "job_title": TEXT,
        "pay_rate": Spec(TEXT, scope="hris.compensation:read"),
        "pay_period": Spec(enums.PAY_PERIOD, scope="hris.compensation:read"),
        "pay_frequency": Spec(enums.PAY_FREQUENCY, scope="hris.compensation:read"),
        "pay_currency": Spec(TEXT, scope="hris.compensation:read"),
        "effective_date": INSTANT,
        "end_date": INSTANT,
        "grade": EMPLOYMENT_GRADE,
        "employment_type": enums.EMPLOYMENT_TYPE,
        "employment_contract_type": enums.EMPLOYMENT_SCHEDULE_TYPE,
        "type": TYPE,
        "contract_type": CONTRACT_TYPE,
        "work_time": WORK_TIME,
        "payroll_code": TEXT,
        "employee_id": TEXT,
        "remote_employee_id": TEXT,
        "fte": NUMBER,
        "created_at": INSTANT,
        "updated_at": INSTANT,
        "start_date": INSTANT,
        "active": BOOLEAN,
        "department": GROUPS,
        "cost_center": GROUPS,
        "cost_centers": ListOf(COST_CENTERS),
        "division": GROUPS,
        "job": EMPLOYMENT_JOB,
        "manager": ListOf(EMPLOYMENT_MANAGER),
    },
)
