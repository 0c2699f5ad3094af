"""A vendor as this gateway uses it: its connector and the rules for it."""

from dataclasses import dataclass

from connectors.connector import Connector
from gateway.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class Provider:
    """A connector as this gateway uses it, its base URL set, and its rules with the operator's."""

    connector: Connector
    policy: Policy
