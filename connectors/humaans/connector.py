"""The Humaans connector: where it is, how it is asked, and which tables answer which resource."""

from connectors.connector import Connector, QueryWords
from connectors.exchange import BearerToken, CredentialField, Guide
from connectors.humaans.endpoints import ENDPOINTS, UNANSWERED
from connectors.humaans.events import EVENTS
from connectors.humaans.faults import fault_issues, fault_text, is_fault
from connectors.humaans.linking import check_token, verify
from connectors.humaans.lists import CONSEQUENCES
from connectors.humaans.paths import HIDDEN_OF_PEOPLE, PATHS
from connectors.humaans.scopes import SCOPES
from connectors.humaans.writes.employees import WRITES as EMPLOYEE_WRITES
from connectors.humaans.writes.employments import WRITES as EMPLOYMENT_WRITES
from connectors.humaans.writes.time_off import WRITES as TIME_OFF_WRITES
from connectors.humaans.writes.work_eligibility import WRITES as WORK_ELIGIBILITY_WRITES
from connectors.paging import OffsetPaging

HUMAANS = Connector(
    key="humaans",
    name="Humaans",
    base_url="https://app.humaans.io/api",
    auth=BearerToken(
        credential=CredentialField(
            key="apiToken",
            label="API Token",
            pattern="[A-Za-z0-9]{32}",
            advice="In Humaans: the menu beside your name, API access tokens, Generate new token. It is shown once.",
            guide=Guide(
                who="An Owner or Admin of your company in Humaans: a token sees what the person who made it sees.",
                steps=(
                    "In Humaans, open the *⋮* menu beside your name and choose *API access tokens*.",
                    "Choose *Generate new token* and name it after this product.",
                    "Tick these scopes and no others:",
                    "Generate the token and copy it at once: Humaans shows it only this one time.",
                ),
                scopes_step=2,
            ),
        )
    ),
    # Offset paging is the only kind; 250 rows is the most that a page holds.
    paging=OffsetPaging(limit="$limit", offset="$skip", size=250, created="createdAt", updated="updatedAt"),
    scopes=SCOPES,
    granter="an Owner or Admin of the company in Humaans, under API access tokens",
    endpoints=ENDPOINTS,
    writes=(*EMPLOYEE_WRITES, *EMPLOYMENT_WRITES, *TIME_OFF_WRITES, *WORK_ELIGIBILITY_WRITES),
    unanswered=UNANSWERED,
    paths=PATHS,
    verify=verify,
    check_token=check_token,
    never=HIDDEN_OF_PEOPLE,
    # Comparisons that published clients send, and the two parameters of paging. `$asOf` chooses by a date of roles and
    # pay. The rest of what Feathers knows ($or, $sort, $select, $search) is not documented for this API.
    query_words=QueryWords(
        parameters=frozenset({"$limit", "$skip", "$asOf"}),
        operators=frozenset({"$in", "$nin", "$ne", "$gt", "$gte", "$lt", "$lte"}),
    ),
    is_fault=is_fault,
    fault_text=fault_text,
    fault_issues=fault_issues,
    consequences=CONSEQUENCES,
    events=EVENTS,
)
