"""`frame decode --jsonl`: a line in, a line out, at once, whatever comes in and whoever leaves."""

from __future__ import annotations

import json
import subprocess
import sys

from sim.lines.codecs.port import CODECS
from sim.lines.reception import Reception, stamp
from tests.bench.command_line import PATIENCE_S, TRACE, Rig
from tests.bench.conftest import Here
from tests.bench.frame.frame_rig import FRAME, KEY, VECTORS, answers, fed

GOOD = json.dumps({"telegram": FRAME.hex(), "key": KEY}).encode()


HOSTILE = [
    (b"", "bad-json"),
    (b"nonsense", "bad-json"),
    (b'{"telegram": ', "bad-json"),
    (b"\x00\xff\x80binary", "bad-json"),
    (b"[" * 30_000, "bad-json"),
    (b'{"telegram": ' + b"9" * 5_000 + b"}", "bad-json"),
    (b"[1, 2]", "bad-line"),
    (b"null", "bad-line"),
    (b"{}", "bad-line"),
    (b'{"telegram": 5}', "bad-line"),
    (b'{"telegram": null}', "bad-line"),
    (b'{"telegram": "zz"}', "bad-hex"),
    (b'{"telegram": "4e4"}', "bad-hex"),
    (b'{"telegram": "\\ud800"}', "bad-hex"),
    (b'{"telegram": ""}', "too-short"),
    (b'{"telegram": "' + b"4e" * 2_000 + b'"}', "length-mismatch"),
    (b'{"telegram": "' + b"4e" * 100_000 + b'"}', "too-long"),
    (b'{"telegram": "' + FRAME.hex().encode() + b'", "key": "12"}', "bad-key"),
    (b'{"telegram": "' + FRAME.hex().encode() + b'", "key": 7}', "bad-key"),
    (b'{"telegram": "' + FRAME.hex().encode() + b'", "key": null}', "key-missing"),
    (b'{"telegram": "' + FRAME.hex().encode() + b'", "key": "' + b"00" * 16 + b'"}', "wrong-key"),
]


def test_the_stream_goes_on_whatever_comes_in(here: Here) -> None:
    """A good line between each two hostile ones, all to one process."""
    lines = [line for hostile, _ in HOSTILE for line in (GOOD, hostile)]
    out = answers(here, [*lines, GOOD], "decode", "--jsonl")
    assert len(out) == 2 * len(HOSTILE) + 1
    assert all(good == out[0] and "error" not in good for good in out[::2])
    for (line, reason), bad in zip(HOSTILE, out[1::2], strict=True):
        assert set(bad["error"]) == {"reason", "detail", "offset"}
        assert (bad["error"]["reason"], bool(bad["error"]["detail"])) == (reason, True), (line[:80], bad)
        if b"key" in line:
            assert bad["manufacturer"] == "TCH"  # what was readable


def test_every_published_telegram_has_its_line(here: Here) -> None:
    lines = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    fed_in = [json.dumps({"telegram": one["hex"], "key": one["key"]}).encode() for one in lines]
    out = answers(here, fed_in, "decode", "--jsonl", "--lenient")
    assert len(out) == len(lines) == 345
    read = [one for one in out if "error" not in one]
    assert len(read) >= 280
    assert {one["manufacturer"] for one in out if "manufacturer" in one} >= {"TCH", "QDS", "KAM"}


def test_a_key_for_all_lines_that_have_none(here: Here) -> None:
    line = json.dumps({"telegram": FRAME.hex()}).encode()
    [one] = answers(here, [line], "decode", "--jsonl", "--key", KEY)
    assert one["records"][0]["value"] == 2


def test_a_line_without_its_end_and_an_empty_stream(here: Here) -> None:
    assert json.loads(fed(here, GOOD, "decode", "--jsonl").stdout)["id"] == "14542076"
    done = fed(here, b"", "decode", "--jsonl")
    assert (done.returncode, done.stdout) == (0, "")


def test_each_line_is_answered_at_once(rig: Rig) -> None:
    """A program that asks and waits for the answer before it asks again."""
    process = rig.start("frame", "decode", "--jsonl", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for _ in range(3):
        process.stdin.write(GOOD.decode() + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == "14542076"
    process.stdin.close()
    assert process.wait(timeout=PATIENCE_S) == 0


def test_a_reader_that_leaves_ends_the_stream(rig: Rig) -> None:
    endless = f"yes '{GOOD.decode()}' | '{sys.executable}' -m bench frame decode --jsonl | head -1"
    done = subprocess.run(
        ["sh", "-c", endless], cwd=rig.folder, env=rig.environment(), capture_output=True, timeout=PATIENCE_S
    )
    assert json.loads(done.stdout)["id"] == "14542076"
    assert TRACE.encode() not in done.stderr


def test_a_long_stream_is_answered_line_for_line(here: Here) -> None:
    done = fed(here, (GOOD + b"\n") * 5_000, "decode", "--jsonl")
    assert done.stdout == fed(here, GOOD + b"\n", "decode", "--jsonl").stdout * 5_000


def test_lines_of_tools_are_lines_of_a_stream(here: Here) -> None:
    """As they are, or as the member telegram; a row needs the row of names before it, and has an answer of its own."""
    one = Reception(FRAME, -71.0, stamp("2026-02-09T04:01:02"), mode="T1")
    names, row = CODECS.find("rtl_433-csv").write(one).splitlines()
    written = [CODECS.find(name).write(one).splitlines()[-1] for name in ("rtl_wmbus", "cul", "fhem", "esphome")]
    as_member = [json.dumps({"telegram": line.decode(), "key": KEY}).encode() for line in written]
    event = CODECS.find("rtl_433-json").write(one).strip()
    out = answers(here, [*written, event, names, row, *as_member, b"12,-71,2ezz"], "decode", "--jsonl", "--key", KEY)
    assert len(out) == 2 * len(written) + 4
    torn, nothing = out.pop(), out.pop(5)
    assert nothing["error"] == {"reason": "bad-line", "detail": "no telegram in this line", "offset": 0}
    assert torn["error"]["reason"] == "bad-line"
    for answer in out:
        assert [record["value"] for record in answer["records"]][:2] == [2, 25], answer
    assert out[0]["reception"] == {"rssi_dbm": -71.0, "time": "2026-02-09 04:01:02.000", "mode": "T1"}
    assert [answer["reception"] for answer in out[6:]] == [answer["reception"] for answer in out[:4]]
    assert out[4]["odd"][0]["detail"].startswith("L is 76, two too small")
