"""What the page tells a reader to type, typed: in an unpacked archive, with tshark, sqlite3 and grep alone."""

from __future__ import annotations

import html as entities
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from bench.cli.pack import pack
from reports import by_hand, documents, shots
from reports.run_model import read_run
from tests.reports import evidence_run
from tests.reports.evidence_run import changed

NEEDED = ("tshark", "sqlite3", "python3")
PATIENCE_S = 120


def steps_on_the_page(text: str) -> dict[str, list[tuple[str, str]]]:
    """Anchor of a shot -> (what, command), its own and the control's."""
    found = {}
    for shot in re.split(r'(?=<details class="shot" )', text)[1:]:
        anchor = re.match(r'<details class="shot" id="([\w-]+)"', shot)
        if anchor:
            lists = "".join(re.findall(r'<dl class="hand">.*?</dl>', shot.partition("</article>")[0], re.S))
            typed = re.findall(r"<dt>(.*?)</dt><dd><code>(.*?)</code>", lists)
            found[anchor[1]] = [(re.sub(r"<.*?>", "", what), entities.unescape(command)) for what, command in typed]
    return found


@pytest.mark.skipif(
    any(shutil.which(one) is None for one in NEEDED), reason="allowed: tshark, sqlite3 or python3 is not on the PATH"
)
def test_every_command_on_the_page_finds_the_shot_in_the_archive(tmp_path: Path) -> None:
    run = evidence_run.write(tmp_path / "runs" / "radio" / "2026-01-12T08-00-00")
    documents.write_all(run)
    with zipfile.ZipFile(pack(run).path) as file:
        file.extractall(tmp_path / "out")
    shutil.rmtree(tmp_path / "runs")
    (root,) = (tmp_path / "out").iterdir()
    steps = steps_on_the_page((root / "report.html").read_text(encoding="utf-8"))
    sent = changed(evidence_run.ORIGINALS["mode5"])
    said = {}
    for what, command in steps["c3-1"]:
        done = subprocess.run(
            command, shell=True, cwd=root, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        said.setdefault(what.partition(":")[0], done.stdout)
        shows = what.partition(": shows ")[2]
        octets = "".join(re.findall(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+) ", done.stdout, re.M)).replace(" ", "")
        assert (sent if shows == "the bytes sent" else shows) in (octets or done.stdout), what
    assert set(said) == {
        *("fingerprint", "frame", "message", "row of refusals", "refusal in the history", "alarm in the history"),
        "row of readings",
    }
    assert sent.upper() in said["row of refusals"]
    assert len([what for what, _ in steps["c3-1"] if what.startswith("frame")]) == 2  # the control's own beside it


def test_nothing_is_told_of_what_was_not_sent_or_left_nothing(tmp_path: Path) -> None:
    run = read_run(evidence_run.write(tmp_path))
    (scenario,) = run.scenarios
    (view, *_) = next(iter(shots.views_of(run, scenario).values()))
    assert "tshark" in " ".join(step.command for step in by_hand.steps(view))
    view.frames, view.messages, view.rows = [], [], []
    assert "tshark" not in " ".join(step.command for step in by_hand.steps(view))
    view.sent = b""
    assert by_hand.steps(view) == []


def test_a_hostile_name_is_one_word_of_the_shell(tmp_path: Path) -> None:
    run = read_run(evidence_run.write(tmp_path))
    (scenario,) = run.scenarios
    views = [view for some in shots.views_of(run, scenario).values() for view in some if view.shot.alarm]
    view = views[0]
    view.directory = "$(touch broken); '"
    for step in by_hand.steps(view):
        if "air.pcapng" in step.command or "events.jsonl" in step.command:
            subprocess.run(step.command, shell=True, cwd=tmp_path, capture_output=True, timeout=PATIENCE_S, check=False)
    assert not (tmp_path / "broken").exists()
