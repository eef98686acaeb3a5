"""A gateway of the inventory, started, fed, read, without power, and gone. Real processes, sockets and certificates."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from sim.core import clock
from sim.desk.box import Box, BoxError
from sim.desk.inventory import GatewayEntry, ListenSpec, PowerSpec, RunSpec
from sim.feeders.kinds.codec import CodecFeeder, CodecSpec
from sim.feeders.lines.pty import PtySpec
from sim.readers.port import Delivered
from tests.sim.desk.boxes import frame, reference, relay, running, sent


def delivered(box: Box, count: int, deadline_s: float = 20.0) -> list[Delivered]:
    rows: list[Delivered] = []
    end_s = clock.wall_s() + deadline_s
    while len(rows) < count and clock.wall_s() < end_s:
        box.turn(0.02)
        rows += box.take()
    return rows


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def test_what_is_fed_is_delivered_unchanged(tmp_path: Path) -> None:
    threads = threading.active_count()
    with Box(reference(), tmp_path) as box:
        assert box.problem is None
        assert all(box.feed(sent(mark)) for mark in range(50))
        rows = delivered(box, 50)
        assert [row.frame for row in rows] == [frame(mark) for mark in range(50)], "in order"
        assert {row.rssi_dbm for row in rows} == {-70.5}
        assert all(row.stamp_of == "reception" and row.stamp is not None for row in rows)
        pid, broker = box.pid, box.endpoint.pid if box.endpoint else None
        assert pid is not None and broker is not None
    assert not is_alive(pid) and not is_alive(broker)
    assert threading.active_count() == threads
    box.stop()


def test_a_program_is_ready_when_it_says_so_at_each_start(tmp_path: Path) -> None:
    with Box(running(("sh", "-c", "sleep 0.2; echo Ready $$; cat"), ready_line="Ready"), tmp_path) as box:
        assert box.stdout.read_text().count("Ready") == 1
        box.power_cut()
        box.power_on()
        assert box.stdout.read_text().count("Ready") == 2


def test_a_power_cut_takes_nothing_from_its_outbox(tmp_path: Path) -> None:
    entry = reference(read=tuple(dataclasses.replace(spec, acknowledge=False) for spec in reference().read))
    with Box(entry, tmp_path) as box:
        for mark in range(20):
            box.feed(sent(mark))
        assert len(delivered(box, 20)) == 20  # so they are in the outbox, and nobody acknowledged
        pid = box.pid
        assert pid is not None
        box.power_cut()
        assert not is_alive(pid)
        assert not box.powered
        assert not box.feed(sent(99))
        assert "standard input" in (box.problem or "")
        box.power_on()
        assert box.powered and box.problem is None
        box.feed(sent(21))
        again = {row.frame for row in delivered(box, 21)}
        assert {frame(mark) for mark in (*range(20), 21)} <= again
        assert frame(99) not in again


def test_acknowledged_bundles_do_not_come_again(tmp_path: Path) -> None:
    with Box(reference(), tmp_path) as box:
        box.feed(sent(1))
        delivered(box, 1)
        box.turn(0.3)  # the acknowledgement arrives
        box.feed(sent(2))
        delivered(box, 1)  # and is on the disk with the next bundle
        box.turn(0.3)
        box.power_cut()
        box.power_on()
        box.feed(sent(3))
        assert frame(1) not in {row.frame for row in delivered(box, 2, 3.0)}


def test_the_reference_gateway_works_with_a_dongle_that_comes_and_goes(tmp_path: Path) -> None:
    stick = reference(feed=(CodecSpec(format="im871a", line=PtySpec(link="stick")),))
    run = dataclasses.replace(stick.run, command=(*stick.run.command, "--dongle", "{feed}"))
    with Box(dataclasses.replace(stick, run=run), tmp_path) as box:
        feeder = box.feeders[0]
        assert isinstance(feeder, CodecFeeder)
        assert feeder.dongle is not None and feeder.dongle.hears("C1")
        assert box.feed(sent(1))
        assert [row.frame for row in delivered(box, 1)] == [frame(1)]
        feeder.unplug()
        assert "unplugged" in (box.problem or "")
        box.turn(0.6)
        feeder.plug()
        end_s = clock.wall_s() + 10
        while box.problem and clock.wall_s() < end_s:
            box.turn(0.05)
        assert box.feed(sent(2))
        assert [row.frame for row in delivered(box, 1)] == [frame(2)]
        assert "plug the stick in" in box.stderr.read_text()


def test_what_a_gateways_radio_cannot_mean_is_passed_over(tmp_path: Path) -> None:
    with Box(reference(), tmp_path) as box:
        feeder = box.feeders[0]
        assert isinstance(feeder, CodecFeeder)
        broken = b"T1;0;1;;;;;0x" + frame(7).hex().encode()
        short = b"T1;1;1;2026;-70;-70;0;0x05"
        for noise in (b"\n\xff\xfe;;;;;;;;", b"T1;1;1;x;y;z;0;0xzz", broken, b"a" * 60_000, short):
            noise += b"\n"
            assert feeder.inject(noise)
            box.turn(0.05)
        line = b"T1;1;1;;-70;-70;;0x" + frame(8).hex().encode() + b"\n"
        for at in range(1, len(line), 7):  # torn at any byte
            feeder.inject(line[:at])
            feeder.inject(line[at:] + line)
        wanted = 2 * len(range(1, len(line), 7))
        rows = delivered(box, wanted)
        assert [row.frame for row in rows] == [frame(8)] * wanted


def test_the_broker_listens_elsewhere_only_where_the_inventory_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = free.getsockname()[1]
    for listen, address in ((ListenSpec(address="127.0.0.2", port=port), "127.0.0.2"), (ListenSpec(), "127.0.0.1")):
        with Box(reference(listen=listen), tmp_path / address) as box:
            box.feed(sent(1))
            assert [row.frame for row in delivered(box, 1)] == [frame(1)]
            config = (box.directory / "endpoint" / "mosquitto.conf").read_text()
            at = box.endpoint.address.port if box.endpoint and box.endpoint.address else 0
            assert [line for line in config.splitlines() if "listener " in line] == [f"listener {at} {address}"]


def test_a_folder_of_certificates_may_be_named_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Box(reference(listen=ListenSpec(pki="desk-pki")), tmp_path / "box") as box:
        assert {box.known[name].rpartition("/")[0] for name in ("ca", "certificate", "key")} == {f"{tmp_path}/desk-pki"}
        box.feed(sent(1))
        assert [row.frame for row in delivered(box, 1)] == [frame(1)]


def test_a_relay_does_what_a_person_would(tmp_path: Path) -> None:
    with Box(reference(power=relay(tmp_path)), tmp_path / "box") as box:
        box.power_cut()
        box.power_on()
    assert (tmp_path / "relay.log").read_text().split() == ["cut", "on"]


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    script = "sleep 1000 & echo $! >child; while read line; do :; done"
    with Box(running(("sh", "-c", script)), tmp_path) as box:
        end_s = clock.wall_s() + 10
        while not (tmp_path / "child").exists() and clock.wall_s() < end_s:
            box.turn(0.02)
        child = int((tmp_path / "child").read_text())
        assert is_alive(child)
        box.power_cut()
        assert not is_alive(child)


def test_a_program_that_ends_by_itself_is_a_problem_with_its_last_words(tmp_path: Path) -> None:
    with Box(reference(), tmp_path) as box:
        assert box.pid is not None
        os.kill(box.pid, signal.SIGKILL)
        end_s = clock.wall_s() + 10
        while box.powered and clock.wall_s() < end_s:
            box.turn(0.02)
        assert "its program ended with -9: gateway reference: connected" in (box.problem or "")


def _cannot_start(entry: GatewayEntry, folder: Path) -> str:
    with pytest.raises(BoxError) as raised, Box(entry, folder):
        pass
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (running(("no-such-gateway",)), "no program 'no-such-gateway' is on the PATH"),
        (running(("sh", "-c", "echo 'bad \x1b[2J thing' >&2; exit 3"), settle_s=0.5),
         "ended with 3: bad \\x1b[2J thing"),
        (running(("sh", "-c", "echo hello; sleep 9"), ready_line="Ready", ready_s=0.3),
         "does not say 'Ready'; its last line is: hello"),
        (running(("cat", "{nmae}")), "{nmae} stands for nothing; did you mean {name}?"),
        (reference(run=RunSpec(command=("cat",), files={"../x": ""})), "outside of the gateway's own directory"),
        (reference(listen=ListenSpec(address="192.0.2.1", port=8883)), "192.0.2.1 is no address of this machine"),
        (reference(feed=(CodecSpec(format="cul", line=PtySpec()),), run=RunSpec(command=("sleep", "9"), ready_s=0.1)),
         "nobody has opened"),
    ],
    ids=["no program", "ends", "not ready", "placeholder", "file", "address", "nobody"],
)  # fmt: skip
def test_a_box_that_cannot_start_says_why_and_leaves_nothing(tmp_path: Path, entry: GatewayEntry, says: str) -> None:
    threads = threading.active_count()
    assert says in _cannot_start(entry, tmp_path / "box")
    assert threading.active_count() == threads


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        entry = reference(listen=ListenSpec(port=taken.getsockname()[1]))
        assert "is in use by another program" in _cannot_start(entry, tmp_path)


def test_a_relay_that_fails_is_named(tmp_path: Path) -> None:
    entry = reference(power=PowerSpec(cut=("sh", "-c", "echo no such port >&2; exit 4"), on=("true",)))
    with Box(entry, tmp_path) as box, pytest.raises(BoxError, match="its relay's sh ended with 4: no such port"):
        box.power_cut()
