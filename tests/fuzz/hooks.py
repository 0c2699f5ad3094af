"""What Schemathesis is not to ask, since it would take the answer for a fault."""

from typing import Any

import schemathesis

LISTS = ("fields", "expand", "include")


@schemathesis.hook
def filter_case(context: Any, case: schemathesis.Case[Any]) -> bool:  # noqa: ARG001 - a hook
    """Leave out lists with a blank name in them: between commas, nothing and white space are passed over."""
    return not any(_has_blank(case.query[name]) for name in LISTS if name in case.query)


def _has_blank(value: Any) -> bool:
    names = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    return any(not name.strip() if isinstance(name, str) else name in (None, [], {}) for name in names)
