"""The parts of a whole journey, started once: a company, an installation that has it as vendor, a gateway, an SDK."""

from collections.abc import Iterator

import pytest

from tests.e2e.browsing import Browser, running_browser
from tests.e2e.clients import Sdk, running_sdk
from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation
from tests.e2e.processes import Server, serving

PEOPLE = 130


@pytest.fixture(scope="session")
def running_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    log = tmp_path_factory.mktemp("company") / "sandbox.log"
    with serving(["deploy.sandbox", "--port", "0", "--people", str(PEOPLE)], {}, log) as server:
        yield Company(server)


@pytest.fixture
def company(running_company: Company) -> Iterator[Company]:
    """Returns the one company, with no faults and no calls of other tests."""
    running_company.clear()
    yield running_company
    running_company.clear()


@pytest.fixture(scope="session")
def installation(running_company: Company, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), running_company)


@pytest.fixture(scope="session")
def gateway(installation: Installation) -> Iterator[Server]:
    """Returns a gateway with all settings at their defaults, but for its patience with Redis."""
    with installation.gateway() as server:
        yield server


@pytest.fixture(scope="session")
def caller(gateway: Server, installation: Installation) -> Caller:
    """Returns a caller who may do everything."""
    return Caller(gateway.url, installation.key(), installation.account())


@pytest.fixture(scope="session")
def sdk() -> Iterator[Sdk]:
    with running_sdk() as sdk:
        yield sdk


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Returns the one browser; a test begins with its step `fresh`."""
    with running_browser() as browser:
        yield browser
