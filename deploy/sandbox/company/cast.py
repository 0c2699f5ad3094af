"""The twelve people that every company has beside the real ones: token holders, new hires, leavers, odd ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from deploy.sandbox.model import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the cast. Days are counted from today."""

    first: str
    last: str
    role: str = "user"
    department: str
    title: str
    start: int
    end: int | None = None
    values: JsonObject = field(default_factory=dict)
    """Laid over the generated row."""


OWNER, ADMIN, FINANCE, TECH, MANAGER, USER = range(6)

CAST: tuple[Part, ...] = (
    Part(
        first="Ophelia",
        last="Okafor",
        role="owner",
        department="Executive",
        title="Chief Executive Officer",
        start=-2400,
        values={
            "preferredName": "Phee",
            "pronouns": "she/her",
            "nationality": "British",
            "nationalities": ["British", "Nigerian"],
            "spokenLanguages": ["English", "Igbo"],
        },
    ),
    Part(
        first="Adrián",
        last="Núñez",
        role="admin",
        department="People",
        title="Head of People",
        start=-1900,
        values={"nationality": "Spanish", "nationalities": ["Spanish"], "phoneNumber": "+34 600 555 013"},
    ),
    Part(
        first="Fiona",
        last="O'Neill",
        role="finance",
        department="Finance",
        title="Finance Lead",
        start=-1500,
        values={"middleName": "Aoife", "nationality": "Irish", "nationalities": ["Irish"]},
    ),
    Part(
        first="Theo",
        last="Tamm",
        role="tech",
        department="IT",
        title="IT Administrator",
        start=-1100,
        values={"contractType": "Contractor", "gender": "Non-binary", "pronouns": "they/them"},
    ),
    Part(
        first="Mara",
        last="Müller-Lüdenscheidt",
        role="manager",
        department="Engineering",
        title="Engineering Manager",
        start=-1300,
        values={
            "nationality": "German",
            "nationalities": ["German"],
            "spokenLanguages": ["German", "English"],
        },
    ),
    Part(
        first="Uma",
        last="Usher",
        department="Engineering",
        title="Software Engineer",
        start=-700,
        values={"contractType": "Part time", "workingDays": [{"day": "monday"}, {"day": "thursday"}]},
    ),
    Part(
        first="Nils",
        last="Neumann",
        department="Engineering",
        title="Junior Software Engineer",
        start=24,
        values={"email": None, "contractType": "Intern", "source": "greenhouse", "sourceId": "cand-4711"},
    ),
    Part(
        first="Noor",
        last="van der Berg",
        department="Product",
        title="Product Designer",
        start=61,
        values={"locationId": "remote:0", "nationality": "Dutch", "nationalities": ["Dutch"]},
    ),
    Part(
        first="Leo",
        last="Lindqvist",
        department="Sales",
        title="Account Executive",
        start=-900,
        end=-40,
        values={"leavingReason": "resigned", "turnoverImpact": "regrettable", "leavingNote": "Moved abroad"},
    ),
    Part(
        first="Lorna",
        last="Lee",
        department="Support",
        title="Support Specialist",
        start=-500,
        end=-200,
        values={"leavingReason": "contractEnded", "contractType": "Fixed term", "teams": []},
    ),
    Part(
        first="Emeka",
        last="Eze",
        department="Sales",
        title="Sales Manager",
        start=-800,
        end=30,
        values={"leavingReason": "redundancy", "locationId": "remote:1", "nationality": "Nigerian"},
    ),
    # Words that no enumeration has, characters that break careless HTML and CSV, and much that is not set.
    Part(
        first='Zoë "Zo" <b>',
        last="Žižek & Søn",
        department="R&D",
        title='Researcher "at large"',
        start=-30,
        values={
            "birthday": None,
            "teams": [],
            "gender": "Prefer to self-describe",
            "contractType": "Zero hours (seasonal)",
            "nationality": "Martian",
            "nationalities": ["Martian"],
            "personalPhoneNumber": None,
            "probationEndDate": None,
        },
    ),
)
