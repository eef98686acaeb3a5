"""Two runs of the same scenarios on two endpoints, as the table of a page: where an outcome or a verdict differs.

    python -m tests.tools.compare_endpoints RUN RUN             directories with run.json
    python -m tests.tools.compare_endpoints --run [WORD ...]    makes both runs first (mosquitto, aws_local; seed 1) and
                                                                holds them against the page: `./wmbench test night`

One row a scenario: its outcome on either, and the claims that came out otherwise. docs/models/aws-and-mosquitto.md says
of each "the same", or that it is left out on aws_local, or only there, or differs, and why. What is otherwise than the
page says is named, exit code 1.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from bench.rig.scenario_run import title_of

Claim = tuple[str, str, str, str]
Scenarios = dict[tuple[str, int], tuple[str, dict[Claim, str], str]]
ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "models" / "aws-and-mosquitto.md"
AREAS: Final = ("card", "radio", "portal", "field", "wan")  # smgw has no broker
SAME, LEFT_OUT, ONLY_HERE = "the same", "left out", "only here"
DIFFERS = "differs"  # and the page says why: nothing is held against it
_ROW: Final = re.compile(r"^\| ([^|`]+) \| ((?:the same|left out|only here|differs)[^|]*) \|$", re.M)


def read(directory: Path) -> Scenarios:
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


def rows(one: Scenarios, other: Scenarios) -> list[str]:
    """Lines of a table, one a scenario that stands in both."""
    out = []
    for key in sorted(one.keys() & other.keys()):
        (a, claims_a, said_a), (b, claims_b, said_b) = one[key], other[key]
        differ = differing(claims_a, claims_b)
        shared = len(claims_a.keys() & claims_b.keys())
        same = f"{shared} verdicts, the same" if shared else ""
        what = "; ".join(f"{' / '.join(c[1:])}: {claims_a[c]} and {claims_b[c]}" for c in differ) or same
        if a != b:
            what = "; ".join(filter(None, (what if differ else "", ((said_a or said_b).splitlines() or [""])[0][:200])))
        out.append(f"| `{key[0]}` | {a} | {b} | {what} |")
    return out


def differing(one: Mapping[Claim, str], other: Mapping[Claim, str]) -> list[Claim]:
    """Claims that came out otherwise."""
    return sorted(claim for claim in one.keys() & other.keys() if one[claim] != other[claim])


def said_by(page: str) -> dict[str, str]:
    """Title of a scenario -> what the page says of it."""
    return {title.strip(): what for title, what in _ROW.findall(page)}


def unexplained(mosquitto: Scenarios, aws: Scenarios, page: str) -> list[str]:
    """What the page does not say, a line each."""
    says, out = said_by(page), []
    for key in sorted(aws.keys() | mosquitto.keys()):
        title = title_of(key[0].rpartition("::")[2])
        what = says.get(title)
        skipped = (str(what).startswith(ONLY_HERE), str(what).startswith(LEFT_OUT))
        (a, claims_a, _), (b, claims_b, said) = (run.get(key, ("not run", {}, "")) for run in (mosquitto, aws))
        if what is None:
            out.append(f"{key[0]}: the page does not name it ({title})")
        elif what.startswith(SAME) and (a != b or differing(claims_a, claims_b)):
            out.append(
                f"{key[0]}: the page says the same; {a} and {b}: {[*differing(claims_a, claims_b)]} {said[:200]}"
            )
        elif any(skipped) and (a == "skipped", b == "skipped") != skipped:
            out.append(f"{key[0]}: the page says: {what[:40]}; {a} on mosquitto and {b} on aws_local")
    return out


def run(endpoint: str, words: Iterable[str], runs: Path) -> Path:
    """The run's directory. Raises SystemExit where it came to nothing."""
    place = runs / endpoint
    words = ["run", *words, "--endpoint", endpoint, "--seed", "1", "--runs", str(place)]
    done = subprocess.run([sys.executable, "-m", "bench", *words], cwd=ROOT, check=False)
    found = sorted(place.glob("*/*/run.json"))
    if not found:
        raise SystemExit(f"compare_endpoints: the run on {endpoint} ended with {done.returncode} and left no run.json")
    return found[-1].parent


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("words", nargs="*", help="two runs, or with --run the scenarios")
    parser.add_argument("--run", action="store_true", help="make both runs and hold them against the page")
    asked = parser.parse_args()
    if not asked.run:
        if len(asked.words) != 2:
            raise SystemExit(__doc__)
        print("\n".join(rows(*(read(Path(one)) for one in asked.words))))
        return 0
    with tempfile.TemporaryDirectory(prefix="wmbench-compare-") as folder:
        mosquitto, aws = (read(run(one, asked.words or AREAS, Path(folder))) for one in ("mosquitto", "aws_local"))
    print("\n".join(rows(mosquitto, aws)))
    wrong = unexplained(mosquitto, aws, PAGE.read_text(encoding="utf-8"))
    for line in wrong:
        print(f"compare_endpoints: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
