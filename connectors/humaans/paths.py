"""The paths of the Humaans API that callers may use through the proxy, with the scopes for reading and writing them.

Paths and methods are those that published clients call. Scopes are those of the introduction of docs.humaans.io/api and
of partners' guides; where these say nothing, the stricter scope is taken. A path that is not here is closed.
"""

from connectors.connector import VendorPath
from connectors.humaans.scopes import (
    DOCUMENTS,
    DOCUMENTS_WRITE,
    PAY,
    PAY_WRITE,
    PRIVATE,
    PRIVATE_WRITE,
    PUBLIC,
    WEBHOOKS,
)
from connectors.needs import ANY_TOKEN, Need

# The secret address of a person's calendar: present on the token owner's own row.
HIDDEN_OF_PEOPLE = frozenset({"calendarFeedToken"})
# The secret that signs deliveries. Its column is not documented, so every likely name is hidden.
HIDDEN_OF_WEBHOOKS = frozenset({"secret", "signingSecret", "signatureSecret", "signingKey", "token", "headers"})
HIDES = {"/people": HIDDEN_OF_PEOPLE, "/webhooks": HIDDEN_OF_WEBHOOKS, "/webhook-events": HIDDEN_OF_WEBHOOKS}
# A caller who reads the secret of a webhook can forge its deliveries, and a webhook that a caller adds still sends
# after the key or the account is deleted.
MANAGED = frozenset({"/webhooks", "/webhook-events"})

# Letters: list, create, read one, update, delete.
EVERYTHING = "LCRUD"
READING = "LR"

# (path, methods, to read, to write)
TABLE: tuple[tuple[str, str, Need, Need], ...] = (
    ("/people", EVERYTHING, PUBLIC, PRIVATE_WRITE),
    ("/companies", "LRU", PUBLIC, PRIVATE_WRITE),
    ("/locations", EVERYTHING, PUBLIC, PRIVATE_WRITE),
    ("/job-roles", EVERYTHING, PUBLIC, PRIVATE_WRITE),
    ("/compensations", EVERYTHING, PAY, PAY_WRITE),
    ("/compensation-types", EVERYTHING, PAY, PAY_WRITE),
    ("/bank-accounts", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/documents", EVERYTHING, DOCUMENTS, DOCUMENTS_WRITE),
    ("/document-types", "LCRU", DOCUMENTS, DOCUMENTS_WRITE),
    ("/document-folders", EVERYTHING, DOCUMENTS, DOCUMENTS_WRITE),
    ("/identity-documents", EVERYTHING, DOCUMENTS, DOCUMENTS_WRITE),
    ("/identity-document-types", "L", DOCUMENTS, DOCUMENTS_WRITE),
    ("/emergency-contacts", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/equipment", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/equipment-types", "L", PRIVATE, PRIVATE_WRITE),
    ("/equipment-names", "L", PRIVATE, PRIVATE_WRITE),
    ("/time-away", EVERYTHING, PUBLIC, PRIVATE_WRITE),
    ("/time-away-types", EVERYTHING, PUBLIC, PRIVATE_WRITE),
    ("/time-away-policies", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/time-away-allocations", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/time-away-adjustments", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/time-away-periods", READING, PRIVATE, PRIVATE_WRITE),
    ("/public-holidays", "L", PUBLIC, PRIVATE_WRITE),
    ("/public-holiday-calendars", "L", PUBLIC, PRIVATE_WRITE),
    ("/public-holiday-calendar-days", "LCRU", PUBLIC, PRIVATE_WRITE),
    ("/working-patterns", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/working-pattern-allocations", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/custom-fields", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/custom-values", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/timesheet-entries", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/timesheet-submissions", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/webhooks", EVERYTHING, WEBHOOKS, WEBHOOKS),
    ("/webhook-events", READING, WEBHOOKS, WEBHOOKS),
    ("/audit-events", READING, PRIVATE, PRIVATE_WRITE),
    ("/roles", READING, PRIVATE, PRIVATE_WRITE),
    ("/role-members", READING, PRIVATE, PRIVATE_WRITE),
    ("/role-permissions", READING, PRIVATE, PRIVATE_WRITE),
    ("/spaces", EVERYTHING, PRIVATE, PRIVATE_WRITE),
    ("/tasks", READING, PRIVATE, PRIVATE_WRITE),
    ("/okrs", READING, PRIVATE, PRIVATE_WRITE),
    ("/performance-cycles", READING, PRIVATE, PRIVATE_WRITE),
    ("/performance-templates", READING, PRIVATE, PRIVATE_WRITE),
    ("/performance-reviews", READING, PRIVATE, PRIVATE_WRITE),
    ("/performance-instances", READING, PRIVATE, PRIVATE_WRITE),
    ("/performance-ratings", "R", PRIVATE, PRIVATE_WRITE),
    ("/performance-summaries", "R", PRIVATE, PRIVATE_WRITE),
    ("/performance-cycle-peer-nominations", "R", PRIVATE, PRIVATE_WRITE),
    ("/requests", READING, PRIVATE, PRIVATE_WRITE),
    ("/request-types", READING, PRIVATE, PRIVATE_WRITE),
    ("/request-reviews", READING, PRIVATE, PRIVATE_WRITE),
    ("/request-comments", READING, PRIVATE, PRIVATE_WRITE),
    ("/request-activity-logs", READING, PRIVATE, PRIVATE_WRITE),
)


def _rows(path: str, methods: str, read: Need, write: Need) -> list[VendorPath]:
    by_letter = {"L": ("GET", read), "C": ("POST", write)}
    of_one = {"R": ("GET", read), "U": ("PATCH", write), "D": ("DELETE", write)}
    found = []
    for where, letters in ((path, by_letter), (path + "/{id}", of_one)):
        needs = dict(letters[each] for each in methods if each in letters)
        if needs:
            found.append(VendorPath(where, needs, HIDES.get(path, frozenset()), managed=path in MANAGED))
    return found


PATHS: tuple[VendorPath, ...] = (
    VendorPath("/me", {"GET": PUBLIC}, HIDDEN_OF_PEOPLE, shows="/people"),
    VendorPath("/token-info", {"GET": ANY_TOKEN}),
    *(row for each in TABLE for row in _rows(*each)),
)
