"""StackOne's Python client, unmodified. It checks no answers: what this shows is that its requests are taken."""

import json
import subprocess

from tests.e2e.clients import install_python_client
from tests.e2e.company import Company
from tests.e2e.installation import Caller

PROGRAM = """
import json, sys
from stackone_ai import StackOneToolSet
url, key, account = sys.argv[1:]
tools = StackOneToolSet(api_key=key, account_id=account, base_url=url).get_tools("hris_*")
listing, one = tools.get_tool("hris_list_employees"), tools.get_tool("hris_get_employee")
first = listing.execute({"page_size": "100"})
changed = {"updated_after": "2020-01-01T00:00:00Z"}
second = listing.execute({"page_size": "100", "next": first["next"], "filter": changed})
got = one.execute({"id": first["data"][0]["id"]})
print(json.dumps([first, second, got]))
"""


def test_it_lists_everybody_and_gets_one(caller: Caller, company: Company) -> None:
    """Its bare `filter`, which is a fault of its own, is passed over."""
    words = [str(install_python_client()), "-c", PROGRAM, caller.url, caller.key, caller.account]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    first, second, got = json.loads(done.stdout)
    everybody = sorted(each["remote_id"] for each in [*first["data"], *second["data"]])
    assert everybody == sorted(row["id"] for row in company.rows("people"))
    assert second["next"] is None
    assert got["data"] == first["data"][0]
