"""Absences, the policies behind them, and what is left of them."""

from connectors.contract import BOOLEAN, DURATION, INSTANT, NUMBER, TEXT, Given, ListOf, Resource, Spec
from connectors.hris import enums
from connectors.hris.parts import REFERENCES

REASON = Resource("reason", {"id": TEXT, "remote_id": TEXT, "name": TEXT})


TIME_OFF_POLICIES = Resource(
    "time_off_policies",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "name": TEXT,
        "description": TEXT,
        "type": enums.TIME_OFF_POLICY_TYPE,
        "duration_unit": enums.TIME_OFF_BALANCE_UNIT,
        "reasons": ListOf(REASON),
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
)


TIME_OFF_BALANCES = Resource(
    "time_off_balances",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "employee_id": TEXT,
        "remote_employee_id": TEXT,
        "policy_id": TEXT,
        "remote_policy_id": TEXT,
        "policy": Spec(TIME_OFF_POLICIES, given=Given.EXPAND),
        "current_balance": NUMBER,
        "initial_balance": NUMBER,
        "balance_unit": enums.TIME_OFF_BALANCE_UNIT,
        "balance_start_date": INSTANT,
        "balance_expiry_date": INSTANT,
        "is_unlimited": BOOLEAN,
        "updated_at": INSTANT,
    },
)


TIME_OFF = Resource(
    "time_off",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "employee_id": TEXT,
        "remote_employee_id": TEXT,
        "approver_id": TEXT,
        "remote_approver_id": TEXT,
        "status": enums.TIME_OFF_STATUS,
        "type": enums.TIME_OFF_TYPE,
        "start_date": TEXT,
        "end_date": TEXT,
        "start_half_day": BOOLEAN,
        "end_half_day": BOOLEAN,
        "duration": DURATION,
        "time_off_policy_id": TEXT,
        "remote_time_off_policy_id": TEXT,
        "reason": REASON,
        "created_at": INSTANT,
        "updated_at": INSTANT,
        "policy": Spec(TIME_OFF_POLICIES, given=Given.EXPAND),
        "comment": TEXT,
    },
)

TIME_OFF_TYPES = Resource("time_off_types", REFERENCES.fields)
