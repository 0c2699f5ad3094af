"""The connectors that there are: adding one is one line."""

from collections.abc import Mapping

from connectors.connector import Connector
from connectors.humaans.connector import HUMAANS

CONNECTORS: Mapping[str, Connector] = {connector.key: connector for connector in (HUMAANS,)}
