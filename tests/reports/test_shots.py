"""A shot is found again: its frames, its message, its rows, the same in the control, and its comment in Wireshark."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports import capture, html, shots
from reports.run_model import Run, read_run
from sim.portal.store import fingerprint
from tests.reports import evidence_run
from tests.reports.evidence_run import ORIGINALS, TAKEN_NS, changed
from tests.reports.test_capture import tshark
from tests.reports.test_report_page import HOSTILE, Page


def change(directory: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    path = directory / "run.json"
    body = json.loads(path.read_text())
    edit(body)
    path.write_text(json.dumps(body))
    return directory


def view_of(run: Run, security: str, defences: str) -> shots.ShotView:
    (scenario,) = run.scenarios
    views = shots.views_of(run, scenario)
    (claim,) = [c for c in scenario.claims if (c.security, c.defences) == (security, defences)]
    (view,) = views[id(claim)]
    return view


def test_a_replay_is_not_taken_for_the_telegram_it_repeats(tmp_path: Path) -> None:
    view = view_of(read_run(evidence_run.write(tmp_path)), "mode7", "on")
    assert view.replayed
    assert [(seen.number, seen.receiver, seen.received) for seen in view.frames] == [(8, 0, True), (9, 1, False)]
    assert [seen.number for seen in view.original_frames] == [3]
    assert [seen.number for seen in view.messages] == [11]
    assert [(row.table, row.values["received_ns"]) for row in view.rows] == [("refusals", TAKEN_NS)]
    assert view.rows[0].values["detail"] == "counter 1004"
    assert view.control is not None
    assert [(row.table, row.values["received_ns"]) for row in view.control.rows] == [("readings", TAKEN_NS)]
    assert view.control.control is None


def test_a_forgery_is_found_by_its_own_bytes(tmp_path: Path) -> None:
    view = view_of(read_run(evidence_run.write(tmp_path)), "mode5", "off")
    assert not view.replayed
    assert [seen.number for seen in view.frames] == [6, 7]
    assert [row.table for row in view.rows] == ["readings"]
    assert [field.meaning for field in view.fields if field.differs] == ["access number 174"]


def test_older_runs_and_damaged_shots_are_read(tmp_path: Path) -> None:
    def edit(body: dict[str, Any]) -> None:
        claims = body["scenarios"][0]["claims"]
        for claim in claims[:2]:
            for key in ("shots", "because", "clauses", "borrowed", "false_alarms"):
                del claim[key]
        claims[2]["shots"][0].update(sent_hex="zz", original_hex=None, taken=[["gw"], [], ["gw", "soon"]], alarm=None)
        for world in body["scenarios"][0]["worlds"]:
            del world["settings"]

    directory = change(evidence_run.write(tmp_path), edit)
    (directory / "radio-test-replay-1/on/air.pcapng").write_bytes(b"not a capture at all")
    (directory / "radio-test-replay-1/off/air.pcapng").unlink()
    (directory / "radio-test-replay-1/on/portal/portal.sqlite.gz").write_bytes(b"\x1f\x8b nothing")
    run = read_run(directory)
    assert not run.notes
    view = view_of(run, "mode5", "on")
    assert (view.sent, view.original, view.fields, view.frames, view.rows) == (b"", None, [], [], [])
    shots.comment_captures(run)
    page = Page(html.write_report(directory).read_text())
    assert "none found" in page.text
    assert "No telegram was sent." in page.text
    assert "not in the capture; this run does not say whether a gateway received it" not in page.text
    assert "there is no capture that can be read" in page.text


def test_comments_say_attack_mode_and_verdict_and_come_once(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    run = read_run(directory)
    path = directory / "radio-test-replay-1/on/air.pcapng"
    for _ in range(2):
        shots.comment_captures(run)
        said = {packet.number: packet.comment for packet in capture.packets(path) if packet.comment}
        assert set(said) == {4, 5, 6, 7, 8, 9, 11}
        assert said[8] == "radio.replay, at once, mode 7, defences on: PREVENTED; refused: replayed counter"
        assert len(said[11].splitlines()) == 3
    lines = tshark(path, "-Y", 'frame.comment contains "mode 7"', "-T", "fields", "-e", "frame.number").split()
    assert lines == ["8", "9", "11"]


def test_a_hostile_name_is_no_control_sequence_in_a_comment(tmp_path: Path) -> None:
    def edit(body: dict[str, Any]) -> None:
        for claim in body["scenarios"][0]["claims"]:
            claim.update(attack=HOSTILE, variant="\x1b[31m\n\u202e", why=HOSTILE)
            claim["shots"][0].update(reasons=[HOSTILE], taken=[[HOSTILE, TAKEN_NS]])

    directory = change(evidence_run.write(tmp_path), edit)
    shots.comment_captures(read_run(directory))
    said = "".join(p.comment for p in capture.packets(directory / "radio-test-replay-1/on/air.pcapng"))
    assert HOSTILE[:20] in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)
    text = html.write_report(directory).read_text()
    assert text.count("<script") == 1
    assert not {name for name, _ in Page(text).attributes if name.startswith("on")}


def test_a_capture_outside_the_run_is_left_alone(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path / "run")
    outside = tmp_path / "outside"
    (directory / "radio-test-replay-1/on").rename(outside)
    before = (outside / "air.pcapng").read_bytes()

    def edit(body: dict[str, Any]) -> None:
        body["scenarios"][0]["worlds"][0]["directory"] = "../outside"

    run = read_run(change(directory, edit))
    shots.comment_captures(run)
    assert (outside / "air.pcapng").read_bytes() == before
    assert view_of(run, "mode7", "on").frames == []


def test_the_page_shows_bytes_difference_frame_row_alarm_and_control_side_by_side(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    text = html.write_report(directory, ahead=evidence_run.drawn()).read_text()
    Page(text)
    claim = text[text.index('id="c3"') : text.index('id="c4"')]
    page = Page(f"<main>{claim[claim.index('>') + 1 :].rpartition('</article>')[0]}</main>")
    assert ORIGINALS["mode5"] in claim and changed(ORIGINALS["mode5"]) in claim
    assert "<b>ad</b>" in claim and "<b>ae</b>" in claim
    assert "access number 174" in page.text
    assert "6 at receiver 0 ; not received: 7" in page.text
    assert "packet 11" in page.text
    assert "refused: replayed counter" in page.text
    assert "freshness, EFE 54000001 00 08, 40.0 s after it" in page.text
    assert page.text.index("This world") < page.text.index("The same in the control")
    assert "stored as 1 reading" in page.text[page.text.index("The same in the control") :]
    assert "every shot was refused" in page.text
    assert "✓ arrived: 1 shot" in page.text
    whole = Page(text).text
    assert "changed on the command line portal.age_max_s=600" in whole
    assert "window_s" in whole and "checks acc, mcr" in whole
    assert "numpy 2.4.6" in whole


def shot_changed(directory: Path, **fields: Any) -> Path:
    """Those fields in every shot of run.json."""

    def edit(body: dict[str, Any]) -> None:
        for claim in body["scenarios"][0]["claims"]:
            claim["shots"][0].update(fields)

    return change(directory, edit)


def without_originals(directory: Path, *, limit: str) -> Path:
    """The captures once more, without the meters' frames: cut at `limit`, or whole where it is ""."""
    for path in directory.rglob("air.pcapng"):
        kept = [packet for packet in capture.packets(path) if packet.interface == capture.BROKER or packet.is_attack]
        with capture.Capture(path, evidence_run.CALENDAR) as air:
            if limit:
                air.leave_out(capture.AIR, [evidence_run.HEARD_NS], limit)
            for packet in kept:
                if packet.interface == capture.BROKER:
                    size = int.from_bytes(packet.body[:2], "big")
                    air.message(packet.time_ns, packet.body[2 : 2 + size].decode(), packet.payload)
                else:
                    _, mode, fate, origin = packet.body[:4]
                    air.frame(packet.time_ns, mode, fate, origin, packet.body[5], -6000, packet.telegram)
    return directory


@pytest.mark.parametrize(
    ("limit", "received", "says"),
    [
        ("7 receptions of meters' frames", False, "not in the capture: no gateway received it"),
        ("", None, "not in the capture; this run does not say whether a gateway received it"),
        ("7 receptions of meters' frames", True, "left out of the capture: a gateway received it after the limit, "
         "7 receptions of meters' frames, at t = 0.0 s"),
        ("", True, "not in the capture, which was not cut, although a gateway received it"),
    ],
)  # fmt: skip
def test_why_an_original_is_not_in_the_capture_is_said(
    tmp_path: Path, limit: str, received: bool | None, says: str
) -> None:
    directory = without_originals(evidence_run.write(tmp_path), limit=limit)
    for path in directory.rglob("portal.sqlite.gz"):
        path.unlink()  # a row of the original would be proof that it was received
    view = view_of(read_run(shot_changed(directory, original_received=received)), "mode5", "on")
    assert view.frames and not view.original_frames
    assert view.original_absent == says
    text = html.write_report(directory, ahead=evidence_run.drawn()).read_text()
    assert says in Page(text).text
    assert ("1 left out" in text) == bool(limit)
    assert ("cut</strong> at 7 receptions" in text) == bool(limit)


def test_a_row_of_the_original_proves_that_it_was_received(tmp_path: Path) -> None:
    directory = without_originals(evidence_run.write(tmp_path), limit="7 frames")
    view = view_of(read_run(shot_changed(directory, original_received=False)), "mode5", "on")
    assert view.original_absent.startswith("left out of the capture: a gateway received it after the limit, 7 frames")


def test_the_genuine_row_stands_beside_the_replays_own(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    view = view_of(read_run(directory), "mode7", "off")
    assert [row.values["received_ns"] for row in view.rows] == [TAKEN_NS]
    assert [row.values["received_ns"] for row in view.original_rows] == [evidence_run.HEARD_NS]
    assert not view.original_lost
    text = html.write_report(directory, ahead=evidence_run.drawn()).read_text()
    assert f"the original's bytes: readings, row {view.original_rows[0].place}" in Page(text).text.replace("&#39;", "'")


def test_a_genuine_telegram_that_was_refused_is_shown_as_lost(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    path = directory / "radio-test-replay-1/on/portal/portal.sqlite.gz"
    mark = fingerprint(bytes.fromhex(ORIGINALS["mode5"]))
    loose = path.with_suffix("")
    loose.write_bytes(gzip.decompress(path.read_bytes()))
    path.unlink()
    with contextlib.closing(sqlite3.connect(loose)) as db, db:
        db.execute("DELETE FROM readings WHERE fingerprint = ?", (mark,))
        db.executemany(
            "INSERT INTO refusals (meter, gateway, received_ns, stored_ns, reason, detail, fingerprint, telegram) "
            "VALUES (?, 'gw-0001', ?, ?, 'replayed counter', 'access number 173 was used', ?, ?)",
            [(evidence_run.METER, 10, 11, mark, b"")] * 7,
        )
    view = view_of(read_run(directory), "mode5", "on")
    assert view.original_lost and not view.alarm_of_original
    assert view_of(read_run(directory), "mode5", "off").original_lost is False
    with contextlib.closing(sqlite3.connect(loose)) as db, db:
        db.execute("UPDATE refusals SET stored_ns = ? WHERE received_ns = 10", (evidence_run.ARRIVED_NS,))
    view = view_of(read_run(directory), "mode5", "on")
    assert view.alarm_of_original
    assert len(view.original_rows) == 7
    text = Page(html.write_report(directory, ahead=evidence_run.drawn()).read_text()).text
    assert "refused: its reading is not in the portal" in text
    assert text.count(", as the original was refused") == 1
    assert "access number 173 was used" in text
    where = r"\(same fingerprint, in portal/portal.sqlite.gz\)"
    assert re.search(rf"… and 3 more refusals, rows \d+, \d+, \d+ {where}", text)


def test_what_came_by_the_network_is_not_looked_for_on_the_air(tmp_path: Path) -> None:
    directory = without_originals(evidence_run.write(tmp_path), limit="")
    shot_changed(directory, source=-1, sent_hex="2c44" + "00" * 43, taken=[["gw-0001", TAKEN_NS]] * 11)
    view = view_of(read_run(directory), "mode5", "on")
    assert view.by_network and not view.frames
    text = Page(html.write_report(directory, ahead=evidence_run.drawn()).read_text()).text
    assert "none: sent to the broker, never on the air" in text
    assert "… and 3 more (taken of this shot in run.json)" in text


def test_messages_beyond_those_in_full_are_named_by_their_packets(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    for path in directory.rglob("air.pcapng"):
        packets = list(capture.packets(path))
        with capture.Capture(path, evidence_run.CALENDAR) as air:
            for packet in [*packets, *[packets[-1]] * 8]:
                if packet.interface == capture.BROKER:
                    air.message(packet.time_ns, "gw/gw-0001/up", packet.payload)
                else:
                    _, mode, fate, origin = packet.body[:4]
                    air.frame(packet.time_ns, mode, fate, origin, packet.body[5], -6000, packet.telegram)
    text = Page(html.write_report(directory, ahead=evidence_run.drawn()).read_text()).text
    assert "… and 3 more: packets 17, 18, 19" in text
