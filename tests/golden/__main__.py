"""`python -m tests.golden` lists the golden files that differ from the code; with `--write` it rewrites them."""

import asyncio
import sys

from tests.golden.records import HERE, golden_records, pretty, sandbox
from tests.golden.resources import resource_records


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--write"]):
        print("usage: python -m tests.golden [--write]", file=sys.stderr)
        return 2
    differing = 0
    made = asyncio.run(golden_records()) | asyncio.run(resource_records(sandbox()))
    for name, records in made.items():
        path, text = HERE / name, pretty(records)
        if path.exists() and path.read_text() == text:
            print(f"{name}: {len(records)} records, unchanged")
            continue
        differing += 1
        if arguments:
            path.write_text(text)
        print(f"{name}: {len(records)} records, {'written' if arguments else 'differs'}")
    return 0 if arguments else min(differing, 1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
