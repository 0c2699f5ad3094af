"""Humaans' errors: `{code, name, message, issues?}`, where `code` has been seen as a number and as text."""

from typing import Any

LONGEST = 200


def is_fault(body: Any) -> bool:
    """Returns whether a body is an error of Humaans: a code with a name or a message, in either form.

    A numeric code must be an HTTP status. Firewalls use other numbers (Cloudflare from 1000 on).
    """
    if not isinstance(body, dict) or not any(isinstance(body.get(each), str) for each in ("name", "message")):
        return False
    code = body.get("code")
    if isinstance(code, int) and not isinstance(code, bool):
        return 400 <= code < 600
    return isinstance(code, str) and bool(code)


def fault_text(body: Any) -> str:
    """Returns the message of an error and the fields that it blames, shortened; empty for anything else."""
    if not isinstance(body, dict):
        return ""
    parts = [body["message"]] if isinstance(body.get("message"), str) else []
    parts += [f"{name}: {reason}" for name, reason in fault_issues(body)]
    return "; ".join(" ".join(part.split()) for part in parts)[:LONGEST]


def fault_issues(body: Any) -> list[tuple[str, str]]:
    """Returns the fields that an error blames, each with the reason. Two forms of them have been seen."""
    issues = body.get("issues") if isinstance(body, dict) else None
    found = []
    for issue in issues if isinstance(issues, list) else []:
        name = (issue.get("name") or issue.get("path")) if isinstance(issue, dict) else None
        reason = (issue.get("reason") or issue.get("message")) if isinstance(issue, dict) else None
        if isinstance(name, str) and isinstance(reason, str):
            found.append((name[:LONGEST], " ".join(reason.split())[:LONGEST]))
    return found
