"""What `smgw serve` puts on the loopback: a world that goes on with the wall clock, its gateways' home networks, its
administrator and its supplier as servers of the WAN, and an inverter behind one gateway's proxy.

Everything is real but the air. The world begins some hours ago and is played up to now, so that there is something to
read; then each second its time is brought up to the wall's. Servers read what the world has under one lock.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

from bench import worlds
from sim.core.clock import NS_PER_S, wall_now
from sim.pki.authority import Pair
from sim.pki.display_certificates import fingerprint, self_signed
from sim.smart_metering.han.cls_channel import ClsProxy, device_context
from sim.smart_metering.han.cls_profile import ClsProfile
from sim.smart_metering.han.gateway_source import GatewaySource
from sim.smart_metering.han.han_server import context
from sim.smart_metering.han.home import Home
from sim.smart_metering.han.inverter import Controller, ControlServer, Inverter
from sim.smart_metering.han.known_dialects import DIALECTS
from sim.smart_metering.wan import answers, tls
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.relaying import hand_over
from sim.smart_metering.wan.server import WanServer
from sim.smgw.logs.log_entries import Level, LogEvent
from sim.smgw.module.in_world import draws
from sim.systems._smgw_running import Smgw, smgw
from sim.systems.smgw import SUPPLIER
from sim.world import World
from sim.world_spec import load

RASTER_S: Final = 900
SPOKEN: Final = ("ppc", "theben", "emh")
PEER: Final = f"{SUPPLIER}.EMT"
CONTROL: Final = ("control.supplier.emt", 443)


class Door(NamedTuple):
    """One server: what it is, its address, and who may log in there, as (user, password, what that account is)."""

    what: str
    url: str
    logins: tuple[tuple[str, str, str], ...] = ()


class ServedWorld:
    """Use it with `with`. `first_port`: the first of the HAN's ports, the others behind it; 0: free ones. Raises
    SpecError, HanError, WanError, StoreError."""

    def __init__(self, name: str, hours: float, seed: int, folder: Path, first_port: int = 0) -> None:
        self.folder, self._port = folder, first_port
        self.doors: list[Door] = []
        self._lock = threading.RLock()
        self._sources: list[GatewaySource] = []
        began = wall_now().replace(tzinfo=None, microsecond=0) - timedelta(hours=hours)
        began -= timedelta(seconds=int(began.timestamp()) % RASTER_S)
        spec = load(worlds.find(name)).with_setting("start", began).with_setting("system.kind", "smgw")
        self._closing = contextlib.ExitStack()
        try:
            self.world = self._closing.enter_context(World(spec, seed, folder / "world"))
            self._system: Smgw = smgw(self.world.system)
            self._draw = draws(self.world.seeds, "served", "draws")
            self._wan()
            self._homes()
            self._inverter()
            self.catch_up()
        except BaseException:
            self._closing.close()
            raise

    def __enter__(self) -> ServedWorld:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def catch_up(self) -> None:
        """Bring the world up to the wall clock, by whole seconds."""
        behind_ns = self.world.calendar.ns(wall_now()) - self.world.now_ns
        if behind_ns >= NS_PER_S:
            with self._lock:
                self.world.run(behind_ns // NS_PER_S * NS_PER_S)
                for one in self._sources:
                    one.refresh()

    # --- the WAN ----------------------------------------------------------------------------------------------------

    def _wan(self) -> None:
        root, wan = self._system.root, self.folder / "wan"
        wan.mkdir(parents=True, exist_ok=True)
        self._root = root.write(wan / "root.crt")
        names = [answers.ADMINISTRATOR, PEER, *(f"{box.id}{answers.GATEWAY}" for box in self._system.gateways)]
        pairs = {name: root.tls_pair(name, wan, self._draw) for name in names}

        def side(name: str, *, server: bool = False) -> ssl.SSLContext:
            return tls.context(pairs[name], self._root, server=server)

        self._side = side
        taking = answers.participant(self._system.portal, lambda: self.world.now_ns)
        supplier = WanServer(side(PEER, server=True), taking)

        def hand_on(receiver: str, gateway: str, container: bytes) -> None:
            if receiver != SUPPLIER:
                raise tls.WanError("refused", "no such participant")
            with WanClient(side(answers.ADMINISTRATOR), supplier.port, PEER) as client:
                client.ask("POST", f"/{gateway}.sm/delivery", container)

        rules = {box.id: [{"taf": one.taf, "receiver": one.receiver} for one in box.setup.contracts]
                 for box in self._system.gateways}  # fmt: skip
        administrator = WanServer(
            side(answers.ADMINISTRATOR, server=True), answers.administrator(hand_on, rules, wall_now)
        )
        for what, server in (("administrator (GWA)", administrator), ("supplier (EMT)", supplier)):
            server.start()
            self._closing.callback(server.stop)
            self.doors.append(Door(f"WAN: {what}, TLS 1.2 on brainpoolP256r1", f"https://127.0.0.1:{server.port}"))
        way = hand_over(SUPPLIER, administrator.port, lambda id_: side(f"{id_}{answers.GATEWAY}"))
        self._system.administrator.reach(SUPPLIER, way)

    # --- the homes --------------------------------------------------------------------------------------------------

    def _homes(self) -> None:
        for box in self._system.gateways:
            source = GatewaySource(box, lambda: self.world.now_ns)
            self._sources.append(source)
            pins: dict[str, str] = {}
            for id_ in SPOKEN:
                dialect = DIALECTS.find(id_)
                home = Home(source, dialect, box.owners(), self.folder / "han", self._draw, self.world.calendar.start,
                            lock=self._lock, pins=pins)  # fmt: skip
                pins = home.pins
                server = home.server(self._next_port())
                server.start()
                self._closing.callback(server.stop)
                logins = [(user, pins[user], owner) for owner, user in home.users.items()]
                logins.append(("technician", pins["technician"], "state only"))
                path = {"ppc": "/cgi-bin/hanservice.cgi", "theben": "/smgw/m2m", "emh": "/json/metering/origin"}[id_]
                self.doors.append(Door(f"HAN of {box.id}, {dialect.title}; certificate {home.certificate}",
                                       f"https://127.0.0.1:{server.port}{path}", tuple(logins)))  # fmt: skip

    def _next_port(self) -> int:
        port = self._port
        self._port += 1 if port else 0
        return port

    # --- a controllable system --------------------------------------------------------------------------------------

    def _inverter(self) -> None:
        box = self._system.gateways[0]
        han, since = self.folder / "han", self.world.calendar.start
        own, at_proxy = (
            self_signed(name, "prime256v1", han, self._draw, since) for name in ("inverter", f"{box.id}.cls")
        )
        inverter, controller = Inverter(8_000), Controller(3_000)
        control = ControlServer(self._side(PEER, server=True), controller.answer)
        device = ControlServer(context(own, "prime256v1"), inverter.answer)
        for one in (control, device):
            one.start()
            self._closing.callback(one.stop)
        owner = box.owners()[0]
        mark = fingerprint(own.certificate)
        profile = ClsProfile("inverter", mark, owner, CONTROL, PEER, control.port, 0, device.port)
        source = self._sources[0]

        def note(whose: str, text: str, good: bool) -> None:
            with self._lock:
                source.note(whose or None, Level.INFORMATION, LogEvent.CHANNEL, "proxy", int(not good), text)

        proxy = ClsProxy(
            device_context(at_proxy, own.certificate), _client(own), self._side(f"{box.id}{answers.GATEWAY}"),
            [profile], note,
        )  # fmt: skip
        proxy.start()
        self._closing.callback(proxy.stop)
        self.doors.append(Door(f"CLS proxy of {box.id}: SOCKS5 in TLS, with {own.certificate} and its key, to "
                               f"{CONTROL[0]}:{CONTROL[1]}", f"127.0.0.1:{proxy.port}"))  # fmt: skip

    @property
    def authority(self) -> Path:
        """The root certificate of the WAN."""
        return self._root


def _client(own: Pair) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.load_verify_locations(own.certificate)
    return made
