"""`smgw serve`: what it prints is there, a consumer logs in, asked to end it leaves nothing; a port in use is one
sentence."""

from __future__ import annotations

import json
import signal
import socket
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from bench.run_errors import CannotRun
from bench.smgw.serve_door import serve
from sim.core.seeds import Seeds
from sim.core.settings import SpecError
from sim.pki.authority import Pair
from sim.smart_metering.han.han_client import HanClient
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.tls import WanError, context
from sim.smgw.module.in_world import draws
from tests.bench.command_line import PATIENCE_S, Rig

WORDS = ("smgw", "serve", "--hours", "0.5", "--seed", "5")


@contextmanager
def serving(rig: Rig, *words: str) -> Iterator[tuple[Popen[str], dict[str, Any]]]:
    process = rig.start(*WORDS, "--json", *words)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def port_of(door: dict[str, Any]) -> int:
    return int(door["url"].removeprefix("https://").partition("/")[0].rpartition(":")[2])


def test_what_it_prints_is_there_until_it_is_asked_to_end(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    with serving(rig) as (process, told):
        folder, doors = Path(told["folder"]), told["doors"]
        emh = next(one for one in doors if "EMH" in one["what"])
        login = next(one for one in emh["logins"] if one["user"] == "consumer-1")
        draw = draws(Seeds(1), "test", "draws")
        trusted = Path(emh["what"].rpartition("certificate ")[2])
        with HanClient(port_of(emh), login["user"], login["password"], trusted=trusted, draw=draw) as client:
            assert len(json.loads(client.ask("GET", "/json/metering/origin").body)) >= 1
            assert b"Who received what" in client.ask("GET", "/display").body
        supplier = next(one for one in doors if "supplier" in one["what"])
        wan = folder / "wan"
        own = context(Pair(wan / "gw-0001.SMGW.crt", wan / "gw-0001.SMGW.key"), Path(told["authority"]), server=False)
        with WanClient(own, port_of(supplier), "supplier.EMT") as past, pytest.raises(WanError, match="403"):
            past.ask("POST", "/gw-0001.sm/delivery", b"")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, err) == (0, "")
        assert not folder.exists()
        for one in doors:
            if one["url"].startswith("https"):
                with pytest.raises(OSError):  # noqa: PT011
                    socket.create_connection(("127.0.0.1", port_of(one)), 2).close()


def asked(**given: Any) -> Namespace:
    return Namespace(**{"world": "terrace-60", "hours": 0.3, "seed": 5, "port": 0, "json": True} | given)


def test_a_port_in_use_is_one_sentence_and_leaves_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotRun, match=f"port {port}: .*; free it or choose another"):
            serve(asked(port=port))
    assert not [one.name for one in threading.enumerate() if one.name in ("han", "wan", "cls", "control")]


@pytest.mark.parametrize(
    ("given", "said"), [({"port": -1}, "--port"), ({"hours": 0.0}, "--hours"), ({"world": "nowhere"}, "no world")]
)
def test_what_cannot_be_served_is_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises((CannotRun, SpecError), match=said):
        serve(asked(**given))
