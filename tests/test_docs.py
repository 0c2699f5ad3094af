"""What is said twice agrees: the README's rules are the gateway's, and its commands and settings exist."""

import re
from pathlib import Path

import pytest

from connectors.hris.operations import OPERATIONS
from connectors.registry import CONNECTORS
from gateway.app.routes import OPEN_ROUTES
from gateway.cli.parser import make_parser
from gateway.cli.rules import as_markdown, rows
from gateway.settings.load import SettingsError, read_settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)
    assert found is not None
    return found[1].strip()


def test_the_rules_in_the_readme_are_those_of_the_gateway() -> None:
    """`make readme` writes them anew."""
    assert block("rules") == as_markdown(rows(OPERATIONS, CONNECTORS.values(), OPEN_ROUTES))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"GATEWAY_[A-Z]+_[A-Z_]*[A-Z]", README))))
def test_every_setting_that_the_readme_names_exists(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({name: "nonsense", "GATEWAY_SERVER_NONSENSE": ""}, CONNECTORS)
    unknown = {fault.partition(" is not a setting")[0] for fault in caught.value.faults}
    assert "GATEWAY_SERVER_NONSENSE" in unknown
    assert name not in unknown


@pytest.mark.parametrize(
    "line", re.findall(r"^python -m gateway (keys create.*?|accounts link.*?)(?: <| +#)", README, re.MULTILINE)
)
def test_every_command_of_the_readme_is_one(line: str) -> None:
    make_parser(CONNECTORS).parse_args(line.split())
