"""Jobs and positions, as a company plans them."""

from connectors.contract import INSTANT, TEXT, Resource
from connectors.hris import enums

JOBS = Resource(
    "jobs",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "code": TEXT,
        "title": TEXT,
        "description": TEXT,
        "status": enums.HRIS_JOB_STATUS,
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
)


POSITIONS = Resource(
    "positions",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "job_id": TEXT,
        "title": TEXT,
        "description": TEXT,
        "department_id": TEXT,
        "location_id": TEXT,
        "employment_type": TEXT,
        "status": enums.POSITION_STATUS,
        "posted_date": INSTANT,
    },
)
