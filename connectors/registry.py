"""The connectors that there are: adding one is one line."""

from collections.abc import Mapping

from connectors.humaans.connector import HUMAANS
from connectors.spec import Connector

CONNECTORS: Mapping[str, Connector] = {connector.key: connector for connector in (HUMAANS,)}
