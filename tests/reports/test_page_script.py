"""The page's script in a browser: a link to a verdict opens it, whatever hides it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports import html
from tests.reports import evidence_run

PATIENCE_S = 240
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(BROWSER is None, reason="allowed: no chromium on the PATH")
@pytest.mark.parametrize(("anchor", "opened"), [("c3", {"c3-1"}), ("c5-1", {"c5-1"}), ("%", set())])
def test_a_link_to_a_verdict_opens_its_first_shot(tmp_path: Path, anchor: str, opened: set[str]) -> None:
    page = html.write_report(evidence_run.write(tmp_path / "run"), ahead=evidence_run.drawn())
    done = subprocess.run(
        [str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}",
         "--dump-dom", f"file://{page}#{anchor}"],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert '<form id="filter">' in done.stdout, done.stderr  # the script ran to its end: it shows the filter
    assert set(re.findall(r'<details class="shot" id="([\w-]+)" open', done.stdout)) == opened
