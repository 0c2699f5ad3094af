"""The words that generated rows are made of, common ones and ones that no enumeration knows."""

FIRST_NAMES = (
    "Ada", "Ahmed", "Aiko", "Amélie", "Anders", "Beatriz", "Björn", "Chidi", "Chloé", "Daniel", "Elif",
    "Emma", "François", "Grace", "Hana", "Ibrahim", "Inés", "Jakub", "Jonas", "Kofi", "Leila", "Łukasz",
    "Mei", "Nadia", "Olga", "Oscar", "Priya", "Quentin", "Rosa", "Samuel", "Siobhán", "Tomáš", "Ulla",
    "Victor", "Wei", "Yara",
)  # fmt: skip

LAST_NAMES = (
    "Abara", "Becker", "Bianchi", "Carvalho", "Chen", "D'Angelo", "Dubois", "Fernández", "Fischer",
    "García", "Haddad", "Ivanova", "Jensen", "Kowalski", "Kumar", "Larsson", "López", "Moreau",
    "Nakamura", "Novák", "O'Brien", "Öztürk", "Patel", "Quinn", "Rossi", "Sato", "Smith-Jones",
    "Søndergaard", "Tanaka", "Ueda", "Varga", "Wójcik", "Yüksel",
)  # fmt: skip

GENDERS = (("Female", 46), ("Male", 45), ("Non-binary", 4), ("Agender", 1), (None, 4))

CONTRACTS = (
    ("Full time", 74),
    ("Part time", 12),
    ("Contractor", 8),
    ("Intern", 4),
    ("Werkstudent", 1),
    (None, 1),
)

NATIONALITIES = (
    ("British", 30), ("German", 14), ("Spanish", 10), ("French", 8), ("Polish", 7), ("American", 9), ("Indian", 8),
    ("Australian", 4), ("Cornish", 1), (None, 9),
)  # fmt: skip

LANGUAGES = ((("English",), 50), (("English", "German"), 20), (("English", "Spanish"), 15), ((), 15))

TEAMS = (
    ((), 30), (("Moonshot",), 15), (("Growth Pod",), 15), (("Payroll",), 10), (("Retention",), 10),
    (("Moonshot", "Engagement"), 10), (("Café & Crème",), 10),
)  # fmt: skip

LEAVING = ("resigned", "dismissed", "redundancy", "contractEnded", "other")

# Department, then its titles from the least to the most senior.
DEPARTMENTS = (
    (
        "Engineering",
        ("Junior Software Engineer", "Software Engineer", "Senior Software Engineer", "Staff Engineer"),
    ),
    ("Product", ("Associate Product Manager", "Product Manager", "Senior Product Manager", "Product Lead")),
    (
        "Sales",
        ("Sales Representative", "Account Executive", "Senior Account Executive", "Sales Lead"),
    ),
    ("Support", ("Support Specialist", "Senior Support Specialist", "Support Lead", "Head of Support")),
    (
        "Marketing",
        ("Marketing Assistant", "Marketing Manager", "Senior Marketing Manager", "Head of Marketing"),
    ),
    ("Finance", ("Accountant", "Senior Accountant", "Finance Manager", "Controller")),
)
