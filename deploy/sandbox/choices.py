"""What the public documentation of Humaans leaves open, and what this sandbox does.

Each attribute is one unknown. Its docstring says what is unknown, what was chosen, and the other form that a client has
to handle. Correct the default here when the real API is known; change it at run time to test how a client handles the
other form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Every guess of the sandbox. The first value of each is the one that seems most likely."""

    limit_above_max: Literal["clamp", "reject"] = "clamp"
    """`$limit` above 250. Chosen: served as 250, and 250 is echoed (Feathers' habit). Other form: 400."""

    unknown_filter: Literal["reject", "ignore"] = "reject"
    """A filter or operator that the resource does not know. Chosen: 400. Other form: not looked at."""

    updated_filter: Literal["honoured", "ignored", "refused"] = "honoured"
    """A comparison of `updatedAt`, never seen in use. Chosen: as of any column. Other forms: not looked at; 400."""

    list_order: Literal["newest_first", "oldest_first", "shuffled"] = "newest_first"
    """Order of lists. Chosen: newest `effectiveDate`, else `createdAt`, first. Other forms: any stable order."""

    field_without_right: Literal["omit", "null"] = "omit"
    """A key of a visible row that the token may not read. Chosen: absent. Other form: null."""

    endpoint_without_right: Literal["forbidden", "not_found", "empty"] = "forbidden"
    """A resource whose scope the token lacks. Chosen: 403. Other forms: 404; an empty list (one row: 404)."""

    invisible_person: Literal["not_found", "forbidden"] = "not_found"
    """One row that exists but that this token may not see. Chosen: 404. Other form: 403."""

    public_token_people: Literal["active_only", "all"] = "active_only"
    """People for `public:read` alone. Chosen: the active, whatever `status` asks. Other form: all statuses."""

    job_roles_with_public_read: Literal["allowed", "forbidden"] = "allowed"
    """Job titles with `public:read`; sources conflict. Chosen: read, without notes. Other form: 403."""

    masked_time_away: Literal["generic_name", "keys_missing", "nulls"] = "generic_name"
    """Others' time off. Chosen: name "Time off", no type, no note. Other forms: no name either; nulls."""

    time_away_pending: Literal["pending", "approved"] = "pending"
    """Status of a newly created time-away. Chosen: pending. Other form: approved at once (company policy)."""

    time_away_periods: Literal["served", "missing"] = "served"
    """`/time-away-periods` was last seen in 2021. Chosen: that shape. Other form: 404, no balances."""

    rate_limit_requests: int = 0
    """Requests a token may make per window; no official number is known. Chosen: 0, no limit."""

    rate_limit_window_seconds: float = 60.0
    """Length of the fixed window in seconds."""

    rate_limit_retry_after: Literal["sent", "absent"] = "sent"
    """`Retry-After` on 429. Chosen: whole seconds. Other form: no such header."""

    error_code: Literal["number", "string"] = "number"
    """`code` of an error body. Chosen: the HTTP status. Other form: a word, issues with `path`, `message`."""

    error_body: Literal["json", "html"] = "json"
    """Form of an error. Chosen: JSON. Other form: an HTML page, as a load balancer would send."""

    create_invalid: Literal["422", "400"] = "422"
    """Status for a body that fails validation. Chosen: 422 with `issues`. Other form: 400."""

    delete: Literal["200", "204"] = "200"
    """Answer to DELETE. Chosen: 200 `{"id", "deleted": true}`. Other form: 204 without a body."""

    location_label: Literal["label", "name"] = "label"
    """Key of a location's name. Chosen: `label`. Other form: `name`."""

    inline_job_role: Literal["off", "on"] = "off"
    """`jobRole` inside a person that is read. Chosen: absent, as in 2022. Other form: the current role."""

    as_of: Literal["honoured", "ignored"] = "honoured"
    """`$asOf` on effective-dated lists. Chosen: only the rows effective that day. Other form: all rows."""

    role_ends: Literal["set", "open"] = "set"
    """`endDate` of a role that another has followed. Chosen: the day before. Other form: none, it is left open."""

    leaver_role: Literal["open", "ended"] = "open"
    """`endDate` of the last role of somebody who has left. Chosen: none. Other form: their last day."""

    token_info: Literal["available", "missing"] = "available"
    """`/token-info`. Chosen: served to any valid token. Other form: 404."""

    webhook_header: str = "x-humaans-signature"
    """Header of the signature, seen in one client only. Other form: another name; empty: not signed."""

    webhook_prefix: str = ""
    """Text before the hexadecimal signature. Chosen: none. Other form: `sha256=`."""

    webhook_secret: Literal["assigned", "given"] = "assigned"
    """Who creates an endpoint's secret. Chosen: the server, which shows it. Other form: the client, never shown."""

    webhook_events: Literal["any", "people_only"] = "any"
    """Event names that an endpoint may want; two are known. Chosen: any. Other form: those of people, else 422."""

    webhook_sending: Literal["when_asked", "on_change"] = "when_asked"
    """Chosen: nothing is sent but by `/_sandbox/webhooks/deliver`. Other form: each change sends its event."""

    def changed(self, wanted: Mapping[str, object]) -> Choices:
        """Returns these choices with others replaced.

        Raises a `ValueError` that lists every name or value that does not exist.
        """
        faults = [fault for name, value in wanted.items() if (fault := _fault(name, value))]
        if faults:
            raise ValueError("; ".join(faults))
        values: dict[str, Any] = dict(wanted)
        return replace(self, **values)

    def as_dict(self) -> dict[str, object]:
        """Returns all choices by name."""
        return asdict(self)


def alternatives() -> dict[str, tuple[str, ...]]:
    """Returns the choices with a fixed set of values, each with its values, the default first."""
    hints = get_type_hints(Choices)
    return {field.name: values for field in fields(Choices) if (values := get_args(hints[field.name]))}


def _fault(name: str, value: object) -> str | None:
    hint = get_type_hints(Choices).get(name)
    if hint is None:
        return f"there is no choice {name!r}"
    values = get_args(hint)
    if values:
        return None if value in values else f"{name} is one of {', '.join(values)}, not {value!r}"
    if hint is str:
        return None if isinstance(value, str) else f"{name} is a text, not {value!r}"
    number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return None if number else f"{name} is a number of at least 0, not {value!r}"
