"""What somebody is able to do, and how well."""

from connectors.contract import BOOLEAN, TEXT, Resource
from connectors.hris import enums
from connectors.hris.parts import PROFICIENCY

SKILLS = Resource(
    "skills",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "name": TEXT,
        "active": BOOLEAN,
        "language": enums.LANGUAGE,
        "maximum_proficiency": PROFICIENCY,
        "minimum_proficiency": PROFICIENCY,
    },
)
