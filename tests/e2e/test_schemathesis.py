"""Schemathesis, for as long as a test may take: no 5xx, and no status, header or field that the document does not have.

`make fuzz` does the same at length.
"""

from pathlib import Path

from tests.fuzz.campaign import Effort, ground, run

FEW = Effort(examples=8, phases=("examples", "fuzzing"), processes=2)


def test_the_gateway_answers_as_its_document_says(tmp_path: Path) -> None:
    with ground(tmp_path, people=60) as here:
        found = run(here, FEW, tmp_path)
    assert not found, "\n".join(found)
