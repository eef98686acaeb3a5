"""All documents of a run of scenarios, in the order in which they need each other: what is hashed is written first."""

from __future__ import annotations

from pathlib import Path

from reports import html, junit, navigator, oscal, pictures, shots
from reports.run_model import read_run


def write_all(run_directory: Path, *, just_run: bool = False) -> Path:
    """Comments in the captures, junit.xml, OSCAL, the Navigator layer, report.html; returns the last. Written again,
    each is the same. `just_run`: by this process and its workers, whose pictures are taken as they were drawn. Raises
    RunError, and OSError when the disk is full."""
    run = read_run(run_directory)
    ahead = pictures.drawn_ahead(run_directory)
    sent = shots.all_views(run)  # captures and tables are read once, for all that show them
    shots.comment_captures(run, sent)
    junit.write_junit(run_directory, run)
    oscal.write_oscal(run_directory, run, sent)
    navigator.write_navigator(run_directory, run)
    return html.write_report(run_directory, run=run, sent=sent, ahead=ahead if just_run else {})
