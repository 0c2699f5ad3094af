"""The list of connectors. A new connector is one more line here."""

from collections.abc import Mapping

from connectors.connector import Connector
from connectors.humaans.connector import HUMAANS

CONNECTORS: Mapping[str, Connector] = {connector.key: connector for connector in (HUMAANS,)}
