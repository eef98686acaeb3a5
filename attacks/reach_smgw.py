"""What attackers on the parts of the system `smgw` can do: see attack.Can."""

from __future__ import annotations

from collections.abc import Callable

from attacks.reach_base import Base
from sim.pki.party_certificates import Certificate, drawn_key, drawn_slot_key
from sim.pki.sealed_content import Receiver, seal
from sim.pki.signed_content import Signer, sign, sign_by
from sim.pki.sm_triples import slot_of
from sim.smart_metering.administrator import Relayed
from sim.smart_metering.smart_gateway import SmartGateway
from sim.smart_metering.wan.world_line import Passing
from sim.smgw.delivered_content import Delivery
from sim.smgw.firmware_image import Firmware
from sim.smgw.firmware_image import encode as encode_firmware
from sim.smgw.module.in_world import draws
from sim.smgw.wake_up import NONCE_BYTES, encode
from sim.systems._smgw_lines import Order
from sim.systems._smgw_running import Smgw, smgw
from sim.systems.smgw import SUPPLIER


class OnSmgw(Base):
    """What they have in common."""

    @property
    def _smgw(self) -> Smgw:
        return smgw(self._world.system)

    def _box(self, gateway: int) -> SmartGateway:
        return self._smgw.gateways[gateway]

    @property
    def _receiver(self) -> Certificate:
        """The supplier's certificate, which is no secret."""
        return self._smgw.receiver_certificate


class Relay(OnSmgw):
    """Stands between gateways and the supplier, behind whatever TLS there is."""

    def relayed(self) -> list[Relayed]:
        """Every container that passed until now."""
        return list(self._smgw.administrator.relayed)

    def change_relayed(self, change: Callable[[bytes], bytes]) -> None:
        """What is handed on from now on, made of what passes."""
        self._smgw.administrator.changes = change

    def send_rule(self, gateway: int, *, taf: int) -> None:
        """A gateway gets another rule set for the supplier."""
        self._smgw.send_rules(gateway, Order(SUPPLIER, taf))
        self.note("rule set", f"TAF {taf} to {self._box(gateway).id}")

    def ask_snapshot(self, gateway: int, due_s: int) -> bool:
        """A gateway gets a rule set for values on demand at this instant, for the supplier. False: it refuses it, or
        has not come for it yet."""
        order = Order(SUPPLIER, 6, due_s)
        self._smgw.send_rules(gateway, order)
        became = {True: "taken", False: "refused", None: "not fetched"}[order.taken]
        self.note("value on demand", f"{became} by {self._box(gateway).id}")
        return bool(order.taken)

    def send_firmware(self, gateway: int, image: bytes) -> None:
        """A gateway gets an image over its line."""
        self._smgw.send_firmware(gateway, image)
        self.note("firmware", f"{len(image)} bytes to {self._box(gateway).id}")

    def makers_image(self, firmware: Firmware) -> bytes:
        """One that its maker signed and gave to everybody: whatever he made for any device, and at any time."""
        return self._smgw.firmware.by_maker(firmware)

    def image_of_own(self, firmware: Firmware, signer: str, *, signed: bool = True) -> bytes:
        """One that says that `signer` signed it, signed by a key of one's own, or by nobody."""
        key = drawn_slot_key(draws(self._world.seeds, f"attacker {self._record.id}", "firmware"))
        return encode_firmware(firmware, signer, key.sign if signed else lambda body: b"")

    def hand_in(self, gateway: str, container: bytes) -> None:
        """Hand a container to the supplier in a gateway's name."""
        self._smgw.hand(SUPPLIER, gateway, container, self.now_ns)


class BoxDisk(Relay):
    """Has a copy of a gateway's disk, and reaches the supplier as that gateway did."""

    def box_name(self, gateway: int) -> str:
        """What stands on the box."""
        return self._box(gateway).id

    def box_files(self, gateway: int) -> dict[str, bytes]:
        """Every file of a gateway, by name."""
        folder = self._box(gateway).disk
        return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}

    def sealed_of_own(self, gateway: int, delivery: Delivery) -> bytes:
        """Sealed for the supplier, which needs no secret, and not signed."""
        return seal(delivery.encode(), self._receiver, draw=self._own_draws(gateway, str(delivery.number)))

    def _own_draws(self, gateway: int, purpose: str) -> Callable[[int], bytes]:
        return draws(self._world.seeds, f"attacker at gateway {gateway}", purpose)

    def container_of_own(self, gateway: int, delivery: Delivery) -> bytes:
        """Sealed for the supplier, and signed under the gateway's certificate by a key that is not in its module."""
        signer = Signer(self._box(gateway).certificate, drawn_key(self._own_draws(gateway, "key")))
        sealed = self.sealed_of_own(gateway, delivery)
        return sign(sealed, signer, self._world.calendar.at(self.now_ns).replace(microsecond=0))


class RunningBox(BoxDisk):
    """Runs the gateway's processor: its memory, its module's verbs while that is inside, and its session with the
    administrator."""

    def relay(self, gateway: int, container: bytes) -> bool:
        """Give the administrator a container for the supplier, in the gateway's session."""
        system = self._smgw
        return system.administrator.relay(system.gateways[gateway].id, SUPPLIER, container, self.now_ns)

    def container_by_module(self, gateway: int, delivery: Delivery) -> bytes:
        """Signed by the module, as the gateway's own program has it done."""
        return self._box(gateway).sealed(delivery.encode(), self._receiver, self.now_ns)


    def container_by_former_key(self, gateway: int, delivery: Delivery) -> bytes:
        """Sealed for the supplier, and signed by the key that the module had before: it lies there until the one after
        the next is made. Raises ValueError where it never had another."""
        certificate, number = self._before(gateway)
        box, at = self._box(gateway), self._world.calendar.at(self.now_ns).replace(microsecond=0)
        slot = slot_of("SIG", number)
        return sign_by(self.sealed_of_own(gateway, delivery), certificate, lambda said: box.module.sign(slot, said), at)

    def session_by_former_key(self, gateway: int, certificate: Certificate) -> bool:
        """Begin a session with the administrator by a certificate that the gateway had before."""
        return self._smgw.renewals.begins(self._box(gateway).id, certificate)

    def session_certificate(self, gateway: int) -> Certificate:
        """By which it begins its sessions now."""
        return self._box(gateway).triple.certificates["TLS"]

    def _before(self, gateway: int) -> tuple[Certificate, int]:
        box = self._box(gateway)
        former = self._smgw.renewals.former.get(box.id)
        if former is None:
            raise ValueError(f"gateway {gateway} has its first operational keys; renew them")
        return former, box.triple.number - 1


class Wan(OnSmgw):
    """Stands on the WAN between the administrator and gateways, and holds no key."""

    def on_call(self, decide: Callable[[int, bytes], bool]) -> None:
        """`decide(gateway, datagram)` sees each of the administrator's datagrams; False holds it back."""
        self._smgw.calls.path = decide

    def send_datagram(self, gateway: int, datagram: bytes) -> None:
        """At a gateway's port. Nothing ever comes back."""
        self._smgw.calls.arrive(gateway, datagram)

    def call_of_own(self, gateway: int) -> bytes:
        """A datagram for a gateway, signed by a key of one's own."""
        draw = draws(self._world.seeds, f"attacker at gateway {gateway}", "calls")
        at_s = int(self._world.calendar.at(self.now_ns).timestamp())
        key = drawn_slot_key(draw)
        return encode(self._box(gateway).id, at_s, draw(NONCE_BYTES), key.sign)


class ReceiverKey(OnSmgw):
    """Has the supplier's key ENC, and what was relayed to him."""

    def receiver_key(self) -> Receiver:
        """Certificate and key."""
        return self._smgw.stolen_receiver

    def relayed_to_him(self) -> list[Relayed]:
        """Every container that passed until now."""
        return list(self._smgw.administrator.relayed)

    def signer_of(self, gateway: str) -> Certificate:
        """A gateway's certificate, which is no secret."""
        return self._smgw.signers[gateway]


class BusClip(OnSmgw):
    """Has two clips on the wires of a wired meter bus: hears every frame, and can put another in its place."""

    def clip_bus(self, gateway: int, clip: Callable[[bytes], bytes]) -> None:
        """`clip`: a frame without its flags -> what goes on instead. Raises ValueError where there is no bus."""
        wired = self._box(gateway).wired
        if wired is None:
            raise ValueError(f"gateway {gateway} has no wired bus; set system.wired")
        wired.plan.wire.clips.append(clip)


class LineTap(OnSmgw):
    """Has a tap on the lines of gateways: hears every byte of TLS and every datagram, with direction and time."""

    def tap_lines(self, watch: Callable[[Passing], None]) -> None:
        """All that passes from now on."""
        self._smgw.wan.taps.append(watch)
