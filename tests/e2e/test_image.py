"""What goes into the image: the locked packages that the gateway needs, all of them and nothing else."""

import re
import tomllib
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

from deploy.runtime_lock import ROOT, canonical, needed, read_lock, roots

LOCK = """\
# made by a tool
own==1.0 \\
    --hash=sha256:aa
    # via product (pyproject.toml)
both==2.0 ; sys_platform != 'win32' \\
    --hash=sha256:bb
    # via
    #   own
    #   tester
Deep.One==3.0 \\
    --hash=sha256:cc
    # via both
tester==4.0 \\
    --hash=sha256:dd
    # via product (pyproject.toml)
only-tested==5.0 \\
    --hash=sha256:ee
    # via tester
"""


def test_what_the_dependencies_need_is_followed_down_with_its_hashes() -> None:
    locked = read_lock(LOCK)
    wanted = roots("[project]\ndependencies = [\"own[fast]>=1,<2; python_version > '3'\"]")
    assert needed(wanted, locked) == {"own", "both", "deep-one"}
    assert "\n".join(locked["deep-one"].lines) == "Deep.One==3.0 \\\n    --hash=sha256:cc\n    # via both"


def test_a_dependency_that_is_not_locked_is_a_fault() -> None:
    with pytest.raises(KeyError, match="other"):
        needed({"other"}, read_lock(LOCK))


def test_the_image_has_all_that_the_gateway_needs_and_no_tool_of_ours() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = needed(roots((ROOT / "pyproject.toml").read_text()), read_lock((ROOT / "requirements.lock").read_text()))
    for line in project["dependencies"]:
        own = Requirement(line)
        below = [Requirement(each) for each in requires(own.name) or ()]
        markers = [{"extra": extra} for extra in ("", *own.extras)]
        wanted = {
            canonical(each.name) for each in below if each.marker is None or any(map(each.marker.evaluate, markers))
        }
        assert wanted | {canonical(own.name)} <= found
    tools = {canonical(Requirement(line).name) for line in project["optional-dependencies"]["dev"]}
    assert not tools & found


def test_every_image_can_be_named_by_digest() -> None:
    """A tag may be another image tomorrow: each has a variable, so that an installation can pin its bytes."""
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    images = [line.split("image: ")[1] for line in compose.splitlines() if line.strip().startswith("image: ")]
    assert [each for each in images if not each.startswith("${")] == ["hris-gateway"]
    stages = [line for line in (ROOT / "deploy" / "Dockerfile").read_text().splitlines() if line.startswith("FROM ")]
    assert [line.split()[1] for line in stages] == ["${PYTHON_IMAGE}"] * 2


def test_every_container_is_hardened_and_the_address_is_asked_for() -> None:
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    services = compose.partition("\nservices:\n")[2].partition("\nnetworks:\n")[0]
    parts = re.split(r"\n(?=  [a-z0-9-]+:\n)", "\n" + services)[1:]
    assert len(parts) == 5
    assert all("<<: *hardened" in part or "<<: *gateway" in part for part in parts)
    assert "PUBLIC_URL:?" in compose
