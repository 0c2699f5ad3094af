import time
import pytest
from deploy.sandbox.tokens import TOKENS
from tests.e2e.clients import Sdk
from tests.e2e.company import Company
from tests.e2e.installation import Caller, Installation

def test_try(sdk: Sdk, caller: Caller, company: Company, installation: Installation) -> None:
    for t in TOKENS:
        s=time.time()
        try:
            a = installation.account(t.name)
        except AssertionError as e:
            print(t.name, "refused", e, round(time.time()-s,2)); continue
        company.clear()
        r = Caller(caller.url, caller.key, a).get("/employees?page_size=2")
        print(t.name, r.status, r.headers.get("x-withheld-fields"), r.body[:200] if r.status!=200 else "", [ (c["path"],c["status"]) for c in company.calls()], round(time.time()-s,2))
    for f in ["html_error","garbage_json","truncated_json","wrong_content_type","empty_body","wrong_envelope","deep_json","connection_reset","redirect","server_error","oversized","unauthorized","forbidden","rate_limit"]:
        s=time.time()
        extra = {"retry_after": 30} if f=="rate_limit" else {}
        company.clear()
        with company.fault(f, path="/people", **extra):
            r = caller.get("/employees?page_size=2", cache_control="no-cache")
        print(f, r.status, r.headers.get("retry-after"), r.body, round(time.time()-s,2), len(company.calls("/people")))
        if f=="unauthorized":
            r = caller.get("/employees?page_size=2", cache_control="no-cache")
            print(r.status, r.body)
            print(installation.run("accounts","verify",caller.account))
            time.sleep(2)
            r = caller.get("/employees?page_size=2", cache_control="no-cache")
            print(r.status)
