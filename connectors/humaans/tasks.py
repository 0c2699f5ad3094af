"""Tasks. Only their path and the names of a few columns are published, so the words of `status` are plain ones."""

from connectors.convert import identifier, words
from connectors.hris import enums
from connectors.hris.tasks import TASKS as RESOURCE
from connectors.spec import Absent, Field, Table

STATUSES = {
    "open": "open",
    "pending": "open",
    "in progress": "in_progress",
    "blocked": "blocked",
    "done": "completed",
    "completed": "completed",
    "complete": "completed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}

NOT_KEPT = Absent("nothing is published of this in Humaans")

TASK = Table(
    RESOURCE,
    {
        "id": Field("id", identifier("task")),
        "remote_id": "id",
        "employee_id": Field("personId", identifier("employee")),
        "name": "title",
        "description": "description",
        "type": NOT_KEPT,
        "status": Field("status", words(enums.TASK_STATUS, STATUSES)),
        "due_date": "dueDate",
        "completion_date": NOT_KEPT,
        "assigned_by_employee_id": NOT_KEPT,
        "assigned_by_employee_name": NOT_KEPT,
        "link_to_task": NOT_KEPT,
        "extracted_links": NOT_KEPT,
        "next_task_id": NOT_KEPT,
        "parent_process_name": NOT_KEPT,
        "comments": NOT_KEPT,
        "attachments": NOT_KEPT,
        "created_at": "createdAt",
        "updated_at": "updatedAt",
    },
)
