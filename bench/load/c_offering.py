"""The same rows published by clients in C: one mosquitto_pub -l a gateway (bench.perf.c_client), fed by a pipe at the
time at which its bundle is due. What they do not have is a gateway's custody: what is gone is gone.

A mosquitto_sub sees that each is connected before the portal subscribes; then it leaves.
"""

from __future__ import annotations

from bench.load.fleet_bundles import name
from bench.load.generator import identity_of
from bench.load.load_orders import Generated, GeneratorOrder
from bench.perf.c_client import NoCClient, Publishers, Taker
from sim.core.clock import wall_s, wall_sleep
from sim.endpoint.port import Address, EndpointError, Identity
from sim.endpoint.topic_acl import READER


class Reached:
    """What the clients in C ask of a broker: where it is, and who they are."""

    def __init__(self, order: GeneratorOrder) -> None:
        self.address: Address | None = order.address
        self._order = order

    def identity(self, client_id: str) -> Identity:
        if client_id == READER:
            if self._order.reader is None:
                raise EndpointError("there is no identity that may read what the gateways publish")
            return self._order.reader
        return identity_of(self._order.identities, client_id)


class CClients:
    """See generator.Offering."""

    def __init__(self, order: GeneratorOrder, payloads: list[bytes], told: Generated) -> None:
        self._order, self._payloads, self._told = order, payloads, told
        reached = Reached(order)
        self._names = [name(number) for number in order.identities]
        self._clients = Publishers(reached, self._names)
        self._reached = reached
        self._name_of = [name(number) for number in order.schedule.gateway[order.rows].tolist()]

    def connect(self) -> None:
        try:
            taker = Taker(self._reached)
            try:
                self._clients.connect_and_show(taker)
            finally:
                taker.stop()
        except NoCClient as error:
            self._clients.stop()
            raise EndpointError(f"the C client: {error}") from None

    def publish(self, row: int) -> None:
        self._told.sent_s[row] = wall_s()
        self._told.publishes += 1
        try:
            self._clients.publish_one(self._name_of[row], self._payloads[row])
        except NoCClient as error:
            self._told.endings[str(error)] += 1

    def turn(self, most_s: float) -> None:
        wall_sleep(min(most_s, 0.005))

    def cut(self) -> None:
        raise EndpointError("the C client cannot be cut and go on with what it had published")

    def dial(self) -> None:
        raise EndpointError("the C client cannot be cut and go on with what it had published")

    def report(self, told: Generated) -> None:
        told.connects |= {int(one.removeprefix("gw")): 1 for one in self._names}

    def close(self) -> None:
        self._clients.stop()
