"""How soon after the end of a frame on the air its first byte is at the interface: 100 frames/s, each to 8 feeders at
once (dongles on pseudo terminals, lines on one, JSON over TCP), read by a process of their own.

    python -m bench.perf.feeding --seconds 3600 --real-time

Wall time, of a machine that others may share: with --real-time the clock goes before them, where that is permitted. The
line's own time is apart: an interface of 9 600 bit/s takes as long as it takes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sim.core.clock import NS_PER_MS, NS_PER_S, Steps, ns
from sim.core.percentile import percentile
from sim.core.wall_clock import WallClock
from sim.feeders.handed import Handed
from sim.feeders.kinds.codec import CodecFeeder, CodecSpec
from sim.feeders.lines.pty import PtySpec
from sim.feeders.lines.tcp import TcpSpec
from sim.feeders.port import FeedGround, Sent

FORMATS = ("im871a", "im871a", "amb8465", "amb8465", "cul", "rc1180", "rtl_wmbus", "rtl_433-json")
FRAMES_A_SECOND = 100
FRAME = bytes((73,)) + bytes.fromhex("4493157856341233037a") + bytes(63)
_READER = """
import os, select, socket, sys, tty
ends, kept = [], []
for place in sys.argv[1:]:
    if place.startswith("/"):
        end = os.open(place, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(end)
        os.write(end, b"brt\\r\\n")
    else:
        host, port = place.rsplit(":", 1)
        kept.append(socket.create_connection((host, int(port))))
        end = kept[-1].fileno()
    ends.append(end)
print("ready", flush=True)
while True:
    for end in select.select(ends, [], [])[0]:
        os.read(end, 65536)
"""


def feed(
    seconds_s: float, frames_a_second: int = FRAMES_A_SECOND, *, real_time: bool = False
) -> tuple[Handed, WallClock]:
    """What all feeders together measured, and the clock with its lateness."""
    clock = WallClock(real_time=real_time)
    with contextlib.ExitStack() as stack:
        stack.callback(clock.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wmbench-feed-")))
        feeders = []
        for at, format_ in enumerate(FORMATS):
            line = TcpSpec() if format_ == "rtl_433-json" else PtySpec(link=f"port{at}")
            feeder = CodecFeeder(CodecSpec(format=format_, line=line), FeedGround(folder))
            feeder.start()
            stack.callback(feeder.stop)
            feeders.append(feeder)
        words = [sys.executable, "-c", _READER, *(feeder.place for feeder in feeders)]
        reader = stack.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE))
        stack.callback(reader.kill)
        assert reader.stdout is not None
        reader.stdout.readline()
        time.sleep(0.2)  # the sticks take their commands

        def steps() -> Steps:
            for k in range(int(seconds_s * frames_a_second)):
                at_ns = k * NS_PER_S // frames_a_second + k * 7_919 % 97 * 40_000  # no two at the same distance
                yield clock.timeout(max(0, at_ns - clock.now_ns))
                sent = Sent(FRAME, "T1", -70.0, clock.wall_at_ns(clock.now_ns))
                for feeder in feeders:
                    feeder.feed(sent)

        clock.process(steps())
        clock.run_until(ns(seconds_s + 0.1))
        return Handed.together(feeder.handed for feeder in feeders), clock


def first_byte_p99_ms(seconds_s: float) -> float:
    """Raises OSError when a feeder lost a frame: then the figure is of another load."""
    handed, _ = feed(seconds_s, real_time=True)
    if handed.lost or handed.frames != int(seconds_s * FRAMES_A_SECOND) * len(FORMATS):
        raise OSError(f"feeders handed over {handed.frames} frames and lost {handed.lost}")
    return handed.late_percentile_ns(99) / NS_PER_MS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--real-time", action="store_true", help="before all ordinary programs (SCHED_FIFO)")
    arguments = parser.parse_args()
    seconds_s = arguments.seconds
    handed, clock = feed(seconds_s, real_time=arguments.real_time)
    figures = {
        "seconds": seconds_s,
        "frames": handed.frames,
        "lost": handed.lost,
        **{f"late_p{p}_ms": handed.late_percentile_ns(p) / NS_PER_MS for p in (50, 99, 99.9, 100)},
        "line_p50_ms": percentile(handed.line_ns, 50) / NS_PER_MS,
        "line_most_ms": max(handed.line_ns, default=0) / NS_PER_MS,
        "clock": str(clock.lateness),
        "priority": clock.ordinary or ("real time" if arguments.real_time else "ordinary"),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
