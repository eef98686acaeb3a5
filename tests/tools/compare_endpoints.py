"""Two runs of the same scenarios on two endpoints, as the table of a page: where an outcome or a verdict differs.

    python -m tests.tools.compare_endpoints RUN RUN       directories with run.json

One row a scenario: its outcome on either, and the claims that came out otherwise. `docs/models/aws-and-mosquitto.md`
was made with it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

Claim = tuple[str, str, str, str]


def read(directory: Path) -> dict[tuple[str, int], tuple[str, dict[Claim, str], str]]:
    """(scenario, seed) -> its outcome, the verdict of each claim, and what was said. Raises SystemExit."""
    try:
        body: dict[str, Any] = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SystemExit(f"compare_endpoints: {directory}: {error}; name a directory with run.json") from None
    found = {}
    for one in body["scenarios"]:
        claims = {
            (claim["attack"], claim["variant"], claim["security"], claim["defences"]): str(claim["verdict"])
            for claim in one.get("claims", [])
        }
        found[one["id"], int(one.get("seed") or 0)] = (str(one["outcome"]), claims, str(one.get("message", "")))
    return found


def rows(first: Path, second: Path) -> list[str]:
    """Lines of a table, one a scenario that stands in both."""
    one, other = read(first), read(second)
    out = []
    for key in sorted(one.keys() & other.keys()):
        (a, claims_a, said_a), (b, claims_b, said_b) = one[key], other[key]
        differ = sorted(claim for claim in claims_a.keys() & claims_b.keys() if claims_a[claim] != claims_b[claim])
        shared = len(claims_a.keys() & claims_b.keys())
        same = f"{shared} verdicts, the same" if shared else ""
        what = "; ".join(f"{' / '.join(c[1:])}: {claims_a[c]} and {claims_b[c]}" for c in differ) or same
        if a != b:
            what = "; ".join(filter(None, (what if differ else "", (said_a or said_b).splitlines()[0][:200])))
        out.append(f"| `{key[0]}` | {a} | {b} | {what} |")
    return out


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    print("\n".join(rows(*map(Path, sys.argv[1:]))))
