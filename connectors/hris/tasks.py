"""What somebody has been asked to do."""

from connectors.contract import INSTANT, TEXT, Given, ListOf, Resource, Spec
from connectors.hris import enums
from connectors.hris.parts import FILE

TASK_COMMENT = Resource("task_comment", {"author_employee_id": TEXT, "comment": TEXT, "created_at": INSTANT})


TASKS = Resource(
    "tasks",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "employee_id": TEXT,
        "name": TEXT,
        "description": TEXT,
        "type": enums.TASK_TYPE,
        "status": enums.TASK_STATUS,
        "due_date": INSTANT,
        "completion_date": INSTANT,
        "assigned_by_employee_id": TEXT,
        "assigned_by_employee_name": TEXT,
        "link_to_task": TEXT,
        "extracted_links": ListOf(TEXT),
        "next_task_id": TEXT,
        "parent_process_name": TEXT,
        "comments": ListOf(TASK_COMMENT),
        "attachments": Spec(ListOf(FILE), given=Given.EXPAND),
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
)
