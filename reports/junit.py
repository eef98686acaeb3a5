"""junit.xml for CI: a test case for each seed of a scenario, made from the same records as the page.

JUnit knows failure (the thing under test is wrong) and error (nothing can be said about it). A failed scenario is a
failure that lists its claims that do not hold and its measures outside their limits; an inconclusive or interrupted one
is an error, so that no CI turns green on it. Seed, digests, verdicts and the replay command are properties.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

from reports.run_model import Run, Scenario, read_run
from reports.wording import claim_text

_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(run_directory: Path, run: Run | None = None) -> Path:
    """Write junit.xml into the run directory. `run`: what is in it, where it was read already. Raises RunError and
    OSError."""
    path = run_directory / "junit.xml"
    tree = ET.ElementTree(as_xml(run or read_run(run_directory)))
    ET.indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)
    return path


def as_xml(run: Run) -> ET.Element:
    """A `testsuites` element with one suite: a case for each scenario."""
    outcomes = [scenario.outcome for scenario in run.scenarios]
    counts = {
        "tests": len(outcomes),
        "failures": outcomes.count("failed"),
        "skipped": outcomes.count("skipped"),
        "errors": sum(outcome not in ("passed", "failed", "skipped") for outcome in outcomes),
    }
    texts = {key: str(value) for key, value in counts.items()} | {"time": f"{run.duration_s:.3f}"}
    root = ET.Element("testsuites", {"name": "wmbench", **texts})
    named = {"name": _legal(run.name or "run"), "timestamp": _legal(run.started), **texts}
    suite = ET.SubElement(root, "testsuite", named)
    _properties(suite, [
        ("outcome", run.outcome), ("seed", str(run.seed)), ("command", run.command), ("commit", run.commit),
        ("endpoint", run.endpoint), ("machine", run.machine), *([("firmware", run.firmware)] if run.firmware else []),
        *(("left out", reason) for reason in run.left_out), *(("note", note) for note in run.notes),
    ])  # fmt: skip
    for scenario in run.scenarios:
        suite.append(_case(scenario))
    return root


def _case(scenario: Scenario) -> ET.Element:
    path, _, function = scenario.id.partition("::")
    inside, _, function = function.partition("[")[0].rpartition("::")
    classname = ".".join([path.removesuffix(".py").strip("/").replace("/", "."), *inside.split("::")]).strip(".")
    case = ET.Element(
        "testcase", classname=_legal(classname),
        name=_legal(scenario.case or function or scenario.title or scenario.id), time=f"{scenario.duration_s:.3f}",
    )  # fmt: skip
    _properties(case, [
        ("seed", str(scenario.seed)), ("replay", scenario.replay), ("threats", " ".join(scenario.threats)),
        *(("digest", f"{' '.join((world.role, world.variant)).strip()} {world.digest}") for world in scenario.worlds),
        *(("verdict", claim_text(claim)) for claim in scenario.claims),
        *(("measure", f"{m.name} = {m.value} {m.unit} (limit {m.limit}): {'ok' if m.ok else 'outside'}")
          for m in scenario.measures),
    ])  # fmt: skip
    if scenario.outcome == "skipped":
        ET.SubElement(case, "skipped", message=_legal(scenario.message))
    elif scenario.outcome != "passed":
        lines = [claim_text(claim) for claim in scenario.claims if not claim.holds]
        lines += [f"{m.name} = {m.value} {m.unit}, limit {m.limit}" for m in scenario.measures if not m.ok]
        lines += [f"replay: {scenario.replay}"] if scenario.replay else []
        lines += [scenario.traceback] if scenario.traceback else []
        text = "\n".join([scenario.message, *lines]).strip()
        result = ET.SubElement(
            case, "failure" if scenario.outcome == "failed" else "error", type=_legal(scenario.outcome),
            message=_legal(text.partition("\n")[0]),
        )  # fmt: skip
        result.text = _legal(text)
    return case


def _properties(parent: ET.Element, pairs: list[tuple[str, str]]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in pairs:
        ET.SubElement(properties, "property", name=name, value=_legal(value))


def _legal(text: str) -> str:
    """XML 1.0 has no way to write most control characters; a hostile name may hold them."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
