"""Unified ids: the vendor's id and its kind, and back, without a stored table."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import ids

KINDS = st.sampled_from(["employee", "location", "company", "bank_account"])


@given(KINDS, st.text(max_size=60))
def test_an_id_comes_back_as_it_was(kind: str, remote_id: str) -> None:
    unified = ids.encode(kind, remote_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", unified)
    assert ids.decode(kind, unified) == remote_id


@given(KINDS, KINDS, st.text(max_size=30))
def test_an_id_of_another_kind_is_none(kind: str, other: str, remote_id: str) -> None:
    assert (ids.decode(other, ids.encode(kind, remote_id)) == remote_id) == (kind == other)
    assert kind == other or ids.decode(other, ids.encode(kind, remote_id)) is None


@given(st.from_regex(r"[A-Za-z0-9]{24}", fullmatch=True) | st.text(max_size=40))
def test_a_vendors_own_id_passes_through(remote_id: str) -> None:
    """Eight characters of ours at the front do not come about by chance."""
    if not remote_id.startswith("aGcxI"):
        assert ids.decode("employee", remote_id) == remote_id


@pytest.mark.parametrize(
    "remote_id", ["VMB1yzL5uL8VvNNCJc9rykJz", "remote", "GB", "DE-BY", "", "é", "a/b", "=", "x" * 500]
)
def test_ids_that_vendors_have_pass_through(remote_id: str) -> None:
    assert ids.decode("employee", remote_id) == remote_id


def test_an_id_with_anything_added_is_not_that_id() -> None:
    unified = ids.encode("employee", "VMB1yzL5uL8VvNNCJc9rykJz")
    for changed in (unified + "=", unified + "==", unified + "\n", "\n" + unified, unified[:9] + "." + unified[9:]):
        assert ids.decode("employee", changed) in {None, changed}


def test_the_same_record_has_the_same_id_for_ever() -> None:
    """Callers keep them: a change here is a change of every id they have."""
    assert ids.encode("employee", "MnlPc7N7WkpKyXfUElQ9bHIW") == "aGcxIWVtcGxveWVlOk1ubFBjN043V2twS3lYZlVFbFE5YkhJVw"
