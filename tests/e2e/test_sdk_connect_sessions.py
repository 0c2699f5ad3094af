"""StackOne's TypeScript SDK makes a connect session and looks at it again."""

from tests.e2e.clients import Sdk
from tests.e2e.installation import Caller


def test_the_sdk_makes_a_session_and_reads_it_back(sdk: Sdk, caller: Caller) -> None:
    wish = {
        "originOwnerId": "customer-1",
        "originOwnerName": "Customer Ltd",
        "provider": "humaans",
        "categories": ["hris"],
        "expiresIn": 600,
        "multiple": False,
        "type": "test",
    }
    [made] = sdk.call(caller, "createConnectSession", wish, area="connectSessions").bodies
    assert made["authLinkUrl"] == f"{caller.url}/connect/{made['token']}"
    [found] = sdk.call(caller, "authenticateConnectSession", {"token": made["token"]}, area="connectSessions").bodies
    assert isinstance(found["organizationId"], int)
    for name in ("originOwnerId", "originOwnerName", "provider", "categories", "type"):
        assert found[name] == made[name] == wish[name], name
    assert found["createdAt"] == made["createdAt"]


def test_a_bad_request_is_a_typed_error_with_every_fault(sdk: Sdk, caller: Caller) -> None:
    wish = {"originOwnerId": "x", "originOwnerName": "y", "provider": "none", "expiresIn": 1}
    error = sdk.call(caller, "createConnectSession", wish, area="connectSessions").error
    assert error is not None
    assert error["statusCode"] == 400
    assert "provider: " in error["body"]
    assert "expires_in: must be" in error["body"]
