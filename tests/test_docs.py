"""What is said twice agrees: the README's rules are the gateway's; commands, settings, paths and names exist."""

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
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OURS = r"(?:gateway|connectors|deploy|tests|config|docs)/[A-Za-z0-9_./-]+|[a-z_]+/[A-Za-z0-9_/-]+\.(?:py|md|toml)"


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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    named = set(re.findall(rf"`({OURS})`", document.read_text()))
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_function_of_the_five_trips_exists() -> None:
    steps = re.findall(r"`([\w/]+\.py)`: ((?:`[\w.]+`(?:, )?)+)", ARCHITECTURE)
    assert len(steps) > 40
    missing = []
    for path, names in steps:
        text = (ROOT / path).read_text()
        for name in re.findall(r"`([\w.]+)`", names):
            definitions = [rf"\b(?:class|def) {each}\b" for each in name.split(".")]
            if not all(re.search(each, text) for each in definitions):
                missing.append(f"{path}: {name}")
    assert missing == []
