"""The columns of a person that can be written, and the fields of an employee that Humaans cannot store."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from connectors import ids
from connectors.humaans.nationalities import NATIONALITIES
from connectors.humaans.scopes import PRIVATE_WRITE, PUBLIC
from connectors.humaans.writes import custom_fields, steps
from connectors.writes import (
    Order,
    Part,
    Reply,
    Rule,
    Step,
    To,
    Unfit,
    Unwritable,
    Within,
    WrongValues,
    day,
    named,
    reference,
    same_word,
    spelt,
)

GENDERS = {
    "female": "Female",
    "male": "Male",
    "non_binary": "Non-binary",
    "diverse": "Diverse",
    "other": "Other",
    "not_disclosed": "Prefer not to say",
}
SCHEDULES = {"full_time": "Full time", "part_time": "Part time"}
FOOTINGS = {
    "permanent": "Permanent",
    "contractor": "Contractor",
    "freelance": "Freelance",
    "intern": "Intern",
    "apprentice": "Apprentice",
    "temporary": "Temporary",
    "seasonal": "Seasonal",
    "volunteer": "Volunteer",
    "casual": "Casual",
}
# Of several words for one country the first in the table is used, which is the usual one.
ADJECTIVES = {code: name for name, code in reversed(list(NATIONALITIES.items()))}

PERSON = Part("person", (PRIVATE_WRITE,), ("PATCH /people/{key}",))
NEW_PERSON = Part("person", (PRIVATE_WRITE,), ("POST /people",))
PLACE = Part("place", (PRIVATE_WRITE,), ())
NAMED_PLACE = Part("named_place", (PRIVATE_WRITE, PUBLIC), ("GET /locations",))


def department(value: Any) -> str:
    """Returns the name from the id of a department. Humaans knows departments by name only."""
    found = ids.decode("department", value)
    if not found or found == value:
        raise Unfit("is not the id of a department: ids are in /groups/departments, names go into department")
    return found


def adjectives(words: Sequence[str]) -> list[str]:
    """Returns the nationalities for country codes."""
    lacking = [word for word in words if word not in ADJECTIVES]
    if lacking:
        raise Unfit(f"cannot be told to Humaans for {', '.join(lacking)}: it keeps adjectives, and these have none")
    return [ADJECTIVES[word] for word in words]


def tax_id(value: Mapping[str, Any]) -> str:
    """Returns a national number as the tax id, which Humaans stores without kind and country."""
    if value.get("type") not in {None, "unmapped_value", "tin", "tax"} or value.get("country"):
        raise Unfit("is kept by Humaans as the tax id alone: leave out type and country")
    if not value.get("value"):
        raise Unfit("has no value")
    return str(value["value"])


def one_tax_id(values: Sequence[Mapping[str, Any]]) -> str:
    """Returns the only national number of a list as the tax id."""
    if len(values) != 1:
        raise Unfit("must be one number: Humaans keeps one, the tax id")
    return tax_id(values[0])


NAME_IN_PARTS = Unwritable("Humaans keeps names apart: give first_name and last_name")
NO_PHOTO = Unwritable("Humaans publishes no way to upload a photo")
ONE_COMPANY = Unwritable("an account of Humaans has one company, and everybody is in it")
NO_GROUPS = Unwritable("nothing is published of writing teams in Humaans")
NO_BENEFITS = Unwritable("Humaans keeps no benefits")
NO_CUSTOM = Unwritable("no custom unified fields are configured for this project")
USE_TOP = Unwritable("give columns of Humaans in the passthrough of the whole body")
USE_WORDS = Unwritable("Humaans keeps no ids of contract types: give the word")

SCHEDULE = To("person", "contractType", spelt(SCHEDULES))
FOOTING = To("person", "contractType", spelt(FOOTINGS))

HOME: Mapping[str, Rule] = {
    "id": Unwritable("Humaans keeps a home address as part of the person, with no id"),
    "name": Unwritable("a home address has no name"),
    "phone_number": Unwritable("Humaans keeps no telephone number of a place"),
    "street_1": To("person", "address"),
    "street_2": Unwritable("Humaans keeps the street as one line: give it all in street_1"),
    "city": To("person", "city"),
    "zip_code": To("person", "postcode"),
    "country": To("person", "countryCode", same_word),
    "passthrough": USE_TOP,
    "state": To("person", "state"),
}
NO_ADDRESS = Unwritable("the address of a place of work is kept with the place, and not with the employee")
# A place by its id or name, or else the city and country of somebody who works remotely.
WORKPLACE: Mapping[str, Rule] = {
    "id": To("place", "locationId", reference("location"), empties=False),
    "name": To("named_place", "name", empties=False),
    "phone_number": NO_ADDRESS,
    "street_1": NO_ADDRESS,
    "street_2": NO_ADDRESS,
    "city": To("place", "remoteCity", empties=False),
    "zip_code": NO_ADDRESS,
    "country": To("place", "remoteCountryCode", same_word, empties=False),
    "passthrough": USE_TOP,
    "state": To("place", "remoteRegionCode"),
}
EMPLOYMENT_OF_PERSON: Mapping[str, Rule] = {
    "unified_custom_fields": NO_CUSTOM,
    "job_title": To("role", "jobTitle", empties=False),
    "end_date": Unwritable("Humaans ends a job role where the next one begins; who leaves has a termination_date"),
    "grade": Unwritable("Humaans keeps no grades"),
    "employment_type": FOOTING,
    "employment_contract_type": SCHEDULE,
    "type": Within({"id": USE_WORDS, "remote_id": USE_WORDS, "label": USE_WORDS, "type": FOOTING}),
    "contract_type": Within({"id": USE_WORDS, "remote_id": USE_WORDS, "label": USE_WORDS, "contract_type": SCHEDULE}),
    "work_time": Unwritable("Humaans keeps working days, not hours"),
    "payroll_code": Unwritable("Humaans keeps no payroll code"),
    "passthrough": USE_TOP,
}
FIELDS: Mapping[str, Rule] = {
    "title": Unwritable("Humaans keeps no form of address"),
    "first_name": To("person", "firstName", empties=False),
    "last_name": To("person", "lastName", empties=False),
    "name": NAME_IN_PARTS,
    "display_name": To("person", "preferredName"),
    "avatar_url": NO_PHOTO,
    "personal_email": To("person", "personalEmail"),
    "personal_phone_number": To("person", "personalPhoneNumber"),
    "work_email": To("person", "email", empties=False),
    "work_phone_number": To("person", "phoneNumber"),
    "job_id": Unwritable("Humaans keeps job titles, not jobs: give job_title"),
    "job_title": To("role", "jobTitle", empties=False),
    "department_id": To("role", "department", department),
    "team_id": NO_GROUPS,
    "department": To("role", "department"),
    "manager_id": To("role", "reportingTo", reference("employee")),
    "gender": To("person", "gender", spelt(GENDERS)),
    "preferred_language": Unwritable("Humaans lists spoken languages, not a preferred one"),
    "ethnicity": Unwritable("Humaans keeps no ethnicity"),
    "date_of_birth": To("person", "birthday", day),
    "birthday": To("person", "birthday", day),
    "marital_status": Unwritable("Humaans keeps no marital status"),
    "avatar": NO_PHOTO,
    "hire_date": To("person", "employmentStartDate", day, empties=False),
    "start_date": To("person", "employmentStartDate", day, empties=False),
    "employment_type": FOOTING,
    "employment_contract_type": SCHEDULE,
    "employment_status": Unwritable("Humaans works it out from start_date and termination_date"),
    "termination_date": To("person", "employmentEndDate", day),
    "company_name": ONE_COMPANY,
    "company_id": ONE_COMPANY,
    "citizenships": To("person", "nationalities", adjectives),
    "custom_fields": custom_fields.TARGET,
    "benefits": NO_BENEFITS,
    "employee_number": To("person", "employeeId"),
    "national_identity_number": To("person", "taxId", tax_id),
    "national_identity_numbers": To("person", "taxId", one_tax_id),
    "home_location": Within(HOME),
    "work_location": Within(WORKPLACE),
}


def place_of_work(order: Order) -> Generator[Step, Reply, dict[str, Any]]:
    """Returns the columns of the place of work, whose name is looked up; none where no place is given."""
    place, wanted = order.of("place"), order.of("named_place")
    remote = {name for name in place if name.startswith("remote")}
    chosen = bool(wanted) + ("locationId" in place)
    if chosen > 1 or (chosen and remote and place.get("locationId") != "remote"):
        raise WrongValues("work_location is either a place, by id or name, or for remote work a city and a country")
    if wanted:
        found = named((yield from steps.listed("/locations", "read the locations")), wanted["name"], "label", "name")
        if len(found) != 1:
            which = "no location has" if not found else "several locations have"
            raise WrongValues(f"work_location.name: {which} this name")
        return {"locationId": found[0].get("id")}
    if remote and not chosen:
        place["locationId"] = "remote"
    lacking = {"remoteCity": "city", "remoteCountryCode": "country"}
    if place.get("locationId") == "remote" and not lacking.keys() <= place.keys():
        raise WrongValues(*(f"work_location.{ours} is missing" for name, ours in lacking.items() if name not in place))
    return place
