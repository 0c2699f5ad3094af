"""A vendor in this gateway: its connector and its policy."""

from dataclasses import dataclass

from connectors.connector import Connector
from gateway.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class Provider:
    """A connector with its base URL, and its rules together with the operator's."""

    connector: Connector
    policy: Policy
