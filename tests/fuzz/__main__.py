"""`python -m tests.fuzz` asks a gateway everything that its document allows, and much that it does not, at length.

Each round takes other chances, until the time is over; what is found stops it. `--seed` repeats one round.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.campaign import STATEFUL, Effort, ground, run

PEOPLE = 60
EXAMPLES = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=900, help="begin no round after so long")
    parser.add_argument("--seed", type=int, help="of the first round")
    given = parser.parse_args()
    seed = given.seed or random.randrange(1_000_000)
    began, rounds = time.monotonic(), 0
    while not rounds or time.monotonic() - began < given.seconds:
        effort = Effort(
            examples=EXAMPLES,
            phases=("examples", "coverage", "fuzzing", STATEFUL),
            processes=os.cpu_count() or 2,
            seed=seed + rounds,
        )
        with tempfile.TemporaryDirectory() as folder, ground(Path(folder), PEOPLE) as here:
            found = run(here, effort, Path(folder))
        print(f"fuzz: seed {effort.seed}, {time.monotonic() - began:.0f} s, {'found' if found else 'nothing found'}")
        if found:
            print("\n".join(found))
            return 1
        rounds += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
